//! A time, or an escalation, that nothing ever comes of.

use std::num::NonZeroU32;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::eval::people::listed;
use crate::ir::people::{ApprovalGroup, Approver, Need};
use crate::ir::{PolicySet, TeamId};
use crate::lint::Context;
use crate::syntax::tree::{self, ApprovalItem, ApprovalStatement, ItemKind};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "dead-timer",
    severity: Severity::Warning,
    summary: "an escalation comes when the request is over, or adds nobody who could approve",
    why: "A request ends when `expires` has passed, and an escalation after that never happens: \
          the people it names are never asked, and whoever wrote it relies on them. Nor does an \
          escalation help that adds persons to a group whose `need` names teams, where none of \
          them is in such a team: a clause takes nobody from outside, however urgent.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"  role admin in org }
person carol { email "carol@example.com"  role admin in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
  expires   8h
  escalate  after 12h to person carol
}
"#,
    good: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"  role admin in org }
person carol { email "carol@example.com"  role admin in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
  expires   8h
  escalate  after 2h to person carol
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for item in context.checked.trees.iter().flat_map(|tree| &tree.items) {
        if let ItemKind::Approval(tree) = &item.value
            && let Some(id) = context.set.approvals.find(&tree.name.value)
        {
            check_group(context.set, &context.set.approvals[id], tree, findings);
        }
    }
}

fn check_group(
    set: &PolicySet,
    group: &ApprovalGroup,
    tree: &ApprovalItem,
    findings: &mut Vec<Diagnostic>,
) {
    for statement in &tree.statements {
        let ApprovalStatement::Escalate { after, to } = &statement.value else {
            continue;
        };
        if after.seconds >= group.expires {
            let message = "this escalation comes when the request has expired";
            findings.push(
                Diagnostic::new(&CODE, statement.span, message)
                    .label("never happens")
                    .help("escalate earlier, or let the request wait longer"),
            );
        } else if let Need::Clauses(clauses) = &group.need
            && adds_nobody(set, to, clauses)
        {
            let message = "nobody whom this adds is in a team that `need` names";
            findings.push(
                Diagnostic::new(&CODE, statement.span, message)
                    .label("may deny, and never approve")
                    .help("name somebody of those teams"),
            );
        }
    }
}

/// Whether none of `to` could fill a clause.
fn adds_nobody(set: &PolicySet, to: &[tree::Approver], clauses: &[(NonZeroU32, TeamId)]) -> bool {
    let added = to.iter().filter_map(|approver| match approver {
        tree::Approver::Team(name) => set.teams.find(&name.value).map(Approver::Team),
        tree::Approver::Person(name) => set.persons.find(&name.value).map(Approver::Person),
    });
    let added = listed(set, &added.collect::<Vec<_>>());
    let members = clauses
        .iter()
        .flat_map(|(_, team)| &set.teams[*team].members);
    !members.into_iter().any(|person| added.contains(person))
}
