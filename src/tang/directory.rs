//! A Tang key directory: read, filled when empty, seen to change.
//!
//! Source: Tang `src/keys.c` `load_keys` (every `*.jwk`; a leading `.` hides it)
//! and `create_new_keys`. Unlike Tang, which takes directory order, keys stand in
//! the order of their file names, so that an advertisement is the same each time.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::{CryptoError, ExchangeKey, Key, KeyError, PublicKey, SigningKey};
use super::ring::{KeyRing, RingError, Standing};
use super::thumbprint::Hash;

/// The longest key file that is read, in bytes; a key takes about 350.
const MAX_FILE: u64 = 64 * 1024;

/// What a Tang key directory holds.
#[derive(Debug)]
pub struct KeyDirectory {
    /// The keys, by file name.
    pub keys: Vec<KeyFile>,
    /// The `*.jwk` files that hold no usable key, and why.
    pub skipped: Vec<SkippedFile>,
    /// The files as they stood when they were read.
    pub seen: Seen,
}

/// A key and the file that holds it.
#[derive(Debug)]
pub struct KeyFile {
    /// The file's name.
    pub name: String,
    /// Hidden where the name begins with `.`.
    pub standing: Standing,
    /// The hash under which the name is the key's thumbprint; `None` where an
    /// operator chose the name.
    pub named_by: Option<Hash>,
    /// The key itself.
    pub key: Key,
}

/// A file that was passed over.
#[derive(Debug)]
pub struct SkippedFile {
    /// The file's name.
    pub name: String,
    /// Why it was.
    pub fault: FileFault,
}

/// Why a key file was passed over.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A directory, a pipe, a device.
    #[error("is not a regular file")]
    NotAFile,
    /// Longer than a key file can be.
    #[error("is longer than 64 KiB")]
    TooLarge,
    /// It holds no usable key.
    #[error("holds no usable key: {0}")]
    Key(#[from] KeyError),
}

/// Why a key directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It could not be listed.
    #[error("cannot read the key directory `{path}`: {source}", path = path.display())]
    Unreadable {
        /// Which directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A first pair could not be written.
    #[error("cannot create keys in `{path}`: {source}", path = path.display())]
    Create {
        /// Which directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A first pair could not be made.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The key files of a directory as they stood: any difference means that keys
/// may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    path: PathBuf,
    files: Vec<(OsString, Option<FileStamp>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FileStamp {
    inode: (u64, u64),
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl KeyDirectory {
    /// Reads the directory; what is not a usable key is passed over and named.
    ///
    /// # Errors
    /// Where the directory cannot be listed.
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        // Before the files: a change while they are read shows as one afterwards.
        let seen = Seen::look(path)?;
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (file_name, _) in &seen.files {
            let name = file_name.to_string_lossy().into_owned();
            match read_key(&path.join(file_name)) {
                Ok(key) => keys.push(KeyFile {
                    standing: standing(file_name),
                    named_by: named_by(&name, key.public()),
                    name,
                    key,
                }),
                Err(fault) => skipped.push(SkippedFile { name, fault }),
            }
        }
        Ok(KeyDirectory {
            keys,
            skipped,
            seen,
        })
    }

    /// Reads the directory, and first makes a pair where it has no current key
    /// file at all, as Tang does. A directory whose current files are all broken
    /// is left alone: a new pair would only hide that.
    ///
    /// # Errors
    /// Where the directory cannot be listed, or the pair not be written.
    pub fn read_or_create(path: &Path) -> Result<Self, DirectoryError> {
        if !Seen::look(path)?.has_current() {
            create_pair(path)?;
        }
        Self::read(path)
    }

    /// The endpoint that the keys make.
    ///
    /// # Errors
    /// Where no current key signs.
    pub fn into_ring(self) -> Result<KeyRing, RingError> {
        KeyRing::new(self.keys.into_iter().map(|file| (file.key, file.standing)))
    }
}

fn standing(name: &OsStr) -> Standing {
    if name.as_encoded_bytes().starts_with(b".") {
        Standing::Hidden
    } else {
        Standing::Current
    }
}

fn named_by(name: &str, key: &PublicKey) -> Option<Hash> {
    let stem = name
        .strip_prefix('.')
        .unwrap_or(name)
        .strip_suffix(".jwk")?;
    key.thumbprints().hash_of(stem)
}

impl Seen {
    fn look(path: &Path) -> Result<Self, DirectoryError> {
        let files = list(path).map_err(|source| DirectoryError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Ok(Seen {
            path: path.to_owned(),
            files,
        })
    }

    /// Whether the files are other ones now.
    ///
    /// # Errors
    /// Where the directory cannot be listed now.
    pub fn changed(&self) -> Result<bool, DirectoryError> {
        Ok(Self::look(&self.path)? != *self)
    }

    fn has_current(&self) -> bool {
        self.files
            .iter()
            .any(|(name, _)| standing(name) == Standing::Current)
    }
}

fn list(path: &Path) -> io::Result<Vec<(OsString, Option<FileStamp>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if name.as_encoded_bytes().ends_with(b".jwk") {
            let metadata = fs::metadata(path.join(&name)).ok();
            files.push((name, metadata.as_ref().map(FileStamp::of)));
        }
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(files)
}

impl FileStamp {
    fn of(metadata: &fs::Metadata) -> Self {
        FileStamp {
            inode: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn read_key(path: &Path) -> Result<Key, FileFault> {
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(FileFault::NotAFile);
    }
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    if len > MAX_FILE {
        return Err(FileFault::TooLarge);
    }
    // Room for all of it at once, so that no outgrown buffer keeps a copy of the secret.
    let mut bytes = Zeroizing::new(Vec::with_capacity(len as usize + 1));
    file.take(len).read_to_end(&mut bytes)?;
    Ok(Key::from_jwk(&bytes)?)
}

/// Source: Tang `src/keys.c` `create_new_keys`: mode 0440, named by SHA-256.
fn create_pair(path: &Path) -> Result<(), DirectoryError> {
    let signing = SigningKey::generate()?;
    let exchange = ExchangeKey::generate()?;
    let failed = |source| DirectoryError::Create {
        path: path.to_owned(),
        source,
    };
    // The signing key last: Tang and this alike take a directory without one as
    // broken, so a crash between the two is noticed.
    write_key(path, exchange.public(), &exchange.to_jwk()).map_err(failed)?;
    write_key(path, signing.public(), &signing.to_jwk()).map_err(failed)?;
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)
}

/// Written whole under a name that is no key's, then given its own.
fn write_key(path: &Path, public: &PublicKey, jwk: &str) -> io::Result<()> {
    let thumbprint = public.thumbprints().text(Hash::S256);
    let unfinished = path.join(format!(".{thumbprint}.new"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o440)
        .open(&unfinished)?;
    file.write_all(jwk.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path.join(format!("{thumbprint}.jwk")))
}
