//! What is required of people, compared: groups, clauses and terms where both
//! sets wait for approval; and where approval is overridden or switched off.
//!
//! Groups are compared by what they say, never by name. Who stands in for
//! whom is compared apart ([`super::people`]), as it changes with time.

mod meaning;
mod overrides;

use std::collections::BTreeMap;

use super::region::{Cause, Class, Example, Extent, Kind, Place, Region, Side};
use super::unlock::{describe_pieces, witness_of};
use crate::analyze::covers::Covers;
use crate::analyze::unlock::Unlocks;
use crate::eval::place;
use crate::ir::{ApprovalId, PolicySet};
use crate::space::diagram::{Diagram, FALSE, OverBudget};
use meaning::GroupMeaning;
pub(super) use meaning::Meaning;
use overrides::{allow_onces, behind_allow_onces, bypasses};
pub(super) use overrides::{bypass_cause, bypasses_differ, until_words};

/// The first group of either set whose meaning the other's cover lacks.
pub(super) fn cause(sets: [&PolicySet; 2], covers: [&[ApprovalId]; 2]) -> Option<Cause> {
    let meanings = |side: Side| -> Vec<(ApprovalId, GroupMeaning)> {
        let (set, ids) = (side.of(&sets), side.of(&covers));
        ids.iter()
            .map(|&id| (id, GroupMeaning::of(set, &set.approvals[id])))
            .collect()
    };
    for side in [Side::New, Side::Old] {
        let others = meanings(side.other());
        let own = meanings(side);
        let lacking = own
            .iter()
            .find(|(_, one)| others.iter().all(|(_, other)| other != one));
        // Where the groups are alike their terms differ: any of them will do.
        let found = lacking.or(if side == Side::Old { own.first() } else { None });
        if let Some((id, _)) = found {
            let set = *side.of(&sets);
            let rule = place::approval(set, *id, None);
            return Some(Cause { rule, side });
        }
    }
    None
}

/// What covers the devices of both sets, laid over each other: pairs of covers
/// with the devices that have them.
struct Pairs<T> {
    covers: [Covers<T>; 2],
    parts: Vec<([u32; 2], Diagram)>,
}

impl<T: Clone + Ord + std::hash::Hash> Pairs<T> {
    fn of(
        unlocks: &mut Unlocks<'_>,
        layers: [Vec<(Diagram, T)>; 2],
        differ: impl Fn(&[T], &[T]) -> bool,
    ) -> Result<Self, OverBudget> {
        let mut covers = [Covers::default(), Covers::default()];
        let [old, new] = &mut covers;
        let [old_layers, new_layers] = &layers;
        let d = &mut unlocks.diagrams;
        let (before, after) = (old.lay(d, old_layers)?, new.lay(d, new_layers)?);
        let mut pairs: Vec<[u32; 2]> = vec![[0, 0]];
        let joined = d.combine(before, after, &mut |a, b| {
            let at = pairs
                .iter()
                .position(|pair| *pair == [a, b])
                .unwrap_or_else(|| {
                    pairs.push([a, b]);
                    pairs.len() - 1
                });
            u32::try_from(at).unwrap_or(0)
        })?;
        let mut parts = Vec::new();
        for (number, pair) in (0..).zip(&pairs) {
            if differ(old.at(pair[0]), new.at(pair[1])) {
                let part = d.part(joined, &|one| one == number)?;
                if part != FALSE {
                    parts.push((*pair, part));
                }
            }
        }
        Ok(Pairs { covers, parts })
    }
}

/// Where unlocks wait for something else, and where else they need not wait.
pub(super) fn compare_unlocks(unlocks: &mut Unlocks<'_>, sets: [&PolicySet; 2]) -> Vec<Region> {
    let mut regions = Vec::new();
    let parts = [
        (Kind::Requirement, requirements(unlocks, sets)),
        (Kind::AllowOnce, allow_onces(unlocks, sets)),
        (Kind::AllowOnce, behind_allow_onces(unlocks, sets)),
        (Kind::Bypass, bypasses(unlocks, sets)),
    ];
    for (kind, found) in parts {
        match found {
            Ok(found) => regions.extend(found),
            Err(OverBudget) => regions.push(Region::not_decided(kind, "any device")),
        }
    }
    regions
}

fn requirements(
    unlocks: &mut Unlocks<'_>,
    sets: [&PolicySet; 2],
) -> Result<Vec<Region>, OverBudget> {
    let differ = |old: &[ApprovalId], new: &[ApprovalId]| {
        let (old, new) = (Meaning::of(sets[0], old), Meaning::of(sets[1], new));
        old.is_some() && new.is_some() && old != new
    };
    let pairs = Pairs::of(unlocks, group_layers(unlocks), differ)?;
    let mut regions = Vec::new();
    for (pair, devices) in &pairs.parts {
        let covers = [pairs.covers[0].at(pair[0]), pairs.covers[1].at(pair[1])];
        let (old, new) = (
            Meaning::of(sets[0], covers[0]),
            Meaning::of(sets[1], covers[1]),
        );
        let Some((old, new)) = old.zip(new) else {
            continue;
        };
        let pieces = pending_in_both(unlocks, *devices)?;
        if pieces.is_empty() {
            continue;
        }
        let (places, and_more) = describe_pieces(unlocks, sets, &pieces);
        regions.push(Region {
            class: Class::Changed,
            kind: Kind::Requirement,
            before: old.words(&new),
            after: new.words(&old),
            places,
            and_more,
            witness: witness_of(unlocks, &pieces).map(Example::unlock),
            rule: cause(sets, covers),
            extent: Extent::Unlock(pieces),
        });
    }
    Ok(regions)
}

/// The groups of both sets, each with the devices that it covers.
fn group_layers(unlocks: &Unlocks<'_>) -> [Vec<(Diagram, ApprovalId)>; 2] {
    [0, 1].map(|side| {
        let groups = unlocks.groups(side).iter();
        groups.map(|&(id, devices)| (devices, id)).collect()
    })
}

/// The devices that rules of both sets let through from one address, at one time.
fn reached_in_both(unlocks: &mut Unlocks<'_>, devices: Diagram) -> Result<Diagram, OverBudget> {
    let time = unlocks.axes.time();
    let classes = std::mem::take(&mut unlocks.classes);
    let mut reached = Ok(FALSE);
    for class in &classes {
        let Ok(known) = reached else { break };
        reached = passing_in_both(unlocks, &class.members, devices)
            .and_then(|both| unlocks.diagrams.whatever(both, time))
            .and_then(|both| unlocks.diagrams.or(known, both));
    }
    unlocks.classes = classes;
    reached
}

fn passing_in_both(
    unlocks: &mut Unlocks<'_>,
    members: &[u32],
    devices: Diagram,
) -> Result<Diagram, OverBudget> {
    let mut passing = devices;
    for side in [0, 1] {
        let standings = unlocks.standings(side, members, passing)?;
        passing = unlocks.diagrams.or(standings.pending, standings.allowed)?;
    }
    Ok(passing)
}

/// Where devices wait under both sets.
fn pending_in_both(
    unlocks: &mut Unlocks<'_>,
    devices: Diagram,
) -> Result<Vec<(Diagram, Vec<usize>)>, OverBudget> {
    let mut pieces: BTreeMap<Diagram, Vec<usize>> = BTreeMap::new();
    let classes = std::mem::take(&mut unlocks.classes);
    let mut outcome = Ok(());
    for (at, class) in classes.iter().enumerate() {
        let both = unlocks
            .standings(0, &class.members, devices)
            .and_then(|before| {
                let after = unlocks.standings(1, &class.members, before.pending)?;
                Ok(after.pending)
            });
        match both {
            Ok(FALSE) => {}
            Ok(both) => pieces.entry(both).or_default().push(at),
            Err(error) => outcome = Err(error),
        }
    }
    unlocks.classes = classes;
    outcome.map(|()| pieces.into_iter().collect())
}

/// A difference that concerns devices, from wherever they ask.
fn device_region(
    unlocks: &mut Unlocks<'_>,
    kind: Kind,
    (before, after): (String, String),
    devices: Diagram,
    rule: Option<Cause>,
) -> Result<Option<Region>, OverBudget> {
    let permitted = unlocks
        .diagrams
        .or(unlocks.permitted(0), unlocks.permitted(1))?;
    let devices = unlocks.diagrams.and(devices, permitted)?;
    if devices == FALSE {
        return Ok(None);
    }
    let (ways, complete) = unlocks.describe(devices, permitted)?;
    let places = ways.into_iter().map(|way| Place {
        matching: way.devices,
        from: Vec::new(),
        when: None,
        with: None,
    });
    let all = (0..unlocks.classes.len()).collect();
    let pieces = vec![(devices, all)];
    Ok(Some(Region {
        class: Class::Changed,
        kind,
        before,
        after,
        places: places.collect(),
        and_more: !complete,
        witness: witness_of(unlocks, &pieces).map(Example::unlock),
        rule,
        extent: Extent::Unlock(pieces),
    }))
}
