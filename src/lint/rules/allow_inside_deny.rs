//! An `allow` that gives nothing, because all of it is denied.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::lint::undecided::not_decided;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "allow-inside-deny",
    severity: Severity::Warning,
    summary: "everything that an `allow` line gives is denied by other lines",
    why: "A `deny` wins over every `allow`, wherever it stands. So the line has no effect: the \
          machines it was written for stay locked, and whoever lifts the deny one day opens what \
          nobody has looked at since. What is found is exact, over all devices, addresses and \
          times.",
    bad: r#"edition 2026

unlock servers {
  allow from [192.0.2.0/24, 2001:db8::/64]
  allow from 198.51.100.7
}

unlock quarantine {
  deny from 198.51.100.0/24
}
"#,
    good: r#"edition 2026

unlock servers {
  allow from [192.0.2.0/24, 2001:db8::/64]
}

unlock quarantine {
  deny from 192.0.2.64/26
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let effects = context.effects();
    let Ok(effects) = effects else {
        findings.push(not_decided(&CODE, "the set is too large or too entangled"));
        return;
    };
    if !effects.is_decided {
        findings.push(not_decided(&CODE, "there are too many lines and addresses"));
        return;
    }
    let idle = effects.idle.iter().filter(|(_, allows, _)| *allows);
    for &(rule, _, index) in idle {
        let rule = &context.set.unlocks[rule];
        let Some(line) = rule.allow.get(index) else {
            continue;
        };
        let message = format!("all that `{}` allows here is denied", rule.header.name);
        let mut finding = Diagnostic::new(&CODE, line.span, message)
            .label("gives nothing")
            .help("remove it, or deny less");
        if let [one] = rule.deny.as_slice() {
            finding = finding.also(one.span, "the rule itself denies this");
        }
        findings.push(finding);
    }
}
