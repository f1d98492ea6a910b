//! Bytes that must not be seen.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use zeroize::Zeroizing;

use super::KeyringError;

/// No secret's text is longer; what is longer is another file.
const LONGEST_TEXT: u64 = 1024;

/// Secret bytes: wiped when dropped, never printed, never serialized.
///
/// ```compile_fail
/// // A reply is made with serde: a secret cannot get into one.
/// serde_json::to_string(&panopol::keyring::SecretBytes::new(vec![1])).unwrap();
/// ```
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        SecretBytes(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for the one who needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Reads a secret from a file that its owner alone may read. A link is
    /// followed, and what it leads to is what is judged.
    ///
    /// # Errors
    /// Missing, readable by others, or not a regular file.
    pub fn read_file(path: &Path) -> Result<Self, KeyringError> {
        read(path, 0o077)
    }

    /// Reads a secret from a systemd credential directory
    /// (`$CREDENTIALS_DIRECTORY`). Group bits are the mask of systemd's ACL
    /// there, and say nothing of a group.
    ///
    /// # Errors
    /// As [`SecretBytes::read_file`], or `name` is not a plain name.
    pub fn read_credential(directory: &Path, name: &str) -> Result<Self, KeyringError> {
        let mut parts = Path::new(name).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(_)), None) => read(&directory.join(name), 0o007),
            (_, _) => Err(KeyringError::CredentialName(name.to_owned())),
        }
    }
}

fn read(path: &Path, forbidden: u32) -> Result<SecretBytes, KeyringError> {
    let io = |cause| KeyringError::Io {
        path: path.to_owned(),
        cause,
    };
    let file = File::open(path).map_err(io)?;
    // The open file is asked, not the path: what is judged is what is read.
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(KeyringError::NotAFile(path.to_owned()));
    }
    let mode = metadata.mode() & 0o777;
    if mode & forbidden != 0 {
        return Err(KeyringError::ReadableByOthers {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST_TEXT as usize + 1));
    file.take(LONGEST_TEXT + 1)
        .read_to_end(&mut text)
        .map_err(io)?;
    if text.len() as u64 > LONGEST_TEXT {
        return Err(KeyringError::TooLong(path.to_owned()));
    }
    Ok(SecretBytes(text))
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}
