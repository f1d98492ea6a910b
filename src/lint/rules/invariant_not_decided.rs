//! An invariant whose proof takes more than it may.

use super::Rule;
use crate::analyze::claims::Verdict;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "invariant-not-decided",
    severity: Severity::Error,
    summary: "an invariant could not be proved within the budget",
    why: "Invariants are proved exactly, within a budget of memory that does not grow with the \
          policy. Rules that combine many tags in unrelated ways can exceed it. What is not \
          proved does not count as holding, so this is an error.

Make the invariant's `where` narrower, or split it by one tag: a proof only looks at the devices \
          that it is about. Rules that share the order of their tags cost less. No short policy \
          exceeds the budget, so there is no example.",
    bad: "",
    good: "",
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for proof in context.proofs() {
        if proof.verdict == Verdict::NotDecided {
            let name = context.set.invariants.name(proof.invariant);
            let message = format!("`{name}` was not decided: its proof takes more than it may");
            let diagnostic = Diagnostic::new(&CODE, proof.span, message);
            findings.push(diagnostic.help("narrow its `where`, or split it by one tag"));
        }
    }
}
