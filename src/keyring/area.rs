//! The file of wrapped data keys: slots that are written, synced, and wiped.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::slot::{self, SLOT, Slot, Wrapped};
use super::{DataKey, KeyId, KeyringError, MasterKey};
use crate::durable::{self, Hex};

/// A data key that has just been put in its slot.
pub struct NewKey {
    /// Its name.
    pub id: KeyId,
    /// The key, to seal its secret with.
    pub key: DataKey,
}

/// The data keys of one journal, wrapped, each in a slot of one file.
#[derive(Debug)]
pub struct KeyArea {
    file: File,
    path: PathBuf,
    master: MasterKey,
    journal: Hex<16>,
    keys: HashMap<KeyId, (u64, Box<Wrapped>)>,
    free: Vec<u64>,
    /// The slot after the last; slots count from 1, the head is 0.
    next: u64,
    damaged: usize,
    poisoned: bool,
}

impl KeyArea {
    /// Makes an empty one.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: &Path, master: MasterKey, journal: Hex<16>) -> Result<Self, KeyringError> {
        let head = slot::render_head(&master, journal)?;
        let made = durable::replace(path, &head);
        made.map_err(|cause| io_error(path, cause))?;
        Self::open(path, master, journal)
    }

    /// Opens the one of `journal`.
    ///
    /// # Errors
    /// Unreadable, of another journal, or wrapped under another master key.
    pub fn open(path: &Path, master: MasterKey, journal: Hex<16>) -> Result<Self, KeyringError> {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        let file = opened.map_err(|cause| io_error(path, cause))?;
        let mut area = KeyArea {
            file,
            path: path.to_owned(),
            master,
            journal,
            keys: HashMap::new(),
            free: Vec::new(),
            next: 1,
            damaged: 0,
            poisoned: false,
        };
        area.read_slots()?;
        Ok(area)
    }

    fn read_slots(&mut self) -> Result<(), KeyringError> {
        let mut bytes = [0; SLOT];
        let mut reader = io::BufReader::new(&self.file);
        let head = reader.read_exact(&mut bytes);
        head.map_err(|cause| io_error(&self.path, cause))?;
        self.check_head(&bytes)?;
        let mut slots = Vec::new();
        while read_whole(&mut reader, &mut bytes).map_err(|cause| io_error(&self.path, cause))? {
            slots.push(slot::parse_slot(&bytes));
        }
        for (slot, at) in slots.into_iter().zip(1..) {
            self.next = at + 1;
            match slot {
                Slot::Free => self.free.push(at),
                Slot::Damaged => self.damaged += 1,
                Slot::Key(id, wrapped) => {
                    self.keys.insert(id, (at, wrapped));
                }
            }
        }
        Ok(())
    }

    fn check_head(&self, head: &[u8; SLOT]) -> Result<(), KeyringError> {
        let (journal, check) = slot::parse_head(head).map_err(|fault| KeyringError::Damaged {
            path: self.path.clone(),
            fault,
        })?;
        if journal != self.journal {
            return Err(KeyringError::ForeignKeys {
                path: self.path.clone(),
                found: journal.to_string(),
                expected: self.journal.to_string(),
            });
        }
        if !slot::opens(&self.master, journal, &check) {
            return Err(KeyringError::WrongMasterKey(self.path.clone()));
        }
        Ok(())
    }

    /// The keys that are there.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.keys.keys().copied()
    }

    /// How many slots were damaged when the file was opened.
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// Draws `count` data keys and returns when they are on disk.
    ///
    /// # Errors
    /// The disk said no; then none of them is kept.
    pub fn create_keys(&mut self, count: usize) -> Result<Vec<NewKey>, KeyringError> {
        self.check_sound()?;
        let mut made = Vec::with_capacity(count);
        for _ in 0..count {
            let id = Hex(super::random()?);
            let key = DataKey::generate()?;
            let wrapped = slot::wrap(&self.master, self.journal, id, &key)?;
            let at = self.take_slot();
            self.keys.insert(id, (at, Box::new(wrapped)));
            made.push(NewKey { id, key });
            if let Err(cause) = self.write_slot(at, &slot::render_slot(id, &wrapped)) {
                return Err(self.give_back(&made, cause));
            }
        }
        self.sync()?;
        Ok(made)
    }

    fn take_slot(&mut self) -> u64 {
        self.free.pop().unwrap_or_else(|| {
            let at = self.next;
            self.next += 1;
            at
        })
    }

    /// After a write that failed (a full disk, say): forgets what was drawn.
    /// Its half-written slots are wiped when they can be, and else are
    /// reported as damaged by the next start.
    fn give_back(&mut self, made: &[NewKey], cause: io::Error) -> KeyringError {
        for new in made {
            if let Some((at, _)) = self.keys.remove(&new.id)
                && self.write_slot(at, &[0; SLOT]).is_ok()
            {
                self.free.push(at);
            }
        }
        io_error(&self.path, cause)
    }

    /// Unwraps one data key.
    ///
    /// # Errors
    /// It is not there, or does not unwrap.
    pub fn key(&self, id: KeyId) -> Result<DataKey, KeyringError> {
        let (_, wrapped) = self.keys.get(&id).ok_or(KeyringError::NoSuchKey(id))?;
        slot::unwrap(&self.master, self.journal, id, wrapped)
    }

    /// Overwrites the slots of `ids` and returns when that is on disk. A key
    /// that is not there is destroyed already.
    ///
    /// # Errors
    /// The disk said no; they may still be there, and nothing is changed any more.
    pub fn destroy(&mut self, ids: &[KeyId]) -> Result<(), KeyringError> {
        self.check_sound()?;
        let mut wiped = false;
        for id in ids {
            let Some((at, _)) = self.keys.remove(id) else {
                continue;
            };
            wiped = true;
            if let Err(cause) = self.write_slot(at, &[0; SLOT]) {
                self.poisoned = true;
                return Err(io_error(&self.path, cause));
            }
            self.free.push(at);
        }
        if wiped { self.sync() } else { Ok(()) }
    }

    /// Wraps every data key under another master key, in a new file that
    /// takes the place of the old one. Returns the key that held before.
    ///
    /// # Errors
    /// A key does not unwrap, or the disk said no; the old file then stands.
    pub fn change_master(&mut self, master: MasterKey) -> Result<MasterKey, KeyringError> {
        self.check_sound()?;
        let mut bytes = slot::render_head(&master, self.journal)?;
        for id in self.ids() {
            let wrapped = slot::wrap(&master, self.journal, id, &self.key(id)?)?;
            bytes.extend(slot::render_slot(id, &wrapped));
        }
        let replaced = durable::replace(&self.path, &bytes);
        replaced.map_err(|cause| io_error(&self.path, cause))?;
        let changed = Self::open(&self.path, master, self.journal)?;
        Ok(std::mem::replace(self, changed).master)
    }

    /// Writes a copy of the whole file.
    ///
    /// # Errors
    /// Reading or writing failed.
    pub fn copy_to(&self, to: &mut dyn Write) -> Result<(), KeyringError> {
        let copied = File::open(&self.path).and_then(|mut from| io::copy(&mut from, to));
        copied.map_err(|cause| io_error(&self.path, cause))?;
        Ok(())
    }

    fn write_slot(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, at * SLOT as u64)
    }

    fn sync(&mut self) -> Result<(), KeyringError> {
        self.file.sync_data().map_err(|cause| {
            // After a failed sync the page cache no longer tells what is on disk.
            self.poisoned = true;
            io_error(&self.path, cause)
        })
    }

    fn check_sound(&self) -> Result<(), KeyringError> {
        if self.poisoned {
            return Err(KeyringError::Poisoned(self.path.clone()));
        }
        Ok(())
    }
}

fn io_error(path: &Path, cause: io::Error) -> KeyringError {
    KeyringError::Io {
        path: path.to_owned(),
        cause,
    }
}

/// Fills `bytes`; false at the end, a cut slot included.
fn read_whole(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
