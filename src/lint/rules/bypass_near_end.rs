//! A bypass that will soon be inert.

use jiff::SignedDuration;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "bypass-near-end",
    severity: Severity::Warning,
    summary: "a bypass ends within 30 days",
    why: "From the end of its `until` on, what it let through waits for people again, and `check` \
          refuses the set. Better to hear of it while there is time: to set up the approval that \
          will then be needed, or to decide anew that none is.",
    bad: r#"edition 2026

bypass ci-renewals {
  on     renew
  reason "CI renewals have no approver"
  until  2026-12-01
}
"#,
    good: r#"edition 2026

bypass ci-renewals {
  on     renew
  reason "CI renewals have no approver"
  until  2027-11-30
}
"#,
};

/// How long before the end it is told of.
const DAYS: i64 = 30;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, bypass) in context.set.bypasses.iter() {
        let left = bypass.until.duration_since(context.now);
        // One that has ended is reported as such.
        if left <= SignedDuration::ZERO || left > SignedDuration::from_hours(24 * DAYS) {
            continue;
        }
        let header = &bypass.header;
        let days = match left.as_hours() / 24 {
            0 => "less than a day".to_owned(),
            1 => "a day".to_owned(),
            days => format!("{days} days"),
        };
        let message = format!(
            "bypass `{}` ends in {days}, at {}",
            header.name, bypass.until
        );
        findings.push(
            Diagnostic::new(&CODE, header.span, message)
                .help("remove it, or decide on a later `until`"),
        );
    }
}
