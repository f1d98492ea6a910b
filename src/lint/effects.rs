//! Which `allow` and `deny` lines change what becomes of some unlock.

use std::collections::BTreeMap;

use crate::analyze::unlock::{Line, Unlocks};
use crate::ir::{PolicySet, UnlockId};
use crate::space::diagram::{Diagram, Diagrams, FALSE, OverBudget};
use crate::vocabulary::{Effect, Override};

/// Lines held against classes of addresses before the question is given up.
const BUDGET: usize = 3_000_000;

/// A rule, whether the line allows, and which of the rule's lines it is.
pub(super) type LineKey = (UnlockId, bool, usize);

/// What is known of the lines.
pub(super) struct Effects {
    /// The lines for which no request was found that they change.
    pub(super) idle: Vec<LineKey>,
    /// Whether that is so for sure: every request was looked at.
    pub(super) is_decided: bool,
}

impl Effects {
    /// Looks at every line from every class of addresses.
    pub(super) fn of(set: &PolicySet, unlocks: &mut Unlocks<'_>) -> Result<Self, OverBudget> {
        let permitted = unlocks.permitted(0);
        let mut open = BTreeMap::new();
        for line in unlocks.lines(0).to_vec() {
            // A rule that matches nothing is told of as such.
            let care = unlocks.diagrams.and(line.now, permitted)?;
            if care != FALSE {
                open.insert(key(&line), care);
            }
        }
        let freed = source_overrides(set, unlocks)?;
        let mut search = Search {
            unlocks,
            open,
            freed,
            left: BUDGET,
        };
        let is_decided = search.run()?;
        Ok(Effects {
            idle: search.open.into_keys().collect(),
            is_decided,
        })
    }
}

fn key(line: &Line) -> LineKey {
    (line.rule, line.effect == Effect::Allow, line.index)
}

/// The devices that some one-time unlock lets in from anywhere.
fn source_overrides(set: &PolicySet, unlocks: &mut Unlocks<'_>) -> Result<Diagram, OverBudget> {
    let mut freed = FALSE;
    for (_, rule) in set.allow_onces.iter() {
        if rule.overrides.contains(&Override::Source) {
            let devices = unlocks.devices(0, &rule.selector)?;
            freed = unlocks.diagrams.or(freed, devices)?;
        }
    }
    Ok(freed)
}

struct Search<'b, 'a> {
    unlocks: &'b mut Unlocks<'a>,
    /// The lines that change nothing so far, each with its devices and times.
    open: BTreeMap<LineKey, Diagram>,
    /// Devices whose source policy can be overridden; a deny holds even then.
    freed: Diagram,
    left: usize,
}

impl Search<'_, '_> {
    /// Looks from each class of addresses; whether all of them were looked at.
    fn run(&mut self) -> Result<bool, OverBudget> {
        let classes = std::mem::take(&mut self.unlocks.classes);
        let mut done = Ok(true);
        for class in &classes {
            if self.open.is_empty() {
                break;
            }
            let lines = self.unlocks.lines_of(0, &class.members);
            match self.left.checked_sub(lines.len() + 1) {
                Some(left) => self.left = left,
                None => {
                    done = Ok(false);
                    break;
                }
            }
            if let Err(error) = self.class(&class.members, &lines) {
                done = Err(error);
                break;
            }
        }
        self.unlocks.classes = classes;
        done
    }

    fn class(&mut self, members: &[u32], lines: &[Line]) -> Result<(), OverBudget> {
        for line in of(lines, Effect::Allow) {
            if let Some(&care) = self.open.get(&key(line))
                && self.unlocks.standings(0, members, care)?.denied != care
            {
                self.open.remove(&key(line));
            }
        }
        let mut denies = of(lines, Effect::Deny);
        match denies.any(|line| self.open.contains_key(&key(line))) {
            true => self.denies(lines),
            false => Ok(()),
        }
    }

    /// Of the lines that deny, those that take away something which would else be
    /// let in: where no other denies, and some line allows or an override lets in.
    fn denies(&mut self, lines: &[Line]) -> Result<(), OverBudget> {
        let diagrams = &mut self.unlocks.diagrams;
        let allows: Vec<Diagram> = of(lines, Effect::Allow).map(|one| one.now).collect();
        let allowed = diagrams.any(&allows)?;
        let given = diagrams.or(allowed, self.freed)?;
        if given == FALSE {
            return Ok(());
        }
        let denies: Vec<Diagram> = of(lines, Effect::Deny).map(|one| one.now).collect();
        let alone = Layers::of(diagrams, &denies)?.once;
        let taken = diagrams.and(alone, given)?;
        for line in of(lines, Effect::Deny) {
            if let Some(&care) = self.open.get(&key(line))
                && self.unlocks.diagrams.and(care, taken)? != FALSE
            {
                self.open.remove(&key(line));
            }
        }
        Ok(())
    }
}

fn of(lines: &[Line], effect: Effect) -> impl Iterator<Item = &Line> {
    lines.iter().filter(move |line| line.effect == effect)
}

/// What exactly one of some sets holds, and what several do.
struct Layers {
    once: Diagram,
    more: Diagram,
}

impl Layers {
    fn of(diagrams: &mut Diagrams, sets: &[Diagram]) -> Result<Self, OverBudget> {
        match sets {
            [] | [_] => Ok(Layers {
                once: sets.first().copied().unwrap_or(FALSE),
                more: FALSE,
            }),
            _ => {
                let (front, back) = sets.split_at(sets.len() / 2);
                let (front, back) = (Self::of(diagrams, front)?, Self::of(diagrams, back)?);
                let both = diagrams.and(front.once, back.once)?;
                let more = diagrams.any(&[front.more, back.more, both])?;
                let any = diagrams.or(front.once, back.once)?;
                Ok(Layers {
                    once: diagrams.minus(any, more)?,
                    more,
                })
            }
        }
    }
}
