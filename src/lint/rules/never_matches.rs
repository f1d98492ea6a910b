//! A selector that nothing there can be passes.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::Header;
use crate::lint::Context;
use crate::lint::exact::Share;
use crate::lint::selectors::each_selector;
use crate::lint::undecided::not_decided;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "never-matches",
    severity: Severity::Warning,
    summary: "a rule's `where` holds of no device or request that there can be",
    why: "The rule has no effect, and reads as if it had. Often two tags were meant that one \
          device has one of, and `and` was written for `or`; or a project's tags are other than \
          was thought, for a certificate request has the tags of its project and profile and no \
          others. What is found is exact: every device that enrollment permits, and every request \
          of declared projects, profiles and people.",
    bad: r#"edition 2026

tag role = database | web

unlock servers {
  where role == database and role == web
  allow from 192.0.2.0/24
}
"#,
    good: r#"edition 2026

tag role = database | web

unlock servers {
  where role in [database, web]
  allow from 192.0.2.0/24
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let report = |kind: &str, header: &Header, share| {
        (share == Share::Nothing).then(|| {
            let message = format!("{kind} `{}` can match nothing at all", header.name);
            Diagnostic::new(&CODE, header.span, message)
                .label("has no effect")
                .help("look at what its `where` says of one device, or of one request")
        })
    };
    if each_selector(context, findings, report).is_err() {
        findings.push(not_decided(&CODE, "the set is too large or too entangled"));
    }
}
