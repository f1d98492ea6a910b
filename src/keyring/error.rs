//! Why a key cannot be had.

use std::io;
use std::path::PathBuf;

/// A key cannot be read, opened, kept or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The master key's text is not 32 bytes.
    #[error("the master key must be 32 bytes, written as 64 hexadecimal digits or as base64")]
    NotAKey,
    /// Others than the owner may read a secret.
    #[error(
        "`{path}` may be read by others (mode {mode:03o}): `chmod 600` it, and consider it known"
    )]
    ReadableByOthers {
        /// The file as it was named.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A secret is not in a regular file.
    #[error("`{0}` is not a regular file")]
    NotAFile(PathBuf),
    /// No secret is that long.
    #[error("`{0}` is longer than a secret: another file?")]
    TooLong(PathBuf),
    /// A credential's name would leave its directory.
    #[error("`{0}` is not the name of a credential")]
    CredentialName(String),
    /// The disk said no.
    #[error("`{path}`: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        cause: io::Error,
    },
    /// Another master key wrapped these keys.
    #[error(
        "this is not the master key that the keys in `{0}` were wrapped under: give the right one, or restore a backup made under this one"
    )]
    WrongMasterKey(PathBuf),
    /// The slots belong to another journal.
    #[error(
        "the keys in `{path}` belong to journal {found}, and the journal beside them is {expected}: the two come from different state directories"
    )]
    ForeignKeys {
        /// The file.
        path: PathBuf,
        /// The journal that the slots name.
        found: String,
        /// The journal that is there.
        expected: String,
    },
    /// The file of slots is not one, or its head is damaged.
    #[error("`{path}`: {fault}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// No slot holds this data key: it was destroyed or lost.
    #[error("the data key {0} is not there: it was destroyed, or its slot is damaged")]
    NoSuchKey(super::KeyId),
    /// A sealed secret does not open: damaged, or of another row.
    #[error("a sealed secret does not open: it is damaged, or belongs to another row")]
    DoesNotOpen,
    /// An earlier sync failed, so that what is on disk is no longer known.
    #[error("the keys in `{0}` cannot be changed any more: an earlier write failed; restart")]
    Poisoned(PathBuf),
    /// OpenSSL failed.
    #[error("the cryptographic library failed: {0}")]
    Library(String),
}

impl From<openssl::error::ErrorStack> for KeyringError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        KeyringError::Library(error.to_string())
    }
}
