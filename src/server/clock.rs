//! The one clock: everything below the server takes the time as an argument.
//! And the watch on it: a wall clock that jumps would end denials early or
//! bring expired grants back, so timed grants freeze until it is trusted again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far the wall clock may be from what the time since start makes it
/// before it has jumped.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

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

/// A moment by the wall clock and by the time since the machine started, which
/// nobody sets. Source: proc(5), `/proc/uptime` counts suspended time too.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mark {
    wall: Timestamp,
    /// Milliseconds since the machine started; none where it does not tell.
    up_ms: Option<i64>,
    /// Which start of the machine that was.
    boot: Option<String>,
}

impl Mark {
    fn now() -> Mark {
        let read = |path| std::fs::read_to_string(path).ok();
        let up = read("/proc/uptime");
        let seconds = up.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        Mark {
            wall: now(),
            #[allow(
                clippy::cast_possible_truncation,
                reason = "milliseconds of an uptime fit"
            )]
            up_ms: seconds.map(|seconds| (seconds * 1000.0) as i64),
            boot: read("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()),
        }
    }

    /// How far the wall clock of `later` is from where it should be: positive
    /// is ahead. Over a restart of the machine only going back can be told.
    fn drift(&self, later: &Mark) -> SignedDuration {
        let passed = later.wall.duration_since(self.wall);
        match (self.up_ms, later.up_ms, self.boot == later.boot) {
            (Some(then), Some(now), true) => passed - SignedDuration::from_millis(now - then),
            _ => passed.min(SignedDuration::ZERO),
        }
    }
}

/// Watches the wall clock.
pub struct Watch {
    path: PathBuf,
    /// The last moment that was trusted.
    mark: Mutex<Mark>,
    /// The wall clock at the last look, in milliseconds.
    looked: AtomicI64,
    frozen: AtomicBool,
    /// Whether the last look that was told of found it frozen.
    told: AtomicBool,
}

/// What a look at the clock found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It goes as it should.
    Steady,
    /// It has jumped since the last look.
    Jumped,
    /// It jumped before, and still is not where it should be.
    Frozen,
    /// It came back to where it should be.
    Recovered,
}

impl Watch {
    /// Begins from the moment kept in the file at `path`, where there is one.
    pub fn start(path: &Path) -> Watch {
        let kept = std::fs::read(path).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Mark>(&bytes).ok());
        let watch = Watch {
            path: path.to_owned(),
            mark: Mutex::new(kept.unwrap_or_else(Mark::now)),
            looked: AtomicI64::new(now().as_millisecond()),
            frozen: AtomicBool::new(false),
            told: AtomicBool::new(false),
        };
        // What it finds is told by the first look of the server that runs.
        watch.measure();
        watch
    }

    /// Looks at the clock; often, for what jumps between two looks is seen by
    /// the next one.
    pub fn look(&self) -> Look {
        let off = self.measure();
        match (self.told.swap(off, Ordering::Relaxed), off) {
            (false, false) => Look::Steady,
            (false, true) => Look::Jumped,
            (true, true) => Look::Frozen,
            (true, false) => Look::Recovered,
        }
    }

    /// Whether the clock is off.
    fn measure(&self) -> bool {
        let seen = Mark::now();
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        let off = mark.drift(&seen).abs() > TOLERANCE;
        self.looked
            .store(seen.wall.as_millisecond(), Ordering::Relaxed);
        self.frozen.store(off, Ordering::Relaxed);
        if !off {
            *mark = seen;
        }
        off
    }

    /// Whether timed grants hold at `at`.
    pub fn trusts(&self, at: Timestamp) -> bool {
        let since = at.as_millisecond() - self.looked.load(Ordering::Relaxed);
        !self.frozen.load(Ordering::Relaxed)
            && since.unsigned_abs() < TOLERANCE.as_millis().unsigned_abs() as u64
    }

    /// The time that what people grant begins and ends by: now, or while the
    /// clock is not trusted the latest moment that was. A request made by a
    /// clock that is a year ahead would else wait for a year.
    pub fn moment(&self) -> Timestamp {
        let at = now();
        match self.trusts(at) {
            true => at,
            false => self.trusted(),
        }
    }

    /// The latest moment that was trusted.
    pub fn trusted(&self) -> Timestamp {
        self.mark
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wall
    }

    /// Takes the clock as it is, by a person's word.
    pub fn accept(&self) {
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        *mark = Mark::now();
        self.looked
            .store(mark.wall.as_millisecond(), Ordering::Relaxed);
        self.frozen.store(false, Ordering::Relaxed);
        self.told.store(false, Ordering::Relaxed);
    }

    /// Keeps the last trusted moment for the next start.
    ///
    /// # Errors
    /// The disk said no.
    pub fn keep(&self) -> std::io::Result<()> {
        let mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = serde_json::to_vec(&*mark)?;
        drop(mark);
        crate::durable::replace(&self.path, &bytes)
    }
}
