//! How far a sink has come, on disk.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::durable;
use crate::journal::{Hash, JournalId};
use crate::store::{Store, StoreError};

/// The last entry that a sink is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    v: u32,
    journal: JournalId,
    seq: u64,
    hash: Hash,
}

/// A sink's place in the journal and the file that keeps it.
#[derive(Debug)]
pub(super) struct Cursor {
    path: PathBuf,
    place: Place,
    kept: u64,
}

impl Cursor {
    /// The place kept for the sink of that name; the journal's end for a new
    /// one, and where the place is not one of this journal (a backup was
    /// restored, say). The second part says why an old place was given up.
    ///
    /// # Errors
    /// The disk said no.
    pub(super) fn open(
        directory: &Path,
        name: &str,
        store: &Store,
    ) -> Result<(Cursor, Option<String>), CursorError> {
        let path = directory.join(format!("{name}.json"));
        let kept = match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let (place, given_up) = match kept.map(|bytes| serde_json::from_slice::<Place>(&bytes)) {
            None => (None, None),
            Some(Err(error)) => (None, Some(format!("it cannot be read: {error}"))),
            Some(Ok(place)) => match is_here(place, store)? {
                true => (Some(place), None),
                false => (None, Some("it is not of this journal".to_owned())),
            },
        };
        let link = store.link();
        let end = Place {
            v: 1,
            journal: store.journal(),
            seq: link.seq,
            hash: link.hash,
        };
        let mut cursor = Cursor {
            path,
            kept: place.map_or(0, |place| place.seq),
            place: place.unwrap_or(end),
        };
        cursor.keep()?;
        Ok((cursor, given_up))
    }

    /// The number of the last entry that the sink is done with.
    pub(super) fn seq(&self) -> u64 {
        self.place.seq
    }

    /// How many entries the file is behind.
    pub(super) fn behind(&self) -> u64 {
        self.place.seq.saturating_sub(self.kept)
    }

    /// Moves on, in memory.
    pub(super) fn pass(&mut self, seq: u64, hash: Hash) {
        self.place.seq = seq;
        self.place.hash = hash;
    }

    /// Writes the place down where it has moved.
    ///
    /// # Errors
    /// The disk said no; the old place then stands, and messages may repeat.
    pub(super) fn keep(&mut self) -> io::Result<()> {
        if self.behind() == 0 {
            return Ok(());
        }
        let mut text = serde_json::to_vec(&self.place)?;
        text.push(b'\n');
        durable::replace(&self.path, &text)?;
        self.kept = self.place.seq;
        Ok(())
    }
}

/// Whether the journal holds that very entry.
fn is_here(place: Place, store: &Store) -> Result<bool, StoreError> {
    if place.v != 1 || place.journal != store.journal() || place.seq == 0 {
        return Ok(false);
    }
    let found = store.audit(place.seq - 1, 1)?;
    Ok(found.first().is_some_and(|entry| entry.hash == place.hash))
}

/// A place cannot be found or kept.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error(transparent)]
    Io(#[from] io::Error),
}
