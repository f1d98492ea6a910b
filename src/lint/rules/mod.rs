//! The rules: each file holds one, with its code, its check, and a bad and a good example.

mod bypass_expired;
mod bypass_in_production;
mod single_approver;
mod unguarded_negation;

use super::Context;
use crate::diagnostic::{Code, Diagnostic};

/// One rule.
pub struct Rule {
    /// What it reports.
    pub code: &'static Code,
    /// Adds what it finds.
    pub check: fn(&Context<'_>, &mut Vec<Diagnostic>),
}

/// Every rule, by name.
pub static RULES: &[&Rule] = &[
    &bypass_expired::RULE,
    &bypass_in_production::RULE,
    &single_approver::RULE,
    &unguarded_negation::RULE,
];
