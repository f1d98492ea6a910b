//! Commands on their way to the disk, and who takes them there.
//!
//! One at a time writes, whoever it is: a caller who waits for its change
//! anyway writes it itself, with all that wait by then, if nobody else is at
//! it; so a change alone passes through no other thread. What nobody waits for
//! on a thread of its own, and what was left while somebody wrote, the store's
//! own thread writes.

use std::sync::{Condvar, Mutex, PoisonError};

use super::commit::{Committer, Message};
use super::lock;

/// At most so many commands share one sync.
const LARGEST_BATCH: usize = 512;

/// What waits, and the one that writes.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Told when the store's thread has something to do.
    more: Condvar,
    committer: Mutex<Committer>,
}

#[derive(Default)]
struct Waiting {
    messages: Vec<Message>,
    /// The store is being closed: what waits is still written.
    ending: bool,
    /// Somebody failed while writing: nothing is written any more, and a
    /// message is dropped, from which whoever waits for its end learns that.
    broken: bool,
}

impl Queue {
    pub(super) fn new(committer: Committer) -> Self {
        Queue {
            waiting: Mutex::default(),
            more: Condvar::new(),
            committer: Mutex::new(committer),
        }
    }

    /// Leaves a message to the store's thread.
    pub(super) fn leave(&self, message: Message) {
        self.put(message);
        self.more.notify_one();
    }

    /// Leaves a message, and writes it with all that wait; where somebody is
    /// writing, the store's thread writes it after them.
    pub(super) fn write(&self, message: Message) {
        self.put(message);
        if let Ok(committer) = self.committer.try_lock() {
            self.write_batch(committer);
        }
    }

    fn put(&self, message: Message) {
        let mut waiting = lock(&self.waiting);
        if !waiting.broken {
            waiting.messages.push(message);
        }
    }

    /// Writes one batch of what waits, and has the store's thread write what
    /// came meanwhile.
    fn write_batch(&self, mut committer: std::sync::MutexGuard<'_, Committer>) {
        let batch = {
            let messages = &mut lock(&self.waiting).messages;
            let count = messages.len().min(LARGEST_BATCH);
            messages.drain(..count).collect()
        };
        let unharmed = BreakOnPanic(self);
        committer.handle(batch);
        drop(unharmed);
        drop(committer);
        // INVARIANT: this look comes after the committer was let go. Whoever
        // left something and found it taken is seen here; whoever leaves
        // something later finds it free.
        if !lock(&self.waiting).messages.is_empty() {
            self.more.notify_one();
        }
    }

    /// What the store's thread does, until the store is closed and nothing waits.
    pub(super) fn run(&self) {
        loop {
            let idle = |waiting: &mut Waiting| waiting.messages.is_empty() && !waiting.ending;
            let waiting = self.more.wait_while(lock(&self.waiting), idle);
            let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            if waiting.messages.is_empty() {
                return;
            }
            drop(waiting);
            match self.committer.lock() {
                Ok(committer) => self.write_batch(committer),
                Err(_) => return,
            }
        }
    }

    /// Has the store's thread end, once it has written what waits.
    pub(super) fn end(&self) {
        lock(&self.waiting).ending = true;
        self.more.notify_one();
    }

    /// Gives up.
    fn break_off(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.broken = true;
        let lost = std::mem::take(&mut waiting.messages);
        drop(waiting);
        drop(lost);
    }
}

/// A state that was left half changed is never written on.
struct BreakOnPanic<'a>(&'a Queue);

impl Drop for BreakOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_off();
        }
    }
}
