//! Which line decides about a source: by the class's row where there is one,
//! and by walking its rules where not. Both find the same line.

use super::row::{Spot, nearest};
use super::{Case, Cause};
use crate::eval::Class;
use crate::vocabulary::Effect;

/// One source, and the rules to hold it against.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    case: &'a Case<'a>,
    class: &'a Class,
    spot: Option<Spot<'a>>,
}

impl<'a> Sources<'a> {
    /// The case's source and the class's rules.
    #[inline]
    pub(super) fn new(case: &'a Case<'a>, class: &'a Class) -> Self {
        Sources {
            case,
            class,
            spot: case.row.map(|row| row.at(case.source)),
        }
    }

    /// The first line that denies it in its schedule.
    #[inline]
    pub(super) fn denying(self) -> Option<Cause> {
        match self.spot {
            Some(spot) => spot.denying(self.case.program, self.case.at),
            None => self.first_line(Effect::Deny, false),
        }
    }

    /// The first line that allows it in its schedule.
    #[inline]
    pub(super) fn allowing(self) -> Option<Cause> {
        match self.spot {
            Some(spot) => spot.allowing(self.case.program, self.case.at),
            None => self.first_line(Effect::Allow, false),
        }
    }

    /// The first line that would allow it in another time; asked only where
    /// none allows it now.
    #[inline]
    pub(super) fn shut(self) -> Option<Cause> {
        match self.spot {
            Some(spot) => spot.shut(),
            None => self.first_line(Effect::Allow, true),
        }
    }

    /// What stands in the way where no line covers it.
    #[inline]
    pub(super) fn nearest(self) -> Cause {
        match self.spot {
            Some(spot) => spot.nearest(),
            None => nearest(self.case.program, self.class),
        }
    }

    /// The first line of one effect, by rule and place, that covers the source
    /// in its schedule or, where `closed`, out of it.
    #[cold]
    fn first_line(self, effect: Effect, closed: bool) -> Option<Cause> {
        let program = self.case.program;
        let lines = (self.class.rules.iter()).flat_map(|&rule| program.lines.of(rule, effect));
        let mut wanted = lines.filter(|(_, line)| {
            line.covers(&program.networks, self.case.source)
                && line.is_open(&program.set, self.case.at) != closed
        });
        wanted.next().map(|(id, _)| Cause::Line(id))
    }
}
