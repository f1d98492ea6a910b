//! Schedules.

use super::{Name, Text};
use crate::source::Spanned;
use crate::vocabulary::Weekday;

/// Weekly windows in a named zone.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleItem {
    /// The schedule.
    pub name: Name,
    /// The days it starts on.
    pub days: Vec<Spanned<DayRange>>,
    /// Local start, minutes from midnight, `0..=1439`.
    pub start: Spanned<u16>,
    /// Local end, exclusive, `0..=1440`; less than `start`: over midnight.
    pub end: Spanned<u16>,
    /// IANA zone name.
    pub zone: Text,
}

/// `mon` or `mon..fri` (`sat..mon` wraps); both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// First day.
    pub first: Weekday,
    /// Last day; the same as `first` for a single day.
    pub last: Weekday,
}
