//! Files that must still be there after the power went: private from their
//! first byte, written whole, synced, and their directory with them.
//!
//! Knows nothing of what they hold. [`Hex`] is how bytes stand in JSON.

mod container;
mod hex;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub use container::{ContainerError, ContainerReader, ContainerWriter};
pub use hex::{Hex, HexBytes, HexError};

/// Makes a file that is not there yet, readable by its owner alone.
///
/// # Errors
/// The file exists, or cannot be made.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Makes a directory for its owner alone, and its parents; takes an existing
/// one away from everybody else.
///
/// # Errors
/// It cannot be made, or is not ours to change.
pub fn private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let permissions = path.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Gives all that is below `directory` to its owner, where somebody else made
/// it: root, say, working on the state of a service. Links are not followed.
///
/// # Errors
/// It cannot be read, or is not ours to give.
pub fn give_to_owner(directory: &Path) -> io::Result<()> {
    let owner = std::fs::symlink_metadata(directory)?;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let metadata = std::fs::symlink_metadata(&path)?;
        if (metadata.uid(), metadata.gid()) != (owner.uid(), owner.gid()) {
            std::os::unix::fs::lchown(&path, Some(owner.uid()), Some(owner.gid()))?;
        }
        if metadata.is_dir() {
            give_to_owner(&path)?;
        }
    }
    Ok(())
}

/// Makes a directory's entries last.
///
/// # Errors
/// The directory cannot be opened or synced.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The directory that holds `path`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// The name under which the next version of `path` is written.
pub fn pending_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Replaces the file at `path` so that a reader, and a crash, see the old one
/// or the new one and nothing between; `write` fills it.
///
/// # Errors
/// Writing, syncing or renaming failed; the old file is then still there.
pub fn replace_file<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let pending = pending_name(path);
    match std::fs::remove_file(&pending) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let mut file = create_private(&pending)?;
    let written = write(&mut file).and_then(|()| Ok(file.sync_all()?));
    if let Err(error) = written {
        // What failed is already being reported; a leftover is removed next time.
        let _ = std::fs::remove_file(&pending);
        return Err(error);
    }
    std::fs::rename(&pending, path)?;
    sync_directory(parent(path))?;
    Ok(())
}

/// Replaces the file at `path` by `bytes`, as [`replace_file`] does.
///
/// # Errors
/// Writing, syncing or renaming failed; the old file is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, |file| file.write_all(bytes))
}
