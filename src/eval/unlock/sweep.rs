//! The addresses of a class gone over once, in order, with the lines that
//! cover each stretch of them at hand.

use std::collections::{BTreeSet, HashMap};

use super::LineId;
use super::row::{Choice, Mixed, Outcome};
use crate::space::prefixes::PrefixSet;
use crate::vocabulary::Effect;

/// A line to be laid out.
pub(super) struct Swept {
    /// Which one.
    pub(super) id: LineId,
    /// The addresses that it covers.
    pub(super) ranges: PrefixSet,
    /// What it does.
    pub(super) effect: Effect,
    /// The set of schedules in which it is open; 0: always.
    pub(super) window: usize,
}

/// From this number on, this.
pub(super) type Step<N> = (N, Outcome);

/// The different mixtures that were met.
#[derive(Default)]
pub(super) struct Mixtures {
    places: HashMap<Mixed, u32>,
}

impl Mixtures {
    fn place(&mut self, mixed: Mixed) -> u32 {
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        *self.places.entry(mixed).or_insert(next)
    }

    /// All of them, by place; none where there are more than an outcome can name.
    pub(super) fn into_boxed_slice(self) -> Option<Box<[Mixed]>> {
        let mut all: Vec<(Mixed, u32)> = self.places.into_iter().collect();
        all.sort_unstable_by_key(|&(_, place)| place);
        let fits = all.len() < Outcome::END as usize;
        fits.then(|| all.into_iter().map(|(mixed, _)| mixed).collect())
    }
}

/// Goes over the IPv4 addresses.
pub(super) fn v4(lines: &[Swept], windows: usize, mixed: &mut Mixtures) -> Vec<Step<u32>> {
    let ranges = |line: &Swept| line.ranges.v4().to_vec();
    sweep(lines, windows, mixed, ranges, |end| end.checked_add(1))
}

/// Goes over the IPv6 addresses.
pub(super) fn v6(lines: &[Swept], windows: usize, mixed: &mut Mixtures) -> Vec<Step<u128>> {
    let ranges = |line: &Swept| line.ranges.v6().to_vec();
    sweep(lines, windows, mixed, ranges, |end| end.checked_add(1))
}

fn sweep<N: Copy + Ord>(
    lines: &[Swept],
    windows: usize,
    mixed: &mut Mixtures,
    ranges: impl Fn(&Swept) -> Vec<(N, N)>,
    next: impl Fn(N) -> Option<N>,
) -> Vec<Step<N>> {
    let mut turns = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        for (start, end) in ranges(line) {
            turns.push((start, number, true));
            // What reaches the end of the address space never ends.
            turns.extend(next(end).map(|after| (after, number, false)));
        }
    }
    turns.sort_unstable();
    let mut steps = Vec::new();
    let mut covering = Covering::new(windows);
    for here in turns.chunk_by(|one, other| one.0 == other.0) {
        for &(_, number, begins) in here {
            if let Some(line) = lines.get(number) {
                covering.turn(line, begins);
            }
        }
        if let Some(&(start, ..)) = here.first() {
            steps.push((start, covering.outcome(mixed)));
        }
    }
    steps
}

/// The lines that cover the stretch that the sweep is at, by effect and window.
struct Covering {
    deny: Vec<BTreeSet<LineId>>,
    allow: Vec<BTreeSet<LineId>>,
}

impl Covering {
    fn new(windows: usize) -> Self {
        Covering {
            deny: vec![BTreeSet::new(); windows],
            allow: vec![BTreeSet::new(); windows],
        }
    }

    /// A line begins or ends here.
    fn turn(&mut self, line: &Swept, begins: bool) {
        let windows = match line.effect {
            Effect::Deny => &mut self.deny,
            Effect::Allow => &mut self.allow,
        };
        if let Some(lines) = windows.get_mut(line.window) {
            match begins {
                true => lines.insert(line.id),
                false => lines.remove(&line.id),
            };
        }
    }

    fn outcome(&self, mixed: &mut Mixtures) -> Outcome {
        let (deny, allow) = (firsts(&self.deny), firsts(&self.allow));
        match (deny.first(), allow.first()) {
            (None, None) => Outcome::Nothing,
            (Some(Choice { line, window: 0 }), _) => Outcome::Denied(*line),
            (None, Some(Choice { line, window: 0 })) => Outcome::Allowed(*line),
            (Some(_), _) | (None, Some(_)) => Outcome::Mixed(mixed.place(Mixed {
                deny: deny.into_boxed_slice(),
                allow: allow.into_boxed_slice(),
            })),
        }
    }
}

/// The first line of each window, in order, up to one that is always open.
fn firsts(windows: &[BTreeSet<LineId>]) -> Vec<Choice> {
    let mut firsts: Vec<Choice> = (0u32..)
        .zip(windows)
        .filter_map(|(window, lines)| {
            let line = *lines.first()?;
            Some(Choice { line, window })
        })
        .collect();
    firsts.sort_unstable();
    let always = firsts.iter().position(|one| one.window == 0);
    firsts.truncate(always.map_or(firsts.len(), |last| last + 1));
    firsts
}
