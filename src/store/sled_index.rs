//! The index in sled; the one file that knows sled.
//!
//! sled 0.34 flushes with `sync_file_range`, which promises nothing when the
//! power goes, so nothing here is relied on: one batch carries the rows, the
//! place in the journal and a digest over all rows, and an index whose rows do
//! not have that digest is thrown away and made again from the journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sled::{Batch, Db};

use super::apply::Change;
use super::index::{Applied, Index, IndexError};
use super::legacy::LegacyUse;
use super::rows::{Row, RowKey};
use crate::durable::Hex;

/// Changed whenever a row is stored otherwise: an index of another number is
/// made again.
const SCHEMA: u32 = 1;
const PLACE: &[u8] = b"!place";
const ROWS: &[u8] = b"row/";
const USES: &[u8] = b"!legacy-uses";
/// Rows are in memory anyway.
const CACHE_BYTES: u64 = 16 << 20;

const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Where the index stands: stored with every batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    schema: u32,
    applied: Applied,
    /// The exclusive or of the SHA-256 of every row with its key.
    digest: Hex<32>,
}

pub(super) struct SledIndex {
    db: Db,
}

impl From<sled::Error> for IndexError {
    fn from(error: sled::Error) -> Self {
        IndexError(error.to_string())
    }
}

impl From<serde_json::Error> for IndexError {
    fn from(error: serde_json::Error) -> Self {
        IndexError(error.to_string())
    }
}

impl SledIndex {
    pub(super) fn open(path: &Path) -> Result<Self, IndexError> {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(Some(1000));
        // The journal's lock is ours, so whoever has this one is just ending.
        for _ in 0..LOCK_TRIES {
            match open_db(&config) {
                Err(error) if error.0.contains("acquire lock") => std::thread::sleep(LOCK_PAUSE),
                opened => return opened,
            }
        }
        open_db(&config)
    }

    fn place(&self) -> Result<Option<Place>, IndexError> {
        let Some(bytes) = self.db.get(PLACE)? else {
            return Ok(None);
        };
        let place: Place = serde_json::from_slice(&bytes)?;
        if place.schema != SCHEMA {
            let message = format!("its rows are of form {}, not {SCHEMA}", place.schema);
            return Err(IndexError(message));
        }
        Ok(Some(place))
    }
}

/// A damaged file makes sled panic in places; the index can be made again.
fn open_db(config: &sled::Config) -> Result<SledIndex, IndexError> {
    let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
    let db = opened.map_err(|_| IndexError("it is damaged".to_owned()))??;
    Ok(SledIndex { db })
}

fn stored_key(key: &RowKey) -> Vec<u8> {
    [ROWS, key.stored().as_bytes()].concat()
}

/// Adds a row to the digest, or takes it out again.
fn toggle(digest: &mut Hex<32>, key: &[u8], row: &[u8]) {
    let mut hash = Sha256::new();
    hash.update((key.len() as u64).to_le_bytes());
    hash.update(key);
    hash.update(row);
    let hash: [u8; 32] = hash.finalize().into();
    digest
        .0
        .iter_mut()
        .zip(hash)
        .for_each(|(to, from)| *to ^= from);
}

impl Index for SledIndex {
    fn applied(&self) -> Result<Option<Applied>, IndexError> {
        let read = catch_unwind(AssertUnwindSafe(|| self.place()));
        let place = read.map_err(|_| IndexError("it is damaged".to_owned()))??;
        Ok(place.map(|place| place.applied))
    }

    fn load(&self, visit: &mut dyn FnMut(RowKey, Row)) -> Result<(), IndexError> {
        let damaged = || IndexError("its rows are damaged".to_owned());
        let mut digest = Hex([0; 32]);
        let read = catch_unwind(AssertUnwindSafe(|| {
            for item in self.db.scan_prefix(ROWS) {
                let (key, bytes) = item?;
                toggle(&mut digest, &key, &bytes);
                let name = key.get(ROWS.len()..).unwrap_or_default();
                let name = std::str::from_utf8(name).map_err(|_| damaged())?;
                let (key, row) = Row::decode(name, &bytes).ok_or_else(damaged)?;
                visit(key, row);
            }
            Ok::<(), IndexError>(())
        }));
        read.map_err(|_| damaged())??;
        match self.place()? {
            Some(place) if place.digest == digest => Ok(()),
            Some(_) | None => Err(damaged()),
        }
    }

    fn apply(&mut self, applied: Applied, changes: &[Change]) -> Result<(), IndexError> {
        let mut digest = self.place()?.map_or(Hex([0; 32]), |place| place.digest);
        let mut batch = Batch::default();
        // Within one batch the last change of a row counts.
        let mut last = std::collections::BTreeMap::new();
        for (key, row) in changes {
            last.insert(stored_key(key), row.as_ref());
        }
        for (key, row) in last {
            if let Some(before) = self.db.get(&key)? {
                toggle(&mut digest, &key, &before);
            }
            match row {
                Some(row) => {
                    let bytes = row.encode()?;
                    toggle(&mut digest, &key, &bytes);
                    batch.insert(key, bytes);
                }
                None => batch.remove(key),
            }
        }
        let place = Place {
            schema: SCHEMA,
            applied,
            digest,
        };
        batch.insert(PLACE, serde_json::to_vec(&place)?);
        Ok(self.db.apply_batch(batch)?)
    }

    fn clear(&mut self) -> Result<(), IndexError> {
        let mut batch = Batch::default();
        batch.remove(PLACE);
        for key in self.db.scan_prefix(ROWS).keys() {
            batch.remove(key?);
        }
        Ok(self.db.apply_batch(batch)?)
    }

    fn legacy_uses(&self) -> Result<Vec<LegacyUse>, IndexError> {
        match self.db.get(USES)? {
            Some(bytes) => Ok(serde_json::from_slice(&bytes)?),
            None => Ok(Vec::new()),
        }
    }

    fn save_legacy_uses(&mut self, uses: &[LegacyUse]) -> Result<(), IndexError> {
        self.db.insert(USES, serde_json::to_vec(uses)?)?;
        Ok(())
    }
}

impl Drop for SledIndex {
    fn drop(&mut self) {
        // What is not flushed is applied again at the next start.
        let _ = self.db.flush();
    }
}
