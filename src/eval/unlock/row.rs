//! The source lines of a class of devices, laid out by address.
//!
//! A row says of every address which line decides, so that a decision is one
//! search whatever the number of rules and prefixes. It is made from the same
//! compiled lines that [`super::sources`] walks without one, and answers the
//! same; [`super::sweep`] makes it. Where a row would take more than it may,
//! there is none.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::lines::Line;
use super::sweep::{self, Mixtures, Step, Swept};
use super::{Cause, LineId};
use crate::eval::{Class, Program};
use crate::ir::{NetworkId, ScheduleId, UnlockId};
use crate::space::axis::{Axis, Number};
use crate::space::networks::Networks;
use crate::space::prefixes::PrefixSet;
use crate::vocabulary::{Effect, ReasonCode};

/// How much a sweep may do, in steps: boundaries times sets of schedules.
const WORK: usize = 1 << 26;

/// What every address comes to, for devices that the same rules match.
#[derive(Debug)]
pub(crate) struct Row {
    v4: Axis<u32>,
    v6: Axis<u128>,
    mixed: Box<[Mixed]>,
    windows: Windows,
    /// What stands in the way where no line covers the address.
    nowhere: Cause,
}

/// What a stretch of addresses comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// No line covers it.
    Nothing,
    /// A line without a schedule denies it.
    Denied(LineId),
    /// A line without a schedule allows it, and none denies it.
    Allowed(LineId),
    /// It depends on schedules.
    Mixed(u32),
}

impl Outcome {
    const TAG: u32 = 30;
    /// Past every number that an outcome can hold.
    pub(super) const END: u32 = 1 << Self::TAG;

    /// As a number, for an axis.
    pub(super) fn pack(self) -> u32 {
        let (tag, number) = match self {
            Outcome::Nothing => (0, 0),
            Outcome::Denied(LineId(line)) => (1, line),
            Outcome::Allowed(LineId(line)) => (2, line),
            Outcome::Mixed(place) => (3, place),
        };
        (tag << Self::TAG) | number
    }

    fn unpack(number: u32) -> Self {
        let rest = number & (Self::END - 1);
        match number >> Self::TAG {
            1 => Outcome::Denied(LineId(rest)),
            2 => Outcome::Allowed(LineId(rest)),
            3 => Outcome::Mixed(rest),
            _ => Outcome::Nothing,
        }
    }
}

/// The lines that cover a stretch where schedules matter, in the order of
/// rules and lines: of those that are open together only the first, and none
/// after one that always is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mixed {
    pub(super) deny: Box<[Choice]>,
    pub(super) allow: Box<[Choice]>,
}

/// A line, and the set of schedules in which it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Choice {
    pub(super) line: LineId,
    pub(super) window: u32,
}

/// The different lists of schedules that lines of a row name; the first is
/// empty, and open always.
type Windows = Box<[Vec<ScheduleId>]>;

/// What a row says of one address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    row: &'a Row,
    outcome: Outcome,
}

impl Row {
    /// Lays out the lines of a class; none where that takes more than `limit` bytes.
    pub(crate) fn build(program: &Program, class: &Class, limit: usize) -> Option<Row> {
        let mut layout = Layout::new(limit);
        for &rule in &class.rules {
            for effect in [Effect::Deny, Effect::Allow] {
                for (id, line) in program.lines.of(rule, effect) {
                    layout.push((id, line), effect, &program.networks)?;
                }
            }
        }
        let windows: Windows = layout.windows();
        let boundaries: usize = layout.swept.iter().map(|one| 2 * one.ranges.len()).sum();
        let fits = boundaries.checked_mul(windows.len())? <= WORK
            && program.lines.len() < Outcome::END as usize;
        if !fits {
            return None;
        }
        let mut mixed = Mixtures::default();
        let v4 = sweep::v4(&layout.swept, windows.len(), &mut mixed);
        let v6 = sweep::v6(&layout.swept, windows.len(), &mut mixed);
        Some(Row {
            v4: axis(v4),
            v6: axis(v6),
            mixed: mixed.into_boxed_slice()?,
            windows,
            nowhere: nearest(program, class),
        })
    }

    /// What it says of `address`.
    #[inline]
    pub(crate) fn at(&self, address: IpAddr) -> Spot<'_> {
        Spot {
            row: self,
            outcome: Outcome::unpack(self.packed(address)),
        }
    }

    /// What it comes to for `address`, where no schedule matters.
    #[inline]
    pub(super) fn plainly(&self, address: IpAddr) -> Option<(ReasonCode, Cause)> {
        let outcome = self.at(address).outcome;
        let code = match outcome {
            Outcome::Nothing => ReasonCode::SourceNotAllowed,
            Outcome::Denied(_) => ReasonCode::SourceDenied,
            Outcome::Allowed(_) => ReasonCode::Allowed,
            Outcome::Mixed(_) => return None,
        };
        let cause = match outcome {
            Outcome::Nothing | Outcome::Mixed(_) => self.nowhere,
            Outcome::Denied(line) | Outcome::Allowed(line) => Cause::Line(line),
        };
        Some((code, cause))
    }

    /// The outcome for `address`, as a number. An address is folded here, and
    /// not before: made anew, it would be read back slowly.
    fn packed(&self, address: IpAddr) -> u32 {
        let folded = match address {
            IpAddr::V4(v4) => Ok(v4),
            IpAddr::V6(v6) => v6.to_ipv4_mapped().ok_or(v6),
        };
        match folded {
            Ok(v4) => self.v4.at(u32::from(v4)),
            Err(v6) => self.v6.at(u128::from(v6)),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let choices = |mixed: &Mixed| size_of_val(&*mixed.deny) + size_of_val(&*mixed.allow);
        size_of::<Row>()
            + self.v4.bytes()
            + self.v6.bytes()
            + size_of_val(&*self.mixed)
            + self.mixed.iter().map(choices).sum::<usize>()
    }
}

impl Spot<'_> {
    /// The first line that denies now.
    #[inline]
    pub(crate) fn denying(self, program: &Program, at: Timestamp) -> Option<Cause> {
        match self.outcome {
            Outcome::Nothing | Outcome::Allowed(_) => None,
            Outcome::Denied(line) => Some(Cause::Line(line)),
            Outcome::Mixed(_) => self.open(Effect::Deny, program, at),
        }
    }

    /// The first line that allows now.
    #[inline]
    pub(crate) fn allowing(self, program: &Program, at: Timestamp) -> Option<Cause> {
        match self.outcome {
            Outcome::Nothing | Outcome::Denied(_) => None,
            Outcome::Allowed(line) => Some(Cause::Line(line)),
            Outcome::Mixed(_) => self.open(Effect::Allow, program, at),
        }
    }

    /// The first line that would allow at another time, where none does now.
    #[inline]
    pub(crate) fn shut(self) -> Option<Cause> {
        let first = self.choices(Effect::Allow).first();
        first.map(|first| Cause::Line(first.line))
    }

    /// What stands in the way where no line covers the address.
    #[inline]
    pub(super) fn nearest(self) -> Cause {
        self.row.nowhere
    }

    fn open(self, effect: Effect, program: &Program, at: Timestamp) -> Option<Cause> {
        let is_open = |one: &&Choice| {
            let during = self.row.windows.get(one.window as usize);
            during.is_some_and(|ids| {
                ids.is_empty()
                    || (ids.iter()).any(|&id| program.hours.is_open(&program.set, id, at))
            })
        };
        let open = self.choices(effect).iter().find(is_open);
        open.map(|open| Cause::Line(open.line))
    }

    fn choices(&self, effect: Effect) -> &[Choice] {
        let Outcome::Mixed(place) = self.outcome else {
            return &[];
        };
        let mixed = self.row.mixed.get(place as usize);
        mixed.map_or(&[], |mixed| match effect {
            Effect::Deny => &mixed.deny,
            Effect::Allow => &mixed.allow,
        })
    }
}

/// The lines of a class on their way into a row.
struct Layout<'a> {
    swept: Vec<Swept>,
    windows: HashMap<&'a [ScheduleId], usize>,
    /// The networks that a line of this effect and window named before: only
    /// the first such line can decide, so later ones leave them out.
    named: HashSet<(Effect, usize, NetworkId)>,
    left: usize,
}

impl<'a> Layout<'a> {
    fn new(limit: usize) -> Self {
        let always: &[ScheduleId] = &[];
        Layout {
            swept: Vec::new(),
            windows: HashMap::from([(always, 0)]),
            named: HashSet::new(),
            left: limit,
        }
    }

    /// Takes the next line; none where it no longer fits.
    fn push(
        &mut self,
        (id, line): (LineId, &'a Line),
        effect: Effect,
        networks: &Networks,
    ) -> Option<()> {
        let next = self.windows.len();
        let window = *self.windows.entry(line.during()).or_insert(next);
        let named = &mut self.named;
        let ranges = line.addresses(networks, |id| named.insert((effect, window, id)));
        self.left = self.left.checked_sub(cost(&ranges))?;
        self.swept.push(Swept {
            id,
            ranges,
            effect,
            window,
        });
        Some(())
    }

    /// The sets of schedules, by number.
    fn windows(&self) -> Windows {
        let mut windows: Vec<_> = self.windows.iter().collect();
        windows.sort_unstable_by_key(|&(_, &number)| number);
        windows.into_iter().map(|(ids, _)| ids.to_vec()).collect()
    }
}

/// What stands in the way of a source that no line covers: the first rule of the
/// class that allows any.
pub(super) fn nearest(program: &Program, class: &Class) -> Cause {
    let mut rules = class.rules.iter().copied();
    let allows = |rule: &UnlockId| program.lines.of(*rule, Effect::Allow).len() > 0;
    rules.find(allows).map_or(Cause::Plain, Cause::Rule)
}

/// At most so many bytes of a row stand for these ranges.
fn cost(ranges: &PrefixSet) -> usize {
    Axis::<u32>::most_bytes(2 * ranges.v4().len()) + Axis::<u128>::most_bytes(2 * ranges.v6().len())
}

fn axis<N: Number>(steps: Vec<Step<N>>) -> Axis<N> {
    let steps = steps
        .into_iter()
        .map(|(start, outcome)| (start, outcome.pack()));
    Axis::new(Outcome::Nothing.pack(), steps)
}
