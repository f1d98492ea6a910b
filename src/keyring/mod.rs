//! Private keys at rest: a master key that wraps data keys, and data keys
//! that seal secrets.
//!
//! Each secret is sealed (AES-256-GCM) under a data key of its own, with the
//! identity of its row as associated data, so that it opens in no other row.
//! The data key, wrapped under the master key, stands in the [`KeyArea`]: a
//! file of slots that can be overwritten. The sealed secret may then stand in
//! an append-only journal: to destroy it is to wipe its slot.
//!
//! A copy of the slot made earlier (a backup, a snapshot, a flash cell) still
//! opens under the same master key. To make destruction reach those, rotate
//! the master key and destroy the old one.
//!
//! Knows no device and no clock. It draws its own nonces and keys, since a
//! caller who could choose a nonce could repeat one.

mod area;
mod error;
mod master;
mod seal;
mod secret;
mod slot;

pub use area::{KeyArea, NewKey};
pub use error::KeyringError;
pub use master::MasterKey;
pub use seal::{DataKey, random};
pub use secret::SecretBytes;

use crate::durable::Hex;

/// Names one data key: 128 random bits.
pub type KeyId = Hex<16>;
