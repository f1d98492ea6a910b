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

use super::Cause;
use super::lines::Line;
use super::sweep::{self, Mixtures, Step, Swept};
use crate::eval::{Class, Program};
use crate::ir::table::Id;
use crate::ir::{NetworkId, ScheduleId, UnlockId};
use crate::space::axis::Axis;
use crate::space::networks::Networks;
use crate::space::prefixes::PrefixSet;
use crate::vocabulary::Effect;

/// How much a sweep may do, in steps: boundaries times sets of schedules.
const WORK: usize = 1 << 26;

/// What every address comes to, for devices that the same rules match.
#[derive(Debug)]
pub(crate) struct Row {
    v4: Axis<u32>,
    v6: Axis<u128>,
    /// The lines that an outcome may name, by rule and place.
    lines: Box<[(UnlockId, u32)]>,
    mixed: Box<[Mixed]>,
    windows: Windows,
    /// The first rule that allows any source.
    allowing: Option<UnlockId>,
}

/// What a stretch of addresses comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// No line covers it.
    Nothing,
    /// A line without a schedule denies it.
    Denied(u32),
    /// A line without a schedule allows it, and none denies it.
    Allowed(u32),
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
            Outcome::Denied(line) => (1, line),
            Outcome::Allowed(line) => (2, line),
            Outcome::Mixed(place) => (3, place),
        };
        (tag << Self::TAG) | number
    }

    fn unpack(number: u32) -> Self {
        let rest = number & (Self::END - 1);
        match number >> Self::TAG {
            1 => Outcome::Denied(rest),
            2 => Outcome::Allowed(rest),
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
    pub(super) line: u32,
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
                let lines = program.lines.get(rule.index())?.of(effect);
                for (at, line) in (0u32..).zip(lines) {
                    layout.push(line, effect, &program.networks)?;
                    layout.lines.push((rule, at));
                }
            }
        }
        let windows: Windows = layout.windows();
        let boundaries: usize = layout.swept.iter().map(|one| 2 * one.ranges.len()).sum();
        let fits = boundaries.checked_mul(windows.len())? <= WORK
            && layout.lines.len() < Outcome::END as usize;
        if !fits {
            return None;
        }
        let mut mixed = Mixtures::default();
        let v4 = sweep::v4(&layout.swept, windows.len(), &mut mixed);
        let v6 = sweep::v6(&layout.swept, windows.len(), &mut mixed);
        Some(Row {
            v4: axis(v4),
            v6: axis(v6),
            lines: layout.lines.into_boxed_slice(),
            mixed: mixed.into_boxed_slice()?,
            windows,
            allowing: first_allowing(program, class),
        })
    }

    /// What it says of `address`, folded.
    #[inline]
    pub(crate) fn at(&self, address: IpAddr) -> Spot<'_> {
        let number = match address {
            IpAddr::V4(address) => self.v4.at(u32::from(address)),
            IpAddr::V6(address) => self.v6.at(u128::from(address)),
        };
        Spot {
            row: self,
            outcome: Outcome::unpack(number),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let choices = |mixed: &Mixed| size_of_val(&*mixed.deny) + size_of_val(&*mixed.allow);
        size_of::<Row>()
            + self.v4.bytes()
            + self.v6.bytes()
            + size_of_val(&*self.lines)
            + size_of_val(&*self.mixed)
            + self.mixed.iter().map(choices).sum::<usize>()
    }

    fn cause(&self, effect: Effect, line: u32) -> Option<Cause> {
        let &(rule, at) = self.lines.get(line as usize)?;
        Some(Cause::Line(rule, effect, at as usize))
    }
}

impl Spot<'_> {
    /// The first line that denies now.
    #[inline]
    pub(crate) fn denying(self, program: &Program, at: Timestamp) -> Option<Cause> {
        match self.outcome {
            Outcome::Nothing | Outcome::Allowed(_) => None,
            Outcome::Denied(line) => self.row.cause(Effect::Deny, line),
            Outcome::Mixed(_) => self.open(Effect::Deny, program, at),
        }
    }

    /// The first line that allows now.
    #[inline]
    pub(crate) fn allowing(self, program: &Program, at: Timestamp) -> Option<Cause> {
        match self.outcome {
            Outcome::Nothing | Outcome::Denied(_) => None,
            Outcome::Allowed(line) => self.row.cause(Effect::Allow, line),
            Outcome::Mixed(_) => self.open(Effect::Allow, program, at),
        }
    }

    /// The first line that would allow at another time, where none does now.
    #[inline]
    pub(crate) fn shut(self) -> Option<Cause> {
        let first = self.choices(Effect::Allow).first()?;
        self.row.cause(Effect::Allow, first.line)
    }

    /// The first rule that allows any source.
    #[inline]
    pub(crate) fn nearest(self) -> Option<UnlockId> {
        self.row.allowing
    }

    fn open(self, effect: Effect, program: &Program, at: Timestamp) -> Option<Cause> {
        let is_open = |one: &&Choice| {
            let during = self.row.windows.get(one.window as usize);
            during.is_some_and(|ids| {
                ids.is_empty()
                    || (ids.iter()).any(|&id| program.hours.is_open(&program.set, id, at))
            })
        };
        let open = self.choices(effect).iter().find(is_open)?;
        self.row.cause(effect, open.line)
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
    lines: Vec<(UnlockId, u32)>,
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
            lines: Vec::new(),
            swept: Vec::new(),
            windows: HashMap::from([(always, 0)]),
            named: HashSet::new(),
            left: limit,
        }
    }

    /// Takes the next line; none where it no longer fits.
    fn push(&mut self, line: &'a Line, effect: Effect, networks: &Networks) -> Option<()> {
        let next = self.windows.len();
        let window = *self.windows.entry(line.during()).or_insert(next);
        let named = &mut self.named;
        let ranges = line.addresses(networks, |id| named.insert((effect, window, id)));
        self.left = self.left.checked_sub(cost(&ranges))?;
        self.swept.push(Swept {
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

/// The first rule of a class that allows any source.
pub(super) fn first_allowing(program: &Program, class: &Class) -> Option<UnlockId> {
    let mut rules = class.rules.iter().copied();
    rules.find(|rule| {
        let lines = program.lines.get(rule.index());
        lines.is_some_and(|lines| !lines.of(Effect::Allow).is_empty())
    })
}

/// At most so many bytes of a row stand for these ranges.
fn cost(ranges: &PrefixSet) -> usize {
    let each = |number: usize| 2 * (number + size_of::<u32>());
    size_of::<(UnlockId, u32)>()
        + ranges.v4().len() * each(size_of::<u32>())
        + ranges.v6().len() * each(size_of::<u128>())
}

fn axis<N: Copy + Ord>(steps: Vec<Step<N>>) -> Axis<N> {
    let steps = steps
        .into_iter()
        .map(|(start, outcome)| (start, outcome.pack()));
    Axis::new(Outcome::Nothing.pack(), steps)
}
