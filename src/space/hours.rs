//! Whether schedules are open, kept with the stretch of time for which that holds.
//!
//! A schedule is judged by the local time of its zone, which costs more than
//! everything else in a decision; and between two of its changes the answer is
//! the same. What is kept is only ever a shorter way to [`is_open`]: it is
//! used inside its stretch and nowhere else.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::schedule::{is_open, next_change};
use crate::ir::table::Id;
use crate::ir::{PolicySet, ScheduleId};

/// Bits of a stretch's length in seconds; one more says whether it is open.
const LENGTH_BITS: u32 = 20;
const LENGTH: u64 = (1 << LENGTH_BITS) - 1;
/// Seconds for which an answer is kept at most: a week, though nothing changes.
const LONGEST: u64 = 7 * 24 * 3600;

/// The last answer for each schedule of a set, one word each: the second from
/// which it holds, for how many seconds, and what it is. A word of zero holds
/// for no time.
#[derive(Debug)]
pub struct Hours {
    words: Box<[AtomicU64]>,
}

impl Hours {
    /// Nothing is known yet of the schedules of `set`.
    pub fn new(set: &PolicySet) -> Self {
        let words = (0..set.schedules.len()).map(|_| AtomicU64::new(0));
        Hours {
            words: words.collect(),
        }
    }

    /// Whether the schedule `id` of `set` is open at `at`.
    pub fn is_open(&self, set: &PolicySet, id: ScheduleId, at: Timestamp) -> bool {
        let schedule = &set.schedules[id];
        let Some(word) = self.words.get(id.index()) else {
            return is_open(schedule, at);
        };
        let second = second(at);
        let known = word.load(Ordering::Relaxed);
        let from = known >> (LENGTH_BITS + 1);
        if second.wrapping_sub(from) < (known >> 1) & LENGTH {
            return known & 1 != 0;
        }
        let open = is_open(schedule, at);
        let length = next_change(schedule, at).map_or(LONGEST, |change| {
            self::second(change).saturating_sub(second).min(LONGEST)
        });
        let learned = (second << (LENGTH_BITS + 1)) | (length << 1) | u64::from(open);
        word.store(learned, Ordering::Relaxed);
        open
    }
}

/// The whole second that `at` lies in, counted from the first there is.
/// Schedules change at whole seconds only: windows begin and end at minutes of
/// a local time, and zones differ from UTC by whole seconds.
fn second(at: Timestamp) -> u64 {
    let whole = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    // One more, so that the second that the first instant would lie in has a number.
    u64::try_from(whole - Timestamp::MIN.as_second() + 1).unwrap_or_default()
}
