//! What a replay comes to: counts, and the differences by class and cause.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::cause::Cause;
use super::judge::Flip;
use crate::decision::Decision;

/// How many causes are told apart; what comes after them is counted together.
const MOST: usize = 1000;

/// How a decision differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// More than before: deny, pending, allow.
    Widened,
    /// Less than before.
    Narrowed,
    /// As much, for another reason or with another requirement.
    Changed,
    /// Not known: the record lacks what the candidate needs.
    Lacking,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 4] = [
        Class::Widened,
        Class::Narrowed,
        Class::Changed,
        Class::Lacking,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Class::Widened => "widened",
            Class::Narrowed => "narrowed",
            Class::Changed => "changed",
            Class::Lacking => "lacking",
        }
    }
}

/// Counts, in requests: a folded record counts as many as it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were judged.
    pub records: u64,
    /// Those that come out as they did.
    pub unchanged: u64,
    /// Those that do not, by class.
    by_class: BTreeMap<Class, u64>,
}

impl Counts {
    /// How many are of `class`.
    pub fn of(&self, class: Class) -> u64 {
        self.by_class.get(&class).copied().unwrap_or(0)
    }

    /// How many differ at all.
    pub fn flipped(&self) -> u64 {
        let each = self.by_class.values();
        each.fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn add(&mut self, class: Option<Class>, count: u64) {
        let slot = match class {
            None => &mut self.unchanged,
            Some(class) => self.by_class.entry(class).or_default(),
        };
        *slot = slot.saturating_add(count);
        self.records = self.records.saturating_add(count);
    }
}

/// Differences of one class and cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The class.
    pub class: Class,
    /// The cause.
    pub cause: Cause,
    /// How many requests.
    pub count: u64,
    /// The first of them.
    pub example: Example,
}

/// One difference, whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    /// The record's file.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// Its id, time, kind, request and facts, as recorded.
    #[serde(flatten)]
    pub asked: serde_json::Map<String, Value>,
    /// What was decided, or what the baseline decides.
    pub before: Value,
    /// What the candidate decides.
    pub after: Decision,
}

impl Example {
    /// An example of the record on `line`; its place is filled in later.
    fn new(line: &[u8], flip: Flip) -> Example {
        let mut asked = match serde_json::from_slice(line) {
            Ok(Value::Object(members)) => members,
            // A line that was judged is an object.
            Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))
            | Ok(Value::Array(_))
            | Err(_) => serde_json::Map::new(),
        };
        let recorded = asked.remove("decision").unwrap_or_default();
        asked.retain(|name, _| ["id", "time", "kind", "request", "facts"].contains(&name.as_str()));
        Example {
            file: String::new(),
            line: 0,
            asked,
            before: match flip.before {
                Some(decision) => serde_json::to_value(decision).unwrap_or_default(),
                None => recorded,
            },
            after: flip.after,
        }
    }
}

/// What a replay comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// How many requests of which class.
    pub counts: Counts,
    /// How many lines were read, but for empty ones.
    pub lines: u64,
    /// How many of them are no record.
    pub skipped: u64,
    groups: BTreeMap<(Class, String), Group>,
    /// Inputs that could not be read to their end, and why.
    pub unread: Vec<(String, String)>,
}

impl Report {
    /// The differences: by class, the most frequent cause first.
    pub fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by(|a, b| {
            let key = |one: &Group| (one.class, std::cmp::Reverse(one.count));
            (key(a), a.cause.text()).cmp(&(key(b), b.cause.text()))
        });
        groups
    }

    /// Counts one judged line, the `number`th of its piece.
    pub(super) fn add(&mut self, count: u64, flip: Option<Flip>, number: u64, line: &[u8]) {
        self.lines += 1;
        self.counts.add(flip.as_ref().map(|flip| flip.class), count);
        let Some(flip) = flip else { return };
        let key = (flip.class, flip.cause.text().to_owned());
        match self.groups.get_mut(&key) {
            Some(group) => group.count = group.count.saturating_add(count),
            None => {
                let group = Group {
                    class: flip.class,
                    cause: flip.cause.clone(),
                    count,
                    example: Example {
                        line: number,
                        ..Example::new(line, flip)
                    },
                };
                self.groups.insert(key, group);
            }
        }
    }

    /// Counts a line that is no record.
    pub(super) fn skip(&mut self) {
        self.lines += 1;
        self.skipped += 1;
    }

    /// Adds what came of the next piece of the input: lines of `file` after
    /// its first `above`.
    pub(super) fn merge(&mut self, next: Report, file: &str, above: u64) {
        self.lines += next.lines;
        self.skipped += next.skipped;
        self.counts.unchanged = self.counts.unchanged.saturating_add(next.counts.unchanged);
        self.counts.records = self.counts.records.saturating_add(next.counts.records);
        for (class, count) in next.counts.by_class {
            let slot = self.counts.by_class.entry(class).or_default();
            *slot = slot.saturating_add(count);
        }
        for (mut key, mut group) in next.groups {
            if self.groups.len() >= MOST && !self.groups.contains_key(&key) {
                group.cause = Cause::Other("other causes".to_owned());
                key.1 = group.cause.text().to_owned();
            }
            match self.groups.get_mut(&key) {
                Some(known) => known.count = known.count.saturating_add(group.count),
                None => {
                    group.example.file = file.to_owned();
                    group.example.line += above;
                    self.groups.insert(key, group);
                }
            }
        }
    }
}
