//! Appends records to a JSON Lines file that rotates by size.
//!
//! A record is evidence, not state: it is written in whole lines and flushed
//! to the operating system, without a sync.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Record;

/// The file that is written to; older ones are `records-TIME.jsonl`.
pub(super) const CURRENT: &str = "records.jsonl";

/// How large a file grows and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes after which a new file is begun.
    pub max_bytes: u64,
    /// How many full files are kept beside the current one.
    pub keep: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Rotation {
            max_bytes: 64 << 20,
            keep: 16,
        }
    }
}

/// A rotating file of records.
#[derive(Debug)]
pub struct RecordLog {
    directory: PathBuf,
    rotation: Rotation,
    file: File,
    written: u64,
    /// Whether the file ends within a line that could not be written whole.
    torn: bool,
    line: Vec<u8>,
}

impl RecordLog {
    /// Opens the file in `directory` for appending, making both where missing;
    /// the file is readable by its owner alone.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(directory: &Path, rotation: Rotation) -> io::Result<RecordLog> {
        crate::durable::private_directory(directory)?;
        let file = open_current(directory)?;
        let written = file.metadata()?.len();
        Ok(RecordLog {
            directory: directory.to_owned(),
            rotation,
            torn: ends_torn(directory, written)?,
            file,
            written,
            line: Vec::new(),
        })
    }

    /// Appends `record` as one line; begins a new file first where this one is full.
    ///
    /// # Errors
    /// What the file system says; the line is then not counted on.
    pub fn append(&mut self, record: &Record, now: Timestamp) -> io::Result<()> {
        if self.written >= self.rotation.max_bytes {
            self.rotate(now)?;
        }
        self.line.clear();
        if self.torn {
            // What stands there is no record; this one stays whole.
            self.line.push(b'\n');
        }
        serde_json::to_writer(&mut self.line, record)?;
        self.line.push(b'\n');
        self.torn = true;
        self.file.write_all(&self.line)?;
        self.torn = false;
        self.written += self.line.len() as u64;
        Ok(())
    }

    /// The path of the file that is written to.
    pub fn current(&self) -> PathBuf {
        self.directory.join(CURRENT)
    }

    fn rotate(&mut self, now: Timestamp) -> io::Result<()> {
        let full = format!("records-{:020}.jsonl", now.as_nanosecond().max(0));
        std::fs::rename(self.current(), self.directory.join(full))?;
        self.file = open_current(&self.directory)?;
        self.written = 0;
        self.torn = false;
        let full_files = full_files(&self.directory)?;
        let excess = full_files.len().saturating_sub(self.rotation.keep);
        for path in full_files.iter().take(excess) {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }
}

/// The full files of a log, oldest first.
pub(super) fn full_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut full_files: Vec<PathBuf> = std::fs::read_dir(directory)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("records-"))
        })
        .collect();
    full_files.sort();
    Ok(full_files)
}

/// Whether the current file, of `length` bytes, ends within a line.
fn ends_torn(directory: &Path, length: u64) -> io::Result<bool> {
    let Some(at) = length.checked_sub(1) else {
        return Ok(false);
    };
    let mut last = [0];
    File::open(directory.join(CURRENT))?.read_exact_at(&mut last, at)?;
    Ok(last != *b"\n")
}

fn open_current(directory: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(directory.join(CURRENT))
}
