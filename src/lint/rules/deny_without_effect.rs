//! A `deny` that takes nothing away.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::lint::undecided::not_decided;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "deny-without-effect",
    severity: Severity::Warning,
    summary: "a `deny` line takes away nothing that would else be given",
    why: "No line allows these devices from these addresses at these times, no one-time unlock \
          could let them in from there, or another `deny` keeps them out already. Either the line \
          is left over, or, which is worse, it misses what it was meant for: the wrong network, \
          the wrong tag, the wrong hours. Where it stands guard against rules to come, say so in \
          a comment. What is found is exact.",
    bad: r#"edition 2026

unlock servers {
  allow from 192.0.2.0/24
}

unlock quarantine {
  deny from 198.51.100.66
}
"#,
    good: r#"edition 2026

unlock servers {
  allow from 192.0.2.0/24
}

unlock quarantine {
  deny from 192.0.2.66
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
    let idle = effects.idle.iter().filter(|(_, allows, _)| !*allows);
    for &(rule, _, index) in idle {
        let rule = &context.set.unlocks[rule];
        let Some(line) = rule.deny.get(index) else {
            continue;
        };
        let message = format!("`{}` takes nothing away by this line", rule.header.name);
        findings.push(
            Diagnostic::new(&CODE, line.span, message)
                .label("without it everything is decided alike")
                .help("deny what was meant, or remove it: this one alone, and look again"),
        );
    }
}
