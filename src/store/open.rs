//! The order of a start: journal locked, index asked how far it follows,
//! chain verified whole, missing entries applied, keys opened and tidied.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use jiff::Timestamp;

use super::apply::{Change, apply};
use super::commit::Committer;
use super::error::{StoreError, io_error};
use super::index::{Applied, Index, IndexError};
use super::queue::Queue;
use super::rows::{Anchor, System};
use super::sled_index::SledIndex;
use super::state::State;
use super::{Shared, Store, legacy};
use crate::durable::{self, Hex, HexBytes};
use crate::journal::{
    Actor, AuditKey, AuditPublicKey, Draft, Event, Hash, Journal, JournalId, Link, Scanned,
    SealedSecret, SignedHead, Start,
};
use crate::keyring::{KeyArea, KeyId, MasterKey, random};

/// What the audit key is sealed as.
pub(super) const AUDIT_ROW: &str = "audit key";
const START_EVERY: u64 = 256;

/// Where the state is, and what opens it.
#[derive(Debug)]
pub struct Settings {
    /// The state directory; made where it is not there.
    pub directory: PathBuf,
    /// The key that the private keys are wrapped under.
    pub master_key: MasterKey,
    /// The last head that was put away, where one is at hand.
    pub anchor: Option<SignedHead>,
}

/// Whether an open store may be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreState {
    /// It may.
    Ready,
    /// The journal does not hold what the anchored head covers: an older state
    /// was restored, or the journal was cut off or rewritten. Not ready until
    /// somebody accepts that by name ([`Store::accept_head`]).
    HeadOlderThanAnchor {
        /// What the head covers.
        anchored: Anchor,
        /// The journal's last entry.
        reached: u64,
    },
    /// The anchored head is not one of this journal's; it says nothing.
    ForeignAnchor,
}

pub(super) fn journal_path(directory: &Path) -> PathBuf {
    directory.join("journal")
}

pub(super) fn keys_path(directory: &Path) -> PathBuf {
    directory.join("keys")
}

fn index_path(directory: &Path) -> PathBuf {
    directory.join("index")
}

impl Store {
    /// Opens the store, and begins one where the directory is empty.
    ///
    /// # Errors
    /// In use, the master key is wrong, the journal does not hold, or the
    /// parts of the directory do not belong together.
    pub fn open(settings: Settings, now: Timestamp) -> Result<Store, StoreError> {
        let directory = settings.directory.as_path();
        durable::private_directory(directory).map_err(io_error(directory))?;
        let mut opening = Opening::default();
        let (journal, keys) = if journal_path(directory).exists() {
            opening.existing(
                directory,
                settings.master_key,
                settings.anchor.as_ref(),
                now,
            )?
        } else {
            opening.fresh(directory, settings.master_key, now)?
        };
        opening.finish(directory, journal, keys, settings.anchor.as_ref())
    }
}

/// What is gathered on the way.
#[derive(Default)]
struct Opening {
    state: State,
    index: Option<Box<dyn Index>>,
    /// What the index says it has seen, its rows sound or not.
    applied: Option<Applied>,
    /// Whether the index had to be made again.
    rebuilt: bool,
    pending: Vec<Change>,
    destroyed: HashSet<KeyId>,
    starts: Vec<Start>,
    /// The hash of the entry that the anchor names.
    at_anchor: Option<Hash>,
    uses: Vec<legacy::LegacyUse>,
    notices: Vec<String>,
}

impl Opening {
    /// Begins a journal. A crash before its first entry is made good by the next start.
    fn fresh(
        &mut self,
        directory: &Path,
        master: MasterKey,
        now: Timestamp,
    ) -> Result<(Journal, KeyArea), StoreError> {
        if index_path(directory).exists() {
            return Err(StoreError::NoJournal {
                directory: directory.to_owned(),
                present: "index",
            });
        }
        let journal = Journal::create(&journal_path(directory), Hex(random()?))?;
        let keys = KeyArea::create(&keys_path(directory), master, journal.id())?;
        self.begin(journal, keys, now)
    }

    /// Writes the first entry of a journal that has none.
    fn begin(
        &mut self,
        mut journal: Journal,
        mut keys: KeyArea,
        now: Timestamp,
    ) -> Result<(Journal, KeyArea), StoreError> {
        let audit = AuditKey::generate()?;
        let AuditPublicKey(audit_key) = audit.public()?;
        let mut secret = None;
        for new in keys.create_keys(1)? {
            let sealed = HexBytes(new.key.seal(AUDIT_ROW, &audit.secret()?)?);
            secret = Some(SealedSecret {
                key: new.id,
                sealed,
            });
        }
        let secret = secret.ok_or(StoreError::NoBeginning)?;
        let draft = Draft {
            time: now,
            actor: Actor::server(),
            policy: None,
            event: Event::JournalCreated { audit_key, secret },
        };
        let changes = apply(&self.state, 1, &draft)?;
        journal.append(vec![draft])?;
        changes
            .iter()
            .for_each(|change| self.state.put(change.clone()));
        self.pending.extend(changes);
        Ok((journal, keys))
    }

    fn existing(
        &mut self,
        directory: &Path,
        master: MasterKey,
        anchor: Option<&SignedHead>,
        now: Timestamp,
    ) -> Result<(Journal, KeyArea), StoreError> {
        let path = journal_path(directory);
        let locked = Journal::lock(&path)?;
        let id = locked.id()?;
        let keys_path = keys_path(directory);
        // Before the index, which is put aside where it is of another journal:
        // what does not belong together is refused with nothing changed.
        let keys = if keys_path.exists() {
            Ok(KeyArea::open(&keys_path, master, id)?)
        } else {
            Err(master)
        };
        self.open_index(directory, id);
        let (journal, torn) = locked.open(|scanned| self.visit(&scanned, anchor))?;
        if let Some(torn) = torn {
            self.notices.push(format!("journal: {torn}"));
        }
        self.check_reach(directory, journal.link())?;
        if journal.link().seq == 0 {
            // The very first start was cut short: at most the audit key is there.
            let keys = match keys {
                Ok(keys) if keys.ids().count() > 1 => return Err(StoreError::NoBeginning),
                Ok(keys) => keys,
                Err(master) => KeyArea::create(&keys_path, master, id)?,
            };
            return self.begin(journal, keys, now);
        }
        match keys {
            Ok(keys) => Ok((journal, keys)),
            Err(_) => Err(StoreError::NoKeys(keys_path)),
        }
    }

    /// Opens the index and takes its rows over, where they are of this journal.
    fn open_index(&mut self, directory: &Path, id: JournalId) {
        let path = index_path(directory);
        match self.try_index(&path, id) {
            Ok(()) => {}
            Err(IndexError(cause)) => {
                self.rebuilt = true;
                self.state = State::default();
                // Closed before what it was is put aside.
                self.index = None;
                if let Err(IndexError(again)) = put_aside(&path) {
                    self.notices
                        .push(format!("the index stays where it is: {again}"));
                }
                self.notices
                    .push(format!("the index is made again from the journal: {cause}"));
            }
        }
    }

    fn try_index(&mut self, path: &Path, id: JournalId) -> Result<(), IndexError> {
        durable::private_directory(path).map_err(|cause| IndexError(cause.to_string()))?;
        let index: Box<dyn Index> = Box::new(SledIndex::open(path)?);
        self.uses = index.legacy_uses().unwrap_or_default();
        let index = self.index.insert(index);
        let Some(applied) = index.applied()? else {
            self.rebuilt = true;
            return Ok(());
        };
        if applied.journal != id {
            return Err(IndexError(format!(
                "it is of journal {}, and this is {id}",
                applied.journal
            )));
        }
        let state = &mut self.state;
        // Even an index whose rows are damaged tells how far it had come.
        self.applied = Some(applied);
        index.load(&mut |key, row| state.put((key, Some(row))))
    }

    fn visit(
        &mut self,
        scanned: &Scanned<'_>,
        anchor: Option<&SignedHead>,
    ) -> Result<(), StoreError> {
        if scanned.seq % START_EVERY == 1 {
            self.starts.push(Start {
                seq: scanned.seq,
                offset: scanned.offset,
            });
        }
        if anchor.is_some_and(|anchor| anchor.head.seq == scanned.seq) {
            self.at_anchor = Some(scanned.hash);
        }
        let applied = self.applied;
        if applied.is_some_and(|a| a.seq == scanned.seq && a.hash != scanned.hash) {
            return Err(StoreError::JournalForked { seq: scanned.seq });
        }
        if !self.rebuilt && applied.is_some_and(|applied| scanned.seq <= applied.seq) {
            return Ok(());
        }
        self.replay(scanned)
    }

    fn replay(&mut self, scanned: &Scanned<'_>) -> Result<(), StoreError> {
        let entry = scanned.entry()?;
        let begins = matches!(entry.event(), Event::JournalCreated { .. });
        if begins != (entry.seq == 1) {
            return Err(StoreError::NoBeginning);
        }
        let changes =
            apply(&self.state, entry.seq, &entry.draft).map_err(|refusal| StoreError::Unfit {
                entry: entry.seq,
                refusal,
            })?;
        self.destroyed.extend(entry.event().destroys());
        changes
            .iter()
            .for_each(|change| self.state.put(change.clone()));
        self.pending.extend(changes);
        Ok(())
    }

    fn check_reach(&self, directory: &Path, link: Link) -> Result<(), StoreError> {
        match self.applied {
            Some(applied) if applied.seq > link.seq => Err(StoreError::JournalTooShort {
                directory: directory.to_owned(),
                reached: link.seq,
                seen: applied.seq,
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn finish(
        mut self,
        directory: &Path,
        journal: Journal,
        mut keys: KeyArea,
        anchor: Option<&SignedHead>,
    ) -> Result<Store, StoreError> {
        let system = self.state.system.clone().ok_or(StoreError::NoBeginning)?;
        self.tidy_keys(&mut keys)?;
        let audit_key = open_audit_key(&keys, &system)?;
        let audit_public = AuditPublicKey(system.audit_key);
        self.bring_up_index(directory, &journal);
        let standing = self.judge_anchor(&system, &journal, anchor, audit_public);
        let shared = Arc::new(Shared {
            directory: directory.to_owned(),
            journal: journal.id(),
            state: RwLock::new(self.state),
            link: Mutex::new(journal.link()),
            starts: Mutex::new(self.starts),
            keys: Mutex::new(keys),
            audit_key,
            audit_public,
            uses: Mutex::new(legacy::Uses::new(self.uses)),
            notices: Mutex::new(self.notices),
            standing: Mutex::new(standing),
            index_follows: AtomicBool::new(self.index.is_some()),
        });
        let committer = Committer {
            journal,
            index: self.index,
            shared: Arc::clone(&shared),
        };
        let queue = Arc::new(Queue::new(committer));
        let writing = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writing.run())
            .map_err(io_error(directory))?;
        Ok(Store {
            shared,
            queue,
            thread: Some(thread),
        })
    }

    /// Finishes what a crash may have cut off between an entry and the wiping
    /// of its keys, and between a key and the entry that would have used it.
    fn tidy_keys(&mut self, keys: &mut KeyArea) -> Result<(), StoreError> {
        let needed: HashSet<KeyId> = self.state.key_ids().collect();
        let lost = needed.iter().filter(|id| keys.key(**id).is_err()).count();
        if lost > 0 {
            self.notices.push(format!(
                "{lost} private keys are lost, their slots damaged or destroyed: `keys restore` a backup, or enroll those devices again"
            ));
        }
        if keys.damaged() > 0 {
            self.notices
                .push(format!("{} slots of keys are damaged", keys.damaged()));
        }
        let orphan = |id: &KeyId| !needed.contains(id);
        // With the index just made again nothing vouches for the journal's end:
        // a key that seems unused may belong to entries that were cut off.
        let wipe: Vec<KeyId> = keys
            .ids()
            .filter(|id| orphan(id) && (!self.rebuilt || self.destroyed.contains(id)))
            .collect();
        Ok(keys.destroy(&wipe)?)
    }

    fn bring_up_index(&mut self, directory: &Path, journal: &Journal) {
        let link = journal.link();
        let applied = Applied {
            journal: journal.id(),
            seq: link.seq,
            hash: link.hash,
        };
        let outcome = self.try_bring_up(directory, applied);
        if let Err(IndexError(cause)) = outcome {
            self.index = None;
            self.notices.push(format!(
                "there is no index ({cause}): nothing is lost, but each start reads the whole journal"
            ));
        }
    }

    fn try_bring_up(&mut self, directory: &Path, applied: Applied) -> Result<(), IndexError> {
        let path = index_path(directory);
        let changes = std::mem::take(&mut self.pending);
        if let Some(mut index) = self.index.take() {
            if self.rebuilt {
                index.clear()?;
            }
            index.apply(applied, &changes)?;
            self.index = Some(index);
            return Ok(());
        }
        let mut index = open_or_replace(&path)?;
        index.clear()?;
        index.apply(applied, &changes)?;
        self.index = Some(index);
        Ok(())
    }

    fn judge_anchor(
        &self,
        system: &System,
        journal: &Journal,
        anchor: Option<&SignedHead>,
        key: AuditPublicKey,
    ) -> StoreState {
        let Some(signed) = anchor else {
            return StoreState::Ready;
        };
        let anchored = Anchor {
            seq: signed.head.seq,
            hash: signed.head.hash,
        };
        if signed.head.journal != journal.id() || !signed.is_signed_by(&key) {
            return StoreState::ForeignAnchor;
        }
        if self.at_anchor == Some(anchored.hash) || system.accepted == Some(anchored) {
            return StoreState::Ready;
        }
        StoreState::HeadOlderThanAnchor {
            anchored,
            reached: journal.link().seq,
        }
    }
}

fn open_audit_key(keys: &KeyArea, system: &System) -> Result<AuditKey, StoreError> {
    let secret = &system.audit_secret;
    let secret = keys.key(secret.key)?.open(AUDIT_ROW, &secret.sealed.0)?;
    Ok(AuditKey::from_secret(&secret)?)
}

/// Opens the index; one that does not open is put aside and begun anew.
fn open_or_replace(path: &Path) -> Result<Box<dyn Index>, IndexError> {
    durable::private_directory(path).map_err(|cause| IndexError(cause.to_string()))?;
    if let Ok(index) = SledIndex::open(path) {
        return Ok(Box::new(index));
    }
    put_aside(path)?;
    durable::private_directory(path).map_err(|cause| IndexError(cause.to_string()))?;
    Ok(Box::new(SledIndex::open(path)?))
}

/// Keeps what an index was, for whoever wants to know why.
fn put_aside(path: &Path) -> Result<(), IndexError> {
    let aside = path.with_extension("damaged");
    let removed = match std::fs::remove_dir_all(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    let moved = removed.and_then(|()| std::fs::rename(path, &aside));
    moved.map_err(|cause| IndexError(cause.to_string()))
}
