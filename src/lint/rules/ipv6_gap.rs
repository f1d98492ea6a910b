//! A rule that means every address and says it of one family.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::unlock::{SourceLine, UnlockRule};
use crate::lint::Context;
use crate::lint::addresses::{covers, is_all_v4, is_all_v6, meets};
use crate::lint::undecided::not_decided;
use crate::source::Span;
use crate::space::prefixes::PrefixSet;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "ipv6-gap",
    severity: Severity::Warning,
    summary: "a rule is about every address of one family and leaves the other out",
    why: "`0.0.0.0/0` has no IPv6 address in it, and `::/0` no IPv4 one. A device that asks by \
          the other family is refused where everything was meant to be allowed; or, worse, it is \
          allowed where everything was meant to be denied. The rule is told of too where its \
          `deny` takes away all of the IPv4 that its `allow` gives, and none of the IPv6.",
    bad: r#"edition 2026

schedule night = mon..sun 22:00..06:00 in "UTC"

unlock servers {
  allow from [203.0.113.0/24, 2001:db8:10::/48]
  deny  from 0.0.0.0/0 during night
}
"#,
    good: r#"edition 2026

schedule night = mon..sun 22:00..06:00 in "UTC"

unlock servers {
  allow from [203.0.113.0/24, 2001:db8:10::/48]
  deny  from [0.0.0.0/0, ::/0] during night
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, rule) in context.set.unlocks.iter() {
        let allow = of(context, &rule.allow);
        let deny = of(context, &rule.deny);
        let (Some(allow), Some(deny)) = (allow, deny) else {
            findings.push(not_decided(&CODE, "there are too many networks"));
            return;
        };
        if let Some(family) = lone_family(&allow) {
            let message = format!("this allows every {family} and no {}", other(family));
            findings.extend(report(rule, &rule.allow, message));
        }
        if let Some(family) = lone_family(&deny) {
            let message = format!("this denies every {family} and no {}", other(family));
            findings.extend(report(rule, &rule.deny, message));
        } else if forgets_v6(&allow, &deny) {
            let message = "this denies all of the IPv4 addresses that the rule allows, \
                           and none of the IPv6 ones";
            findings.extend(report(rule, &rule.deny, message.to_owned()));
        }
    }
}

fn of(context: &Context<'_>, lines: &[SourceLine]) -> Option<PrefixSet> {
    let sources = lines.iter().flat_map(|line| &line.sources);
    context.addresses().list(sources)
}

const V4: &str = "IPv4 address";
const V6: &str = "IPv6 address";

/// The family of which it is every address, where it has none of the other.
fn lone_family(addresses: &PrefixSet) -> Option<&'static str> {
    if is_all_v4(addresses) && addresses.v6().is_empty() {
        Some(V4)
    } else if is_all_v6(addresses) && addresses.v4().is_empty() {
        Some(V6)
    } else {
        None
    }
}

fn other(family: &str) -> &'static str {
    if family == V4 { V6 } else { V4 }
}

fn forgets_v6(allow: &PrefixSet, deny: &PrefixSet) -> bool {
    !allow.v4().is_empty()
        && !allow.v6().is_empty()
        && covers(deny.v4(), allow.v4())
        && !meets(deny.v6(), allow.v6())
}

fn report(rule: &UnlockRule, lines: &[SourceLine], message: String) -> Option<Diagnostic> {
    let span: Span = lines.first()?.span;
    Some(
        Diagnostic::new(&CODE, span, message)
            .label(format!("in `{}`", rule.header.name))
            .help("name both families, as in `[0.0.0.0/0, ::/0]`"),
    )
}
