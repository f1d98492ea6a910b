//! Classes that a program keeps: found once for each set of tags, shared where
//! they are equal, each with its row.
//!
//! Nothing here changes an answer. What no longer fits into the budget is
//! found anew each time, and judged without a row.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use super::unlock::row::Row;
use super::{Class, Classified, Program, subject};
use crate::ir::UnlockId;

/// Bytes that a program's classes and rows may take together.
pub(super) const BUDGET: usize = 256 << 20;
/// Bytes that an entry of a map takes beside what it holds, roughly.
const ENTRY: usize = 160;

type Tags = BTreeMap<String, String>;

/// A class, and its lines by address.
#[derive(Debug)]
pub struct KnownClass {
    class: Classified,
    slot: Arc<Slot>,
}

impl KnownClass {
    /// Which rules, groups and bypasses the device falls under.
    pub fn class(&self) -> &Classified {
        &self.class
    }

    /// Whether its lines are laid out by address; else its rules are walked.
    pub fn is_laid_out(&self) -> bool {
        self.row().is_some()
    }

    /// Whether an approval group covers the device.
    pub(super) fn is_gated(&self) -> bool {
        (self.class.as_ref()).is_ok_and(|class| !class.groups.is_empty())
    }

    /// The row, where there is one by now.
    pub(super) fn row(&self) -> Option<&Row> {
        self.slot.row.get()?.as_ref()
    }

    fn is_of(&self, rules: &[UnlockId]) -> bool {
        self.class.as_ref().is_ok_and(|class| class.rules == rules)
    }
}

/// Where a row will stand; common to the classes that the same rules match.
#[derive(Debug, Default)]
struct Slot {
    /// None inside: a row would take too much.
    row: OnceLock<Option<Row>>,
    /// Whether it was asked for before: what is asked once needs no row.
    asked: AtomicBool,
    /// Whether somebody is at it.
    building: AtomicBool,
}

/// What a program keeps.
#[derive(Debug)]
pub(super) struct Kept {
    by_tags: RwLock<HashMap<Tags, Arc<KnownClass>>>,
    /// By a hash of the rules.
    by_rules: Mutex<HashMap<u64, Vec<Arc<KnownClass>>>>,
    hashes: RandomState,
    left: AtomicUsize,
}

impl Kept {
    /// Keeps what fits into `budget` bytes.
    pub(super) fn new(budget: usize) -> Self {
        Kept {
            by_tags: RwLock::default(),
            by_rules: Mutex::default(),
            hashes: RandomState::new(),
            left: AtomicUsize::new(budget),
        }
    }

    fn get(&self, tags: &Tags) -> Option<Arc<KnownClass>> {
        let by_tags = self.by_tags.read().unwrap_or_else(PoisonError::into_inner);
        by_tags.get(tags).map(Arc::clone)
    }

    /// Takes `bytes` of what is left, where there is so much.
    fn take(&self, bytes: usize) -> bool {
        let left = &self.left;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(bytes)
        });
        taken.is_ok()
    }

    /// Keeps a class under its tags; as one that is kept already where they are equal.
    fn keep(&self, tags: &Tags, class: Classified) -> Arc<KnownClass> {
        let size = ENTRY + tags.iter().map(text_size).sum::<usize>();
        if !self.take(size) {
            return Arc::new(KnownClass {
                class,
                slot: Arc::default(),
            });
        }
        let known = match class {
            Ok(class) => self.share(class),
            Err(_) => Arc::new(KnownClass {
                class,
                slot: Arc::default(),
            }),
        };
        let mut by_tags = self.by_tags.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(by_tags.entry(tags.clone()).or_insert(known))
    }

    fn share(&self, class: Class) -> Arc<KnownClass> {
        let hash = self.hashes.hash_one(&class.rules);
        let mut by_rules = self.by_rules.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = by_rules.get(&hash).map_or(&[][..], Vec::as_slice);
        let same = alike.iter().find(|one| one.class.as_ref() == Ok(&class));
        if let Some(known) = same {
            return Arc::clone(known);
        }
        let slot = alike.iter().find(|one| one.is_of(&class.rules));
        let slot = slot.map_or_else(Arc::default, |one| Arc::clone(&one.slot));
        let size = ENTRY + class_size(&class);
        let known = Arc::new(KnownClass {
            class: Ok(class),
            slot,
        });
        if self.take(size) {
            by_rules.entry(hash).or_default().push(Arc::clone(&known));
        }
        known
    }
}

fn text_size((tag, value): (&String, &String)) -> usize {
    2 * size_of::<String>() + tag.len() + value.len()
}

fn class_size(class: &Class) -> usize {
    size_of_val(&*class.rules)
        + size_of_val(&*class.groups)
        + size_of_val(&*class.allow_onces)
        + size_of_val(&*class.bypasses)
}

impl Program {
    /// Which rules, groups and bypasses a device of these tags falls under, as
    /// the program keeps it: hold it as long as the tags and the program stay.
    pub fn known(&self, tags: &BTreeMap<String, String>) -> Arc<KnownClass> {
        let known = self.kept.get(tags).unwrap_or_else(|| {
            let class = subject::classify(&self.set, &self.indices, tags);
            self.kept.keep(tags, class)
        });
        if known.slot.row.get().is_none() && known.slot.asked.swap(true, Ordering::Relaxed) {
            self.lay_out(&known);
        }
        known
    }

    /// Makes ready what unlocks of devices of these tags need.
    pub fn warm(&self, tags: &BTreeMap<String, String>) -> Arc<KnownClass> {
        let known = self.known(tags);
        self.lay_out(&known);
        known
    }

    /// Makes the row of a class, unless somebody is at it: who comes meanwhile
    /// does not wait.
    fn lay_out(&self, known: &KnownClass) {
        let slot = &*known.slot;
        let Ok(class) = &known.class else {
            return;
        };
        if slot.row.get().is_some() || slot.building.swap(true, Ordering::Acquire) {
            return;
        }
        let limit = self.kept.left.load(Ordering::Relaxed);
        let row = Row::build(self, class, limit).filter(|row| self.kept.take(row.bytes()));
        // Nobody else builds; where the program had no room, that is for good.
        let _ = slot.row.set(row);
    }
}
