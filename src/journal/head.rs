//! A signed statement of how far a journal went.
//!
//! The chain alone cannot show that its end was cut off, or that somebody
//! rewrote it whole: a head that was taken out of the server's reach can.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::{Signer, Verifier};
use serde::{Deserialize, Serialize};

use super::{Hash, JournalId};
use crate::durable::{self, Hex};
use crate::keyring::SecretBytes;

/// No head's file is longer.
const LONGEST: u64 = 4096;

/// A head cannot be signed, read or written.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The disk said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The text is not a head.
    #[error("not a signed head: {0}")]
    NotAHead(serde_json::Error),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed: {0}")]
    Library(#[from] openssl::error::ErrorStack),
}

/// How far a journal went at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The journal.
    pub journal: JournalId,
    /// Its epoch: how often it was restored from a backup.
    pub epoch: u64,
    /// Its last entry.
    pub seq: u64,
    /// That entry's hash.
    pub hash: Hash,
    /// When the head was signed.
    pub time: Timestamp,
}

impl Head {
    /// The very bytes that are signed.
    fn statement(&self) -> Vec<u8> {
        let Head {
            journal,
            epoch,
            seq,
            hash,
            time,
        } = self;
        format!("panopol journal head v1\n{journal}\n{epoch}\n{seq}\n{hash}\n{time}\n").into_bytes()
    }
}

/// A head and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// What is signed.
    pub head: Head,
    /// Ed25519, over the head's statement. Source: RFC 8032.
    pub signature: Hex<64>,
}

impl SignedHead {
    /// Whether the owner of `key` signed this.
    pub fn is_signed_by(&self, key: &AuditPublicKey) -> bool {
        let verified = PKey::public_key_from_raw_bytes(&key.0.0, Id::ED25519).and_then(|key| {
            Verifier::new_without_digest(&key)?
                .verify_oneshot(&self.signature.0, &self.head.statement())
        });
        verified.unwrap_or(false)
    }

    /// Reads a head from a file.
    ///
    /// # Errors
    /// Unreadable, or not a head.
    pub fn read(path: &Path) -> Result<Self, HeadError> {
        let mut text = Vec::new();
        File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
        serde_json::from_slice(&text).map_err(HeadError::NotAHead)
    }

    /// Puts the head in the place of the file at `path`.
    ///
    /// # Errors
    /// The disk said no; the old file then stands.
    pub fn write(&self, path: &Path) -> Result<(), HeadError> {
        let mut text = serde_json::to_vec(self).map_err(HeadError::NotAHead)?;
        text.push(b'\n');
        Ok(durable::replace(path, &text)?)
    }
}

/// The public key that heads are signed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPublicKey(pub Hash);

/// The private key that signs heads; never printed, never serialized.
pub struct AuditKey(PKey<Private>);

impl AuditKey {
    /// Draws a new one.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn generate() -> Result<Self, HeadError> {
        Ok(AuditKey(PKey::generate_ed25519()?))
    }

    /// The key with these 32 secret bytes.
    ///
    /// # Errors
    /// They are not a key.
    pub fn from_secret(secret: &SecretBytes) -> Result<Self, HeadError> {
        let key = PKey::private_key_from_raw_bytes(secret.expose(), Id::ED25519)?;
        Ok(AuditKey(key))
    }

    /// The secret bytes, to be sealed.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn secret(&self) -> Result<SecretBytes, HeadError> {
        Ok(SecretBytes::new(self.0.raw_private_key()?))
    }

    /// The public key.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn public(&self) -> Result<AuditPublicKey, HeadError> {
        let bytes = self.0.raw_public_key()?;
        let bytes = <[u8; 32]>::try_from(bytes)
            .map_err(|_| io::Error::other("an Ed25519 key is 32 bytes"))?;
        Ok(AuditPublicKey(Hex(bytes)))
    }

    /// Signs a head.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn sign(&self, head: Head) -> Result<SignedHead, HeadError> {
        let mut signature = [0; 64];
        Signer::new_without_digest(&self.0)?.sign_oneshot(&mut signature, &head.statement())?;
        Ok(SignedHead {
            head,
            signature: Hex(signature),
        })
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditKey(…)")
    }
}
