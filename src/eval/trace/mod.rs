//! What each rule had to do with a decision, in the order of decision.
//!
//! Derived from the same tables as the verdict, after it: nothing here decides.

mod gate;
mod issuance;
mod unlock;

use super::describe;
use super::subject::Subject;
use crate::decision::{RuleRef, TraceEntry};
use crate::ir::PolicySet;
use crate::ir::selector::Selector;
pub(super) use issuance::issuance;
pub(super) use unlock::unlock;

/// A step without a rule.
fn step(step: &str, matched: bool, detail: impl Into<String>) -> TraceEntry {
    TraceEntry {
        step: step.to_owned(),
        rule: None,
        matched,
        detail: detail.into(),
        nearest: false,
    }
}

/// A rule's part in a step.
fn entry(name: &str, rule: RuleRef, matched: bool, detail: impl Into<String>) -> TraceEntry {
    TraceEntry {
        rule: Some(rule),
        ..step(name, matched, detail)
    }
}

/// A rule that takes part where its selector matches: what holds then, or which
/// conditions fail.
fn selected(
    (name, rule): (&str, RuleRef),
    (set, selector, subject): (&PolicySet, &Selector, &Subject<'_>),
    then: impl FnOnce() -> (bool, String),
) -> TraceEntry {
    let failures = describe::failures(set, selector, subject);
    let (matched, detail) = if failures.is_empty() {
        then()
    } else {
        (false, failures.join("; "))
    };
    entry(name, rule, matched, detail)
}

/// Marks the entry, among `ranked`, with the fewest failed conditions; the
/// first of several.
fn mark_nearest(entries: &mut [TraceEntry], ranked: &[(usize, Rank)]) {
    let nearest = ranked.iter().min_by_key(|(_, rank)| rank);
    if let Some(entry) = nearest.and_then(|&(at, _)| entries.get_mut(at)) {
        entry.nearest = true;
    }
}

/// How far a rule is from allowing: failed conditions, and those of them that
/// are the subject's own and so less likely meant.
type Rank = (usize, usize);
