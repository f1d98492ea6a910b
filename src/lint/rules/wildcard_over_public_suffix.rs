//! A wildcard over a domain under which anybody may register a name.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::san::SanPattern;
use crate::san::dns::Reach;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "wildcard-over-public-suffix",
    severity: Severity::Warning,
    summary: "a wildcard allows every name under a public suffix",
    why: "Under `co.uk` or `github.io` anybody may register a name. A policy that allows \
          `*.co.uk` allows certificates for other people's names, and a CA that checks would \
          refuse most of them. The suffixes are those of the Public Suffix List as this version \
          of panopol was built with it; names that are not of the public DNS, such as \
          `**.internal`, are left alone.",
    bad: r#"edition 2026

project web

issuance web-certificates {
  where   project == web
  san dns allow "*.co.uk"
}
"#,
    good: r#"edition 2026

project web

issuance web-certificates {
  where   project == web
  san dns allow "*.example.co.uk"
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, policy) in context.set.issuances.iter() {
        for rule in &policy.san {
            let wide = rule.allow.iter().flatten().filter(|one| is_wide(one));
            for pattern in wide {
                let message = format!("`{pattern}` has everybody's names in it");
                findings.push(
                    Diagnostic::new(&CODE, rule.span, message)
                        .label("allows them all")
                        .help("allow only names below your own domains"),
                );
            }
        }
    }
}

/// Whether it is every name directly, or anywhere, below a public suffix.
fn is_wide(pattern: &SanPattern) -> bool {
    match pattern {
        SanPattern::Dns(set) => match set.reach {
            Reach::Exact => false,
            Reach::One | Reach::Many => psl::suffix(set.base.as_bytes())
                .is_some_and(|suffix| suffix.is_known() && suffix == set.base.as_bytes()),
        },
        SanPattern::Ip(_) | SanPattern::Email { .. } | SanPattern::Uri(_) => false,
    }
}
