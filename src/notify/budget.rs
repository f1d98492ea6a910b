//! How much one device may say: a boot loop is worth a few messages, not a
//! night of them.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// What the budget is for.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// So many devices are remembered before those that were quiet are forgotten.
const TIDY_ABOVE: usize = 4096;

/// The messages of the last hour, device by device, by the times of their
/// entries: read again from the journal, it comes out the same.
#[derive(Debug)]
pub struct Budget {
    per_hour: usize,
    told: HashMap<String, VecDeque<Timestamp>>,
    held_back: u64,
}

impl Budget {
    /// So many messages an hour for each device.
    pub fn new(per_hour: u32) -> Self {
        Budget {
            per_hour: usize::try_from(per_hour).unwrap_or(usize::MAX),
            told: HashMap::new(),
            held_back: 0,
        }
    }

    /// Whether one more message of `device` may go out, of an entry made at `time`.
    pub fn admits(&mut self, device: &str, time: Timestamp) -> bool {
        if self.told.len() > TIDY_ABOVE {
            self.told
                .retain(|_, told| told.back().is_some_and(|last| within(*last, time)));
        }
        let told = self.told.entry(device.to_owned()).or_default();
        while told.front().is_some_and(|first| !within(*first, time)) {
            told.pop_front();
        }
        let admitted = told.len() < self.per_hour;
        match admitted {
            true => told.push_back(time),
            false => self.held_back += 1,
        }
        admitted
    }

    /// How many were held back since [`Budget::settle`].
    pub fn held_back(&self) -> u64 {
        self.held_back
    }

    /// What was held back has been told.
    pub fn settle(&mut self) {
        self.held_back = 0;
    }
}

fn within(then: Timestamp, now: Timestamp) -> bool {
    now.duration_since(then) < HOUR
}
