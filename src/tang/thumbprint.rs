//! Thumbprints of a key under the five hashes that Tang knows.
//!
//! Source: RFC 7638; the names are those of `jose jwk thp -a`. Tang finds a key
//! by any of them (`src/keys.c` `find_by_thp`), so that a disk bound years ago
//! under SHA-1 still opens.

use base64ct::{Base64UrlUnpadded, Encoding};
use openssl::sha::{sha1, sha224, sha256, sha384, sha512};

/// A hash that a thumbprint may be made with, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// SHA-1: the file names of Tang before version 10.
    S1,
    /// SHA-224.
    S224,
    /// SHA-256: the file names of Tang now.
    S256,
    /// SHA-384.
    S384,
    /// SHA-512.
    S512,
}

impl Hash {
    /// Every hash, in the order in which Tang tries them.
    pub const ALL: [Hash; 5] = [Hash::S1, Hash::S224, Hash::S256, Hash::S384, Hash::S512];

    /// The name that `jose` gives it.
    pub const fn word(self) -> &'static str {
        match self {
            Hash::S1 => "S1",
            Hash::S224 => "S224",
            Hash::S256 => "S256",
            Hash::S384 => "S384",
            Hash::S512 => "S512",
        }
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// The thumbprints of one key, made once.
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbprints {
    s1: [u8; 20],
    s224: [u8; 28],
    s256: [u8; 32],
    s384: [u8; 48],
    s512: [u8; 64],
}

impl Thumbprints {
    /// Of the canonical JSON of a key: its required members, sorted, compact.
    pub(super) fn of(canonical: &[u8]) -> Self {
        Thumbprints {
            s1: sha1(canonical),
            s224: sha224(canonical),
            s256: sha256(canonical),
            s384: sha384(canonical),
            s512: sha512(canonical),
        }
    }

    fn bytes(&self, hash: Hash) -> &[u8] {
        match hash {
            Hash::S1 => &self.s1,
            Hash::S224 => &self.s224,
            Hash::S256 => &self.s256,
            Hash::S384 => &self.s384,
            Hash::S512 => &self.s512,
        }
    }

    /// The thumbprint under `hash`, in unpadded base64url.
    pub fn text(&self, hash: Hash) -> String {
        Base64UrlUnpadded::encode_string(self.bytes(hash))
    }

    /// The hash under which this key's thumbprint is `text`, exactly.
    pub fn hash_of(&self, text: &str) -> Option<Hash> {
        let mut buffer = [0; 64];
        let given = Base64UrlUnpadded::decode(text, &mut buffer).ok()?;
        Hash::ALL
            .into_iter()
            .find(|&hash| self.bytes(hash) == given)
    }
}

impl std::fmt::Debug for Thumbprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text(Hash::S256))
    }
}
