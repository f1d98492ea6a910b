//! The one door to durable state.
//!
//! A change is a journal entry. One at a time takes the commands that wait,
//! holds each against the state that the ones before it leave, appends all
//! that pass, syncs once, publishes the new rows, wipes the keys that an entry
//! destroys, and only then tells the callers; the index follows. So one
//! command is one compare-and-swap and one durable write, and many share a sync.
//!
//! `apply` is what an entry means: a pure function from rows to rows, used
//! alike to refuse a command, to publish it, and to bring the index up to
//! date at a start. Reads come from memory. The index (`sled`, known to one
//! file only) saves a start from reading every entry's contents; it is never
//! trusted beyond the journal, and rebuilt from it when in doubt.
//!
//! Start at [`Store`]; `open` is the order of a start, `commit` of a change,
//! `queue` says who writes.

mod apply;
mod audit;
mod backup;
mod commit;
mod devices;
mod error;
mod index;
mod legacy;
mod look;
mod open;
mod people;
mod policy;
mod queue;
mod rows;
mod sled_index;
mod state;
mod tokens;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;

use jiff::Timestamp;

pub use backup::restore;
pub use commit::Committed;
pub use devices::{EnrollBinding, Enrollment, NewKeys};
pub use error::{Refusal, StoreError};
pub use legacy::{LegacyImport, LegacyUse};
pub use look::Rows;
pub use open::{Settings, StoreState};
pub use policy::LastGood;
pub use rows::{
    Anchor, Authority, Binding, Certificate, Claim, Concern, Device, EnrollmentKey, Job, LegacyKey,
    PermitKey, PolicyInForce, Row, RowKey, Schedule, System, Token,
};

use crate::journal::{Actor, AuditKey, AuditPublicKey, JournalId, Link, Start};
use crate::keyring::KeyArea;

/// Who does something, when, and under which policy.
#[derive(Clone, Debug)]
pub struct Context {
    /// By whom.
    pub actor: Actor,
    /// When.
    pub time: Timestamp,
    /// The digest of the policy in force.
    pub policy: Option<String>,
}

/// What whoever writes and the readers share.
struct Shared {
    directory: std::path::PathBuf,
    journal: JournalId,
    state: RwLock<state::State>,
    link: Mutex<Link>,
    starts: Mutex<Vec<Start>>,
    keys: Mutex<KeyArea>,
    audit_key: AuditKey,
    audit_public: AuditPublicKey,
    uses: Mutex<legacy::Uses>,
    notices: Mutex<Vec<String>>,
    standing: Mutex<StoreState>,
    index_follows: AtomicBool,
}

/// Nothing is left half done behind a lock, so a panic elsewhere does not
/// make what it guards wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, state::State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Durable state, open.
pub struct Store {
    shared: Arc<Shared>,
    queue: Arc<queue::Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// The journal's name.
    pub fn journal(&self) -> JournalId {
        self.shared.journal
    }

    /// The last entry that is on disk.
    pub fn link(&self) -> Link {
        *lock(&self.shared.link)
    }

    /// What an operator should know of how this store was opened, and of what
    /// has gone wrong since.
    pub fn notices(&self) -> Vec<String> {
        lock(&self.shared.notices).clone()
    }

    /// Whether the store may be relied on, or waits for somebody's word.
    pub fn state(&self) -> StoreState {
        lock(&self.shared.standing).clone()
    }

    /// Whether the index still follows the journal; else the next start takes longer.
    pub fn index_follows(&self) -> bool {
        self.shared.index_follows.load(Ordering::Relaxed)
    }

    /// Reads several rows of one moment. Short: changes wait meanwhile.
    pub fn read<T>(&self, read: impl FnOnce(&dyn Rows) -> T) -> T {
        read(&*self.shared.read())
    }

    /// The row of that key, as it is on disk.
    pub fn row(&self, key: &RowKey) -> Option<Row> {
        self.shared.read().row(key)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.queue.end();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("directory", &self.shared.directory)
            .field("journal", &self.shared.journal)
            .finish_non_exhaustive()
    }
}
