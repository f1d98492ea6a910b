//! Appends entries and returns when they are on disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::frame;
use super::read::{Frames, Link, Scanned, render_payload, scan};
use super::{Draft, Entry, JournalError, JournalId, Medium, Torn};
use crate::durable;

const LOCK_TRIES: u32 = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A journal open for appending, by this process alone.
pub struct Journal {
    medium: Box<dyn Medium>,
    id: JournalId,
    link: Link,
    poisoned: Option<String>,
    /// Held for its lock.
    _lock: File,
}

impl Journal {
    /// Begins a journal at `path`, where none may be yet.
    ///
    /// # Errors
    /// Something is there, another process works on it, or the disk said no.
    pub fn create(path: &Path, id: JournalId) -> Result<Self, JournalError> {
        let locked = Self::lock(path)?;
        if path.exists() {
            return Err(io_error(path)(io::ErrorKind::AlreadyExists.into()));
        }
        durable::replace_file(path, |file| file.write_all(&frame::render_file_head(id)))
            .map_err(io_error(path))?;
        locked.open(|_| Ok(())).map(|(journal, _)| journal)
    }

    /// Takes the journal at `path` for this process alone.
    ///
    /// # Errors
    /// Another process has it, or the disk said no.
    pub fn lock(path: &Path) -> Result<Locked, JournalError> {
        Ok(Locked {
            path: path.to_owned(),
            lock: lock(path)?,
        })
    }

    /// Takes and opens the journal at `path`; see [`Locked::open`].
    ///
    /// # Errors
    /// As [`Journal::lock`] and [`Locked::open`].
    pub fn open<E: From<JournalError>>(
        path: &Path,
        visit: impl FnMut(Scanned<'_>) -> Result<(), E>,
    ) -> Result<(Self, Option<Torn>), E> {
        Self::lock(path)?.open(visit)
    }

    /// Its name.
    pub fn id(&self) -> JournalId {
        self.id
    }

    /// Its last entry.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Writes to another medium from now on; for the test of disks that fail.
    pub fn replace_medium(&mut self, medium: Box<dyn Medium>) {
        self.medium = medium;
    }

    /// Gives each draft its place, writes them all, syncs once, and only then
    /// returns the entries, in order.
    ///
    /// # Errors
    /// A write failed and was taken back ([`JournalError::NotWritten`]); or a
    /// sync failed, or the taking back did: then this journal takes no more.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<Vec<Entry>, JournalError> {
        if let Some(why) = &self.poisoned {
            return Err(JournalError::Poisoned(why.clone()));
        }
        let mut bytes = Vec::new();
        let mut link = self.link;
        let mut entries = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let payload = render_payload(&draft)?;
            link.seq += 1;
            link.hash = frame::render_frame(&mut bytes, link.seq, link.hash, &payload);
            entries.push(Entry {
                seq: link.seq,
                hash: link.hash,
                draft,
            });
        }
        link.end += bytes.len() as u64;
        if let Err(cause) = self.medium.append(&bytes) {
            return Err(self.take_back(cause));
        }
        if let Err(cause) = self.medium.sync() {
            // After a failed sync the kernel may have dropped the pages: a
            // second sync that succeeds would prove nothing.
            return Err(self.poison(format!("a sync failed: {cause}")));
        }
        self.link = link;
        Ok(entries)
    }

    /// After a failed write (a full disk, say) the file ends in part of a
    /// batch that nobody may find later.
    fn take_back(&mut self, cause: io::Error) -> JournalError {
        let end = self.link.end;
        let cut = self.medium.cut(end).and_then(|()| self.medium.sync());
        match cut {
            Ok(()) => JournalError::NotWritten(cause),
            Err(second) => self.poison(format!(
                "a write failed ({cause}), and so did taking it back ({second})"
            )),
        }
    }

    fn poison(&mut self, why: String) -> JournalError {
        self.poisoned = Some(why.clone());
        JournalError::Poisoned(why)
    }
}

/// A journal that no other process can open.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    lock: File,
}

impl Locked {
    /// The journal's name, as its head says.
    ///
    /// # Errors
    /// The disk said no, or it is not a journal.
    pub fn id(&self) -> Result<JournalId, JournalError> {
        let file = File::open(&self.path).map_err(io_error(&self.path))?;
        Frames::open(&self.path, file).map(|frames| frames.id)
    }

    /// Verifies the whole chain, shows each entry to `visit`, and cuts off
    /// what a crash left after the last one.
    ///
    /// # Errors
    /// The chain does not hold, or the disk or `visit` said no.
    pub fn open<E: From<JournalError>>(
        self,
        visit: impl FnMut(Scanned<'_>) -> Result<(), E>,
    ) -> Result<(Journal, Option<Torn>), E> {
        let path = self.path.as_path();
        let reading = File::open(path).map_err(io_error(path))?;
        let end = scan(path, reading, visit)?;
        let opened = OpenOptions::new().append(true).open(path);
        let mut file = opened.map_err(io_error(path))?;
        if end.torn.is_some() {
            let cut = file.cut(end.link.end).and_then(|()| file.sync());
            cut.map_err(io_error(path))?;
        }
        let journal = Journal {
            medium: Box::new(file),
            id: end.id,
            link: end.link,
            poisoned: None,
            _lock: self.lock,
        };
        Ok((journal, end.torn))
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("id", &self.id)
            .field("link", &self.link)
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&name)
        .map_err(io_error(&name))?;
    // A server that is just ending, or a program that it is just starting,
    // holds the lock a moment longer.
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(cause)) => return Err(io_error(&name)(cause)),
        }
    }
    Err(JournalError::InUse(path.to_owned()))
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> JournalError {
    move |cause| JournalError::Io {
        path: path.to_owned(),
        cause,
    }
}
