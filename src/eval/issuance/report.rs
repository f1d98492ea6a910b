//! Violations put into their order: one reason a code.

use crate::decision::{Reason, Violation};
use crate::vocabulary::ReasonCode;

/// How many messages a reason repeats from its violations.
const SHOWN: usize = 3;

/// Makes a violation.
pub(super) fn violation(code: ReasonCode, message: String) -> Violation {
    Violation {
        code,
        message,
        rule: None,
        found: None,
        allowed: Vec::new(),
    }
}

/// One reason for each code, in the order they are reported.
pub(super) fn reasons(mut violations: Vec<Violation>) -> Vec<Reason> {
    violations.sort_by_key(|violation| violation.code);
    violations
        .chunk_by(|a, b| a.code == b.code)
        .filter_map(|group| {
            let first = group.first()?;
            Some(Reason {
                code: first.code,
                message: message(group),
                rule: group.iter().find_map(|one| one.rule.clone()),
                network: None,
                violations: group.to_vec(),
            })
        })
        .collect()
}

fn message(group: &[Violation]) -> String {
    let shown = group.iter().take(SHOWN).map(|one| one.message.as_str());
    let mut text = shown.collect::<Vec<_>>().join("; ");
    if let Some(more) = group.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}
