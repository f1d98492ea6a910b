//! Which line decides about a source: by the class's row where there is one,
//! and by walking its rules where not. Both find the same line.

use super::row::{Spot, first_allowing};
use super::{Case, Cause};
use crate::eval::Class;
use crate::ir::UnlockId;
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

    /// The first rule that allows any source.
    #[inline]
    pub(super) fn nearest(self) -> Option<UnlockId> {
        match self.spot {
            Some(spot) => spot.nearest(),
            None => first_allowing(self.case.program, self.class),
        }
    }

    /// The first line of one effect, by rule and place, that covers the source
    /// in its schedule or, where `closed`, out of it.
    #[cold]
    fn first_line(self, effect: Effect, closed: bool) -> Option<Cause> {
        let case = self.case;
        self.class.rules.iter().find_map(|&rule| {
            let at = case.lines(rule, effect).iter().position(|line| {
                line.covers(&case.program.networks, case.source)
                    && line.is_open(&case.program.set, case.at) != closed
            })?;
            Some(Cause::Line(rule, effect, at))
        })
    }
}
