//! The fewest live facts that together suffice.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// A live fact: what it holds, and what decides between equals.
pub(super) struct Candidate<T> {
    pub(super) until: Timestamp,
    pub(super) id: String,
    pub(super) holds: BTreeSet<T>,
}

/// The ids of the smallest choice whose union is `enough`; between choices of
/// one size, the one that ends first, then by id. By trying every choice.
pub(super) fn fewest<T: Ord + Clone>(
    candidates: &[Candidate<T>],
    enough: impl Fn(&BTreeSet<T>) -> bool,
) -> Option<Vec<String>> {
    assert!(candidates.len() < 16, "the twin is for small worlds");
    let choices = 0u32..1 << candidates.len();
    choices
        .map(|mask| {
            let mut chosen: Vec<&Candidate<T>> = (0..candidates.len())
                .filter(|at| mask & (1 << at) != 0)
                .map(|at| &candidates[at])
                .collect();
            chosen.sort_by_key(|candidate| (candidate.until, candidate.id.clone()));
            chosen
        })
        .filter(|chosen| {
            let union = chosen.iter().flat_map(|one| one.holds.iter().cloned());
            enough(&union.collect())
        })
        .min_by_key(|chosen| {
            let order: Vec<(Timestamp, String)> = chosen
                .iter()
                .map(|one| (one.until, one.id.clone()))
                .collect();
            (chosen.len(), order)
        })
        .map(|chosen| chosen.into_iter().map(|one| one.id.clone()).collect())
}
