//! Rules that no in-file test reaches.

use std::collections::BTreeMap;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::suite::coverage::unreached;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "untested-rule",
    severity: Severity::Note,
    summary: "no in-file test reaches some rules, networks or approval groups",
    why: "Nothing would fail if such a rule were taken out, or turned into its opposite. One note \
          says it of each kind; `panopol test --coverage` lists them one by one, each with its \
          place.",
    bad: r#"edition 2026

unlock servers {
  allow from 192.0.2.0/24
}
"#,
    good: r#"edition 2026

unlock servers {
  allow from 192.0.2.0/24
}

test "servers start at home" {
  device {}
  unlock from 192.0.2.7 expect allow
}
"#,
};

/// How many are named in a note.
const NAMED: usize = 5;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(results) = context.tests else {
        return;
    };
    let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in unreached(context.program, results) {
        by_kind.entry(one.kind.word()).or_default().push(one.name);
    }
    for (kind, names) in by_kind {
        let shown: Vec<String> = names
            .iter()
            .take(NAMED)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = match names.len().checked_sub(NAMED) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        let message = format!("no test reaches {kind} {}{more}", shown.join(", "));
        findings.push(
            Diagnostic::global(&CODE, message)
                .help("`panopol test --coverage` lists what no test reaches"),
        );
    }
}
