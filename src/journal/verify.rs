//! Checks a journal offline: what was edited, dropped or moved, and where;
//! and, held against a trusted head, what was cut off or rewritten.
//!
//! Unlike opening, it does not stop at the first fault. It keeps a few
//! numbers and at most a hundred faults, however long the file is.

use std::fmt;
use std::fs::File;
use std::path::Path;

use super::read::{Frame, Frames, Link, Scanned, Step};
use super::{AuditPublicKey, Event, Hash, JournalError, JournalId, SignedHead, Torn};

/// Faults beyond this many are counted, not listed.
const MOST_FAULTS: usize = 100;

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The entry's bytes are not those that were hashed.
    Edited,
    /// Entries are missing before this one.
    Dropped {
        /// The first that is missing.
        first: u64,
        /// The last that is missing.
        last: u64,
    },
    /// The entry stands somewhere else than where it was written.
    Moved {
        /// The number that belongs here.
        expected: u64,
    },
    /// The entry is whole, but does not follow the one before it: one of the
    /// two was replaced.
    Unchained,
    /// The entry is whole, but says nothing this program can read.
    Unreadable {
        /// Why.
        cause: String,
    },
    /// Nothing from here on can be read.
    Damaged {
        /// Why.
        cause: String,
    },
}

/// One fault and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the entry that stands there, or that should.
    pub entry: u64,
    /// Where its frame begins.
    pub offset: u64,
    /// What is wrong.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} at byte {}: ", self.entry, self.offset)?;
        match &self.kind {
            FaultKind::Edited => f.write_str("it was edited: its hash does not match"),
            FaultKind::Dropped { first, last } if first == last => {
                write!(f, "entry {first} before it was dropped")
            }
            FaultKind::Dropped { first, last } => {
                write!(f, "entries {first} to {last} before it were dropped")
            }
            FaultKind::Moved { expected } => {
                write!(f, "it was moved: entry {expected} belongs here")
            }
            FaultKind::Unchained => {
                f.write_str("it does not follow the entry before it: one of the two was replaced")
            }
            FaultKind::Unreadable { cause } => write!(f, "it cannot be read: {cause}"),
            FaultKind::Damaged { cause } => write!(f, "nothing can be read from here on: {cause}"),
        }
    }
}

/// What a trusted head says of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadVerdict {
    /// No head was given: a cut-off end cannot be seen.
    NotGiven,
    /// The journal holds all that the head covers.
    Covered,
    /// The journal ends before the head: entries were cut off.
    Truncated {
        /// The last entry that the head covers.
        seq: u64,
    },
    /// The entry that the head names has another hash: history was rewritten.
    Rewritten {
        /// The last entry that the head covers.
        seq: u64,
    },
    /// The head is of another journal.
    OtherJournal,
    /// The key did not sign this head: it says nothing.
    BadSignature,
}

impl fmt::Display for HeadVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadVerdict::NotGiven => {
                f.write_str("no head was given, so that a cut-off end cannot be seen")
            }
            HeadVerdict::Covered => f.write_str("the journal holds all that the head covers"),
            HeadVerdict::Truncated { seq } => write!(
                f,
                "the journal was truncated: the head covers entry {seq}, which is not there"
            ),
            HeadVerdict::Rewritten { seq } => write!(
                f,
                "the journal was rewritten: entry {seq} is not the one that the head covers"
            ),
            HeadVerdict::OtherJournal => f.write_str("the head is of another journal"),
            HeadVerdict::BadSignature => f.write_str("the head is not signed by this key"),
        }
    }
}

/// What an offline verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The journal.
    pub journal: JournalId,
    /// How many entries were read.
    pub entries: u64,
    /// The number of the last one.
    pub last: u64,
    /// Its hash.
    pub hash: Hash,
    /// How often the journal was restored from a backup.
    pub epoch: u64,
    /// What a crash left at the end.
    pub torn: Option<Torn>,
    /// What is wrong, in the order of the file.
    pub faults: Vec<Fault>,
    /// Faults that are not listed.
    pub more_faults: u64,
    /// What the head says.
    pub head: HeadVerdict,
}

impl Report {
    /// Whether nothing is wrong. A torn end is no fault: it was never acknowledged.
    pub fn holds(&self) -> bool {
        let head_holds = match self.head {
            HeadVerdict::NotGiven | HeadVerdict::Covered => true,
            HeadVerdict::Truncated { .. }
            | HeadVerdict::Rewritten { .. }
            | HeadVerdict::OtherJournal
            | HeadVerdict::BadSignature => false,
        };
        self.faults.is_empty() && head_holds
    }
}

/// Verifies the journal at `path`, against a head and the key that must have
/// signed it where one is at hand.
///
/// # Errors
/// The file cannot be read, or does not begin as a journal does.
pub fn verify(
    path: &Path,
    trusted: Option<(&SignedHead, &AuditPublicKey)>,
) -> Result<Report, JournalError> {
    let io = |cause| JournalError::Io {
        path: path.to_owned(),
        cause,
    };
    let mut frames = Frames::open(path, File::open(path).map_err(io)?)?;
    let mut check = Check::new(&frames, trusted.map(|(head, _)| head.head.seq));
    loop {
        match frames.step().map_err(io)? {
            Step::Frame(frame) => check.frame(&frame, &frames.payload, frames.offset),
            Step::End => break,
            Step::Torn(torn) => {
                check.report.torn = Some(torn);
                break;
            }
            Step::Unreadable(cause) => {
                let entry = check.link.seq + 1;
                check.fault(entry, check.link.end, FaultKind::Damaged { cause });
                break;
            }
        }
    }
    Ok(check.finish(trusted))
}

struct Check {
    report: Report,
    link: Link,
    /// The entry whose hash the head states.
    wanted: Option<u64>,
    found: Option<Hash>,
}

impl Check {
    fn new<R>(frames: &Frames<R>, wanted: Option<u64>) -> Self {
        Check {
            report: Report {
                journal: frames.id,
                entries: 0,
                last: 0,
                hash: frames.genesis,
                epoch: 0,
                torn: None,
                faults: Vec::new(),
                more_faults: 0,
                head: HeadVerdict::NotGiven,
            },
            link: Link {
                seq: 0,
                hash: frames.genesis,
                end: frames.offset,
            },
            found: (wanted == Some(0)).then_some(frames.genesis),
            wanted,
        }
    }

    fn fault(&mut self, entry: u64, offset: u64, kind: FaultKind) {
        if self.report.faults.len() < MOST_FAULTS {
            self.report.faults.push(Fault {
                entry,
                offset,
                kind,
            });
        } else {
            self.report.more_faults += 1;
        }
    }

    fn frame(&mut self, frame: &Frame, payload: &[u8], end: u64) {
        self.report.entries += 1;
        let expected = self.link.seq + 1;
        if frame.stated != frame.actual {
            self.fault(frame.seq, frame.offset, FaultKind::Edited);
        } else if frame.seq != expected {
            self.out_of_place(frame, expected);
        } else if frame.previous != self.link.hash {
            self.fault(frame.seq, frame.offset, FaultKind::Unchained);
        }
        if frame.stated == frame.actual {
            self.contents(frame, payload);
        }
        if self.wanted == Some(frame.seq) {
            self.found = Some(frame.actual);
        }
        // The hash that it carries, so that one edit is one fault.
        self.link = Link {
            seq: frame.seq,
            hash: frame.stated,
            end,
        };
    }

    /// What looked dropped turns out to have been moved when it comes later.
    fn out_of_place(&mut self, frame: &Frame, expected: u64) {
        if frame.seq > expected {
            let kind = FaultKind::Dropped {
                first: expected,
                last: frame.seq - 1,
            };
            // The gap after an entry that was moved is part of that move.
            if !self.follows_a_move() {
                self.fault(frame.seq, frame.offset, kind);
            }
            return;
        }
        let seq = frame.seq;
        let gap = self.report.faults.iter_mut().find(|fault| {
            matches!(fault.kind, FaultKind::Dropped { first, last } if first <= seq && seq <= last)
        });
        if let Some(fault) = gap
            && let FaultKind::Dropped { first, .. } = fault.kind
        {
            fault.kind = FaultKind::Moved { expected: first };
        }
        self.fault(seq, frame.offset, FaultKind::Moved { expected });
    }

    fn follows_a_move(&self) -> bool {
        let last = self.report.faults.last();
        last.is_some_and(|fault| {
            fault.entry == self.link.seq && matches!(fault.kind, FaultKind::Moved { .. })
        })
    }

    fn contents(&mut self, frame: &Frame, payload: &[u8]) {
        let scanned = Scanned::new(frame.seq, frame.actual, frame.offset, payload);
        match scanned.entry() {
            Ok(entry) => {
                if let Event::EpochBumped { epoch, .. } | Event::BackupRestored { epoch, .. } =
                    entry.draft.event
                {
                    self.report.epoch = epoch;
                }
            }
            Err(error) => {
                let cause = error.to_string();
                self.fault(frame.seq, frame.offset, FaultKind::Unreadable { cause });
            }
        }
    }

    fn finish(mut self, trusted: Option<(&SignedHead, &AuditPublicKey)>) -> Report {
        self.report.last = self.link.seq;
        self.report.hash = self.link.hash;
        if let Some((signed, key)) = trusted {
            self.report.head = if !signed.is_signed_by(key) {
                HeadVerdict::BadSignature
            } else if signed.head.journal != self.report.journal {
                HeadVerdict::OtherJournal
            } else {
                let seq = signed.head.seq;
                match self.found {
                    None => HeadVerdict::Truncated { seq },
                    Some(hash) if hash == signed.head.hash => HeadVerdict::Covered,
                    Some(_) => HeadVerdict::Rewritten { seq },
                }
            };
        }
        self.report
    }
}
