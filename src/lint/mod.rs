//! What is doubtful in a policy that is not wrong.
//!
//! One file a rule in [`rules`], one line each in [`rules::RULES`]. A rule sees
//! a set that has no error, so it never repeats one. Start at [`lint`];
//! [`codes`] is every code that `panopol lint --list` knows.

pub mod rules;
mod selector;

use jiff::Timestamp;

use crate::check::{self, Checked};
use crate::diagnostic::left_out::FINDINGS_LEFT_OUT;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::PolicySet;
use crate::{suite, syntax};

/// What a policy set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Drafts, laboratories and CI: what is only doubtful warns.
    Development,
    /// What guards real systems: some doubts are errors.
    Production,
}

/// What a rule looks at.
pub struct Context<'a> {
    /// The set with its trees.
    pub checked: &'a Checked,
    /// The set's meaning.
    pub set: &'a PolicySet,
    /// The time of the run.
    pub now: Timestamp,
    /// What the set is for.
    pub profile: Profile,
}

/// Runs every rule over a set without errors; over any other, none.
pub fn lint(checked: &Checked, now: Timestamp, profile: Profile) -> Vec<Diagnostic> {
    let Some(set) = &checked.set else {
        return Vec::new();
    };
    let context = Context {
        checked,
        set,
        now,
        profile,
    };
    let mut findings = Vec::new();
    for rule in rules::RULES {
        (rule.check)(&context, &mut findings);
    }
    findings
}

/// Every code that a run can report, sorted by name.
pub fn codes() -> Vec<&'static Code> {
    let mut codes: Vec<&'static Code> = Vec::new();
    codes.extend(syntax::codes::CODES);
    codes.extend(check::codes::CODES);
    codes.extend(rules::RULES.iter().map(|rule| rule.code));
    codes.push(&suite::TEST_FAILED);
    codes.push(&FINDINGS_LEFT_OUT);
    codes.sort_by_key(|code| code.name);
    codes
}
