//! What unlocks of one or more policy sets come to: for each class of
//! addresses, the devices and times that are denied, pending or allowed.
//!
//! A question is asked about a class of addresses and about the points that
//! matter (`care`), so that an edit of one rule costs what that rule concerns
//! and not what the whole set is. Start at [`Unlocks::standings`].

use std::collections::HashMap;

use super::axes::{Axes, View};
use super::sources::{Place, Sources, meet};
use crate::ir::people::Coverage;
use crate::ir::selector::Selector;
use crate::ir::unlock::{Claim, RegionSources, Source};
use crate::ir::{ApprovalId, PolicySet, UnlockId};
use crate::space::diagram::{Coordinate, Diagram, Diagrams, FALSE, OverBudget, TRUE};
use crate::space::partition::AddressClass;
use crate::vocabulary::Effect;

/// Nodes that all diagrams of one analysis may come to: about 200 MiB.
pub const BUDGET: usize = 2_500_000;
/// Nodes that the devices of all lines of one address set may come to.
const UNION_BUDGET: usize = 150_000;
/// Nodes that one question may come to.
const QUESTION_BUDGET: usize = 300_000;

/// The unlocks of one or more policy sets, over common coordinates.
pub struct Unlocks<'a> {
    /// What varies.
    pub axes: Axes,
    /// Sets of devices and times.
    pub diagrams: Diagrams,
    /// The classes of addresses.
    pub classes: Vec<AddressClass>,
    sides: Vec<Side<'a>>,
}

/// One policy set's lines and groups.
struct Side<'a> {
    view: View<'a>,
    permitted: Diagram,
    /// Devices that some approval group covers.
    gated: Diagram,
    groups: Vec<(ApprovalId, Diagram)>,
    lines: Vec<Line>,
    /// By place of an address set.
    covering: Vec<Covering>,
    /// The address sets that the claims of invariants name.
    regions: HashMap<Vec<Source>, Vec<Place>>,
}

/// One `allow from` or `deny from`.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its rule.
    pub rule: UnlockId,
    /// What it does.
    pub effect: Effect,
    /// Which of the rule's lines of that effect.
    pub index: usize,
    /// The devices that its rule matches, and its times.
    pub now: Diagram,
    /// The devices that its rule matches, at any time.
    pub ever: Diagram,
    /// Whether it names a schedule, be that one that is always open.
    pub timed: bool,
}

/// The lines that name one address set, and what they match together.
#[derive(Default)]
struct Covering {
    lines: Vec<usize>,
    /// Allowed, allowed at some time, denied; none yet asked for, or too large.
    unions: Option<Option<[Diagram; 3]>>,
}

/// What becomes of the unlocks from one class of addresses: sets of devices and
/// times, apart from each other, together all that was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standings {
    /// Enrollment would not permit the device: denied `evaluation-incomplete`.
    pub incomplete: Diagram,
    /// Denied `source-denied`.
    pub denied: Diagram,
    /// Denied `source-not-allowed`.
    pub not_allowed: Diagram,
    /// Denied `outside-schedule`.
    pub outside_schedule: Diagram,
    /// Waits for people.
    pub pending: Diagram,
    /// Allowed at once.
    pub allowed: Diagram,
}

impl<'a> Unlocks<'a> {
    /// Lays out the unlocks of `sets`.
    ///
    /// # Errors
    /// The sets are too large to be analysed.
    pub fn of(sets: &[&'a PolicySet]) -> Result<Self, OverBudget> {
        let axes = Axes::of(sets)?;
        let mut diagrams = Diagrams::new(BUDGET);
        let mut sources = Sources::default();
        let sides = sets.iter();
        let sides: Result<Vec<_>, _> = sides
            .map(|set| Side::of(set, &axes, &mut diagrams, &mut sources))
            .collect();
        let mut sides = sides?;
        for side in &mut sides {
            side.covering.resize_with(sources.len(), Covering::default);
        }
        Ok(Unlocks {
            axes,
            diagrams,
            classes: sources.classes(),
            sides,
        })
    }

    /// The devices that enrollment permits under one of the sets.
    pub fn permitted(&self, side: usize) -> Diagram {
        self.side(side).permitted
    }

    /// The devices that some approval group of one of the sets covers.
    pub fn gated(&self, side: usize) -> Diagram {
        self.side(side).gated
    }

    /// The approval groups of one of the sets, each with the devices it covers.
    pub fn groups(&self, side: usize) -> &[(ApprovalId, Diagram)] {
        &self.side(side).groups
    }

    /// How many address sets the lines of all sets name.
    pub fn places(&self) -> usize {
        self.sides.first().map_or(0, |side| side.covering.len())
    }

    /// Every line of one of the sets.
    pub fn lines(&self, side: usize) -> &[Line] {
        &self.side(side).lines
    }

    /// The lines of one of the sets that cover a class of addresses, in the order of rules.
    pub fn lines_of(&self, side: usize, members: &[Place]) -> Vec<Line> {
        let side = self.side(side);
        let covering = members
            .iter()
            .filter_map(|&place| side.covering.get(place as usize));
        let mut lines: Vec<usize> = covering.flat_map(|one| &one.lines).copied().collect();
        lines.sort_unstable();
        lines.dedup();
        let lines = lines.into_iter().filter_map(|line| side.lines.get(line));
        lines.copied().collect()
    }

    /// The lines of one of the sets that name one address set.
    pub fn lines_at(&self, side: usize, place: Place) -> impl Iterator<Item = &Line> {
        let side = self.side(side);
        let covering = side.covering.get(place as usize);
        let lines = covering.map_or(&[][..], |one| &one.lines);
        lines.iter().filter_map(|&line| side.lines.get(line))
    }

    /// The devices that a selector of one of the sets matches.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn devices(&mut self, side: usize, selector: &Selector) -> Result<Diagram, OverBudget> {
        let Unlocks {
            axes,
            diagrams,
            sides,
            ..
        } = self;
        match sides.get(side) {
            Some(side) => side.view.devices(axes, diagrams, selector),
            None => Ok(FALSE),
        }
    }

    /// Whether a class of addresses lies in a region's sources; all do where it names none.
    pub fn is_within(&self, side: usize, members: &[Place], from: Option<&RegionSources>) -> bool {
        let Some(region) = from else { return true };
        let places = self.side(side).regions.get(&region.sources);
        let inside = places.is_some_and(|places| meet(members, places));
        inside != region.outside
    }

    /// Whether some line that covers a class, and whose rule matches the devices
    /// of a point, has a schedule.
    pub fn depends_on_time(&self, members: &[Place], point: &[(Coordinate, u32)]) -> bool {
        let mut whole = vec![0; self.axes.time() as usize + 1];
        for &(coordinate, value) in point {
            if let Some(place) = whole.get_mut(coordinate as usize) {
                *place = value;
            }
        }
        let lines = (0..self.sides.len()).flat_map(|side| self.lines_of(side, members));
        let mut timed = lines.filter(|line| line.timed);
        timed.any(|line| self.diagrams.at(line.ever, &whole) != 0)
    }

    /// What becomes of the devices and times of `care` from a class of addresses.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn standings(
        &mut self,
        side: usize,
        members: &[Place],
        care: Diagram,
    ) -> Result<Standings, OverBudget> {
        let kept = self.diagrams.begin_allowance(QUESTION_BUDGET);
        let standings = self.ask(side, members, care);
        self.diagrams.end_allowance(kept);
        standings
    }

    fn ask(
        &mut self,
        side: usize,
        members: &[Place],
        care: Diagram,
    ) -> Result<Standings, OverBudget> {
        let (permitted, gated) = (self.side(side).permitted, self.side(side).gated);
        let known = self.diagrams.and(care, permitted)?;
        let incomplete = self.diagrams.minus(care, permitted)?;
        let [allow, ever, deny] = self.covered(side, members, known)?;
        let d = &mut self.diagrams;
        let denied = d.and(known, deny)?;
        let rest = d.minus(known, deny)?;
        let passing = d.and(rest, allow)?;
        let failing = d.minus(rest, allow)?;
        Ok(Standings {
            incomplete,
            denied,
            not_allowed: d.minus(failing, ever)?,
            outside_schedule: d.and(failing, ever)?,
            pending: d.and(passing, gated)?,
            allowed: d.minus(passing, gated)?,
        })
    }

    /// What of `care` the lines that cover a class allow, allow at some time, and deny.
    fn covered(
        &mut self,
        side: usize,
        members: &[Place],
        care: Diagram,
    ) -> Result<[Diagram; 3], OverBudget> {
        let mut found = [FALSE; 3];
        for &place in members {
            let unions = self.unions(side, place);
            let parts = match unions {
                Some(unions) => unions,
                None => self.unions_within(side, place, care)?,
            };
            for (all, part) in found.iter_mut().zip(parts) {
                let part = self.diagrams.and(part, care)?;
                *all = self.diagrams.or(*all, part)?;
            }
        }
        Ok(found)
    }

    /// What all lines that name one address set match; none where that is too large to hold.
    fn unions(&mut self, side: usize, place: Place) -> Option<[Diagram; 3]> {
        let covering = self.sides.get(side)?.covering.get(place as usize)?;
        if let Some(known) = covering.unions {
            return known;
        }
        let kept = self.diagrams.begin_allowance(UNION_BUDGET);
        let made = self.unions_within(side, place, TRUE).ok();
        self.diagrams.end_allowance(kept);
        if let Some(covering) = self
            .sides
            .get_mut(side)
            .and_then(|side| side.covering.get_mut(place as usize))
        {
            covering.unions = Some(made);
        }
        made
    }

    fn unions_within(
        &mut self,
        side: usize,
        place: Place,
        care: Diagram,
    ) -> Result<[Diagram; 3], OverBudget> {
        let mut parts: [Vec<Diagram>; 3] = Default::default();
        let lines: Vec<Line> = self.lines_at(side, place).copied().collect();
        let [allow, ever, deny] = &mut parts;
        for line in lines {
            match line.effect {
                Effect::Allow => {
                    allow.push(self.diagrams.and(line.now, care)?);
                    ever.push(self.diagrams.and(line.ever, care)?);
                }
                Effect::Deny => deny.push(self.diagrams.and(line.now, care)?),
            }
        }
        let mut unions = [FALSE; 3];
        for (union, mut parts) in unions.iter_mut().zip(parts) {
            parts.sort_unstable();
            parts.dedup();
            *union = self.diagrams.any(&parts)?;
        }
        Ok(unions)
    }

    // INVARIANT: sides are numbered as the sets were given to `of`, and asked for by those numbers.
    #[allow(
        clippy::indexing_slicing,
        reason = "a side that was not given is a bug, never input"
    )]
    fn side(&self, side: usize) -> &Side<'a> {
        &self.sides[side]
    }
}

impl<'a> Side<'a> {
    fn of(
        set: &'a PolicySet,
        axes: &Axes,
        diagrams: &mut Diagrams,
        sources: &mut Sources,
    ) -> Result<Self, OverBudget> {
        let view = View::new(axes, set);
        let permitted = view.permitted(axes, diagrams)?;
        let mut groups = Vec::new();
        for (id, group) in set.approvals.iter() {
            if let Coverage::Unlock(selector) = &group.covers {
                groups.push((id, view.devices(axes, diagrams, selector)?));
            }
        }
        let covered: Vec<Diagram> = groups.iter().map(|&(_, devices)| devices).collect();
        let mut side = Side {
            permitted,
            gated: diagrams.any(&covered)?,
            groups,
            view,
            lines: Vec::new(),
            covering: Vec::new(),
            regions: HashMap::new(),
        };
        let mut networks = HashMap::new();
        for (id, rule) in set.unlocks.iter() {
            let ever = side.view.devices(axes, diagrams, &rule.selector)?;
            for (effect, lines) in [(Effect::Allow, &rule.allow), (Effect::Deny, &rule.deny)] {
                for (index, line) in lines.iter().enumerate() {
                    let open = side.view.open(axes, diagrams, &line.during)?;
                    let now = diagrams.and(ever, open)?;
                    let places = sources.name(set, &line.sources, &mut networks);
                    side.add(
                        Line {
                            rule: id,
                            effect,
                            index,
                            now,
                            ever,
                            timed: !line.during.is_empty(),
                        },
                        places,
                    );
                }
            }
        }
        for (_, claim) in set.invariants.iter().flat_map(|(_, one)| &one.lines) {
            if let Some(region) = region_of(claim) {
                let places = sources.name(set, &region.sources, &mut networks);
                side.regions.insert(region.sources.clone(), places);
            }
        }
        Ok(side)
    }

    fn add(&mut self, line: Line, places: Vec<Place>) {
        let at = self.lines.len();
        self.lines.push(line);
        for place in places {
            let place = place as usize;
            if self.covering.len() <= place {
                self.covering.resize_with(place + 1, Covering::default);
            }
            if let Some(covering) = self.covering.get_mut(place) {
                covering.lines.push(at);
            }
        }
    }
}

fn region_of(claim: &Claim) -> Option<&RegionSources> {
    match claim {
        Claim::NeverAllowUnlock(region) | Claim::AlwaysReachableUnlock(region) => {
            region.from.as_ref()
        }
        Claim::NeverAllowIssuance(_) => None,
    }
}
