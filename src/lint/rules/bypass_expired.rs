//! A bypass past its `until`.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "bypass-expired",
    severity: Severity::Error,
    summary: "a bypass is past its `until`",
    why: "A bypass is inert from the end of its `until` on: requests that it covered wait for \
          approval again. A dead bypass that stays in the file reads as if approval were still \
          off, and is one edit of a date away from being so.",
    bad: r#"edition 2026

bypass ci-renewals {
  on     renew
  reason "CI renewals have no approver"
  until  2020-06-30
}
"#,
    good: "edition 2026\n",
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, bypass) in context.set.bypasses.iter() {
        if bypass.until <= context.now {
            let header = &bypass.header;
            let message = format!("bypass `{}` ended at {}", header.name, bypass.until);
            findings.push(
                Diagnostic::new(&CODE, header.span, message)
                    .label("no longer has any effect")
                    .help("remove it, or give a later `until` if approval is really to stay off"),
            );
        }
    }
}
