//! The life of one sink: read on, send, try again, remember the place.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::budget::Budget;
use super::cursor::{Cursor, CursorError};
use super::http::Failed;
use super::message::Message;
use super::outbox::Outbox;
use super::sinks::Sink;
use crate::journal::Entry;
use crate::store::Store;

/// How often the journal is looked at for more.
const LOOK: Duration = Duration::from_millis(200);
/// Entries read at once.
const PAGE: usize = 256;
/// Entries without a message after which the place is written down all the same.
const KEEP_EVERY: u64 = 1024;
/// A message that is older is worth nothing any more.
const TOO_OLD: SignedDuration = SignedDuration::from_hours(24);
/// The first pause before another attempt; each is twice as long as the last.
const FIRST_PAUSE: u64 = 1000;
const LONGEST_PAUSE: u64 = 300_000;
/// At most so many pages are read again for the budget, at a start.
const RECALLED_PAGES: usize = 64;

/// What became of a message, for the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it.
    Delivered,
    /// An attempt failed, and another follows.
    Retried,
    /// Nobody will have it.
    Dropped,
    /// The device's budget was used up.
    HeldBack,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 4] = [
        Outcome::Delivered,
        Outcome::Retried,
        Outcome::Dropped,
        Outcome::HeldBack,
    ];

    /// The metric's label.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Retried => "retried",
            Outcome::Dropped => "dropped",
            Outcome::HeldBack => "held-back",
        }
    }
}

/// What a sink needs of the world.
pub trait Surroundings: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;
    /// A random number from 0 to 255.
    fn chance(&self) -> u8;
    /// Counts what became of a message of the sink of that name.
    fn count(&self, sink: &str, outcome: Outcome);
    /// Notes that the sink is done with the entry of that number.
    fn reached(&self, sink: &str, seq: u64);
}

/// Ends sinks, and wakes those that wait.
#[derive(Debug, Default)]
pub struct Stop {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Ends whoever asks.
    pub fn set(&self) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether to end; returns at once then, and else after `pause`.
    pub fn wait(&self, pause: Duration) -> bool {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(set, pause, |set| !*set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What follows from an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is delivered.
    Done,
    /// It never will be.
    Drop,
    /// Another attempt, after this pause.
    Again(Duration),
}

/// What follows from attempt number `attempt`, from 0, of a message of that
/// age; `chance` spreads the pauses of many sinks.
pub fn fate(result: &Result<(), Failed>, attempt: u32, age: SignedDuration, chance: u8) -> Fate {
    let Err(failed) = result else {
        return Fate::Done;
    };
    if failed.for_good || age >= TOO_OLD {
        return Fate::Drop;
    }
    let doubled = FIRST_PAUSE.saturating_mul(1_u64 << attempt.min(16));
    let full = doubled.min(LONGEST_PAUSE);
    // Between half and all of it.
    let pause = full / 2 + full / 2 * u64::from(chance) / 255;
    let pause = Duration::from_millis(pause);
    Fate::Again(failed.after.unwrap_or_default().max(pause))
}

/// The sink is to end.
struct Stopped;

/// One sink at work.
pub struct Runner<'a> {
    sink: &'a Sink,
    store: &'a Store,
    around: &'a dyn Surroundings,
    stop: &'a Stop,
    cursor: Cursor,
    outbox: Outbox,
    budget: Budget,
}

impl<'a> Runner<'a> {
    /// Takes a sink up where `directory` says it was.
    ///
    /// # Errors
    /// Its place cannot be found or kept.
    pub fn open(
        sink: &'a Sink,
        store: &'a Store,
        around: &'a dyn Surroundings,
        stop: &'a Stop,
        directory: &Path,
    ) -> Result<Self, CursorError> {
        let (cursor, given_up) = Cursor::open(directory, &sink.name, store)?;
        if let Some(cause) = given_up {
            tracing::error!(sink = %sink.name, %cause, "a sink's place is given up; it begins at the journal's end");
        }
        let mut runner = Runner {
            budget: Budget::new(sink.budget),
            outbox: Outbox::default(),
            cursor,
            sink,
            store,
            around,
            stop,
        };
        runner.recall()?;
        around.reached(&sink.name, runner.cursor.seq());
        Ok(runner)
    }

    /// Delivers until it is to end. What is not delivered by then is the next
    /// start's.
    pub fn run(mut self) {
        let mut pause = LOOK;
        while !self.stop.wait(pause) {
            pause = match self.outbox.read(self.store, self.cursor.seq(), PAGE) {
                Ok(page) if page.is_empty() => LOOK,
                Ok(page) => {
                    if self.page(page).is_err() {
                        break;
                    }
                    Duration::ZERO
                }
                Err(error) => {
                    tracing::error!(sink = %self.sink.name, %error, "the journal cannot be read for notifications");
                    Duration::from_millis(FIRST_PAUSE)
                }
            };
        }
        self.keep();
    }

    fn page(&mut self, page: Vec<(Entry, Option<Message>)>) -> Result<(), Stopped> {
        for (entry, message) in page {
            let told = message.filter(|message| self.sink.events.contains(&message.topic));
            let settled = match told {
                Some(message) => self.offer(message)?,
                None => false,
            };
            self.cursor.pass(entry.seq, entry.hash);
            self.around.reached(&self.sink.name, entry.seq);
            if settled || self.cursor.behind() >= KEEP_EVERY {
                self.keep();
            }
        }
        Ok(())
    }

    /// Whether anything was tried.
    fn offer(&mut self, mut message: Message) -> Result<bool, Stopped> {
        if !admits(&mut self.budget, &message) {
            self.count(Outcome::HeldBack);
            return Ok(false);
        }
        message.held_back = self.budget.held_back();
        if self.age(&message) >= TOO_OLD {
            self.drop(&message, "it is older than a day");
        } else if self.deliver(&message)? {
            self.budget.settle();
        }
        Ok(true)
    }

    fn deliver(&self, message: &Message) -> Result<bool, Stopped> {
        for attempt in 0.. {
            let result = self.sink.send(message, self.around.now());
            let age = self.age(message);
            let cause = result.as_ref().err().map(|failed| failed.cause.clone());
            let cause = cause.unwrap_or_default();
            match fate(&result, attempt, age, self.around.chance()) {
                Fate::Done => {
                    self.count(Outcome::Delivered);
                    return Ok(true);
                }
                Fate::Drop => {
                    self.drop(message, &cause);
                    return Ok(false);
                }
                Fate::Again(pause) => {
                    self.count(Outcome::Retried);
                    tracing::warn!(sink = %self.sink.name, id = %message.id, %cause, again_in = ?pause, "a notification was not delivered");
                    if self.stop.wait(pause) {
                        return Err(Stopped);
                    }
                }
            }
        }
        Ok(false)
    }

    fn drop(&self, message: &Message, cause: &str) {
        self.count(Outcome::Dropped);
        tracing::error!(sink = %self.sink.name, id = %message.id, event = %message.topic, device = ?message.device, %cause, "a notification is given up");
    }

    fn age(&self, message: &Message) -> SignedDuration {
        self.around.now().duration_since(message.time)
    }

    fn count(&self, outcome: Outcome) {
        self.around.count(&self.sink.name, outcome);
    }

    fn keep(&mut self) {
        if let Err(error) = self.cursor.keep() {
            tracing::error!(sink = %self.sink.name, %error, "a sink's place cannot be kept; after a restart messages may come twice");
        }
    }

    /// Reads the hour before the place again, for what it left of the budgets.
    fn recall(&mut self) -> Result<(), CursorError> {
        let (mut from, mut pages) = (self.cursor.seq(), 0);
        let last = from.saturating_sub(1);
        let Some(last) = self.store.audit(last, 1)?.into_iter().next() else {
            return Ok(());
        };
        let hour = SignedDuration::from_hours(1);
        let begun = |entry: &Entry| last.draft.time.duration_since(entry.draft.time) >= hour;
        while from > 0 && pages < RECALLED_PAGES {
            from = from.saturating_sub(PAGE as u64);
            pages += 1;
            if self.store.audit(from, 1)?.first().is_some_and(begun) {
                break;
            }
        }
        while from < self.cursor.seq() {
            let page = self.outbox.read(self.store, from, PAGE)?;
            if page.is_empty() {
                break;
            }
            for (entry, message) in page {
                from = entry.seq;
                if from > self.cursor.seq() {
                    break;
                }
                let told = message.filter(|one| self.sink.events.contains(&one.topic));
                if told.is_some_and(|message| admits(&mut self.budget, &message)) {
                    self.budget.settle();
                }
            }
        }
        Ok(())
    }
}

/// Whether the budget lets a message out; what no device causes has none.
fn admits(budget: &mut Budget, message: &Message) -> bool {
    if message.approval.is_none() {
        return true;
    }
    budget.admits(message.device.as_deref().unwrap_or_default(), message.time)
}
