//! A one-time unlock that stands in for approval, armed by others than approve.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::eval::people::listed;
use crate::ir::ApprovalId;
use crate::ir::unlock::AllowOnceRule;
use crate::lint::Context;
use crate::lint::demand::Demand;
use crate::lint::exact::Exact;
use crate::lint::undecided::not_decided;
use crate::space::diagram::{FALSE, OverBudget};
use crate::vocabulary::Override;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "override-escapes-approval",
    severity: Severity::Warning,
    summary: "a one-time unlock that overrides approval can be armed by people who could not approve",
    why: "An `allow-once` that overrides `approval` takes as many persons as the groups would \
          have, but of those whom its `by` names. Where `by` has others in it, or a group's `need` \
          takes some of each of several teams, enough people to arm it need not be people who \
          could approve: the group is then only as strong as the override. Escalations count as \
          approvers.",
    bad: r#"edition 2026

person alice { role owner in org }
person bob   { role admin in org }
person carol { role viewer in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
}

allow-once break-glass {
  overrides approval
  by        [person bob, person carol]
  max       1h
}
"#,
    good: r#"edition 2026

person alice { role owner in org }
person bob   { role admin in org }
person carol { role viewer in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
  escalate  after 1h to person carol
}

allow-once break-glass {
  overrides approval
  by        [person bob, person carol]
  max       1h
}
"#,
};

/// Groups held against one-time unlocks before the lint gives up.
const BUDGET: usize = 200_000;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let mut left = BUDGET;
    for (_, rule) in context.set.allow_onces.iter() {
        if !rule.overrides.contains(&Override::Approval) {
            continue;
        }
        match context.ask(|exact| met(exact, rule, &mut left)) {
            Ok(groups) => {
                for group in groups {
                    findings.extend(report(context, rule, group));
                }
            }
            Err(OverBudget) => {
                findings.push(not_decided(&CODE, "the set is too large or too entangled"));
                return;
            }
        }
    }
}

/// The groups that cover some device of the rule.
fn met(
    exact: &mut Exact<'_>,
    rule: &AllowOnceRule,
    left: &mut usize,
) -> Result<Vec<ApprovalId>, OverBudget> {
    let unlocks = exact.unlocks.as_mut().ok_or(OverBudget)?;
    let devices = unlocks.devices(0, &rule.selector)?;
    let permitted = unlocks.permitted(0);
    let devices = unlocks.diagrams.and(devices, permitted)?;
    let mut met = Vec::new();
    for (id, covered) in unlocks.groups(0).to_vec() {
        *left = left.checked_sub(1).ok_or(OverBudget)?;
        if unlocks.diagrams.and(devices, covered)? != FALSE {
            met.push(id);
        }
    }
    Ok(met)
}

fn report(context: &Context<'_>, rule: &AllowOnceRule, id: ApprovalId) -> Option<Diagnostic> {
    let set = context.set;
    let group = &set.approvals[id];
    let by = listed(set, &rule.by);
    let somebody = Demand::of(set, group).escaped_by(&by)?;
    let (name, group_name) = (&rule.header.name, &group.header.name);
    let message = format!(
        "`{name}` stands in for `{group_name}`, and can be armed without those who could approve"
    );
    Some(
        Diagnostic::new(&CODE, rule.header.span, message)
            .label(format!("`{}` may arm it", set.persons.name(somebody)))
            .also(group.header.span, "the group that it stands in for")
            .help(format!(
                "let `by` name people of `{group_name}`, or leave `approval` out of `overrides`"
            )),
    )
}
