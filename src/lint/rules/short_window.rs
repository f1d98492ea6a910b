//! A window so short that a booting machine misses it.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::syntax::tree::{ApprovalStatement, Duration, ItemKind};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "short-window",
    severity: Severity::Warning,
    summary: "an approved unlock is good for so short a time that the machine may not ask in it",
    why: "A machine that waits does not hear that somebody said yes: it asks again every few \
          seconds (Clevis every 1 to 6), and each of its volumes asks by itself. A `claim` or a \
          `collect` window under half a minute can be over before the next attempt, or between \
          the first volume and the last, and the approval is spent on half a boot.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"  role admin in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
  claim     5s
}
"#,
    good: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"  role admin in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
  claim     15m
}
"#,
};

/// Five of the longest pauses between two attempts.
const LEAST: u64 = 30;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for item in context.checked.trees.iter().flat_map(|tree| &tree.items) {
        let ItemKind::Approval(group) = &item.value else {
            continue;
        };
        for statement in &group.statements {
            let duration: &Duration = match &statement.value {
                ApprovalStatement::Claim(duration)
                | ApprovalStatement::Collect {
                    window: duration, ..
                } => duration,
                ApprovalStatement::On(_)
                | ApprovalStatement::Approvers(_)
                | ApprovalStatement::Need(_)
                | ApprovalStatement::Expires(_)
                | ApprovalStatement::Binds(_)
                | ApprovalStatement::DenyFor(_)
                | ApprovalStatement::Escalate { .. }
                | ApprovalStatement::Mandatory
                | ApprovalStatement::ReasonRequired
                | ApprovalStatement::CommentRequired
                | ApprovalStatement::TicketRequired(_) => continue,
            };
            if duration.seconds < LEAST {
                let text = &duration.text.value;
                let message = format!("`{text}` is too short for a machine that asks again");
                findings.push(
                    Diagnostic::new(&CODE, duration.text.span, message)
                        .help("give it half a minute or more"),
                );
            }
        }
    }
}
