//! What is required of people, compared: groups, clauses and terms where both
//! sets wait for approval; and where approval is overridden or switched off.
//!
//! Groups are compared by what they say, never by name. Who stands in for
//! whom is compared apart ([`super::people`]), as it changes with time.

use std::collections::{BTreeMap, BTreeSet};

use super::region::{Cause, Class, Example, Extent, Kind, Place, Region, Side};
use super::unlock::{describe_pieces, witness_of};
use crate::analyze::covers::Covers;
use crate::analyze::unlock::Unlocks;
use crate::eval::people::listed;
use crate::eval::place;
use crate::ir::people::{ApprovalGroup, Approver, Coverage, Need};
use crate::ir::{AllowOnceId, ApprovalId, BypassId, PolicySet};
use crate::source::duration;
use crate::space::diagram::{Diagram, FALSE, OverBudget};
use crate::vocabulary::Binds;

/// One group by what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct GroupMeaning {
    mandatory: bool,
    tier_above: bool,
    approvers: BTreeSet<String>,
    /// Each clause's count and who may fill it; none: any approver.
    need: Vec<(u32, Option<BTreeSet<String>>)>,
    escalations: Vec<(u64, BTreeSet<String>)>,
}

/// What several groups that cover the same request come to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Meaning {
    groups: Vec<GroupMeaning>,
    expires: u64,
    claim: u64,
    collect: u64,
    up_to: u32,
    binds: Binds,
    deny_for: u64,
    comment: bool,
}

impl Meaning {
    /// What these groups, at least one, require together.
    pub(super) fn of(set: &PolicySet, ids: &[ApprovalId]) -> Option<Self> {
        let groups = ids.iter().map(|&id| &set.approvals[id]);
        let mut meanings: Vec<GroupMeaning> = groups
            .clone()
            .map(|group| GroupMeaning::of(set, group))
            .collect();
        meanings.sort();
        // One of two alike is as good as both; but two mandatory ones take two persons.
        meanings.dedup_by(|a, b| a == b && !a.mandatory);
        let terms = groups.clone().map(|group| &group.terms);
        Some(Meaning {
            groups: meanings,
            expires: groups.clone().map(|group| group.expires).min()?,
            claim: terms.clone().map(|terms| terms.claim).min()?,
            collect: terms.clone().map(|terms| terms.collect).min()?,
            up_to: terms.clone().map(|terms| terms.up_to.get()).min()?,
            binds: terms.clone().map(|terms| terms.binds).min()?,
            deny_for: terms.map(|terms| terms.deny_for).max()?,
            comment: groups.clone().any(|group| group.comment_required),
        })
    }

    /// In words: all of it, as what differs may be anywhere.
    pub(super) fn words(&self, beside: &Meaning) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.groups != beside.groups {
            let groups: Vec<String> = self.groups.iter().map(GroupMeaning::words).collect();
            parts.push(groups.join(" or "));
        }
        let mut term = |name: &str, own: u64, other: u64| {
            if own != other {
                parts.push(format!("{name} {}", duration(own)));
            }
        };
        term("expires", self.expires, beside.expires);
        term("claim", self.claim, beside.claim);
        term("collect", self.collect, beside.collect);
        term("deny-for", self.deny_for, beside.deny_for);
        if self.up_to != beside.up_to {
            parts.push(format!("up to {}", self.up_to));
        }
        if self.binds != beside.binds {
            parts.push(format!("binds {}", self.binds));
        }
        if self.comment != beside.comment {
            let word = if self.comment {
                "comment required"
            } else {
                "no comment required"
            };
            parts.push(word.to_owned());
        }
        parts.join(", ")
    }
}

impl GroupMeaning {
    fn of(set: &PolicySet, group: &ApprovalGroup) -> Self {
        let need = match &group.need {
            Need::Count(count) => vec![(count.get(), None)],
            Need::Clauses(clauses) => {
                let clauses = clauses
                    .iter()
                    .map(|&(count, team)| (count.get(), Some(names(set, &[Approver::Team(team)]))));
                let mut clauses: Vec<_> = clauses.collect();
                clauses.sort();
                clauses
            }
        };
        let escalations = group.escalations.iter();
        let mut escalations: Vec<_> = escalations
            .map(|one| (one.after, names(set, &one.to)))
            .collect();
        escalations.sort();
        GroupMeaning {
            mandatory: group.mandatory,
            tier_above: group.tier_above,
            approvers: names(set, &group.approvers),
            need,
            escalations,
        }
    }

    fn words(&self) -> String {
        let clause = |(count, of): &(u32, Option<BTreeSet<String>>)| {
            format!(
                "{count} of {}",
                people(of.as_ref().unwrap_or(&self.approvers))
            )
        };
        let need: Vec<String> = self.need.iter().map(clause).collect();
        let tier = if self.tier_above {
            " or a tier above"
        } else {
            ""
        };
        let mandatory = if self.mandatory { "mandatory: " } else { "" };
        let escalations = self.escalations.iter();
        let after = escalations
            .map(|(after, to)| format!(", after {} also {}", duration(*after), people(to)));
        format!(
            "{mandatory}{}{tier}{}",
            need.join(" and "),
            after.collect::<String>()
        )
    }
}

fn people(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("[{}]", names.join(", "))
}

fn names(set: &PolicySet, approvers: &[Approver]) -> BTreeSet<String> {
    let persons = listed(set, approvers).into_iter();
    persons.map(|id| set.persons.name(id).to_owned()).collect()
}

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
    let layers = [0, 1].map(|side| {
        let groups = unlocks.groups(side).iter();
        groups
            .map(|&(id, devices)| (devices, id))
            .collect::<Vec<_>>()
    });
    let differ = |old: &[ApprovalId], new: &[ApprovalId]| {
        let (old, new) = (Meaning::of(sets[0], old), Meaning::of(sets[1], new));
        old.is_some() && new.is_some() && old != new
    };
    let pairs = Pairs::of(unlocks, layers, differ)?;
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

/// What an allow-once rule says: what it overrides, who arms it, for how long.
type Arming = (Vec<crate::vocabulary::Override>, BTreeSet<String>, u64);

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

fn allow_onces(
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

fn bypasses(unlocks: &mut Unlocks<'_>, sets: [&PolicySet; 2]) -> Result<Vec<Region>, OverBudget> {
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

pub(super) fn until_words(set: &PolicySet, ids: &[BypassId]) -> String {
    match until(set, ids) {
        None => "no bypass".to_owned(),
        Some(at) => format!("approval is bypassed until {at}"),
    }
}

pub(super) fn bypasses_differ(sets: [&PolicySet; 2], covers: [&[BypassId]; 2]) -> bool {
    until(sets[0], covers[0]) != until(sets[1], covers[1])
}

pub(super) fn bypass_cause(sets: [&PolicySet; 2], covers: [&[BypassId]; 2]) -> Option<Cause> {
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
