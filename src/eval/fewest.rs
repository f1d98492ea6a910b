//! The fewest live facts that together hold all that is needed.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Past so many partial choices the search takes the first that does for each
/// need: no policy that people wrote comes near.
const LIMIT: usize = 4096;

/// Picks the fewest of `candidates` that together hold the needs `0..needed`;
/// of several such choices the one whose facts end first, then by id. Empty
/// where all of them together do not hold them.
pub(super) fn fewest<'a, T>(
    candidates: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> (Timestamp, &'a str),
    needed: usize,
    holds: impl Fn(&T, usize) -> bool,
) -> Vec<&'a T> {
    let mut candidates: Vec<&T> = candidates.collect();
    candidates.sort_by_key(|&one| key(one));
    // Which needs a choice holds, and the best choice that holds just those.
    // A choice's indices ascend, so choices of one size compare as their keys do.
    let mut choices = BTreeMap::from([(vec![false; needed], Vec::new())]);
    for (index, candidate) in candidates.iter().enumerate() {
        for (held, choice) in choices.clone() {
            let more = held.iter().enumerate();
            let union: Vec<bool> = more
                .map(|(need, &is)| is || holds(candidate, need))
                .collect();
            if union == held {
                continue;
            }
            let mut longer: Vec<usize> = choice;
            longer.push(index);
            let known = choices.get(&union);
            if known.is_none_or(|known| (longer.len(), &longer) < (known.len(), known)) {
                choices.insert(union, longer);
            }
        }
        if choices.len() > LIMIT {
            return first_for_each(&candidates, needed, holds);
        }
    }
    let best = choices.remove(&vec![true; needed]).unwrap_or_default();
    let picked = best.iter().filter_map(|&index| candidates.get(index));
    picked.copied().collect()
}

fn first_for_each<'a, T>(
    candidates: &[&'a T],
    needed: usize,
    holds: impl Fn(&T, usize) -> bool,
) -> Vec<&'a T> {
    let mut picked: Vec<&T> = Vec::new();
    for need in 0..needed {
        if !picked.iter().any(|one| holds(one, need)) {
            picked.extend(candidates.iter().find(|one| holds(one, need)));
        }
    }
    picked
}
