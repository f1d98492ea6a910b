//! Two policy sets compared by what they decide: every region of requests that
//! they decide differently, with the rule that causes it and a witness.
//!
//! Exact and complete: a request that is in no region is decided alike, but
//! for the names and places of rules. What could not be decided within the
//! budget is a region of its own, and counts as widened.
//!
//! [`compare`] makes a [`Comparison`]; [`unlock`] and [`issuance`] compare the
//! two paths, [`requirement`] what is required of people, [`people`] roles and
//! stand-ins. [`render`] says it for people and tools.

mod example;
pub mod inventory;
mod issuance;
mod people;
mod region;
pub mod render;
mod requirement;
mod unlock;

use std::collections::BTreeSet;

use crate::analyze::issuance::Issuances;
use crate::analyze::unlock::Unlocks;
use crate::eval::Program;
use crate::ir::PolicySet;
pub use region::{Cause, Class, Effect, Example, Extent, Kind, Place, Region, Side, Witness};

/// Two policy sets, and what they decide differently.
pub struct Comparison<'a> {
    /// The set that is, and the one that is to be.
    pub sets: [&'a PolicySet; 2],
    /// Every difference, the gravest first.
    pub regions: Vec<Region>,
    unlocks: Option<Unlocks<'a>>,
    issuances: Option<Issuances<'a>>,
}

/// Compares `old` with `new`.
pub fn compare<'a>(old: &'a Program, new: &'a Program) -> Comparison<'a> {
    let sets: [&PolicySet; 2] = [old.set(), new.set()];
    let mut regions = people::compare(sets);
    let mut unlocks = Unlocks::of(&sets);
    match &mut unlocks {
        Ok(unlocks) => regions.extend(unlock::compare(unlocks, sets)),
        Err(_) => regions.push(Region::not_decided(Kind::Unlock, "any unlock")),
    }
    let mut issuances = Issuances::of(&sets);
    match &mut issuances {
        Ok(issuances) => regions.extend(issuance::compare(issuances, sets)),
        Err(_) => regions.push(Region::not_decided(
            Kind::Issuance,
            "any certificate request",
        )),
    }
    regions.sort_by(|a, b| a.order().cmp(&b.order()));
    for (number, region) in (1..).zip(&mut regions) {
        if let Some(example) = &mut region.witness {
            example.decide(number, old, new);
        }
    }
    Comparison {
        sets,
        regions,
        unlocks: unlocks.ok(),
        issuances: issuances.ok(),
    }
}

impl Comparison<'_> {
    /// What the change comes to.
    pub fn effect(&self) -> Effect {
        let classes = self.classes();
        let has = |class| classes.contains(&class);
        match (has(Class::Widened), has(Class::Narrowed)) {
            (true, true) => Effect::Both,
            (true, false) => Effect::Widened,
            _ if has(Class::NotDecided) => Effect::NotDecided,
            (false, true) => Effect::Narrowed,
            (false, false) if has(Class::Changed) => Effect::Changed,
            (false, false) if has(Class::Relabelled) => Effect::Relabelled,
            (false, false) => Effect::None,
        }
    }

    /// Every class that is present.
    pub fn classes(&self) -> BTreeSet<Class> {
        self.regions.iter().map(|region| region.class).collect()
    }

    /// The regions that an unlock of these tags, from there, at that time lies in.
    pub fn regions_of_unlock(
        &self,
        tags: &std::collections::BTreeMap<String, String>,
        source: std::net::IpAddr,
        at: jiff::Timestamp,
    ) -> Vec<&Region> {
        let Some(unlocks) = &self.unlocks else {
            return self
                .regions
                .iter()
                .filter(|region| region.kind == Kind::Unlock)
                .collect();
        };
        let Some(point) = unlocks.axes.locate(tags, at) else {
            return Vec::new();
        };
        let regions = self.regions.iter();
        regions
            .filter(|region| match &region.extent {
                Extent::Unlock(pieces) => pieces.iter().any(|(set, classes)| {
                    unlocks.diagrams.at(*set, &point) != 0
                        && classes.iter().any(|&class| {
                            let class = unlocks.classes.get(class);
                            class.is_some_and(|class| {
                                class.ranges.iter().any(|range| range.contains(source))
                            })
                        })
                }),
                Extent::Issuance(_) | Extent::Whole => false,
            })
            .collect()
    }

    /// The regions that a certificate request's subject, judged as `action`, lies in.
    pub fn regions_of_issuance(
        &self,
        request: &crate::request::IssuanceRequest,
        action: crate::vocabulary::Action,
    ) -> Vec<&Region> {
        let Some(issuances) = &self.issuances else {
            return self
                .regions
                .iter()
                .filter(|region| region.kind == Kind::Issuance)
                .collect();
        };
        let Some(point) = issuances.subjects.locate(request, action) else {
            return Vec::new();
        };
        let regions = self.regions.iter();
        regions
            .filter(|region| match &region.extent {
                Extent::Issuance(set) => issuances.diagrams.at(*set, &point) != 0,
                Extent::Unlock(_) | Extent::Whole => false,
            })
            .collect()
    }
}
