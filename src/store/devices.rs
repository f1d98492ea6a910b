//! Devices: enrolled, changed, looked up, and their private keys opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::apply::key_ids;
use super::error::{Refusal, StoreError};
use super::look::Rows;
use super::rows::Device;
use super::tokens::page;
use super::{Committed, Context, Store, lock};
use crate::durable::HexBytes;
use crate::journal::{Event, Generation, Hash, NewBinding, PublicKey, SealedSecret};
use crate::keyring::{KeyId, NewKey, SecretBytes};

/// Keys that were just made, their private halves still open.
#[derive(Debug)]
pub struct NewKeys {
    /// The public halves.
    pub public: Vec<PublicKey>,
    /// The private ones, in whatever form their reader wants them back.
    pub secret: SecretBytes,
}

/// One binding of a device to enroll.
#[derive(Debug)]
pub struct EnrollBinding {
    /// Its id, unique in the device.
    pub id: String,
    /// The SHA-256 of its URL token.
    pub token: Hash,
    /// Its keys.
    pub keys: NewKeys,
}

/// A device to enroll.
#[derive(Debug)]
pub struct Enrollment {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its bindings.
    pub bindings: Vec<EnrollBinding>,
    /// The id of the enrollment key to use up one use of.
    pub enrollment_key: Option<String>,
}

/// What a binding's keys are sealed as.
fn row_identity(device: &str, binding: &str) -> String {
    format!("device/{device}/{binding}")
}

fn seal(row: &str, new: &NewKey, keys: NewKeys) -> Result<Generation, StoreError> {
    let sealed = HexBytes(new.key.seal(row, &keys.secret)?);
    Ok(Generation {
        public: keys.public,
        secret: SealedSecret {
            key: new.id,
            sealed,
        },
    })
}

/// Fails where the device has changed since it was read.
fn expect(device: &Device, expected: Option<u64>) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != device.version => Err(Refusal::Stale {
            what: "device",
            name: device.name.clone(),
            expected,
            found: device.version,
        }),
        Some(_) | None => Ok(()),
    }
}

fn find(rows: &dyn Rows, name: &str, expected: Option<u64>) -> Result<Arc<Device>, Refusal> {
    let device = rows.device(name).ok_or_else(|| Refusal::NotFound {
        what: "device",
        name: name.to_owned(),
    })?;
    expect(&device, expected)?;
    Ok(device)
}

/// Each change takes the version that the device was read at, where that
/// matters to the caller: the compare of the compare-and-swap.
impl Store {
    /// Enrolls a device: its data keys first, then the entry that makes it so.
    ///
    /// # Errors
    /// There is such a device, the enrollment key does not hold, or the disk
    /// said no. Then no key of it is kept.
    pub fn enroll(&self, context: Context, new: Enrollment) -> Result<Committed, StoreError> {
        let data_keys = self.create_keys(new.bindings.len())?;
        let ids: Vec<KeyId> = data_keys.iter().map(|key| key.id).collect();
        let mut bindings = Vec::with_capacity(new.bindings.len());
        for (binding, key) in new.bindings.into_iter().zip(&data_keys) {
            let row = row_identity(&new.name, &binding.id);
            bindings.push(NewBinding {
                keys: seal(&row, key, binding.keys)?,
                id: binding.id,
                token: binding.token,
            });
        }
        let event = Event::DeviceEnrolled {
            name: new.name,
            tags: new.tags,
            bindings,
            enrollment_key: new.enrollment_key,
        };
        self.commit_with_keys(context, &ids, move |_| Ok(event))
    }

    /// Writes what `event` makes of the device as the changes before leave it.
    fn change(
        &self,
        context: Context,
        name: &str,
        expected: Option<u64>,
        event: impl FnOnce(&Device) -> Event + Send + 'static,
    ) -> Result<Committed, StoreError> {
        let name = name.to_owned();
        self.commit(context, move |rows| {
            let device = find(rows, &name, expected)?;
            Ok(event(&device))
        })
    }

    /// Gives a device these tags and no others.
    ///
    /// # Errors
    /// No such device, changed since, revoked, or the disk said no.
    pub fn tag(
        &self,
        context: Context,
        name: &str,
        tags: BTreeMap<String, String>,
        expected: Option<u64>,
    ) -> Result<Committed, StoreError> {
        self.change(context, name, expected, |device| Event::DeviceTagged {
            name: device.name.clone(),
            tags,
        })
    }

    /// Denies a device until it is enabled.
    ///
    /// # Errors
    /// No such device, changed since, not active, or the disk said no.
    pub fn disable(
        &self,
        context: Context,
        name: &str,
        note: Option<String>,
        expected: Option<u64>,
    ) -> Result<Committed, StoreError> {
        self.change(context, name, expected, |device| Event::DeviceDisabled {
            name: device.name.clone(),
            note,
        })
    }

    /// Makes a disabled device active again.
    ///
    /// # Errors
    /// No such device, changed since, not disabled, or the disk said no.
    pub fn enable(
        &self,
        context: Context,
        name: &str,
        note: Option<String>,
        expected: Option<u64>,
    ) -> Result<Committed, StoreError> {
        self.change(context, name, expected, |device| Event::DeviceEnabled {
            name: device.name.clone(),
            note,
        })
    }

    /// Denies a device for good and destroys its keys before it returns.
    ///
    /// # Errors
    /// No such device, changed since, revoked already, or the disk said no;
    /// [`StoreError::NotDestroyed`] where only the wiping failed.
    pub fn revoke(
        &self,
        context: Context,
        name: &str,
        note: Option<String>,
        expected: Option<u64>,
    ) -> Result<Committed, StoreError> {
        self.change(context, name, expected, |device| Event::DeviceRevoked {
            destroyed: device
                .bindings
                .iter()
                .flat_map(|binding| key_ids(&binding.keys))
                .collect(),
            name: device.name.clone(),
            note,
        })
    }

    /// Gives a binding new keys to advertise; the earlier ones still recover
    /// until they are retired.
    ///
    /// # Errors
    /// No such binding, changed since, revoked, or the disk said no.
    pub fn rotate(
        &self,
        context: Context,
        name: &str,
        binding: &str,
        keys: NewKeys,
        expected: Option<u64>,
    ) -> Result<Committed, StoreError> {
        let data_keys = self.create_keys(1)?;
        let ids: Vec<KeyId> = data_keys.iter().map(|key| key.id).collect();
        let row = row_identity(name, binding);
        let first = data_keys.first().ok_or(StoreError::Stopped)?;
        let keys = seal(&row, first, keys)?;
        let (name, binding) = (name.to_owned(), binding.to_owned());
        self.commit_with_keys(context, &ids, move |rows| {
            find(rows, &name, expected)?;
            Ok(Event::KeyRotated {
                name,
                binding,
                keys,
            })
        })
    }

    /// Destroys all keys of a binding but the newest.
    ///
    /// # Errors
    /// No such binding, no earlier keys, changed since, revoked, or the disk said no.
    pub fn retire(
        &self,
        context: Context,
        name: &str,
        binding: &str,
        expected: Option<u64>,
    ) -> Result<Committed, StoreError> {
        let binding = binding.to_owned();
        self.change(context, name, expected, |device| {
            let keys = device.binding(&binding).map(|binding| &binding.keys);
            let earlier = keys.and_then(|keys| keys.get(1..)).unwrap_or_default();
            Event::KeyRetired {
                name: device.name.clone(),
                destroyed: key_ids(earlier).collect(),
                binding,
            }
        })
    }

    pub(super) fn create_keys(&self, count: usize) -> Result<Vec<NewKey>, StoreError> {
        Ok(lock(&self.shared.keys).create_keys(count)?)
    }

    /// Commits an event that needs data keys that were just made, and wipes
    /// them again where it certainly did not happen.
    pub(super) fn commit_with_keys(
        &self,
        context: Context,
        ids: &[KeyId],
        decide: impl FnOnce(&dyn Rows) -> Result<Event, StoreError> + Send + 'static,
    ) -> Result<Committed, StoreError> {
        let committed = self.commit(context, decide);
        if committed
            .as_ref()
            .is_err_and(|error| !error.is_outcome_unknown())
        {
            lock(&self.shared.keys).destroy(ids)?;
        }
        committed
    }

    /// The device of that name.
    pub fn device(&self, name: &str) -> Option<Arc<Device>> {
        self.shared.read().devices.get(name).cloned()
    }

    /// The device that one of whose bindings has the token of that hash.
    pub fn device_by_token(&self, token: &Hash) -> Option<Arc<Device>> {
        self.shared.read().bindings.get(token).cloned()
    }

    /// Up to `limit` devices in the order of their names, after `after`.
    pub fn devices(&self, after: Option<&str>, limit: usize) -> Vec<Arc<Device>> {
        page(&self.shared.read().devices, after, limit)
    }

    /// How many devices there are, revoked ones included.
    pub fn device_count(&self) -> usize {
        self.shared.read().devices.len()
    }

    /// Opens the private keys of a binding.
    ///
    /// # Errors
    /// They were destroyed, are damaged, or are another binding's.
    pub fn open_keys(
        &self,
        device: &str,
        binding: &str,
        keys: &Generation,
    ) -> Result<SecretBytes, StoreError> {
        self.open_secret(&row_identity(device, binding), &keys.secret)
    }

    pub(super) fn open_secret(
        &self,
        row: &str,
        secret: &SealedSecret,
    ) -> Result<SecretBytes, StoreError> {
        let key = lock(&self.shared.keys).key(secret.key)?;
        Ok(key.open(row, &secret.sealed.0)?)
    }
}
