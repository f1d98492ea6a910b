//! The one clock: everything below the server takes the time as an argument.

use jiff::Timestamp;

/// Now.
#[allow(
    clippy::disallowed_methods,
    reason = "the server reads the clock, here alone"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A point on the monotonic clock, for measuring.
#[allow(
    clippy::disallowed_methods,
    reason = "the server reads the clock, here alone"
)]
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}
