//! The bytes of a journal. Numbers are little-endian.
//!
//! File head, 64 bytes: magic (8), format version (u32), zero (u32), journal
//! id (16), SHA-256 of those 32 bytes. That digest is the hash that the first
//! entry follows.
//!
//! Frame: length of the payload (u32), version (u32), number (u64), hash of
//! the entry before (32), check (first 8 bytes of the SHA-256 of those 48),
//! payload (JSON of a draft), SHA-256 of all the frame before it (32). The
//! check lets a reader believe the length before it has the payload: else a
//! flipped bit there could pass for a write that a crash cut short.

use sha2::{Digest, Sha256};

use super::{Hash, JournalId};
use crate::durable::Hex;

pub(super) const FILE_HEAD: usize = 64;
pub(super) const FRAME_HEAD: usize = 56;
pub(super) const FRAME_HASH: usize = 32;
/// The longest payload.
pub(super) const LONGEST: usize = 16 << 20;
const CHECKED: usize = 48;
const CHECK: usize = 8;
const MAGIC: &[u8; 8] = b"PANOPOLJ";
const FILE_VERSION: u32 = 1;
const FRAME_VERSION: u32 = 1;

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) length: usize,
    pub(super) seq: u64,
    pub(super) previous: Hash,
}

/// Why a frame's head cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadFault {
    /// The check does not match: damaged.
    Check,
    /// Sound, but of a later format.
    Version(u32),
    /// Sound, but longer than any entry.
    Length,
}

pub(super) fn render_file_head(id: JournalId) -> [u8; FILE_HEAD] {
    let mut body = [MAGIC.as_slice(), &FILE_VERSION.to_le_bytes(), &[0; 4]].concat();
    body.extend(id.0);
    body.extend(Sha256::digest(&body));
    let mut head = [0; FILE_HEAD];
    head.iter_mut().zip(body).for_each(|(to, from)| *to = from);
    head
}

/// The journal's id and the hash that its first entry follows.
pub(super) fn parse_file_head(head: &[u8; FILE_HEAD]) -> Result<(JournalId, Hash), &'static str> {
    let damaged = "its head is damaged";
    let (body, digest) = head.split_last_chunk::<32>().ok_or(damaged)?;
    let (magic, rest) = body.split_first_chunk::<8>().ok_or(damaged)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(damaged)?;
    let id = rest.last_chunk::<16>().ok_or(damaged)?;
    if magic != MAGIC {
        return Err("it does not begin as a journal does");
    }
    if Sha256::digest(body)[..] != digest[..] {
        return Err(damaged);
    }
    if u32::from_le_bytes(*version) != FILE_VERSION {
        return Err("a newer panopol wrote it; use that one");
    }
    Ok((Hex(*id), Hex(*digest)))
}

/// Appends one frame to `to` and returns its hash.
pub(super) fn render_frame(to: &mut Vec<u8>, seq: u64, previous: Hash, payload: &[u8]) -> Hash {
    let begin = to.len();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    to.extend(length.to_le_bytes());
    to.extend(FRAME_VERSION.to_le_bytes());
    to.extend(seq.to_le_bytes());
    to.extend(previous.0);
    let check = Sha256::digest(to.get(begin..).unwrap_or_default());
    to.extend(check.iter().take(CHECK));
    to.extend(payload);
    let hash = Sha256::digest(to.get(begin..).unwrap_or_default());
    to.extend(hash);
    Hex(hash.into())
}

pub(super) fn parse_frame_head(head: &[u8; FRAME_HEAD]) -> Result<FrameHead, HeadFault> {
    let fields = head
        .split_first_chunk::<CHECKED>()
        .and_then(|(body, check)| {
            let digest = Sha256::digest(body);
            if digest.get(..CHECK) != Some(check) {
                return None;
            }
            let (length, rest) = body.split_first_chunk::<4>()?;
            let (version, rest) = rest.split_first_chunk::<4>()?;
            let (seq, rest) = rest.split_first_chunk::<8>()?;
            Some((
                u32::from_le_bytes(*length) as usize,
                u32::from_le_bytes(*version),
                u64::from_le_bytes(*seq),
                Hex(*rest.first_chunk::<32>()?),
            ))
        });
    let (length, version, seq, previous) = fields.ok_or(HeadFault::Check)?;
    if version != FRAME_VERSION {
        return Err(HeadFault::Version(version));
    }
    if length > LONGEST {
        return Err(HeadFault::Length);
    }
    Ok(FrameHead {
        length,
        seq,
        previous,
    })
}

/// The hash that a frame with this head and payload must carry.
pub(super) fn frame_hash(head: &[u8; FRAME_HEAD], payload: &[u8]) -> Hash {
    let mut digest = Sha256::new();
    digest.update(head);
    digest.update(payload);
    Hex(digest.finalize().into())
}
