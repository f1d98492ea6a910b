//! Where unlocks are decided differently.
//!
//! Only what an edit touches is looked at: the devices of lines that are not in
//! both sets, from the addresses that those lines name, and wherever other
//! devices are gated or permitted.

use std::collections::{BTreeMap, HashSet};

use super::region::{Cause, Class, Example, Extent, Kind, Place, Region, Side};
use super::requirement;
use crate::analyze::addresses::describe_addresses;
use crate::analyze::unlock::{Line, Standings, Unlocks};
use crate::analyze::witness::UnlockWitness;
use crate::decision::RuleRef;
use crate::eval::place;
use crate::ir::PolicySet;
use crate::ir::unlock::UnlockRule;
use crate::space::diagram::{Diagram, FALSE, OverBudget};
use crate::vocabulary::{Effect, ReasonCode};

/// More kinds of places than these are not described in one region.
const PLACES: usize = 4;
/// The simplest witness is looked for among so many pieces.
const WITNESSES: usize = 64;

/// What an unlock comes to, with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Standing {
    Incomplete,
    Denied,
    NotAllowed,
    OutsideSchedule,
    Pending,
    Allowed,
}

const STANDINGS: [Standing; 6] = [
    Standing::Incomplete,
    Standing::Denied,
    Standing::NotAllowed,
    Standing::OutsideSchedule,
    Standing::Pending,
    Standing::Allowed,
];

impl Standing {
    fn of(self, standings: &Standings) -> Diagram {
        match self {
            Standing::Incomplete => standings.incomplete,
            Standing::Denied => standings.denied,
            Standing::NotAllowed => standings.not_allowed,
            Standing::OutsideSchedule => standings.outside_schedule,
            Standing::Pending => standings.pending,
            Standing::Allowed => standings.allowed,
        }
    }

    /// Allow is more than pending, and that more than deny.
    fn rank(self) -> u8 {
        match self {
            Standing::Incomplete
            | Standing::Denied
            | Standing::NotAllowed
            | Standing::OutsideSchedule => 0,
            Standing::Pending => 1,
            Standing::Allowed => 2,
        }
    }

    fn code(self) -> ReasonCode {
        match self {
            Standing::Incomplete => ReasonCode::EvaluationIncomplete,
            Standing::Denied => ReasonCode::SourceDenied,
            Standing::NotAllowed => ReasonCode::SourceNotAllowed,
            Standing::OutsideSchedule => ReasonCode::OutsideSchedule,
            Standing::Pending => ReasonCode::ApprovalRequired,
            Standing::Allowed => ReasonCode::Allowed,
        }
    }

    /// What is said of it beside `other`: the reason only where the outcome is the same.
    fn word(self, other: Standing) -> String {
        match self.rank() {
            2 => "allow".to_owned(),
            1 => "pending".to_owned(),
            _ if other.rank() == 0 => format!("deny {}", self.code()),
            _ => "deny".to_owned(),
        }
    }
}

/// Which rule made a difference, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    class: Class,
    before: String,
    after: String,
    cause: Option<Cause>,
}

/// Devices and times that are decided differently from classes of addresses.
type Pieces = BTreeMap<Key, BTreeMap<Diagram, Vec<usize>>>;

/// Every difference between the unlocks of two sets.
pub(super) fn compare(unlocks: &mut Unlocks<'_>, sets: [&PolicySet; 2]) -> Vec<Region> {
    let mut found = Finder {
        sets,
        own_lines: [own_lines(unlocks, 0), own_lines(unlocks, 1)],
        pieces: Pieces::new(),
        undecided: Vec::new(),
    };
    let global = match found.touched_everywhere(unlocks) {
        Ok(global) => global,
        Err(OverBudget) => return vec![Region::not_decided(Kind::Unlock, "any unlock")],
    };
    let classes = std::mem::take(&mut unlocks.classes);
    for (at, class) in classes.iter().enumerate() {
        if found.look_at(unlocks, at, &class.members, global).is_err() {
            found.undecided.push(at);
        }
    }
    unlocks.classes = classes;
    let mut regions: Vec<Region> = std::mem::take(&mut found.pieces)
        .into_iter()
        .map(|(key, pieces)| found.region(unlocks, key, pieces))
        .collect();
    if !found.undecided.is_empty() {
        let mut region = Region::not_decided(Kind::Unlock, "any device");
        let ranges = found
            .undecided
            .iter()
            .filter_map(|&at| unlocks.classes.get(at));
        let ranges: Vec<_> = ranges.flat_map(|class| class.ranges.clone()).collect();
        region
            .places
            .iter_mut()
            .for_each(|place| place.from = describe_addresses(&sets, &ranges));
        regions.push(region);
    }
    regions.extend(requirement::compare_unlocks(unlocks, sets));
    regions
}

/// The lines that name each address set under one side and match what no line
/// of the other side that names it does.
fn own_lines(unlocks: &Unlocks<'_>, side: usize) -> Vec<Vec<Line>> {
    let meaning = |line: &Line| (line.effect, line.now, line.ever);
    let places = 0..u32::try_from(unlocks.places()).unwrap_or(u32::MAX);
    let own = places.map(|place| {
        let theirs: HashSet<_> = unlocks.lines_at(1 - side, place).map(meaning).collect();
        let lines = unlocks.lines_at(side, place).copied();
        lines
            .filter(|line| !theirs.contains(&meaning(line)))
            .collect()
    });
    own.collect()
}

struct Finder<'a> {
    sets: [&'a PolicySet; 2],
    own_lines: [Vec<Vec<Line>>; 2],
    pieces: Pieces,
    undecided: Vec<usize>,
}

impl Finder<'_> {
    /// Devices that only one side permits or gates: they may differ from anywhere.
    fn touched_everywhere(&self, unlocks: &mut Unlocks<'_>) -> Result<Diagram, OverBudget> {
        let pairs = [
            [unlocks.permitted(0), unlocks.permitted(1)],
            [unlocks.gated(0), unlocks.gated(1)],
        ];
        let mut touched = FALSE;
        for [a, b] in pairs {
            for one_sided in [unlocks.diagrams.minus(a, b)?, unlocks.diagrams.minus(b, a)?] {
                touched = unlocks.diagrams.or(touched, one_sided)?;
            }
        }
        Ok(touched)
    }

    fn lines(&self, side: Side, members: &[u32]) -> Vec<Line> {
        let own = self
            .own_lines
            .get(side.index())
            .map_or(&[][..], Vec::as_slice);
        let lines = members.iter().filter_map(|&place| own.get(place as usize));
        let mut lines: Vec<Line> = lines.flatten().copied().collect();
        lines.sort_by_key(|line| (line.rule, line.effect, line.index));
        lines.dedup_by_key(|line| (line.rule, line.effect, line.index));
        lines
    }

    fn look_at(
        &mut self,
        unlocks: &mut Unlocks<'_>,
        at: usize,
        members: &[u32],
        global: Diagram,
    ) -> Result<(), OverBudget> {
        let mut ever: Vec<Diagram> = vec![global];
        for side in [Side::Old, Side::New] {
            ever.extend(self.lines(side, members).iter().map(|line| line.ever));
        }
        ever.sort_unstable();
        ever.dedup();
        let touched = unlocks.diagrams.any(&ever)?;
        if touched == FALSE {
            return Ok(());
        }
        let before = unlocks.standings(0, members, touched)?;
        let after = unlocks.standings(1, members, touched)?;
        if before == after {
            return Ok(());
        }
        for old in STANDINGS {
            for new in STANDINGS {
                if old != new {
                    let moved = unlocks.diagrams.and(old.of(&before), new.of(&after))?;
                    self.split_by_cause(unlocks, (at, members), (old, new), moved)?;
                }
            }
        }
        Ok(())
    }

    /// Takes from `moved`, rule by rule, what each is the cause of.
    fn split_by_cause(
        &mut self,
        unlocks: &mut Unlocks<'_>,
        (at, members): (usize, &[u32]),
        (old, new): (Standing, Standing),
        moved: Diagram,
    ) -> Result<(), OverBudget> {
        let mut rest = moved;
        if rest == FALSE {
            return Ok(());
        }
        for (cause, set) in self.candidates(unlocks, members, (old, new)) {
            if rest == FALSE {
                return Ok(());
            }
            let part = unlocks.diagrams.and(rest, set)?;
            if part != FALSE {
                self.add((old, new), Some(cause), part, at);
                rest = unlocks.diagrams.minus(rest, part)?;
            }
        }
        if rest != FALSE {
            let cause = self.vocabulary(unlocks, (old, new), rest);
            self.add((old, new), cause, rest, at);
        }
        Ok(())
    }

    fn add(
        &mut self,
        (old, new): (Standing, Standing),
        cause: Option<Cause>,
        part: Diagram,
        at: usize,
    ) {
        let class = match old.rank().cmp(&new.rank()) {
            std::cmp::Ordering::Less => Class::Widened,
            std::cmp::Ordering::Greater => Class::Narrowed,
            std::cmp::Ordering::Equal => Class::Relabelled,
        };
        let key = Key {
            class,
            before: old.word(new),
            after: new.word(old),
            cause,
        };
        let classes = self.pieces.entry(key).or_default().entry(part).or_default();
        if classes.last() != Some(&at) {
            classes.push(at);
        }
    }

    /// What may have moved devices from `old` to `new`, each with the devices it matches.
    fn candidates(
        &self,
        unlocks: &Unlocks<'_>,
        members: &[u32],
        (old, new): (Standing, Standing),
    ) -> Vec<(Cause, Diagram)> {
        use Standing as S;
        let lines = |side, effect, ever: bool| {
            let lines = self.lines(side, members).into_iter();
            let lines = lines.filter(move |line| line.effect == effect);
            let with_set = lines.map(|line| {
                let set = if ever { line.ever } else { line.now };
                (self.line_cause(side, &line), set)
            });
            with_set.collect()
        };
        match (old, new) {
            (S::Incomplete, _) | (_, S::Incomplete) => Vec::new(),
            (S::Denied, _) => lines(Side::Old, Effect::Deny, false),
            (_, S::Denied) => lines(Side::New, Effect::Deny, false),
            (S::Allowed, S::Pending) => self.groups(unlocks, Side::New),
            (S::Pending, S::Allowed) => self.groups(unlocks, Side::Old),
            (S::NotAllowed, S::OutsideSchedule) => lines(Side::New, Effect::Allow, true),
            (S::OutsideSchedule, S::NotAllowed) => lines(Side::Old, Effect::Allow, true),
            (S::NotAllowed | S::OutsideSchedule, _) => lines(Side::New, Effect::Allow, false),
            (S::Pending | S::Allowed, _) => lines(Side::Old, Effect::Allow, false),
        }
    }

    fn line_cause(&self, side: Side, line: &Line) -> Cause {
        let set = self.set(side);
        let rule: &UnlockRule = &set.unlocks[line.rule];
        let lines = match line.effect {
            Effect::Allow => &rule.allow,
            Effect::Deny => &rule.deny,
        };
        let span = lines.get(line.index).map(|line| line.span);
        Cause {
            rule: place::unlock(set, line.rule, span),
            side,
        }
    }

    fn groups(&self, unlocks: &Unlocks<'_>, side: Side) -> Vec<(Cause, Diagram)> {
        let set = self.set(side);
        let groups = unlocks.groups(side.index()).iter();
        groups
            .map(|&(id, devices)| {
                (
                    Cause {
                        rule: place::approval(set, id, None),
                        side,
                    },
                    devices,
                )
            })
            .collect()
    }

    /// The tag whose declaration makes a device one that enrollment permits, or no longer.
    fn vocabulary(
        &self,
        unlocks: &Unlocks<'_>,
        (old, _): (Standing, Standing),
        set: Diagram,
    ) -> Option<Cause> {
        let point = unlocks.diagrams.cheapest(set, &|_, _| 1)?;
        let (tags, _) = unlocks.axes.point(&point);
        let refusing = match old {
            Standing::Incomplete => Side::Old,
            Standing::Denied
            | Standing::NotAllowed
            | Standing::OutsideSchedule
            | Standing::Pending
            | Standing::Allowed => Side::New,
        };
        let set = self.set(refusing);
        let wrong = tags.iter().find(|(name, value)| {
            let known = set.tags.find(name);
            known.is_none_or(|id| !set.tags[id].domain.contains(value))
        });
        let missing = || {
            let mut tags_of_set = set.tags.iter();
            let missing =
                tags_of_set.find(|(_, tag)| tag.required && !tags.contains_key(&tag.header.name));
            missing.map(|(_, tag)| tag.header.name.clone())
        };
        let name = wrong.map(|(name, _)| name.clone()).or_else(missing)?;
        let (declaring, side) = match set.tags.find(&name) {
            Some(_) => (set, refusing),
            None => (self.set(refusing.other()), refusing.other()),
        };
        let id = declaring.tags.find(&name)?;
        let rule: RuleRef = place::rule(declaring, "tag", &name, declaring.tags[id].header.span);
        Some(Cause { rule, side })
    }

    fn set(&self, side: Side) -> &PolicySet {
        let [old, new] = self.sets;
        match side {
            Side::Old => old,
            Side::New => new,
        }
    }

    fn region(
        &self,
        unlocks: &mut Unlocks<'_>,
        key: Key,
        pieces: BTreeMap<Diagram, Vec<usize>>,
    ) -> Region {
        let mut pieces: Vec<(Diagram, Vec<usize>)> = pieces.into_iter().collect();
        pieces.sort_by_key(|(set, classes)| (std::cmp::Reverse(classes.len()), *set));
        let (places, and_more) = describe_pieces(unlocks, self.sets, &pieces);
        Region {
            class: key.class,
            kind: Kind::Unlock,
            before: key.before,
            after: key.after,
            places,
            and_more,
            witness: witness_of(unlocks, &pieces).map(Example::unlock),
            rule: key.cause,
            extent: Extent::Unlock(pieces),
        }
    }
}

/// The simplest unlock of some pieces.
pub(super) fn witness_of(
    unlocks: &Unlocks<'_>,
    pieces: &[(Diagram, Vec<usize>)],
) -> Option<UnlockWitness> {
    let candidates = pieces.iter().take(WITNESSES).filter_map(|(set, classes)| {
        let class = unlocks.classes.get(*classes.first()?)?;
        UnlockWitness::of(unlocks, *set, class)
    });
    candidates.min_by_key(|witness| (witness.tags.len(), witness.at.is_some(), witness.source))
}

/// Pieces in words, and whether there are more.
pub(super) fn describe_pieces(
    unlocks: &mut Unlocks<'_>,
    sets: [&PolicySet; 2],
    pieces: &[(Diagram, Vec<usize>)],
) -> (Vec<Place>, bool) {
    let care = unlocks
        .diagrams
        .or(unlocks.permitted(0), unlocks.permitted(1));
    let care = care.unwrap_or(crate::space::diagram::TRUE);
    let mut places = Vec::new();
    let mut and_more = pieces.len() > PLACES;
    for (set, classes) in pieces.iter().take(PLACES) {
        let ranges = classes.iter().filter_map(|&at| unlocks.classes.get(at));
        let ranges: Vec<_> = ranges
            .flat_map(|class| class.ranges.iter().copied())
            .collect();
        let from = describe_addresses(&sets, &ranges);
        match unlocks.describe(*set, care) {
            Ok((ways, complete)) => {
                and_more |= !complete;
                places.extend(ways.into_iter().map(|way| Place {
                    matching: way.devices,
                    from: from.clone(),
                    when: way.times,
                    with: None,
                }));
            }
            Err(OverBudget) => and_more = true,
        }
    }
    (places, and_more)
}
