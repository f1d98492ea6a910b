//! Keys taken over from Tang, and who still uses them: counted in memory,
//! saved now and then, never journaled.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::commit::Message;
use super::error::StoreError;
use super::rows::{LegacyKey, Row, RowKey};
use super::tokens::page;
use super::{Committed, Context, Store, lock};
use crate::durable::HexBytes;
use crate::journal::{Event, ImportedKey, PublicKey, SealedSecret};
use crate::keyring::{KeyId, SecretBytes};

/// Pairs of key and address that are told apart; further ones are dropped, so
/// that made-up sources cannot fill the memory.
const MOST_USES: usize = 100_000;

/// A key to take over.
#[derive(Debug)]
pub struct LegacyImport {
    /// The public half.
    pub public: PublicKey,
    /// Whether it is advertised.
    pub advertised: bool,
    /// The private half.
    pub secret: SecretBytes,
}

/// How one address has used one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyUse {
    /// The key's thumbprint.
    pub thumbprint: String,
    /// From where.
    pub source: IpAddr,
    /// How often.
    pub count: u64,
    /// First.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
}

/// The uses that are known.
#[derive(Debug, Default)]
pub(super) struct Uses {
    uses: HashMap<(String, IpAddr), LegacyUse>,
    changed: bool,
}

impl Uses {
    pub(super) fn new(uses: Vec<LegacyUse>) -> Self {
        let keyed = uses.into_iter();
        Uses {
            uses: keyed
                .map(|used| ((used.thumbprint.clone(), used.source), used))
                .collect(),
            changed: false,
        }
    }

    fn note(&mut self, thumbprint: &str, source: IpAddr, at: Timestamp) {
        let key = (thumbprint.to_owned(), source);
        if self.uses.len() >= MOST_USES && !self.uses.contains_key(&key) {
            return;
        }
        let used = self.uses.entry(key).or_insert_with(|| LegacyUse {
            thumbprint: thumbprint.to_owned(),
            source,
            count: 0,
            first: at,
            last: at,
        });
        used.count += 1;
        used.last = used.last.max(at);
        self.changed = true;
    }

    fn listed(&self) -> Vec<LegacyUse> {
        let mut listed: Vec<_> = self.uses.values().cloned().collect();
        listed.sort_by(|a, b| (&a.thumbprint, a.source).cmp(&(&b.thumbprint, b.source)));
        listed
    }
}

/// What a key of Tang's is sealed as.
fn row_identity(thumbprint: &str) -> String {
    format!("tang/{thumbprint}")
}

impl Store {
    /// Takes keys over from a Tang server, all of them or none.
    ///
    /// # Errors
    /// One is there already, or the disk said no.
    pub fn import_tang_keys(
        &self,
        context: Context,
        source: &str,
        keys: Vec<LegacyImport>,
    ) -> Result<Committed, StoreError> {
        let data_keys = self.create_keys(keys.len())?;
        let ids: Vec<KeyId> = data_keys.iter().map(|key| key.id).collect();
        let mut imported = Vec::with_capacity(keys.len());
        for (key, new) in keys.into_iter().zip(&data_keys) {
            let row = row_identity(&key.public.thumbprint);
            let sealed = HexBytes(new.key.seal(&row, &key.secret)?);
            imported.push(ImportedKey {
                public: key.public,
                advertised: key.advertised,
                secret: SealedSecret {
                    key: new.id,
                    sealed,
                },
            });
        }
        let event = Event::TangKeysImported {
            source: source.to_owned(),
            keys: imported,
        };
        self.commit_with_keys(context, &ids, move |_| Ok(event))
    }

    /// Destroys a key that was taken over.
    ///
    /// # Errors
    /// No such key, or the disk said no.
    pub fn delete_legacy_key(
        &self,
        context: Context,
        thumbprint: &str,
    ) -> Result<Committed, StoreError> {
        let thumbprint = thumbprint.to_owned();
        self.commit(context, move |rows| {
            let destroyed = match rows.row(&RowKey::LegacyKey(thumbprint.clone())) {
                Some(Row::LegacyKey(key)) => vec![key.secret.key],
                Some(_) | None => Vec::new(),
            };
            Ok(Event::LegacyKeyDeleted {
                thumbprint,
                destroyed,
            })
        })
    }

    /// The keys taken over from Tang, in the order of their thumbprints.
    pub fn legacy_keys(&self) -> Vec<Arc<LegacyKey>> {
        page(&self.shared.read().legacy_keys, None, usize::MAX)
    }

    /// Opens the private half of a key taken over.
    ///
    /// # Errors
    /// It was destroyed, or is damaged.
    pub fn open_legacy_key(&self, key: &LegacyKey) -> Result<SecretBytes, StoreError> {
        self.open_secret(&row_identity(&key.public.thumbprint), &key.secret)
    }

    /// Counts a use of a key of Tang's.
    pub fn note_legacy_use(&self, thumbprint: &str, source: IpAddr, at: Timestamp) {
        lock(&self.shared.uses).note(thumbprint, source, at);
    }

    /// Who uses which key of Tang's, since when and how often.
    pub fn legacy_uses(&self) -> Vec<LegacyUse> {
        lock(&self.shared.uses).listed()
    }

    /// Saves what was counted since the last time. A crash loses what was not.
    pub fn save_legacy_uses(&self) {
        let mut uses = lock(&self.shared.uses);
        if std::mem::take(&mut uses.changed) {
            self.send(Message::SaveUses(uses.listed()));
        }
    }
}
