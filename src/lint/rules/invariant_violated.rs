//! An invariant that some request refutes.

use super::Rule;
use crate::analyze::claims::{Proof, Verdict, Witness};
use crate::analyze::witness::issuance_test_block;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::request::{IssuanceFacts, UnlockFacts};
use crate::vocabulary::Outcome;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "invariant-violated",
    severity: Severity::Error,
    summary: "an invariant does not hold",
    why: "An `invariant` is a promise about every request there can be: every device that \
          enrollment permits, every source, every time, every certificate request. There is a \
          request that breaks this one. It is printed as a `test` block that can be pasted into \
          the policy: it passes as things stand, and says what the policy decides today.

Either a rule gives more than was meant, and is to be narrowed, or the promise was wider than \
          was meant. A policy whose promise is broken is not used.",
    bad: "edition 2026

tag role = database | web required

unlock servers {
  where role in [database, web]
  allow from 203.0.113.0/24
}

invariant databases-wait-for-people {
  never allow unlock where role == database without approval
}
",
    good: "edition 2026

tag role = database | web required

unlock servers {
  where role == web
  allow from 203.0.113.0/24
}

invariant databases-wait-for-people {
  never allow unlock where role == database without approval
}
",
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for proof in context.proofs() {
        let Verdict::FailsFor(witness) = &proof.verdict else {
            continue;
        };
        findings.push(finding(context, proof, witness));
    }
}

fn finding(context: &Context<'_>, proof: &Proof, witness: &Witness) -> Diagnostic {
    let program = context.program;
    let name = context.set.invariants.name(proof.invariant);
    let (decision, words) = match witness {
        Witness::Unlock(witness) => {
            let at = witness.at.unwrap_or_default();
            let decision = program.decide_unlock(&witness.request(), &UnlockFacts::default(), at);
            (decision, "unlock")
        }
        Witness::Issuance(request) => {
            let facts = IssuanceFacts::default();
            let decision = program.decide_issuance(request, &facts, jiff::Timestamp::UNIX_EPOCH);
            (decision, "certificate request")
        }
    };
    let expected = decision.expectation();
    let title = format!("a witness against {name}");
    let block = match witness {
        Witness::Unlock(witness) => witness.test_block(context.set, &title, &expected),
        Witness::Issuance(request) => issuance_test_block(request, &title, &expected),
    };
    let outcome = match decision.outcome {
        Outcome::Allow => "is allowed",
        Outcome::Pending => "waits for approval",
        Outcome::Deny => "is denied",
    };
    let message = format!("`{name}` does not hold: this {words} {outcome}");
    let why = decision
        .reasons
        .first()
        .map(|reason| reason.message.clone());
    let mut diagnostic = Diagnostic::new(&CODE, proof.span, message).label("refuted");
    if let Some(rule) = decision
        .reasons
        .first()
        .and_then(|reason| reason.rule.as_ref())
    {
        let place = format!(
            "decided by {} `{}`, {}:{}",
            rule.kind, rule.name, rule.file, rule.line
        );
        diagnostic = diagnostic.note(place);
    }
    diagnostic.notes.extend(why);
    diagnostic.witness = Some(block);
    diagnostic
}
