//! An approval group that one person alone can ever satisfy.

use std::collections::BTreeSet;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::eval::people::listed;
use crate::ir::people::{ApprovalGroup, Need};
use crate::ir::{PersonId, PolicySet};
use crate::lint::Context;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "single-approver",
    severity: Severity::Warning,
    summary: "one person alone can satisfy an approval group, or a clause of it",
    why: "Where exactly one person can say yes, machines stay locked while that person sleeps, is \
          ill or leaves; and who controls that one account controls the group. Escalations count, \
          for whoever they add may approve too; somebody who stands in for a while does not, for \
          the rest of the year there is nobody.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }

approval gate {
  on        unlock
  approvers person alice
}
"#,
    good: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"    role admin in org }

approval gate {
  on        unlock
  approvers [person alice, person bob]
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let set = context.set;
    for (_, group) in set.approvals.iter() {
        let Some(person) = only_person(set, group) else {
            continue;
        };
        let (name, person) = (&group.header.name, set.persons.name(person));
        let message = format!("nobody but `{person}` can ever approve for `{name}`");
        findings.push(
            Diagnostic::new(&CODE, group.header.span, message)
                .label(format!("waits for `{person}` alone"))
                .help("name a second person, or a team that has one"),
        );
    }
}

/// The one person without whom the group, or a clause of it, is never satisfied.
fn only_person(set: &PolicySet, group: &ApprovalGroup) -> Option<PersonId> {
    match &group.need {
        Need::Count(_) => {
            let mut persons = listed(set, &group.approvers);
            for escalation in &group.escalations {
                persons.extend(listed(set, &escalation.to));
            }
            if group.tier_above {
                let with_role = set.persons.iter();
                let with_role = with_role.filter(|(_, person)| !person.roles.is_empty());
                persons.extend(with_role.map(|(id, _)| id));
            }
            only(&persons)
        }
        // A clause takes nobody from outside its team.
        Need::Clauses(clauses) => clauses
            .iter()
            .find_map(|(_, team)| only(&set.teams[*team].members.iter().copied().collect())),
    }
}

fn only(persons: &BTreeSet<PersonId>) -> Option<PersonId> {
    let mut persons = persons.iter();
    persons.next().copied().filter(|_| persons.next().is_none())
}
