//! An invariant that is about no request.

use super::Rule;
use crate::analyze::claims::Verdict;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "vacuous-invariant",
    severity: Severity::Warning,
    summary: "an invariant is about no request at all",
    why: "No device that enrollment permits, and no certificate request, is one that this line is \
          about, so it holds whatever the policy says. A promise that cannot be broken promises \
          nothing: most often a value was misread, or a tag became `required`.",
    bad: "edition 2026

tag env = production | dev required

unlock servers { allow from 203.0.113.0/24 }

invariant untagged-stay-shut {
  never allow unlock where not has env
}
",
    good: "edition 2026

tag env = production | dev

unlock servers {
  where has env
  allow from 203.0.113.0/24
}

invariant untagged-stay-shut {
  never allow unlock where not has env
}
",
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for proof in context.proofs() {
        if proof.verdict == Verdict::Vacuous {
            let name = context.set.invariants.name(proof.invariant);
            let message = format!("this line of `{name}` is about no request that there can be");
            findings.push(Diagnostic::new(&CODE, proof.span, message));
        }
    }
}
