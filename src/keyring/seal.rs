//! AES-256-GCM with a random nonce: `nonce (12) · ciphertext · tag (16)`.
//!
//! A data key seals one secret in its life; the master key wraps one data key
//! a row, far below the 2³² messages that random nonces allow.

use std::fmt;

use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use super::{KeyringError, SecretBytes};

const NONCE: usize = 12;
const TAG: usize = 16;

/// How much longer a sealed secret is than the secret.
pub(super) const OVERHEAD: usize = NONCE + TAG;

/// `N` bytes nobody can guess.
///
/// # Errors
/// The random generator failed.
pub fn random<const N: usize>() -> Result<[u8; N], KeyringError> {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(bytes)
}

/// Seals `plain`; it opens only with the same `identity`.
pub(super) fn seal(key: &[u8; 32], identity: &[u8], plain: &[u8]) -> Result<Vec<u8>, KeyringError> {
    let nonce = random::<NONCE>()?;
    let mut tag = [0; TAG];
    let cipher = Cipher::aes_256_gcm();
    let body = encrypt_aead(cipher, key, Some(&nonce), identity, plain, &mut tag)?;
    Ok([nonce.as_slice(), &body, &tag].concat())
}

/// Opens what [`seal`] made.
pub(super) fn open(
    key: &[u8; 32],
    identity: &[u8],
    sealed: &[u8],
) -> Result<SecretBytes, KeyringError> {
    let parts = sealed
        .split_at_checked(NONCE)
        .and_then(|(nonce, rest)| Some((nonce, rest.split_last_chunk::<TAG>()?)));
    let (nonce, (body, tag)) = parts.ok_or(KeyringError::DoesNotOpen)?;
    decrypt_aead(Cipher::aes_256_gcm(), key, Some(nonce), identity, body, tag)
        .map(SecretBytes::new)
        .map_err(|_| KeyringError::DoesNotOpen)
}

/// The key that seals one secret: wiped when dropped, never printed.
pub struct DataKey(pub(super) Zeroizing<[u8; 32]>);

impl DataKey {
    /// Draws a new one.
    ///
    /// # Errors
    /// The random generator failed.
    pub fn generate() -> Result<Self, KeyringError> {
        Ok(DataKey(Zeroizing::new(random()?)))
    }

    /// Seals the one secret this key is for, bound to the identity of its row.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn seal(&self, row: &str, secret: &SecretBytes) -> Result<Vec<u8>, KeyringError> {
        seal(&self.0, &identity(row), secret.expose())
    }

    /// Opens the secret of that row.
    ///
    /// # Errors
    /// It is damaged, or belongs to another row or key.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<SecretBytes, KeyringError> {
        open(&self.0, &identity(row), sealed)
    }
}

fn identity(row: &str) -> Vec<u8> {
    [b"panopol secret v1\0".as_slice(), row.as_bytes()].concat()
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}
