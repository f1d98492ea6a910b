//! Hosts that were bound to a Tang server: its keys, live from a directory or
//! taken over into the store, judged by policy as one class of devices.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use super::app::App;
use super::clock;
use crate::journal::PublicKey;
use crate::store::Store;
use crate::tang::{Key, KeyDirectory, KeyRing, Prefix, Standing};
use crate::unlock::{Endpoint, UnlockError, public_half};
use crate::vocabulary::DeviceState;

/// The name that records and limits know these hosts by.
pub const NAME: &str = "tang";

/// A Tang server's keys and what its hosts are.
pub struct Legacy {
    /// Where they are served.
    pub prefix: Prefix,
    /// The tags of every such host.
    pub tags: BTreeMap<String, String>,
    /// The live directory, where there is one.
    directory: Option<PathBuf>,
    ring: ArcSwapOption<KeyRing>,
    /// The live directory's keys; whether each is advertised.
    live: ArcSwap<Vec<(PublicKey, bool)>>,
}

impl Legacy {
    /// Serves the keys of `directory` live, and those taken over into `store`.
    ///
    /// # Errors
    /// The directory cannot be read, or a key not be opened.
    pub fn open(
        prefix: Prefix,
        tags: BTreeMap<String, String>,
        directory: Option<PathBuf>,
        store: &Store,
    ) -> Result<Legacy, UnlockError> {
        let legacy = Legacy {
            prefix,
            tags,
            directory,
            ring: ArcSwapOption::empty(),
            live: ArcSwap::default(),
        };
        legacy.reread(store)?;
        Ok(legacy)
    }

    /// Who asks.
    pub fn endpoint(&self) -> Option<Endpoint> {
        Some(Endpoint {
            device: None,
            binding: None,
            binding_id: None,
            name: NAME.to_owned(),
            tags: self.tags.clone(),
            state: DeviceState::Active,
            ring: self.ring.load_full(),
        })
    }

    /// The live directory.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The public halves of the live directory's keys, and whether each is advertised.
    pub fn live_keys(&self) -> Arc<Vec<(PublicKey, bool)>> {
        self.live.load_full()
    }

    /// Reads the keys again; the old ones stay where that fails. Live keys and
    /// those taken over are served together; of one that is both, the live
    /// directory says whether it is advertised.
    ///
    /// # Errors
    /// The directory cannot be read, or a key not be opened.
    pub fn reread(&self, store: &Store) -> Result<(), UnlockError> {
        let mut keys = match &self.directory {
            Some(path) => read_live(path)?,
            None => Vec::new(),
        };
        let live: Vec<(PublicKey, bool)> = keys
            .iter()
            .map(|(key, standing)| (public_half(key.public()), *standing == Standing::Current))
            .collect();
        keys.extend(imported(store, &live)?);
        let ring = if keys.is_empty() {
            None
        } else {
            Some(Arc::new(KeyRing::new(keys).map_err(fault)?))
        };
        self.ring.store(ring);
        self.live.store(Arc::new(live));
        Ok(())
    }

    /// Counts that `kid` was used from `source`.
    pub fn note_use(&self, app: &App, kid: &str, source: IpAddr) {
        let ring = self.ring.load();
        let thumbprint = ring
            .as_ref()
            .and_then(|ring| ring.exchange_key(kid).ok())
            .map(|key| key.public().thumbprints().text(crate::tang::Hash::S256));
        if let Some(thumbprint) = thumbprint {
            app.store.note_legacy_use(&thumbprint, source, clock::now());
        }
    }
}

fn fault(error: impl std::fmt::Display) -> UnlockError {
    UnlockError::Key(error.to_string())
}

/// The keys of a live directory; what is none is passed over and named.
fn read_live(path: &Path) -> Result<Vec<(Key, Standing)>, UnlockError> {
    let read = KeyDirectory::read_or_create(path).map_err(fault)?;
    for skipped in &read.skipped {
        tracing::warn!(file = %skipped.name, cause = %skipped.fault, "a file is no Tang key and is passed over");
    }
    let keys = read.keys.into_iter();
    Ok(keys.map(|file| (file.key, file.standing)).collect())
}

/// The keys that were taken over, but those that are `live` too.
fn imported(
    store: &Store,
    live: &[(PublicKey, bool)],
) -> Result<Vec<(Key, Standing)>, UnlockError> {
    let mut keys = Vec::new();
    for row in store.legacy_keys() {
        if live
            .iter()
            .any(|(public, _)| public.thumbprint == row.public.thumbprint)
        {
            continue;
        }
        let secret = store.open_legacy_key(&row)?;
        let key = Key::from_jwk(secret.expose()).map_err(fault)?;
        let standing = if row.advertised {
            Standing::Current
        } else {
            Standing::Hidden
        };
        keys.push((key, standing));
    }
    Ok(keys)
}
