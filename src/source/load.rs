//! Reads a policy set, each file once, so that what is hashed is what is compiled.
//!
//! [`PolicyFiles`] is the door: a directory or a single file on disk
//! ([`Directory`]), or bytes already in hand ([`InMemory`]).

use std::collections::BTreeMap;

/// One file's bytes under the path that messages show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedFile {
    /// Path relative to the set, with `/` between its parts.
    pub path: String,
    /// What it held when it was read.
    pub bytes: Vec<u8>,
}

/// Why a file could not be read, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LoadError {
    /// The cause, without the path.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// Where a policy set comes from.
pub trait PolicyFiles {
    /// Reads every policy file, sorted by path, and says which could not be read.
    fn policy_files(&mut self) -> Vec<Result<LoadedFile, (String, LoadError)>>;

    /// Reads the network file that `policy_file` names as `path`, relative to
    /// itself; links are resolved before it is held against the set's directory.
    ///
    /// # Errors
    /// Missing, outside the set, not a regular file, too large, or changed while read.
    fn network_file(&mut self, policy_file: &str, path: &str) -> Result<LoadedFile, LoadError>;
}

/// Files already in hand, by path.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    /// The files; those that end in `.pano` are policy files.
    pub files: BTreeMap<String, Vec<u8>>,
}
