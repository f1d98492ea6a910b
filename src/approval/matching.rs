//! Whether distinct persons fill every clause: a maximum matching, because a
//! greedy choice may spend on one clause the only person whom another could take.

use std::collections::BTreeSet;

use super::requirement::{Clause, GroupRequirement};

/// One who counts once: a person, or several whom one person stands behind.
pub(super) type Voice = BTreeSet<String>;

/// Joins those actors that share a person, so that nobody counts twice by
/// another's credential.
pub(super) fn voices<'a>(
    actors: impl Iterator<Item = (&'a str, &'a BTreeSet<String>)>,
) -> Vec<Voice> {
    // The bearers, and everyone whom that voice has used up.
    let mut joined: Vec<(Voice, BTreeSet<String>)> = Vec::new();
    for (bearer, behind) in actors {
        let mut voice = Voice::from([bearer.to_owned()]);
        let mut all = behind.clone();
        all.insert(bearer.to_owned());
        let (same, others): (Vec<_>, Vec<_>) = joined
            .into_iter()
            .partition(|(_, taken)| !taken.is_disjoint(&all));
        for (bearers, taken) in same {
            voice.extend(bearers);
            all.extend(taken);
        }
        joined = others;
        joined.push((voice, all));
    }
    joined.into_iter().map(|(voice, _)| voice).collect()
}

/// Whether `voices` fill every clause of all these groups, none counted twice.
pub(super) fn fill<'a>(
    groups: impl Iterator<Item = &'a GroupRequirement>,
    voices: &[Voice],
) -> bool {
    let clauses: Vec<&Clause> = groups.flat_map(|group| &group.clauses).collect();
    let wanted = clauses.iter().try_fold(0_usize, |sum, clause| {
        sum.checked_add(clause.count as usize)
    });
    if wanted.is_none_or(|wanted| wanted > voices.len()) {
        return false;
    }
    let seats: Vec<&Clause> = clauses
        .into_iter()
        .flat_map(|clause| std::iter::repeat_n(clause, clause.count as usize))
        .collect();
    let mut taken: Vec<Option<usize>> = vec![None; voices.len()];
    (0..seats.len()).all(|seat| {
        let mut tried = vec![false; voices.len()];
        seat_one(seat, &seats, voices, &mut taken, &mut tried)
    })
}

/// Finds a voice for `seat`, moving earlier ones where that helps. Source:
/// augmenting paths (Kuhn 1955). Depth is at most the number of voices.
fn seat_one(
    seat: usize,
    seats: &[&Clause],
    voices: &[Voice],
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    let Some(clause) = seats.get(seat) else {
        return false;
    };
    for (index, voice) in voices.iter().enumerate() {
        let Some(seen) = tried.get_mut(index) else {
            continue;
        };
        if *seen || voice.is_disjoint(&clause.eligible) {
            continue;
        }
        *seen = true;
        let holder = taken.get(index).copied().flatten();
        if holder.is_none_or(|other| seat_one(other, seats, voices, taken, tried)) {
            if let Some(place) = taken.get_mut(index) {
                *place = Some(seat);
            }
            return true;
        }
    }
    false
}
