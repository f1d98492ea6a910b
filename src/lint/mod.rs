//! What is doubtful in a policy that is not wrong.
//!
//! One file a rule in [`rules`], one line each in [`rules::RULES`]. A rule sees
//! a set that has no error, so it never repeats one. Start at [`lint`];
//! [`levels`] is what becomes of findings, and [`codes`] is every code that
//! `panopol lint --list` knows.

mod addresses;
mod comment;
pub mod levels;
mod points;
pub mod rules;
mod selector;
mod undecided;
mod usage;

use std::cell::OnceCell;

use jiff::Timestamp;

use crate::analyze::claims::{Proof, prove};
use crate::check::{self, Checked};
use crate::diagnostic::left_out::FINDINGS_LEFT_OUT;
use crate::diagnostic::levels::Levels;
use crate::diagnostic::{Code, Diagnostic};
use crate::eval::Program;
use crate::ir::PolicySet;
use crate::suite::TestResult;
use crate::{suite, syntax};
use addresses::Addresses;
use levels::Chosen;

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
}

impl Context<'_> {
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
