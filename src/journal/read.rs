//! Reads a journal from its beginning, in the memory of one entry, and holds
//! each entry against the one before it.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::frame::{self, FILE_HEAD, FRAME_HASH, FRAME_HEAD, HeadFault};
use super::{Draft, Entry, Hash, JournalError, JournalId, Torn};
use crate::durable::Hex;

/// The end of a chain: what the next entry follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number of the last entry; 0 before the first.
    pub seq: u64,
    /// Its hash, or the file head's.
    pub hash: Hash,
    /// Where its frame ends.
    pub end: u64,
}

/// One sound entry, its contents not read yet.
#[derive(Clone, Copy, Debug)]
pub struct Scanned<'a> {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
    /// Where its frame begins.
    pub offset: u64,
    payload: &'a [u8],
}

impl<'a> Scanned<'a> {
    pub(super) fn new(seq: u64, hash: Hash, offset: u64, payload: &'a [u8]) -> Self {
        Scanned {
            seq,
            hash,
            offset,
            payload,
        }
    }

    /// Reads the contents.
    ///
    /// # Errors
    /// They are of an unknown kind, or malformed.
    pub fn entry(&self) -> Result<Entry, JournalError> {
        let draft = serde_json::from_slice(self.payload).map_err(|cause| self.refuse(&cause))?;
        Ok(Entry {
            seq: self.seq,
            hash: self.hash,
            draft,
        })
    }

    fn refuse(&self, cause: &serde_json::Error) -> JournalError {
        #[derive(serde::Deserialize)]
        struct Outer {
            event: Inner,
        }
        #[derive(serde::Deserialize)]
        struct Inner {
            kind: String,
        }
        let unknown = cause.to_string().contains("unknown variant");
        match serde_json::from_slice::<Outer>(self.payload) {
            Ok(outer) if unknown => JournalError::UnknownKind {
                entry: self.seq,
                offset: self.offset,
                kind: outer.event.kind,
            },
            Ok(_) | Err(_) => JournalError::Malformed {
                entry: self.seq,
                offset: self.offset,
                cause: cause.to_string(),
            },
        }
    }
}

/// The payload that a draft is written as.
pub(super) fn render_payload(draft: &Draft) -> Result<Vec<u8>, JournalError> {
    let payload = serde_json::to_vec(draft)
        .map_err(|cause| JournalError::NotWritten(std::io::Error::other(cause)))?;
    if payload.len() > frame::LONGEST {
        return Err(JournalError::TooLarge(payload.len()));
    }
    Ok(payload)
}

/// Fewer zeros at the end of a file may be chance.
const LEAST_ZEROS: usize = 8;

/// What stands at one place of the file.
pub(super) enum Step {
    /// A whole frame, be its hashes right or not.
    Frame(Frame),
    /// Nothing: the file ends here.
    End,
    /// The beginning of a frame that the end of the file cuts.
    Torn(Torn),
    /// What cannot be a frame, so that nothing after it can be read either.
    Unreadable(String),
}

/// A whole frame as it was found.
pub(super) struct Frame {
    pub(super) seq: u64,
    pub(super) previous: Hash,
    /// The hash that it carries.
    pub(super) stated: Hash,
    /// The hash that its bytes have.
    pub(super) actual: Hash,
    pub(super) offset: u64,
}

/// Walks over the frames of an open journal.
pub(super) struct Frames<R> {
    from: R,
    pub(super) id: JournalId,
    /// The hash that the first entry follows.
    pub(super) genesis: Hash,
    pub(super) offset: u64,
    size: u64,
    pub(super) payload: Vec<u8>,
}

impl Frames<BufReader<File>> {
    /// Reads the head of the journal at `path`.
    pub(super) fn open(path: &Path, file: File) -> Result<Self, JournalError> {
        let io = |cause| JournalError::Io {
            path: path.to_owned(),
            cause,
        };
        let size = file.metadata().map_err(io)?.len();
        let mut from = BufReader::with_capacity(1 << 16, file);
        from.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut head = [0; FILE_HEAD];
        let parsed = match from.read_exact(&mut head) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err("it is too short")
            }
            Err(cause) => return Err(io(cause)),
            Ok(()) => frame::parse_file_head(&head),
        };
        let (id, genesis) = parsed.map_err(|fault| JournalError::NotAJournal {
            path: path.to_owned(),
            fault,
        })?;
        Ok(Frames {
            from,
            id,
            genesis,
            offset: FILE_HEAD as u64,
            size,
            payload: Vec::new(),
        })
    }
}

impl<R: Read> Frames<R> {
    /// What stands next. The payload is in `self.payload` after a frame.
    pub(super) fn step(&mut self) -> std::io::Result<Step> {
        let left = self.size.saturating_sub(self.offset);
        if left == 0 {
            return Ok(Step::End);
        }
        if left < FRAME_HEAD as u64 {
            return Ok(self.torn(left));
        }
        let mut head = [0; FRAME_HEAD];
        self.from.read_exact(&mut head)?;
        let parsed = match frame::parse_frame_head(&head) {
            Ok(parsed) => parsed,
            Err(HeadFault::Check) => {
                let fault = Step::Unreadable(describe_head(HeadFault::Check));
                return self.torn_or(left, zeros_at_end(&head), fault);
            }
            Err(fault) => return Ok(Step::Unreadable(describe_head(fault))),
        };
        let whole = (FRAME_HEAD + parsed.length + FRAME_HASH) as u64;
        if left < whole {
            return Ok(self.torn(left));
        }
        self.payload.resize(parsed.length, 0);
        self.from.read_exact(&mut self.payload)?;
        let mut stated = [0; FRAME_HASH];
        self.from.read_exact(&mut stated)?;
        let found = Frame {
            seq: parsed.seq,
            previous: parsed.previous,
            stated: Hex(stated),
            actual: frame::frame_hash(&head, &self.payload),
            offset: self.offset,
        };
        if found.stated != found.actual && stated.ends_with(&[0]) {
            return self.torn_or(left, zeros_at_end(&stated), Step::Frame(found));
        }
        self.offset += whole;
        Ok(Step::Frame(found))
    }

    fn torn(&self, bytes: u64) -> Step {
        Step::Torn(Torn {
            offset: self.offset,
            bytes,
        })
    }

    /// A file system may have lengthened the file before the power went and
    /// never have written the bytes: a frame that goes over into zeros, and
    /// nothing but zeros after it, was cut short. Anything else is
    /// `otherwise`, and then nothing more is read. A sound hash may end in a
    /// zero too, hence the least number of them.
    fn torn_or(&mut self, left: u64, zeros: usize, otherwise: Step) -> std::io::Result<Step> {
        let mut zeros = zeros;
        let mut buffer = [0; 4096];
        loop {
            let read = self.from.read(&mut buffer)?;
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() && zeros >= LEAST_ZEROS {
                return Ok(self.torn(left));
            }
            if bytes.is_empty() || bytes.iter().any(|&byte| byte != 0) {
                self.offset = self.size;
                return Ok(otherwise);
            }
            zeros += read;
        }
    }
}

fn zeros_at_end(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|&&byte| byte == 0).count()
}

fn describe_head(fault: HeadFault) -> String {
    match fault {
        HeadFault::Check => "its head is damaged".to_owned(),
        HeadFault::Version(version) => {
            format!("it has format {version}, which this panopol does not know: use a newer one")
        }
        HeadFault::Length => "it is longer than any entry".to_owned(),
    }
}

/// How a scan ended.
pub struct ScanEnd {
    /// The journal.
    pub id: JournalId,
    /// The last entry.
    pub link: Link,
    /// What a crash left after it.
    pub torn: Option<Torn>,
}

/// Reads the whole of `file`, verifies the chain, and shows each entry.
///
/// # Errors
/// The chain does not hold, the disk said no, or `visit` did.
pub fn scan<E: From<JournalError>>(
    path: &Path,
    file: File,
    mut visit: impl FnMut(Scanned<'_>) -> Result<(), E>,
) -> Result<ScanEnd, E> {
    let mut frames = Frames::open(path, file)?;
    let mut link = Link {
        seq: 0,
        hash: frames.genesis,
        end: frames.offset,
    };
    let mut torn = None;
    loop {
        let step = frames.step().map_err(|cause| JournalError::Io {
            path: path.to_owned(),
            cause,
        })?;
        let frame = match step {
            Step::Frame(frame) => frame,
            Step::End => break,
            Step::Torn(found) => {
                torn = Some(found);
                break;
            }
            Step::Unreadable(fault) => return Err(broken(&link, fault).into()),
        };
        check_link(&link, &frame)?;
        visit(Scanned {
            seq: frame.seq,
            hash: frame.actual,
            offset: frame.offset,
            payload: &frames.payload,
        })?;
        link = Link {
            seq: frame.seq,
            hash: frame.actual,
            end: frames.offset,
        };
    }
    Ok(ScanEnd {
        id: frames.id,
        link,
        torn,
    })
}

fn check_link(link: &Link, frame: &Frame) -> Result<(), JournalError> {
    let expected = link.seq + 1;
    if frame.stated != frame.actual {
        return Err(broken(
            link,
            "it was changed: its hash does not match".into(),
        ));
    }
    if frame.seq != expected {
        let fault = format!(
            "entry {} stands here: entries are missing or moved",
            frame.seq
        );
        return Err(broken(link, fault));
    }
    if frame.previous != link.hash {
        let fault = "it does not follow the entry before it: one of the two was replaced";
        return Err(broken(link, fault.into()));
    }
    Ok(())
}

fn broken(link: &Link, fault: String) -> JournalError {
    JournalError::Broken {
        entry: link.seq + 1,
        offset: link.end,
        fault,
    }
}

/// Shows each entry of the journal at `path`, in order, contents read.
///
/// # Errors
/// The chain does not hold, an entry cannot be read, or `visit` said no.
pub fn read_entries<E: From<JournalError>>(
    path: &Path,
    mut visit: impl FnMut(Entry) -> Result<(), E>,
) -> Result<Option<Torn>, E> {
    let file = File::open(path).map_err(|cause| JournalError::Io {
        path: path.to_owned(),
        cause,
    })?;
    let end = scan(path, file, |scanned| visit(scanned.entry()?))?;
    Ok(end.torn)
}

/// Reads up to `limit` entries after number `after`, starting at a place
/// known to be the beginning of an entry.
///
/// # Errors
/// The chain does not hold there, or an entry cannot be read.
pub fn read_page(
    path: &Path,
    start: Start,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, JournalError> {
    let io = |cause| JournalError::Io {
        path: path.to_owned(),
        cause,
    };
    let mut frames = Frames::open(path, File::open(path).map_err(io)?)?;
    frames
        .from
        .seek(SeekFrom::Start(start.offset))
        .map_err(io)?;
    frames.offset = start.offset;
    let mut page = Vec::new();
    while page.len() < limit {
        let Step::Frame(frame) = frames.step().map_err(io)? else {
            break;
        };
        if frame.stated != frame.actual {
            return Err(JournalError::Broken {
                entry: frame.seq,
                offset: frame.offset,
                fault: "it was changed: its hash does not match".to_owned(),
            });
        }
        if frame.seq > after {
            let scanned = Scanned::new(frame.seq, frame.actual, frame.offset, &frames.payload);
            page.push(scanned.entry()?);
        }
    }
    Ok(page)
}

/// Where an entry begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The entry's number.
    pub seq: u64,
    /// Where its frame begins.
    pub offset: u64,
}

impl Start {
    /// The first entry of every journal.
    pub const FIRST: Start = Start {
        seq: 1,
        offset: FILE_HEAD as u64,
    };
}
