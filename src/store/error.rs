//! Why the store does not do what it was asked.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::durable::ContainerError;
use crate::journal::{HeadError, JournalError};
use crate::keyring::KeyringError;

/// A change does not fit the state it meets. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such row.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What kind of row.
        what: &'static str,
        /// The name asked for.
        name: String,
    },
    /// There is such a row already.
    #[error("there is a {what} `{name}` already")]
    Exists {
        /// What kind of row.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The row changed since it was read.
    #[error("{what} `{name}` has changed: it is at version {found}, not {expected}")]
    Stale {
        /// What kind of row.
        what: &'static str,
        /// Its name.
        name: String,
        /// The version it was read at.
        expected: u64,
        /// The version it is at.
        found: u64,
    },
    /// The row's state has no such exit.
    #[error("{what} `{name}` is {state}")]
    State {
        /// What kind of row.
        what: &'static str,
        /// Its name.
        name: String,
        /// What it is.
        state: &'static str,
    },
    /// People, or the rules that bind them, say no.
    #[error(transparent)]
    Approval(#[from] crate::approval::Refused),
    /// Somebody decides on what is no longer what they were shown.
    #[error("what was shown has changed since: look again, and decide on that")]
    Unseen,
    /// The change itself cannot be.
    #[error("{0}")]
    Senseless(String),
}

/// The store cannot be opened, or did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The change does not fit.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal.
    #[error(transparent)]
    Journal(Arc<JournalError>),
    /// The keys.
    #[error(transparent)]
    Keyring(Arc<KeyringError>),
    /// A head.
    #[error(transparent)]
    Head(Arc<HeadError>),
    /// A backup or the last good policy.
    #[error("`{path}`: {cause}")]
    Container {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: Arc<ContainerError>,
    },
    /// The disk said no.
    #[error("`{path}`: {cause}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What happened.
        cause: Arc<io::Error>,
    },
    /// The journal does not reach what the index has seen.
    #[error(
        "the journal in `{directory}` ends at entry {reached}, and the index beside it has seen entry {seen}: the journal was truncated or replaced by an older copy; put the right one back, or restore a backup"
    )]
    JournalTooShort {
        /// The state directory.
        directory: PathBuf,
        /// The journal's last entry.
        reached: u64,
        /// The entry that the index was brought up to.
        seen: u64,
    },
    /// The journal is another history than the one that the index has seen.
    #[error(
        "journal entry {seq} is not the one that the index beside it has seen: the journal was rewritten, or replaced by a copy that went another way"
    )]
    JournalForked {
        /// The entry.
        seq: u64,
    },
    /// Parts of a state directory are there, but the journal is not.
    #[error(
        "`{directory}` has `{present}` but no journal: put the journal back, or restore a backup into an empty directory"
    )]
    NoJournal {
        /// The state directory.
        directory: PathBuf,
        /// What is there.
        present: &'static str,
    },
    /// The journal has entries, but the keys' file is not there.
    #[error("`{0}` is not there, and without it no key opens: put it back, or restore a backup")]
    NoKeys(PathBuf),
    /// An entry does not fit the ones before it, so that they are not of one history.
    #[error("journal entry {entry} does not fit the ones before it: {refusal}")]
    Unfit {
        /// Its number.
        entry: u64,
        /// Why.
        refusal: Refusal,
    },
    /// The journal does not begin as the store begins one.
    #[error("journal entry 1 does not begin a store's journal")]
    NoBeginning,
    /// It happened, but the keys may still be on disk.
    #[error(
        "entry {seq} is on disk, but the keys that it destroys could not be wiped: {cause}; a restart tries again"
    )]
    NotDestroyed {
        /// The entry.
        seq: u64,
        /// Why.
        cause: Arc<KeyringError>,
    },
    /// The directory to restore into holds something.
    #[error("`{0}` is not empty: restore into an empty directory")]
    NotEmpty(PathBuf),
    /// Nothing is written any more.
    #[error("the store has stopped; restart")]
    Stopped,
}

impl StoreError {
    /// Whether it is unknown if the change is on disk.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            StoreError::Journal(error) => matches!(**error, JournalError::Poisoned(_)),
            StoreError::Stopped => true,
            StoreError::Refused(_)
            | StoreError::Keyring(_)
            | StoreError::Head(_)
            | StoreError::Container { .. }
            | StoreError::Io { .. }
            | StoreError::JournalTooShort { .. }
            | StoreError::JournalForked { .. }
            | StoreError::NoJournal { .. }
            | StoreError::NoKeys(_)
            | StoreError::Unfit { .. }
            | StoreError::NoBeginning
            | StoreError::NotDestroyed { .. }
            | StoreError::NotEmpty(_) => false,
        }
    }
}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> Self {
        StoreError::Journal(Arc::new(error))
    }
}

impl From<KeyringError> for StoreError {
    fn from(error: KeyringError) -> Self {
        StoreError::Keyring(Arc::new(error))
    }
}

impl From<HeadError> for StoreError {
    fn from(error: HeadError) -> Self {
        StoreError::Head(Arc::new(error))
    }
}

/// Says which path the disk refused.
pub(super) fn io_error(path: &std::path::Path) -> impl Fn(io::Error) -> StoreError {
    move |cause| StoreError::Io {
        path: path.to_owned(),
        cause: Arc::new(cause),
    }
}
