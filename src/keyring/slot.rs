//! The bytes of the key area: one head, then slots, 128 bytes each.
//!
//! Head: magic (8), version (u32), zero (u32), journal (16), the check value
//! (32 bytes sealed, 60 in all), zero. Slot: `1`, zero (3), key id (16), the
//! wrapped data key (60), the first 16 bytes of the SHA-256 of those 80,
//! zero. A free slot is all zero. A slot never crosses a disk sector.

use sha2::{Digest, Sha256};

use super::seal::{OVERHEAD, open, seal};
use super::{DataKey, KeyId, KeyringError, MasterKey};
use crate::durable::Hex;

pub(super) const SLOT: usize = 128;
const MAGIC: &[u8; 8] = b"PANOPOLK";
const VERSION: u32 = 1;
const WRAPPED: usize = 32 + OVERHEAD;
const CHECKED: usize = 4 + 16 + WRAPPED;

/// A data key under the master key.
pub(super) type Wrapped = [u8; WRAPPED];

/// What a slot holds.
pub(super) enum Slot {
    /// Nothing.
    Free,
    /// Neither nothing nor a key: a write that a crash cut, or damage.
    Damaged,
    /// A wrapped data key.
    Key(KeyId, Box<Wrapped>),
}

pub(super) fn wrap(
    master: &MasterKey,
    journal: Hex<16>,
    id: KeyId,
    key: &DataKey,
) -> Result<Wrapped, KeyringError> {
    let sealed = seal(master.bytes(), &identity(journal, id), &*key.0)?;
    sealed.try_into().map_err(|_| KeyringError::DoesNotOpen)
}

pub(super) fn unwrap(
    master: &MasterKey,
    journal: Hex<16>,
    id: KeyId,
    wrapped: &Wrapped,
) -> Result<DataKey, KeyringError> {
    let key = open(master.bytes(), &identity(journal, id), wrapped)?;
    let key = <[u8; 32]>::try_from(key.expose()).map_err(|_| KeyringError::DoesNotOpen)?;
    Ok(DataKey(key.into()))
}

fn identity(journal: Hex<16>, id: KeyId) -> Vec<u8> {
    [b"panopol data key v1\0".as_slice(), &journal.0, &id.0].concat()
}

fn check_identity(journal: Hex<16>) -> Vec<u8> {
    [b"panopol master key check v1\0".as_slice(), &journal.0].concat()
}

pub(super) fn render_head(master: &MasterKey, journal: Hex<16>) -> Result<Vec<u8>, KeyringError> {
    let check = seal(master.bytes(), &check_identity(journal), &[0; 32])?;
    let mut head = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &[0; 4]].concat();
    head.extend(journal.0);
    head.extend(check);
    head.resize(SLOT, 0);
    Ok(head)
}

/// The journal that a head names and its check value.
pub(super) fn parse_head(head: &[u8; SLOT]) -> Result<(Hex<16>, Wrapped), &'static str> {
    let not_one = "not a file of panopol's keys";
    let (magic, rest) = head.split_first_chunk::<8>().ok_or(not_one)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(not_one)?;
    let (_, rest) = rest.split_first_chunk::<4>().ok_or(not_one)?;
    let (journal, rest) = rest.split_first_chunk::<16>().ok_or(not_one)?;
    let check = rest.first_chunk::<WRAPPED>().ok_or(not_one)?;
    if magic != MAGIC {
        return Err(not_one);
    }
    if u32::from_le_bytes(*version) != VERSION {
        return Err("written by a newer panopol; use that one");
    }
    Ok((Hex(*journal), *check))
}

/// Whether `master` made this check value.
pub(super) fn opens(master: &MasterKey, journal: Hex<16>, check: &Wrapped) -> bool {
    open(master.bytes(), &check_identity(journal), check).is_ok()
}

pub(super) fn render_slot(id: KeyId, wrapped: &Wrapped) -> Vec<u8> {
    let mut slot = [[1, 0, 0, 0].as_slice(), &id.0, wrapped].concat();
    let digest = Sha256::digest(&slot);
    slot.extend(digest.iter().take(16));
    slot.resize(SLOT, 0);
    slot
}

pub(super) fn parse_slot(slot: &[u8; SLOT]) -> Slot {
    if slot == &[0; SLOT] {
        return Slot::Free;
    }
    let parsed = slot.split_first_chunk::<CHECKED>().and_then(|(body, sum)| {
        let digest = Sha256::digest(body);
        let (id, wrapped) = body.get(4..)?.split_first_chunk::<16>()?;
        let sound = body.first() == Some(&1) && sum.get(..16) == digest.get(..16);
        sound.then_some((Hex(*id), Box::new(*wrapped.first_chunk::<WRAPPED>()?)))
    });
    parsed.map_or(Slot::Damaged, |(id, wrapped)| Slot::Key(id, wrapped))
}
