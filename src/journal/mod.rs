//! The write that makes a change true: an append-only file of typed entries,
//! each bound to the one before it by its hash, synced before anybody is told.
//!
//! It is the source of truth and the audit at once. [`Journal`] appends,
//! [`read_entries`] reads, [`verify()`] checks a file offline, [`SignedHead`]
//! says up to where somebody once saw it. `frame` holds the format, [`Event`]
//! all that can happen.
//!
//! Knows no index, no clock and no thread: `store` groups the commits and
//! applies them.

mod entry;
mod error;
mod event;
mod frame;
mod head;
mod medium;
mod parts;
mod read;
mod torn;
mod verify;
mod write;

pub use entry::{Actor, Draft, Entry};
pub use error::JournalError;
pub use event::Event;
pub use head::{AuditKey, AuditPublicKey, Head, HeadError, SignedHead};
pub use medium::Medium;
pub use parts::{
    ApprovalUse, Generation, ImportedKey, JobClaim, JobResult, KeyRole, NewAuthority, NewBinding,
    NewJob, NewPermitKey, NewSchedule, NewToken, PublicKey, Repeatable, SYSTEM_BYPASS,
    SealedSecret,
};
pub use read::{Link, ScanEnd, Scanned, Start, read_entries, read_page, scan};
pub use torn::Torn;
pub use verify::{Fault, FaultKind, HeadVerdict, Report, verify};
pub use write::{Journal, Locked};

use crate::durable::Hex;

/// A SHA-256.
pub type Hash = Hex<32>;

/// Names one journal, for good: 128 random bits.
pub type JournalId = Hex<16>;
