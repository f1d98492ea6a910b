//! From commands to entries on disk, and callers told.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, mpsc};

use super::apply::{Change, apply};
use super::error::StoreError;
use super::index::{Applied, Index};
use super::legacy::LegacyUse;
use super::look::Rows;
use super::state::Overlay;
use super::{Context, Shared, Store, lock};
use crate::journal::{Draft, Entry, Event, Journal, Start};

/// A page of the audit reads at most so many entries to find its first.
const START_EVERY: u64 = 256;

/// A change that is on disk.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its entry.
    pub entry: Arc<Entry>,
}

type Decide = Box<dyn FnOnce(&dyn Rows) -> Result<Event, StoreError> + Send>;
type Done = Box<dyn FnOnce(Result<Committed, StoreError>) + Send>;

/// What is to be done.
pub(super) enum Message {
    /// Make this change.
    Commit(Context, Decide, Done),
    /// Save what was counted.
    SaveUses(Vec<LegacyUse>),
    /// Write to another medium; for tests.
    #[doc(hidden)]
    Medium(Box<dyn crate::journal::Medium>),
}

impl Store {
    /// Asks for a change and returns at once. `decide` sees the rows as the
    /// changes before it leave them, and says what happens; `done` is told
    /// when it is on disk, or why not. Both run where it is written: they must
    /// be short, and must not wait for the store, nor for a lock that somebody
    /// holds who does. A `done` that is dropped was of a store that has stopped.
    pub fn submit(
        &self,
        context: Context,
        decide: impl FnOnce(&dyn Rows) -> Result<Event, StoreError> + Send + 'static,
        done: impl FnOnce(Result<Committed, StoreError>) + Send + 'static,
    ) {
        let message = Message::Commit(context, Box::new(decide), Box::new(done));
        self.queue.leave(message);
    }

    /// Makes a change and returns when it is on disk.
    ///
    /// # Errors
    /// `decide` refused it, it does not fit, or the disk said no.
    pub fn commit(
        &self,
        context: Context,
        decide: impl FnOnce(&dyn Rows) -> Result<Event, StoreError> + Send + 'static,
    ) -> Result<Committed, StoreError> {
        let (told, wait) = mpsc::sync_channel(1);
        let done = move |result| {
            // The caller waits below; it cannot be gone.
            let _ = told.send(result);
        };
        let message = Message::Commit(context, Box::new(decide), Box::new(done));
        self.queue.write(message);
        wait.recv().unwrap_or(Err(StoreError::Stopped))
    }

    /// Writes the journal to another medium from now on; for the test of
    /// disks that fail.
    #[doc(hidden)]
    pub fn replace_medium(&self, medium: Box<dyn crate::journal::Medium>) {
        self.send(Message::Medium(medium));
    }

    pub(super) fn send(&self, message: Message) {
        self.queue.leave(message);
    }
}

/// What writing takes.
pub(super) struct Committer {
    pub(super) journal: Journal,
    /// None once it could not follow: the next start brings it up to date.
    pub(super) index: Option<Box<dyn Index>>,
    pub(super) shared: Arc<Shared>,
}

/// Commands that passed, and what they change.
#[derive(Default)]
struct Batch {
    drafts: Vec<Draft>,
    changes: Vec<Vec<Change>>,
    waiting: Vec<Done>,
    refused: Vec<(Done, StoreError)>,
}

impl Committer {
    /// Writes these, together, and tells whoever asked.
    pub(super) fn handle(&mut self, messages: Vec<Message>) {
        let mut commands = Vec::with_capacity(messages.len());
        for message in messages {
            match message {
                Message::Commit(context, decide, done) => commands.push((context, decide, done)),
                Message::SaveUses(uses) => {
                    let saved = self
                        .index
                        .as_mut()
                        .map(|index| index.save_legacy_uses(&uses));
                    if let Some(Err(error)) = saved {
                        self.lose_index(&error.to_string());
                    }
                }
                Message::Medium(medium) => self.journal.replace_medium(medium),
            }
        }
        if !commands.is_empty() {
            let batch = self.stage(commands);
            self.write(batch);
        }
    }

    /// Holds each command against what the ones before it leave.
    fn stage(&self, commands: Vec<(Context, Decide, Done)>) -> Batch {
        let state = self.shared.read();
        let mut overlay = Overlay::new(&state);
        let mut batch = Batch::default();
        for (context, decide, done) in commands {
            let seq = self.journal.link().seq + 1 + batch.drafts.len() as u64;
            let staged = decide(&overlay).and_then(|event| {
                let draft = Draft {
                    time: context.time,
                    actor: context.actor,
                    policy: context.policy,
                    event,
                };
                let changes = apply(&overlay, seq, &draft)?;
                Ok((draft, changes))
            });
            match staged {
                Ok((draft, changes)) => {
                    overlay.put(&changes);
                    batch.drafts.push(draft);
                    batch.changes.push(changes);
                    batch.waiting.push(done);
                }
                Err(error) => batch.refused.push((done, error)),
            }
        }
        batch
    }

    fn write(&mut self, batch: Batch) {
        let before = self.journal.link();
        let appended = match batch.drafts.is_empty() {
            true => Ok(Vec::new()),
            false => self.journal.append(batch.drafts).map_err(StoreError::from),
        };
        match appended {
            Ok(entries) => {
                let start = Start {
                    seq: before.seq + 1,
                    offset: before.end,
                };
                self.publish(start, entries, batch.changes, batch.waiting);
            }
            Err(error) => {
                let waiting = batch.waiting.into_iter();
                waiting.for_each(|done| done(Err(error.clone())));
            }
        }
        // A refusal may rest on a command of this batch, so it is told after
        // that one is on disk.
        for (done, error) in batch.refused {
            done(Err(error));
        }
    }

    fn publish(
        &mut self,
        start: Start,
        entries: Vec<Entry>,
        changes: Vec<Vec<Change>>,
        waiting: Vec<Done>,
    ) {
        let changes: Vec<Change> = changes.into_iter().flatten().collect();
        {
            let state = self.shared.state.write();
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            changes.iter().for_each(|change| state.put(change.clone()));
        }
        self.note_start(start);
        *lock(&self.shared.link) = self.journal.link();
        for (entry, done) in entries.into_iter().zip(waiting) {
            let wiped = self.wipe(&entry);
            let entry = Arc::new(entry);
            done(wiped.map(|()| Committed { entry }));
        }
        self.follow(&changes);
    }

    fn note_start(&self, start: Start) {
        let mut starts = lock(&self.shared.starts);
        let last = starts.last().map_or(0, |start| start.seq);
        if start.seq >= last + START_EVERY {
            starts.push(start);
        }
    }

    fn wipe(&self, entry: &Entry) -> Result<(), StoreError> {
        let destroyed = entry.event().destroys();
        if destroyed.is_empty() {
            return Ok(());
        }
        let wiped = lock(&self.shared.keys).destroy(destroyed);
        wiped.map_err(|cause| StoreError::NotDestroyed {
            seq: entry.seq,
            cause: Arc::new(cause),
        })
    }

    fn follow(&mut self, changes: &[Change]) {
        let link = self.journal.link();
        let applied = Applied {
            journal: self.journal.id(),
            seq: link.seq,
            hash: link.hash,
        };
        let followed = self
            .index
            .as_mut()
            .map(|index| index.apply(applied, changes));
        if let Some(Err(error)) = followed {
            self.lose_index(&error.to_string());
        }
    }

    /// An index that missed a change must not take the next one.
    fn lose_index(&mut self, cause: &str) {
        self.index = None;
        self.shared.index_follows.store(false, Ordering::Relaxed);
        lock(&self.shared.notices).push(format!(
            "the index no longer follows the journal ({cause}): nothing is lost, and the next start brings it up to date"
        ));
    }
}
