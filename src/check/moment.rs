//! Dates and times as instants.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::syntax::tree::{Moment, MomentValue};

/// The instant that `from` and `at` mean: a date is at its start, in UTC.
pub(super) fn start_of(moment: &Moment) -> Timestamp {
    match moment.value {
        MomentValue::Time(time) => time,
        MomentValue::Date(date) => midnight(date).unwrap_or(Timestamp::MIN),
    }
}

/// The first instant that `until` no longer holds: a date holds to its end, in UTC.
pub(super) fn end_of(moment: &Moment) -> Timestamp {
    match moment.value {
        MomentValue::Time(time) => time,
        MomentValue::Date(date) => {
            let next = date.tomorrow().ok().and_then(midnight);
            next.unwrap_or(Timestamp::MAX)
        }
    }
}

fn midnight(date: Date) -> Option<Timestamp> {
    let zoned = date.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}
