//! Dates, times and durations as written.

use super::Text;

/// A date or a time as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The text as written.
    pub text: Text,
    /// What it says.
    pub value: MomentValue,
}

/// What a [`Moment`] says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MomentValue {
    /// A whole day in UTC: a `from` is at its start, an `until` at its end.
    Date(jiff::civil::Date),
    /// An RFC 3339 instant.
    Time(jiff::Timestamp),
}

/// A duration as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    /// The text as written: `1h30m`.
    pub text: Text,
    /// Whole seconds, at least 1.
    pub seconds: u64,
}
