//! The master key, from wherever the operator keeps it.

use std::fmt;
use std::path::Path;

use zeroize::{Zeroize, Zeroizing};

use super::{KeyringError, SecretBytes, random};
use crate::durable::Hex;

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
        MasterKey::parse_secret(&SecretBytes::read_file(path)?)
    }

    /// Reads the key from a systemd credential directory
    /// (`$CREDENTIALS_DIRECTORY`). Group bits are the mask of systemd's ACL
    /// there, and say nothing of a group.
    ///
    /// # Errors
    /// As [`MasterKey::read_file`], or `name` is not a plain name.
    pub fn read_credential(directory: &Path, name: &str) -> Result<Self, KeyringError> {
        MasterKey::parse_secret(&SecretBytes::read_credential(directory, name)?)
    }

    /// Reads the text of a secret, as [`MasterKey::parse`] does.
    ///
    /// # Errors
    /// The text is not 32 bytes.
    pub fn parse_secret(secret: &SecretBytes) -> Result<Self, KeyringError> {
        let text = std::str::from_utf8(secret.expose()).map_err(|_| KeyringError::NotAKey)?;
        MasterKey::parse(text)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
