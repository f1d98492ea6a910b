//! Approvals and one-time unlocks that stay good for too long.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::source::Span;
use crate::syntax::tree::{
    AllowOnceItem, AllowOnceStatement, ApprovalItem, ApprovalStatement, Duration, ItemKind,
    TriggerOn,
};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "unbounded-approval",
    severity: Severity::Warning,
    summary: "an approval or a one-time unlock stays good for longer than anybody watches",
    why: "An approval is somebody's judgement of one moment: this machine, there, now. A week \
          later it is a key under the mat, for whoever holds the disk then. Told of are an unlock \
          that waits for people longer than 7 days, a certificate request that waits longer than \
          30, an approved unlock that may begin later than 24 hours after, a window of exchanges \
          longer than an hour, more than 10 exchanges for each binding, and a one-time unlock \
          that stays armed for longer than 24 hours.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"  role admin in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
  claim     52w
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
  claim     1h
}
"#,
};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

const UNLOCK_EXPIRES: (u64, &str) = (7 * DAY, "7 days");
const ISSUANCE_EXPIRES: (u64, &str) = (30 * DAY, "30 days");
const CLAIM: (u64, &str) = (DAY, "24 hours");
const WINDOW: (u64, &str) = (HOUR, "an hour");
const ARMED: (u64, &str) = (DAY, "24 hours");
const EXCHANGES: u64 = 10;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for item in context.checked.trees.iter().flat_map(|tree| &tree.items) {
        match &item.value {
            ItemKind::Approval(group) => check_group(group, findings),
            ItemKind::AllowOnce(rule) => check_allow_once(rule, findings),
            ItemKind::Tag(_)
            | ItemKind::Network(_)
            | ItemKind::Schedule(_)
            | ItemKind::Project(_)
            | ItemKind::Profile(_)
            | ItemKind::Defaults(_)
            | ItemKind::Person(_)
            | ItemKind::Service(_)
            | ItemKind::Team(_)
            | ItemKind::Unlock(_)
            | ItemKind::Issuance(_)
            | ItemKind::Invariant(_)
            | ItemKind::Bypass(_)
            | ItemKind::Test(_) => {}
        }
    }
}

fn check_group(group: &ApprovalItem, findings: &mut Vec<Diagnostic>) {
    let is_unlock = group.statements.iter().any(|statement| {
        matches!(&statement.value, ApprovalStatement::On(trigger) if trigger.on.value == TriggerOn::Unlock)
    });
    for statement in &group.statements {
        let span = statement.span;
        match &statement.value {
            ApprovalStatement::Expires(duration) => {
                let bound = if is_unlock {
                    UNLOCK_EXPIRES
                } else {
                    ISSUANCE_EXPIRES
                };
                findings.extend(longer(duration, bound, span, "waits for people for"));
            }
            ApprovalStatement::Claim(duration) => {
                findings.extend(longer(duration, CLAIM, span, "stays unused for up to"));
            }
            ApprovalStatement::Collect { window, up_to } => {
                findings.extend(longer(window, WINDOW, span, "stays open for"));
                if up_to.value > EXCHANGES {
                    let message = format!(
                        "one approval gives each binding {} exchanges, more than {EXCHANGES}",
                        up_to.value
                    );
                    let finding = Diagnostic::new(&CODE, up_to.span, message);
                    findings.push(finding.help("a boot takes one for each volume"));
                }
            }
            ApprovalStatement::On(_)
            | ApprovalStatement::Approvers(_)
            | ApprovalStatement::Need(_)
            | ApprovalStatement::Binds(_)
            | ApprovalStatement::DenyFor(_)
            | ApprovalStatement::Escalate { .. }
            | ApprovalStatement::Mandatory
            | ApprovalStatement::ReasonRequired
            | ApprovalStatement::CommentRequired
            | ApprovalStatement::TicketRequired(_) => {}
        }
    }
}

fn check_allow_once(rule: &AllowOnceItem, findings: &mut Vec<Diagnostic>) {
    for statement in &rule.statements {
        match &statement.value {
            AllowOnceStatement::Max(duration) => {
                findings.extend(longer(duration, ARMED, statement.span, "stays armed for"));
            }
            AllowOnceStatement::Where(_)
            | AllowOnceStatement::Overrides(_)
            | AllowOnceStatement::By(_) => {}
        }
    }
}

fn longer(
    duration: &Duration,
    (bound, words): (u64, &str),
    span: Span,
    does: &str,
) -> Option<Diagnostic> {
    (duration.seconds > bound).then(|| {
        let text = &duration.text.value;
        let message = format!("what was granted {does} `{text}`, longer than {words}");
        Diagnostic::new(&CODE, span, message).help(format!("give it {words} or less"))
    })
}
