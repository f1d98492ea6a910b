//! The whole state in one file, and back.
//!
//! A backup holds the journal, the wrapped keys and the last good policy; it
//! opens only with the master key. A restore makes a directory of its own,
//! ends every live grant in it, and puts it in its place last of all.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::error::{StoreError, io_error};
use super::open::{Settings, journal_path, keys_path};
use super::policy::last_good_path;
use super::{Context, Store, lock};
use crate::durable::{self, ContainerError, ContainerReader, ContainerWriter};
use crate::journal::Event;
use crate::keyring::MasterKey;

const JOURNAL: &str = "journal";
const KEYS: &str = "keys";
const LAST_GOOD: &str = "last-good";

impl Store {
    /// Writes all of the state to one file, in the place of what was there.
    /// Changes go on meanwhile; the backup holds those before it began.
    ///
    /// # Errors
    /// Reading or writing failed; what was there still is.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let directory = &self.shared.directory;
        // The journal's end first: keys that come later are merely not needed.
        let end = self.link().end;
        let mut keys = Vec::new();
        lock(&self.shared.keys).copy_to(&mut keys)?;
        durable::replace_file(to, |file| {
            let mut writer = ContainerWriter::new(io::BufWriter::new(file))?;
            let journal = BufReader::new(File::open(journal_path(directory))?);
            writer.add(JOURNAL, end, journal)?;
            writer.add(KEYS, keys.len() as u64, keys.as_slice())?;
            let mut policy = Vec::new();
            match File::open(last_good_path(directory)) {
                Ok(mut file) => {
                    file.read_to_end(&mut policy)?;
                    writer.add(LAST_GOOD, policy.len() as u64, policy.as_slice())?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            writer.finish()
        })
        .map_err(io_error(to))
    }

    /// Wraps every private key under another master key. A backup made before
    /// still opens under the old one alone.
    ///
    /// # Errors
    /// The disk said no; the old master key then still holds.
    pub fn change_master_key(&self, context: Context, new: MasterKey) -> Result<(), StoreError> {
        let old = lock(&self.shared.keys).change_master(new)?;
        let committed = self.commit(context, |_| Ok(Event::MasterKeyChanged {}));
        if committed
            .as_ref()
            .is_err_and(|error| !error.is_outcome_unknown())
        {
            lock(&self.shared.keys).change_master(old)?;
        }
        committed.map(|_| ())
    }
}

/// Makes a state directory from a backup, with a new epoch and every live
/// grant ended, and returns that epoch.
///
/// # Errors
/// The directory holds something, the backup is damaged, the master key is
/// another, or the disk said no. The directory is then as it was.
pub fn restore(
    from: &Path,
    directory: &Path,
    master_key: MasterKey,
    context: Context,
) -> Result<u64, StoreError> {
    check_empty(directory)?;
    let staging = durable::pending_name(directory);
    remove_staging(&staging)?;
    let settings = Settings {
        directory: staging.clone(),
        master_key,
        anchor: None,
    };
    let restored = unpack(from, &staging).and_then(|()| end_grants(settings, context));
    if restored.is_err() {
        // What failed is being reported; a leftover is removed next time.
        let _ = std::fs::remove_dir_all(&staging);
        return restored;
    }
    let placed = std::fs::rename(&staging, directory)
        .and_then(|()| durable::sync_directory(durable::parent(directory)));
    placed.map_err(io_error(directory))?;
    restored
}

fn check_empty(directory: &Path) -> Result<(), StoreError> {
    match std::fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::NotEmpty(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(directory)(error)),
    }
}

fn remove_staging(staging: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(staging)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn unpack(from: &Path, to: &Path) -> Result<(), StoreError> {
    durable::private_directory(to).map_err(io_error(to))?;
    unpack_files(from, to).map_err(|cause| StoreError::Container {
        path: from.to_owned(),
        cause: Arc::new(cause),
    })
}

fn unpack_files(from: &Path, to: &Path) -> Result<(), ContainerError> {
    let mut reader = ContainerReader::new(BufReader::new(File::open(from)?))?;
    let mut made = Vec::new();
    while reader.next(|name| {
        let path = match name {
            JOURNAL => journal_path(to),
            KEYS => keys_path(to),
            LAST_GOOD => last_good_path(to),
            _ => return Err(io::Error::other("it holds a file that no backup holds")),
        };
        let file = durable::create_private(&path)?;
        made.push(file.try_clone()?);
        Ok(io::BufWriter::new(file))
    })? {}
    made.iter().try_for_each(File::sync_all)?;
    Ok(durable::sync_directory(to)?)
}

/// Opens what was unpacked and writes the entry that makes it a restored one.
fn end_grants(settings: Settings, context: Context) -> Result<u64, StoreError> {
    let store = Store::open(settings, context.time)?;
    let seq = store.link().seq;
    let epoch = store.epoch() + 1;
    store.commit(context, move |_| Ok(Event::BackupRestored { epoch, seq }))?;
    Ok(epoch)
}
