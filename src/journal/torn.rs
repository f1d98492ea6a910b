//! The one kind of damage that a crash may leave: an end that was cut short.

use std::fmt;

/// The last write did not finish. Nobody was ever told that it had: what was
/// acknowledged was synced whole before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where the last whole entry ends.
    pub offset: u64,
    /// How many bytes stand after it.
    pub bytes: u64,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a crash cut the last write short: {} bytes at byte {} were never acknowledged",
            self.bytes, self.offset
        )
    }
}
