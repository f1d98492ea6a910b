//! Folds a client's retries into one record.
//!
//! A Clevis client that is refused asks again every few seconds without end.
//! The first answer of a kind is written at once; equal ones after it are
//! counted and written as one line when the answer changes, when the window
//! ends, or when there are too many clients to remember.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Asked, Record, Repeats};
use crate::vocabulary::Outcome;

/// How many clients are remembered at once.
const MOST: usize = 65_536;
/// How often a record that is taken ends the runs whose window is over.
const LOOK: SignedDuration = SignedDuration::from_secs(5);

/// Folds equal answers to one device from one address.
#[derive(Debug)]
pub struct Aggregator {
    window: SignedDuration,
    runs: HashMap<Key, Run>,
    /// When runs were last ended by time.
    looked: Timestamp,
}

/// Whose retries are folded together.
type Key = (String, std::net::IpAddr, Option<String>);

#[derive(Debug)]
struct Run {
    /// The latest equal record; what the folded line says.
    record: Arc<Record>,
    /// Not yet written.
    repeats: Option<Repeats>,
    began: Timestamp,
}

impl Aggregator {
    /// Folds runs of at most `window`.
    pub fn new(window: SignedDuration) -> Self {
        Aggregator {
            window,
            runs: HashMap::new(),
            looked: Timestamp::MIN,
        }
    }

    /// Takes a record and returns what is to be written now, the record that
    /// was taken last. An allowed request is always written by itself.
    pub fn push(&mut self, record: Arc<Record>) -> Vec<Arc<Record>> {
        let mut out = Vec::new();
        if apart(record.time, self.looked) >= LOOK {
            out = self.expire(record.time);
        }
        let Asked::Unlock { request, .. } = &record.asked else {
            out.push(record);
            return out;
        };
        let key = (request.device.clone(), request.source, request.kid.clone());
        if let Some(run) = self.runs.get_mut(&key) {
            if same_answer(&run.record, &record) && apart(record.time, run.began) < self.window {
                run.count(record);
                return out;
            }
            if let Some(run) = self.runs.remove(&key) {
                out.extend(run.folded());
            }
        }
        if record.decision.outcome != Outcome::Allow {
            if self.runs.len() >= MOST {
                out.extend(self.flush());
            }
            let began = record.time;
            self.runs.insert(
                key,
                Run {
                    record: Arc::clone(&record),
                    repeats: None,
                    began,
                },
            );
        }
        out.push(record);
        out
    }

    /// Ends the runs whose window is over at `now`.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Arc<Record>> {
        self.looked = now;
        let window = self.window;
        self.runs
            .extract_if(|_, run| apart(now, run.began) >= window)
            .filter_map(|(_, run)| run.folded())
            .collect()
    }

    /// Ends every run.
    pub fn flush(&mut self) -> Vec<Arc<Record>> {
        self.runs
            .drain()
            .filter_map(|(_, run)| run.folded())
            .collect()
    }
}

impl Run {
    fn count(&mut self, record: Arc<Record>) {
        let repeats = self.repeats.get_or_insert(Repeats {
            n: 0,
            first: record.time,
            last: record.time,
        });
        repeats.n += 1;
        repeats.last = record.time;
        self.record = record;
    }

    fn folded(self) -> Option<Arc<Record>> {
        let repeats = self.repeats?;
        Some(Arc::new(Record {
            repeats: Some(repeats),
            ..Arc::unwrap_or_clone(self.record)
        }))
    }
}

/// How far two times are apart, whichever is first: a clock that is set back
/// must not fold a client's retries until it has caught up.
fn apart(a: Timestamp, b: Timestamp) -> SignedDuration {
    a.duration_since(b).abs()
}

/// Whether two records differ in nothing but their id and time.
fn same_answer(a: &Record, b: &Record) -> bool {
    a.asked == b.asked && a.decision == b.decision
}
