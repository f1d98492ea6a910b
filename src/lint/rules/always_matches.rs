//! A selector that everything there can be passes.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::Header;
use crate::lint::Context;
use crate::lint::exact::Share;
use crate::lint::selectors::each_selector;
use crate::lint::undecided::not_decided;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "always-matches",
    severity: Severity::Warning,
    summary: "a rule's `where` holds of every device or request that there can be",
    why: "The `where` narrows nothing, and reads as if it did. `env != production or env != dev` \
          is true whatever `env` is; `and` was meant. Where the rule is really about everything, \
          leave `where` out: that says so, and goes on saying so when a value is added to a tag. \
          What is found is exact.",
    bad: r#"edition 2026

tag env = production | staging | dev required

unlock laboratory {
  where env != production or env != staging
  allow from 192.0.2.0/24
}
"#,
    good: r#"edition 2026

tag env = production | staging | dev required

unlock laboratory {
  where env != production and env != staging
  allow from 192.0.2.0/24
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let report = |kind: &str, header: &Header, share| {
        (share == Share::Everything).then(|| {
            let message = format!("the `where` of {kind} `{}` is always true", header.name);
            Diagnostic::new(&CODE, header.span, message)
                .label("is about everything")
                .help("narrow it, or leave it out")
        })
    };
    if each_selector(context, findings, report).is_err() {
        findings.push(not_decided(&CODE, "the set is too large or too entangled"));
    }
}
