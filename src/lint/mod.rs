//! What is doubtful in a policy that is not wrong.
//!
//! One file a rule in [`rules`], one line each in [`rules::RULES`]. A rule sees
//! a set that has no error, so it never repeats one. Start at [`lint`];
//! [`levels`] is what becomes of findings, and [`codes`] is every code that
//! `panopol lint --list` knows.

mod addresses;
mod comment;
mod demand;
mod effects;
mod exact;
pub mod levels;
mod pairs;
mod points;
pub mod rules;
mod selector;
mod selectors;
mod undecided;
mod usage;

use std::cell::{OnceCell, RefCell};

use jiff::Timestamp;

use crate::analyze::claims::{Proof, prove};
use crate::check::{self, Checked};
use crate::diagnostic::left_out::FINDINGS_LEFT_OUT;
use crate::diagnostic::levels::Levels;
use crate::diagnostic::{Code, Diagnostic};
use crate::eval::Program;
use crate::ir::PolicySet;
use crate::space::diagram::OverBudget;
use crate::suite::TestResult;
use crate::{suite, syntax};
use addresses::Addresses;
use effects::Effects;
use exact::Exact;
use levels::Chosen;
use pairs::Pairs;

/// What a policy set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Drafts, laboratories and CI: what is only doubtful warns.
    Development,
    /// What guards real systems: some doubts are errors.
    Production,
}

/// What a run is given beside the set.
pub struct Run<'a> {
    /// The set, compiled.
    pub program: &'a Program,
    /// What its whole suite came to; none where it did not run.
    pub tests: Option<&'a [TestResult]>,
    /// The time of the run.
    pub now: Timestamp,
    /// What the set is for.
    pub profile: Profile,
    /// The levels of codes.
    pub chosen: &'a Chosen,
}

/// What a rule looks at.
pub struct Context<'a> {
    /// The set with its trees.
    pub checked: &'a Checked,
    /// The set's meaning.
    pub set: &'a PolicySet,
    /// The set, compiled.
    pub program: &'a Program,
    /// What its whole suite came to; none where it did not run.
    pub tests: Option<&'a [TestResult]>,
    /// The time of the run.
    pub now: Timestamp,
    /// What the set is for.
    pub profile: Profile,
    addresses: OnceCell<Addresses>,
    /// What was found of the invariants, once somebody asks.
    proofs: OnceCell<Vec<Proof>>,
    exact: OnceCell<RefCell<Exact<'a>>>,
    effects: OnceCell<Result<Effects, OverBudget>>,
    pairs: OnceCell<Result<Pairs, OverBudget>>,
}

impl<'a> Context<'a> {
    /// Asks for exact sets of requests.
    fn ask<T>(
        &self,
        question: impl FnOnce(&mut Exact<'a>) -> Result<T, OverBudget>,
    ) -> Result<T, OverBudget> {
        let exact = self.exact.get_or_init(|| RefCell::new(Exact::of(self.set)));
        exact.borrow_mut().ask(question)
    }

    /// Which lines do something.
    fn effects(&self) -> Result<&Effects, OverBudget> {
        let effects = self.effects.get_or_init(|| {
            self.ask(|exact| Effects::of(self.set, exact.unlocks.as_mut().ok_or(OverBudget)?))
        });
        effects.as_ref().map_err(|error| *error)
    }

    /// The approval groups of which either suffices.
    fn pairs(&self) -> Result<&Pairs, OverBudget> {
        let pairs = self
            .pairs
            .get_or_init(|| self.ask(|exact| pairs::pairs(self, exact)));
        pairs.as_ref().map_err(|error| *error)
    }

    /// What was found of each line of each invariant.
    pub fn proofs(&self) -> &[Proof] {
        self.proofs.get_or_init(|| prove(self.set))
    }

    /// The addresses of each network.
    fn addresses(&self) -> &Addresses {
        self.addresses.get_or_init(|| Addresses::of(self.set))
    }
}

/// Runs every rule over a set without errors, and applies the levels.
/// `checked` is what `run`'s program was compiled from.
pub fn lint(checked: &Checked, run: &Run<'_>) -> (Vec<Diagnostic>, Levels) {
    let context = Context {
        checked,
        set: run.program.set(),
        program: run.program,
        tests: run.tests,
        now: run.now,
        profile: run.profile,
        addresses: OnceCell::new(),
        proofs: OnceCell::new(),
        exact: OnceCell::new(),
        effects: OnceCell::new(),
        pairs: OnceCell::new(),
    };
    let mut findings = Vec::new();
    for rule in rules::RULES {
        (rule.check)(&context, &mut findings);
    }
    levels::apply(checked, run.chosen, findings)
}

/// Every code that a run can report, sorted by name.
pub fn codes() -> Vec<&'static Code> {
    let mut codes: Vec<&'static Code> = Vec::new();
    codes.extend(syntax::codes::CODES);
    codes.extend(check::codes::CODES);
    codes.extend(rules::RULES.iter().map(|rule| rule.code));
    codes.extend(comment::CODES);
    codes.extend(undecided::CODES);
    codes.push(&suite::TEST_FAILED);
    codes.push(&FINDINGS_LEFT_OUT);
    codes.sort_by_key(|code| code.name);
    codes
}
