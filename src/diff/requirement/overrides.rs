//! Where approval, or a source, is overridden or switched off: allow-onces and
//! bypasses.

use std::collections::BTreeSet;

use super::meaning::{Meaning, names, people};
use super::{Pairs, cause, device_region, group_layers, pending_in_both, reached_in_both};
use crate::analyze::unlock::Unlocks;
use crate::diff::region::{Cause, Example, Kind, Region, Side};
use crate::diff::unlock::witness_of;
use crate::eval::place;
use crate::ir::people::Coverage;
use crate::ir::unlock::AllowOnceRule;
use crate::ir::{AllowOnceId, ApprovalId, BypassId, PolicySet};
use crate::source::duration;
use crate::space::diagram::{Diagram, FALSE, OverBudget, TRUE};
use crate::vocabulary::Override;

/// What an allow-once rule says: what it overrides, who arms it, for how long.
type Arming = (Vec<Override>, BTreeSet<String>, u64);

fn arming(set: &PolicySet, ids: &[AllowOnceId]) -> BTreeSet<Arming> {
    let rules = ids.iter().map(|&id| &set.allow_onces[id]);
    rules
        .map(|rule| (rule.overrides.clone(), names(set, &rule.by), rule.max))
        .collect()
}

fn arming_words(armings: &BTreeSet<Arming>) -> String {
    if armings.is_empty() {
        return "nobody may arm one".to_owned();
    }
    let each = armings.iter().map(|(overrides, by, max)| {
        let overrides: Vec<&str> = overrides.iter().map(|one| one.word()).collect();
        format!(
            "{} may override [{}] for {}",
            people(by),
            overrides.join(", "),
            duration(*max)
        )
    });
    each.collect::<Vec<_>>().join("; ")
}

pub(super) fn allow_onces(
    unlocks: &mut Unlocks<'_>,
    sets: [&PolicySet; 2],
) -> Result<Vec<Region>, OverBudget> {
    let mut layers: [Vec<(Diagram, AllowOnceId)>; 2] = Default::default();
    for (side, (layer, set)) in layers.iter_mut().zip(sets).enumerate() {
        let permitted = unlocks.permitted(side);
        for (id, rule) in set.allow_onces.iter() {
            let devices = unlocks.devices(side, &rule.selector)?;
            layer.push((unlocks.diagrams.and(devices, permitted)?, id));
        }
    }
    let differ =
        |old: &[AllowOnceId], new: &[AllowOnceId]| arming(sets[0], old) != arming(sets[1], new);
    let pairs = Pairs::of(unlocks, layers, differ)?;
    let mut regions = Vec::new();
    for (pair, devices) in &pairs.parts {
        let covers = [pairs.covers[0].at(pair[0]), pairs.covers[1].at(pair[1])];
        let before = arming(sets[0], covers[0]);
        let after = arming(sets[1], covers[1]);
        let own = |side: Side| {
            let mut ids = side.of(&covers).iter();
            let others = if side == Side::Old { &after } else { &before };
            let set = side.of(&sets);
            let lacking = ids.find(|&&id| !arming(set, &[id]).is_subset(others))?;
            Some(Cause {
                rule: place::allow_once(set, *lacking),
                side,
            })
        };
        let rule = own(Side::New).or_else(|| own(Side::Old));
        let words = (arming_words(&before), arming_words(&after));
        regions.extend(device_region(
            unlocks,
            Kind::AllowOnce,
            words,
            *devices,
            rule,
        )?);
    }
    Ok(regions)
}

/// Devices that no rule allows under both sets, and a one-time unlock may: what it
/// then waits for is seen nowhere else.
pub(super) fn behind_allow_onces(
    unlocks: &mut Unlocks<'_>,
    sets: [&PolicySet; 2],
) -> Result<Vec<Region>, OverBudget> {
    if sets.iter().any(|set| lifting(set).next().is_none()) {
        return Ok(Vec::new());
    }
    let mut lifted = TRUE;
    for (side, set) in sets.into_iter().enumerate() {
        let own = source_lifted(unlocks, side, set)?;
        lifted = unlocks.diagrams.and(lifted, own)?;
    }
    let differ = |old: &[ApprovalId], new: &[ApprovalId]| {
        Meaning::of(sets[0], old) != Meaning::of(sets[1], new)
    };
    let pairs = Pairs::of(unlocks, group_layers(unlocks), differ)?;
    let mut regions = Vec::new();
    for (pair, devices) in &pairs.parts {
        let covers = [pairs.covers[0].at(pair[0]), pairs.covers[1].at(pair[1])];
        let devices = unlocks.diagrams.and(*devices, lifted)?;
        let reached = reached_in_both(unlocks, devices)?;
        let devices = unlocks.diagrams.minus(devices, reached)?;
        let meanings = [
            Meaning::of(sets[0], covers[0]),
            Meaning::of(sets[1], covers[1]),
        ];
        let words = (
            waiting_words(&meanings, Side::Old),
            waiting_words(&meanings, Side::New),
        );
        let rule = cause(sets, covers);
        regions.extend(device_region(
            unlocks,
            Kind::AllowOnce,
            words,
            devices,
            rule,
        )?);
    }
    Ok(regions)
}

/// The one-time unlocks that may override the source.
fn lifting(set: &PolicySet) -> impl Iterator<Item = &AllowOnceRule> {
    let rules = set.allow_onces.iter().map(|(_, rule)| rule);
    rules.filter(|rule| rule.overrides.contains(&Override::Source))
}

/// The devices whose source a one-time unlock of one of the sets may override.
fn source_lifted(
    unlocks: &mut Unlocks<'_>,
    side: usize,
    set: &PolicySet,
) -> Result<Diagram, OverBudget> {
    let mut lifted = FALSE;
    for rule in lifting(set) {
        let devices = unlocks.devices(side, &rule.selector)?;
        lifted = unlocks.diagrams.or(lifted, devices)?;
    }
    unlocks.diagrams.and(lifted, unlocks.permitted(side))
}

fn waiting_words(meanings: &[Option<Meaning>; 2], side: Side) -> String {
    let waits = match (side.of(meanings), side.other().of(meanings)) {
        (None, _) => return "a one-time unlock of the source opens at once".to_owned(),
        (Some(own), Some(other)) => own.words(other),
        (Some(own), None) => own.groups_words(),
    };
    format!("a one-time unlock of the source waits: {waits}")
}

pub(super) fn bypasses(
    unlocks: &mut Unlocks<'_>,
    sets: [&PolicySet; 2],
) -> Result<Vec<Region>, OverBudget> {
    let mut layers: [Vec<(Diagram, BypassId)>; 2] = Default::default();
    for (side, (layer, set)) in layers.iter_mut().zip(sets).enumerate() {
        let permitted = unlocks.permitted(side);
        for (id, bypass) in set.bypasses.iter() {
            if let Coverage::Unlock(selector) = &bypass.covers {
                let devices = unlocks.devices(side, selector)?;
                layer.push((unlocks.diagrams.and(devices, permitted)?, id));
            }
        }
    }
    let differ = |old: &[BypassId], new: &[BypassId]| until(sets[0], old) != until(sets[1], new);
    let pairs = Pairs::of(unlocks, layers, differ)?;
    let mut regions = Vec::new();
    for (pair, devices) in &pairs.parts {
        // A bypass of what needs no approval changes nothing.
        let gated = unlocks.diagrams.or(unlocks.gated(0), unlocks.gated(1))?;
        let devices = unlocks.diagrams.and(*devices, gated)?;
        let covers = [pairs.covers[0].at(pair[0]), pairs.covers[1].at(pair[1])];
        let words = (
            until_words(sets[0], covers[0]),
            until_words(sets[1], covers[1]),
        );
        let rule = bypass_cause(sets, covers);
        let region = device_region(unlocks, Kind::Bypass, words, devices, rule)?;
        // Where a device waits shows best what a bypass would do.
        let waiting = pending_in_both(unlocks, devices)?;
        regions.extend(region.map(|region| {
            Region {
                witness: witness_of(unlocks, &waiting)
                    .map(Example::unlock)
                    .or(region.witness.clone()),
                ..region
            }
        }));
    }
    Ok(regions)
}

/// Until when the latest of some bypasses holds.
fn until(set: &PolicySet, ids: &[BypassId]) -> Option<jiff::Timestamp> {
    ids.iter().map(|&id| set.bypasses[id].until).max()
}

pub(in crate::diff) fn until_words(set: &PolicySet, ids: &[BypassId]) -> String {
    match until(set, ids) {
        None => "no bypass".to_owned(),
        Some(at) => format!("approval is bypassed until {at}"),
    }
}

pub(in crate::diff) fn bypasses_differ(sets: [&PolicySet; 2], covers: [&[BypassId]; 2]) -> bool {
    until(sets[0], covers[0]) != until(sets[1], covers[1])
}

pub(in crate::diff) fn bypass_cause(
    sets: [&PolicySet; 2],
    covers: [&[BypassId]; 2],
) -> Option<Cause> {
    let found = [Side::New, Side::Old].into_iter().find_map(|side| {
        let set = side.of(&sets);
        let latest = side
            .of(&covers)
            .iter()
            .max_by_key(|&&id| set.bypasses[id].until)?;
        Some((side, place::bypass(set, *latest)))
    });
    found.map(|(side, rule)| Cause { rule, side })
}
