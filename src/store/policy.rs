//! Which policy is in force, and the bytes of the last good one.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use super::error::{StoreError, io_error};
use super::rows::PolicyInForce;
use super::{Committed, Context, Store};
use crate::durable::{self, ContainerError, ContainerReader, ContainerWriter};
use crate::journal::Event;
use crate::source::load::LoadedFile;

/// The name under which the digest stands before the files.
const DIGEST: &str = "";

/// The policy that last compiled, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// Its digest.
    pub digest: String,
    /// Its files.
    pub files: Vec<LoadedFile>,
}

pub(super) fn last_good_path(directory: &Path) -> std::path::PathBuf {
    directory.join("last-good")
}

impl Store {
    /// Records that a policy came into force.
    ///
    /// # Errors
    /// The disk said no.
    pub fn policy_reloaded(
        &self,
        context: Context,
        digest: String,
        summary: String,
    ) -> Result<Committed, StoreError> {
        self.commit(context, |_| Ok(Event::PolicyReloaded { digest, summary }))
    }

    /// Records that a policy was refused.
    ///
    /// # Errors
    /// The disk said no.
    pub fn policy_rejected(
        &self,
        context: Context,
        digest: Option<String>,
        summary: String,
    ) -> Result<Committed, StoreError> {
        self.commit(context, |_| Ok(Event::PolicyRejected { digest, summary }))
    }

    /// The policy last brought into force.
    pub fn policy_in_force(&self) -> Option<PolicyInForce> {
        self.shared.read().system.as_ref()?.policy.clone()
    }

    /// Keeps the bytes of a policy that compiled, in the place of the ones before.
    ///
    /// # Errors
    /// The disk said no; the ones before are then still kept.
    pub fn save_last_good(&self, digest: &str, files: &[LoadedFile]) -> Result<(), StoreError> {
        let path = last_good_path(&self.shared.directory);
        durable::replace_file(&path, |file| {
            let mut writer = ContainerWriter::new(file)?;
            writer.add(DIGEST, digest.len() as u64, digest.as_bytes())?;
            for file in files {
                writer.add(&file.path, file.bytes.len() as u64, file.bytes.as_slice())?;
            }
            writer.finish()
        })
        .map_err(io_error(&path))
    }

    /// The bytes of the policy that last compiled; none where there was none.
    ///
    /// # Errors
    /// They cannot be read, or are damaged.
    pub fn load_last_good(&self) -> Result<Option<LastGood>, StoreError> {
        let path = last_good_path(&self.shared.directory);
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io_error(&path))?,
        };
        let read = read_last_good(file).map(Some);
        read.map_err(|cause| StoreError::Container {
            path,
            cause: Arc::new(cause),
        })
    }
}

fn read_last_good(file: File) -> Result<LastGood, ContainerError> {
    let mut reader = ContainerReader::new(BufReader::new(file))?;
    let mut files = Vec::new();
    loop {
        let mut path = String::new();
        let mut bytes = Vec::new();
        let more = reader.next(|name| {
            path.push_str(name);
            Ok(&mut bytes)
        })?;
        if !more {
            break;
        }
        files.push(LoadedFile { path, bytes });
    }
    let mut files = files.into_iter();
    let digest = files.next().filter(|first| first.path == DIGEST);
    let digest = digest.and_then(|first| String::from_utf8(first.bytes).ok());
    Ok(LastGood {
        digest: digest.ok_or(ContainerError::Damaged("it does not say its digest"))?,
        files: files.collect(),
    })
}
