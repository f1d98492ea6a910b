//! The master key, from wherever the operator keeps it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use zeroize::{Zeroize, Zeroizing};

use super::{KeyringError, random};
use crate::durable::Hex;

/// No master key's text is longer; what is longer is another file.
const LONGEST_TEXT: u64 = 1024;

/// The key that wraps every data key: wiped when dropped, never printed.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Draws a new one.
    ///
    /// # Errors
    /// The random generator failed.
    pub fn generate() -> Result<Self, KeyringError> {
        Ok(MasterKey(Zeroizing::new(random()?)))
    }

    /// Reads 64 hexadecimal digits, or base64 (either alphabet, padded or not).
    ///
    /// # Errors
    /// The text is not 32 bytes.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let text = text.trim();
        if let Ok(Hex(bytes)) = text.to_ascii_lowercase().parse::<Hex<32>>() {
            return Ok(MasterKey(Zeroizing::new(bytes)));
        }
        let mut standard = Zeroizing::new(text.trim_end_matches('=').replace('-', "+"));
        *standard = standard.replace('_', "/");
        standard.push('=');
        let mut bytes =
            openssl::base64::decode_block(&standard).map_err(|_| KeyringError::NotAKey)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice());
        bytes.zeroize();
        key.map(|key| MasterKey(Zeroizing::new(key)))
            .map_err(|_| KeyringError::NotAKey)
    }

    /// Reads the key from a file that its owner alone may read. A link is
    /// followed, and what it leads to is what is judged.
    ///
    /// # Errors
    /// Missing, readable by others, not a regular file, or not a key.
    pub fn read_file(path: &Path) -> Result<Self, KeyringError> {
        read_key(path, 0o077)
    }

    /// Reads the key from a systemd credential directory
    /// (`$CREDENTIALS_DIRECTORY`). Group bits are the mask of systemd's ACL
    /// there, and say nothing of a group.
    ///
    /// # Errors
    /// As [`MasterKey::read_file`], or `name` is not a plain name.
    pub fn read_credential(directory: &Path, name: &str) -> Result<Self, KeyringError> {
        let mut parts = Path::new(name).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(_)), None) => read_key(&directory.join(name), 0o007),
            (_, _) => Err(KeyringError::CredentialName(name.to_owned())),
        }
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn read_key(path: &Path, forbidden: u32) -> Result<MasterKey, KeyringError> {
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
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_TEXT as usize));
    file.take(LONGEST_TEXT)
        .read_to_string(&mut text)
        .map_err(|_| KeyringError::NotAKey)?;
    MasterKey::parse(&text)
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
