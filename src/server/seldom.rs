//! Log lines that clients bring about as often as they like: written once in a
//! while, with how many were left out since.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::clock;

/// How long such a line is left out after it was written.
const PAUSE: Duration = Duration::from_secs(10);

/// One such line.
pub(super) struct Seldom(Mutex<State>);

struct State {
    written: Option<Instant>,
    left_out: u64,
}

impl Seldom {
    /// A line that was not written yet.
    pub(super) const fn new() -> Seldom {
        Seldom(Mutex::new(State {
            written: None,
            left_out: 0,
        }))
    }

    /// How many were left out since the last one, where it is to be written again.
    pub(super) fn turn(&self) -> Option<u64> {
        let now = clock::instant();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |written: Instant| now.saturating_duration_since(written) < PAUSE;
        if state.written.is_some_and(waits) {
            state.left_out += 1;
            return None;
        }
        state.written = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}
