//! A set of names that is allowed, and denied whole in the same policy.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::issuance::SanRule;
use crate::lint::Context;
use crate::lint::undecided::not_decided;
use crate::san::SanPattern;
use crate::san::dns::{DnsSet, Reach};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "name-wholly-denied",
    severity: Severity::Warning,
    summary: "a set of names is allowed and, in the same policy, denied as a whole",
    why: "A deny wins, so the `allow` has no effect: no name of that set is ever granted. Either \
          the denied set is wider than was meant, or the allowed one is left over. A denied DNS \
          set also denies the e-mail addresses and URIs whose host lies in it.",
    bad: r#"edition 2026

project web

issuance web-certificates {
  where   project == web
  san dns allow ["www.example.com", "www.example.net"] deny "*.example.com"
}
"#,
    good: r#"edition 2026

project web

issuance web-certificates {
  where   project == web
  san dns allow ["www.example.com", "www.example.net"] deny "*.admin.example.com"
}
"#,
};

/// Patterns held against each other before the lint gives up.
const BUDGET: usize = 5_000_000;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let mut left = BUDGET;
    for (_, policy) in context.set.issuances.iter() {
        let denied: Vec<&SanPattern> = policy.san.iter().flat_map(|rule| &rule.deny).collect();
        for rule in &policy.san {
            if check_rule(rule, &denied, &mut left, findings).is_none() {
                findings.push(not_decided(&CODE, "there are too many names"));
                return;
            }
        }
    }
}

fn check_rule(
    rule: &SanRule,
    denied: &[&SanPattern],
    left: &mut usize,
    findings: &mut Vec<Diagnostic>,
) -> Option<()> {
    for allowed in rule.allow.iter().flatten() {
        *left = left.checked_sub(denied.len())?;
        if let Some(deny) = denied.iter().find(|deny| denies_all(deny, allowed)) {
            let message = format!(
                "every {} name in `{allowed}` is denied by `{deny}`",
                rule.kind
            );
            findings.push(
                Diagnostic::new(&CODE, rule.span, message)
                    .label("allows nothing by it")
                    .help("remove it, or deny less"),
            );
        }
    }
    Some(())
}

fn denies_all(deny: &SanPattern, allowed: &SanPattern) -> bool {
    let host = |host: &str| DnsSet {
        reach: Reach::Exact,
        base: host.to_owned(),
    };
    match (deny, allowed) {
        (SanPattern::Dns(set), SanPattern::Email { host: at, .. }) => set.covers(&host(at)),
        (SanPattern::Dns(set), SanPattern::Uri(uri)) => {
            uri.host_name().is_some_and(|name| set.covers(&host(name)))
        }
        (
            SanPattern::Dns(_) | SanPattern::Ip(_) | SanPattern::Email { .. } | SanPattern::Uri(_),
            _,
        ) => deny.covers(allowed),
    }
}
