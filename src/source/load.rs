//! Reads a policy set, each file once, so that what is hashed is what is compiled.
//!
//! [`PolicyFiles`] is the door: a directory or a single file on disk
//! ([`Directory`]), or bytes already in hand ([`InMemory`]). Knows no policy
//! language; whatever stands on disk, it answers with bytes or with the
//! reason why not, and never waits on a file that is no regular file.

mod directory;
mod memory;
mod regular;

pub use directory::Directory;
pub use memory::InMemory;

/// The largest policy file that is read, in bytes.
pub const POLICY_FILE_LIMIT: u64 = 64 << 20;
/// The largest network file that is read, in bytes.
pub const NETWORK_FILE_LIMIT: u64 = 1 << 30;
/// All policy files of one set together, in bytes.
pub const POLICY_TOTAL_LIMIT: u64 = 1 << 30;
/// The most policy files in one set.
pub const POLICY_COUNT_LIMIT: usize = 10_000;
/// How deep directories may lie in each other.
pub const DEPTH_LIMIT: usize = 64;

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

impl LoadError {
    fn new(message: impl Into<String>) -> Self {
        LoadError {
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
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

/// `path` as `policy_file` means it, without `.` and `..`; none where it
/// climbs out of the set. Knows no links.
pub fn join_relative(policy_file: &str, path: &str) -> Option<String> {
    let directory = policy_file.rsplit_once('/').map_or("", |(head, _)| head);
    let mut parts: Vec<&str> = Vec::new();
    if path.starts_with('/') {
        return None;
    }
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The error of a path that leaves the set.
fn outside() -> LoadError {
    LoadError::new("lies outside the policy set's directory")
        .help("copy the file into the set: what a policy reads is part of its digest")
}

/// `bytes` as a round number with its unit.
fn display_size(bytes: u64) -> String {
    if bytes >= 1 << 30 && bytes.is_multiple_of(1 << 30) {
        format!("{} GiB", bytes >> 30)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

/// The error of a file above `limit` bytes.
fn too_large(limit: u64) -> LoadError {
    LoadError::new(format!("is larger than {}", display_size(limit)))
        .help("split it into several files")
}
