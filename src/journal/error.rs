//! Why a journal cannot be opened, read or written.

use std::io;
use std::path::PathBuf;

/// A journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk said no while opening or reading.
    #[error("`{path}`: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        cause: io::Error,
    },
    /// Another process has it open.
    #[error("`{0}` is in use by another process")]
    InUse(PathBuf),
    /// The file is not a journal, or of a newer format.
    #[error("`{path}` is not a journal that this panopol reads: {fault}")]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What is wrong with its head.
        fault: &'static str,
    },
    /// The chain does not hold.
    #[error("journal entry {entry} at byte {offset}: {fault}")]
    Broken {
        /// The number that the entry there should have.
        entry: u64,
        /// Where its frame begins.
        offset: u64,
        /// What is wrong.
        fault: String,
    },
    /// An entry is of a kind that this program does not know.
    #[error(
        "journal entry {entry} at byte {offset} is of kind `{kind}`, which this panopol does not know: use the newer one that wrote it"
    )]
    UnknownKind {
        /// Its number.
        entry: u64,
        /// Where its frame begins.
        offset: u64,
        /// The kind it says.
        kind: String,
    },
    /// An entry's contents cannot be read.
    #[error("journal entry {entry} at byte {offset} cannot be read: {cause}")]
    Malformed {
        /// Its number.
        entry: u64,
        /// Where its frame begins.
        offset: u64,
        /// What the reader said.
        cause: String,
    },
    /// An entry is too large to be written.
    #[error("the entry is {0} bytes, and a journal entry holds at most 16 MiB")]
    TooLarge(usize),
    /// The write failed and was taken back: nothing happened.
    #[error("the journal could not be written, and nothing was changed: {0}")]
    NotWritten(io::Error),
    /// A write or a sync failed for good: whether the entry is on disk is
    /// known after a restart, and nothing more is written until then.
    #[error("the journal takes no more entries until a restart: {0}")]
    Poisoned(String),
}
