//! Unlocks that wait for an approval group, and those that a one-time unlock is
//! for: found exactly, or not at all where that takes more than it may.

use crate::analyze::unlock::{Standings, Unlocks};
use crate::analyze::witness::UnlockWitness;
use crate::ir::unlock::AllowOnceRule;
use crate::ir::{ApprovalId, PolicySet};
use crate::space::diagram::{Diagram, FALSE, OverBudget};
use crate::vocabulary::Override;

/// The unlocks of a set, laid out once.
pub(super) struct Exact<'a> {
    unlocks: Option<Unlocks<'a>>,
}

impl<'a> Exact<'a> {
    /// Lays out the unlocks of `set`.
    pub(super) fn of(set: &'a PolicySet) -> Self {
        Exact {
            unlocks: Unlocks::of(&[set]).ok(),
        }
    }

    /// The simplest unlock that waits for a group.
    pub(super) fn waiting(&mut self, group: ApprovalId) -> Option<UnlockWitness> {
        let unlocks = self.unlocks.as_mut()?;
        let groups = unlocks.groups(0).iter();
        let (_, devices) = *groups.clone().find(|(id, _)| *id == group)?;
        simplest(unlocks, devices, |_, found| Ok(found.pending))
    }

    /// The simplest unlock that a one-time unlock makes a difference to, one that need not
    /// wait then if there is one; and what it overrides there.
    pub(super) fn overridden(&mut self, rule: &AllowOnceRule) -> Option<(UnlockWitness, Override)> {
        let unlocks = self.unlocks.as_mut()?;
        let devices = unlocks.devices(0, &rule.selector).ok()?;
        let waiting = match rule.overrides.contains(&Override::Approval) {
            true => FALSE,
            false => unlocks.gated(0),
        };
        let tries = [waiting, FALSE].into_iter().flat_map(|without| {
            let each = rule.overrides.iter();
            each.map(move |&stop| (without, stop))
        });
        let mut found = tries.filter_map(|(without, stop)| {
            let stopped = simplest(unlocks, devices, |unlocks, found| {
                let stopped = stopped(unlocks, found, stop)?;
                unlocks.diagrams.minus(stopped, without)
            });
            Some((stopped?, stop))
        });
        found.next()
    }
}

/// What goes through where `stop` is overridden: a device that goes through
/// otherwise may be disabled.
fn stopped(
    unlocks: &mut Unlocks<'_>,
    found: Standings,
    stop: Override,
) -> Result<Diagram, OverBudget> {
    let d = &mut unlocks.diagrams;
    match stop {
        Override::Source => d.or(found.not_allowed, found.outside_schedule),
        Override::Disabled => d.or(found.allowed, found.pending),
        Override::Approval => Ok(found.pending),
    }
}

/// The simplest unlock of `devices` among those that `wanted` picks of each
/// class of addresses.
fn simplest(
    unlocks: &mut Unlocks<'_>,
    devices: Diagram,
    wanted: impl Fn(&mut Unlocks<'_>, Standings) -> Result<Diagram, OverBudget>,
) -> Option<UnlockWitness> {
    let classes = std::mem::take(&mut unlocks.classes);
    let found = classes.iter().filter_map(|class| {
        let standings = unlocks.standings(0, &class.members, devices).ok()?;
        let set = wanted(unlocks, standings).ok()?;
        UnlockWitness::of(unlocks, set, class)
    });
    let found = found.min_by_key(|one| (one.tags.len(), one.at.is_some(), one.source));
    unlocks.classes = classes;
    found
}
