//! `**.example.com`, which is not `example.com`.

use std::collections::HashSet;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::issuance::SanRule;
use crate::lint::Context;
use crate::lint::undecided::not_decided;
use crate::san::SanPattern;
use crate::san::dns::{DnsSet, Reach};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "double-star-without-apex",
    severity: Severity::Warning,
    summary: "`**.` denies every name below a domain, and the domain's own name is allowed",
    why: "`**.admin.example.com` is every name below `admin.example.com`, and never that name \
          itself. A policy that denies the names below and allows the one above them usually \
          means to deny both: the host that everything under it belongs to can still get a \
          certificate. It is told of only where the same policy allows the domain's own name.",
    bad: r#"edition 2026

project web

issuance web-certificates {
  where   project == web
  san dns allow "*.example.com" deny "**.admin.example.com"
}
"#,
    good: r#"edition 2026

project web

issuance web-certificates {
  where   project == web
  san dns allow "*.example.com" deny ["admin.example.com", "**.admin.example.com"]
}
"#,
};

/// Sets looked at before the lint gives up.
const BUDGET: usize = 5_000_000;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let mut left = BUDGET;
    for (_, policy) in context.set.issuances.iter() {
        let allows_any = policy.san.iter().all(|rule| rule.allow.is_none());
        for rule in &policy.san {
            if check_rule(rule, allows_any, &mut left, findings).is_none() {
                findings.push(not_decided(&CODE, "there are too many names"));
                return;
            }
        }
    }
}

fn check_rule(
    rule: &SanRule,
    allows_any: bool,
    left: &mut usize,
    findings: &mut Vec<Diagnostic>,
) -> Option<()> {
    let allow = Names::of(rule.allow.as_deref().unwrap_or_default());
    let deny = Names::of(&rule.deny);
    for apex in deny.apexes() {
        *left = left.checked_sub(labels(apex))?;
        if (allows_any || allow.have(apex)) && !deny.have(apex) {
            let message = format!("this denies every name below `{apex}`, and allows `{apex}`");
            findings.push(
                Diagnostic::new(&CODE, rule.span, message)
                    .help(format!("deny `\"{apex}\"` too, if it was meant")),
            );
        }
    }
    Some(())
}

fn labels(name: &str) -> usize {
    name.split('.').count()
}

/// DNS sets, to be asked for one name.
struct Names<'a> {
    sets: Vec<&'a DnsSet>,
    known: HashSet<(Reach, &'a str)>,
}

impl<'a> Names<'a> {
    fn of(patterns: &'a [SanPattern]) -> Self {
        let sets = patterns.iter().filter_map(|pattern| match pattern {
            SanPattern::Dns(set) => Some(set),
            SanPattern::Ip(_) | SanPattern::Email { .. } | SanPattern::Uri(_) => None,
        });
        let sets: Vec<&DnsSet> = sets.collect();
        let known = sets.iter().map(|set| (set.reach, set.base.as_str()));
        Names {
            known: known.collect(),
            sets,
        }
    }

    /// The names above the `**.` sets.
    fn apexes(&self) -> impl Iterator<Item = &'a str> {
        let many = self.sets.iter().filter(|set| set.reach == Reach::Many);
        many.map(|set| set.base.as_str())
    }

    /// Whether some set has the one name `name`.
    fn have(&self, name: &str) -> bool {
        let above = name.split_once('.').map(|(_, above)| above);
        let mut higher = std::iter::successors(above, |name| Some(name.split_once('.')?.1));
        self.known.contains(&(Reach::Exact, name))
            || above.is_some_and(|above| self.known.contains(&(Reach::One, above)))
            || higher.any(|above| self.known.contains(&(Reach::Many, above)))
    }
}
