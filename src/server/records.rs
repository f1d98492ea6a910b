//! Decisions on their way to the record file, and the last few of each device.
//!
//! Recording never holds up a decision: a bounded queue feeds one writer
//! thread, and what does not fit is counted as lost.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::clock;
use super::metrics::Metrics;
use super::seldom::Seldom;
use crate::decision::Decision;
use crate::record::aggregate::Aggregator;
use crate::record::log::{RecordLog, Rotation};
use crate::record::{Asked, Record, VERSION};

/// How many records may wait for the writer.
const QUEUE: usize = 16_384;
/// How long equal answers are folded into one line.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// How often the writer looks for runs that have ended.
const TICK: Duration = Duration::from_secs(5);
/// How many records of each device are kept in memory.
const RECENT: usize = 16;
/// How many devices have some.
const DEVICES: usize = 131_072;

static NOT_WRITTEN: Seldom = Seldom::new();

/// Where decisions are recorded.
pub struct Records {
    directory: PathBuf,
    queue: Mutex<Option<SyncSender<Arc<Record>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    recent: Mutex<HashMap<String, VecDeque<Arc<Record>>>>,
    metrics: Arc<Metrics>,
    /// Distinguishes this run's ids from an earlier run's.
    run: i128,
    next: AtomicU64,
}

impl Records {
    /// Opens the file in `directory` and starts the writer.
    ///
    /// # Errors
    /// What the file system says.
    pub fn start(
        directory: &Path,
        rotation: Rotation,
        metrics: Arc<Metrics>,
    ) -> io::Result<Records> {
        let log = RecordLog::open(directory, rotation)?;
        let (queue, waiting) = mpsc::sync_channel(QUEUE);
        let lost = metrics.records_lost.clone();
        let writer = std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || {
                write_all(log, &waiting, || {
                    lost.inc();
                })
            })?;
        Ok(Records {
            directory: directory.to_owned(),
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(writer)),
            recent: Mutex::default(),
            metrics,
            run: clock::now().as_nanosecond(),
            next: AtomicU64::new(0),
        })
    }

    /// The directory that is written to.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Records one decision.
    pub fn push(&self, time: Timestamp, asked: Asked, decision: Decision) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let record = Arc::new(Record {
            v: VERSION,
            id: format!("{:x}-{number:x}", self.run),
            time,
            asked,
            decision,
            repeats: None,
        });
        if let Asked::Unlock { request, .. } = &record.asked {
            self.remember(&request.device, &record);
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = queue.as_ref().map(|queue| queue.try_send(record));
        if matches!(sent, Some(Err(TrySendError::Full(_))) | None) {
            self.metrics.records_lost.inc();
        }
    }

    /// The last records of a device since the start, newest first.
    pub fn recent(&self, device: &str) -> Vec<Arc<Record>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent
            .get(device)
            .map(|records| records.iter().rev().cloned().collect())
            .unwrap_or_default()
    }

    /// Writes what is waiting and ends the writer.
    pub fn stop(&self) {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the record writer ended by a fault");
        }
    }

    fn remember(&self, device: &str, record: &Arc<Record>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= DEVICES && !recent.contains_key(device) {
            recent.clear();
        }
        let records = recent.entry(device.to_owned()).or_default();
        if records.len() >= RECENT {
            records.pop_front();
        }
        records.push_back(Arc::clone(record));
    }
}

fn write_all(mut log: RecordLog, waiting: &mpsc::Receiver<Arc<Record>>, lost: impl Fn()) {
    let mut aggregator = Aggregator::new(WINDOW);
    loop {
        let (due, ended) = match waiting.recv_timeout(TICK) {
            Ok(record) => (aggregator.push(record), false),
            Err(RecvTimeoutError::Timeout) => (aggregator.expire(clock::now()), false),
            Err(RecvTimeoutError::Disconnected) => (aggregator.flush(), true),
        };
        for record in due {
            if let Err(error) = log.append(&record, record.time) {
                lost();
                if let Some(left_out) = NOT_WRITTEN.turn() {
                    tracing::error!(%error, path = %log.current().display(), left_out, "cannot write a record");
                }
            }
        }
        if ended {
            return;
        }
    }
}
