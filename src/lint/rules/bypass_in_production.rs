//! Any bypass, where the set is for production.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::{Context, Profile};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "bypass-in-production",
    severity: Severity::Error,
    summary: "a set checked under the production profile has a bypass",
    why: "A bypass lets requests through without the people that approval groups ask for. It is \
          for development and CI; a server ignores it unless told otherwise, and \
          `check --profile production` refuses it, so that it cannot reach production by a merge.",
    bad: r#"edition 2026

bypass ci-renewals {
  on     renew
  reason "CI renewals have no approver"
  until  9000-01-01
}
"#,
    good: "edition 2026\n",
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    match context.profile {
        Profile::Development => return,
        Profile::Production => {}
    }
    for (_, bypass) in context.set.bypasses.iter() {
        let header = &bypass.header;
        // One that has ended is reported as such, once.
        if bypass.until > context.now {
            let message = format!("bypass `{}` in the production profile", header.name);
            findings.push(
                Diagnostic::new(&CODE, header.span, message)
                    .label("switches approval off")
                    .help("remove it; keep bypasses in the policy set of a development server"),
            );
        }
    }
}
