//! Reads one regular file, whole, or says why not.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::{LoadError, too_large};

/// `O_NONBLOCK`, so that opening a FIFO that was put in a file's place
/// between the look and the opening does not wait for its writer.
const O_NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 4 };

/// What the system calls too many links in a row.
const ELOOP: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };

/// Reads the regular file at `path`, of at most `limit` bytes.
///
/// # Errors
/// Unreadable, not a regular file, too large, or changed while it was read.
pub(super) fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, LoadError> {
    // Opening a device may already act on it, so its type is looked at before
    // the opening, and again on what was opened.
    let found = std::fs::metadata(path).map_err(|error| io_error(&error))?;
    expect_regular(found.file_type())?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK)
        .open(path)
        .map_err(|error| io_error(&error))?;
    let before = file.metadata().map_err(|error| io_error(&error))?;
    expect_regular(before.file_type())?;
    if before.len() > limit {
        return Err(too_large(limit));
    }
    let bytes = read_up_to(&file, before.len(), limit)?;
    let after = file.metadata().map_err(|error| io_error(&error))?;
    if stamp(&before) != stamp(&after) || bytes.len() as u64 != before.len() {
        return Err(LoadError::new("changed while it was read")
            .help("write the new text to another file and rename it over this one"));
    }
    Ok(bytes)
}

fn read_up_to(file: &File, expected: u64, limit: u64) -> Result<Vec<u8>, LoadError> {
    let mut bytes = Vec::new();
    let capacity = usize::try_from(expected).unwrap_or(usize::MAX);
    bytes
        .try_reserve_exact(capacity.saturating_add(1))
        .map_err(|_| LoadError::new("does not fit into memory"))?;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| io_error(&error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(bytes)
}

/// What changes when somebody writes to a file.
fn stamp(metadata: &Metadata) -> (u64, u64, u64, i64, i64, i64, i64) {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    )
}

/// # Errors
/// Names what it is when it is no regular file.
pub(super) fn expect_regular(kind: FileType) -> Result<(), LoadError> {
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "something else"
    };
    Err(LoadError::new(format!("is {what}, not a regular file")))
}

/// An operating system's error in few words.
pub(super) fn io_error(error: &io::Error) -> LoadError {
    match error.kind() {
        io::ErrorKind::NotFound => LoadError::new("does not exist"),
        io::ErrorKind::PermissionDenied => LoadError::new("may not be read: permission denied"),
        _ if error.raw_os_error() == Some(ELOOP) => {
            LoadError::new("is a link that leads back to itself")
        }
        _ => LoadError::new(format!("cannot be read: {error}")),
    }
}
