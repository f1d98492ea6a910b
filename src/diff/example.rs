//! A witness, decided by both sets.

use jiff::Timestamp;

use super::region::{Example, Witness};
use crate::analyze::witness::{UnlockWitness, issuance_test_block};
use crate::decision::Decision;
use crate::eval::Program;
use crate::request::{IssuanceFacts, IssuanceRequest, UnlockFacts};

impl Example {
    /// An unlock, not yet decided.
    pub(super) fn unlock(witness: UnlockWitness) -> Self {
        Self::undecided(Witness::Unlock(witness))
    }

    /// A certificate request, not yet decided.
    pub(super) fn issuance(request: IssuanceRequest) -> Self {
        Self::undecided(Witness::Issuance(Box::new(request)))
    }

    fn undecided(request: Witness) -> Self {
        Example {
            request,
            before: String::new(),
            after: String::new(),
            test: String::new(),
        }
    }

    /// Has both sets decide it; `number` keeps the names of tests apart.
    pub(super) fn decide(&mut self, number: usize, old: &Program, new: &Program) {
        self.before = decided(old, &self.request).expectation();
        self.after = decided(new, &self.request).expectation();
        let title = format!("difference {number}: was {}", self.before);
        self.test = match &self.request {
            Witness::Unlock(witness) => witness.test_block(new.set(), &title, &self.after),
            Witness::Issuance(request) => issuance_test_block(request, &title, &self.after),
        };
    }
}

fn decided(program: &Program, witness: &Witness) -> Decision {
    match witness {
        Witness::Unlock(witness) => {
            let at = witness.at.unwrap_or(Timestamp::UNIX_EPOCH);
            program.decide_unlock(&witness.request(), &UnlockFacts::default(), at)
        }
        Witness::Issuance(request) => {
            let facts = IssuanceFacts::default();
            program.decide_issuance(request, &facts, Timestamp::UNIX_EPOCH)
        }
    }
}
