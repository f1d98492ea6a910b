//! What the store asks of an index: rows kept so that a start need not read
//! the contents of every entry. Another backend (PostgreSQL, for several
//! replicas) is another implementation of [`Index`].

use serde::{Deserialize, Serialize};

use super::apply::Change;
use super::legacy::LegacyUse;
use super::rows::{Row, RowKey};
use crate::journal::{Hash, JournalId};

/// The index cannot be read or written, or contradicts itself.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct IndexError(pub(super) String);

/// Up to where the index follows the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Applied {
    pub(super) journal: JournalId,
    pub(super) seq: u64,
    pub(super) hash: Hash,
}

/// Rows on disk, beside the journal that they come from.
pub(super) trait Index: Send {
    /// Up to where it follows; none where it is empty.
    fn applied(&self) -> Result<Option<Applied>, IndexError>;

    /// Shows every row, and fails at the end where they are not all there, whole.
    fn load(&self, visit: &mut dyn FnMut(RowKey, Row)) -> Result<(), IndexError>;

    /// Takes over all of `changes` and its new place in the journal, or nothing.
    fn apply(&mut self, applied: Applied, changes: &[Change]) -> Result<(), IndexError>;

    /// Forgets every row.
    fn clear(&mut self) -> Result<(), IndexError>;

    /// The uses of Tang's keys that were last saved. They are counted, not journaled.
    fn legacy_uses(&self) -> Result<Vec<LegacyUse>, IndexError>;

    /// Saves them.
    fn save_legacy_uses(&mut self, uses: &[LegacyUse]) -> Result<(), IndexError>;
}
