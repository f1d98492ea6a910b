//! Reads a log's lines from the newest back, through its rotated files.
//!
//! Knows nothing of what a line says. A place in the log outlives rotation:
//! it names its file by what the file begins with, and not by its name.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::log;
use crate::durable::Hex;

/// How much is read at once.
const BLOCK: u64 = 64 * 1024;
/// What tells files apart is within so many bytes.
const BEGINNING: u64 = 4096;

/// The end of what is still to be read: a byte of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    file: Hex<8>,
    offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.file, self.offset)
    }
}

/// A text that is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place that an earlier page ended at")]
pub struct PlaceError;

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (file, offset) = text.split_once('.').ok_or(PlaceError)?;
        Ok(Place {
            file: file.parse().map_err(|_| PlaceError)?,
            offset: offset.parse().map_err(|_| PlaceError)?,
        })
    }
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Where the page before ended; from the newest line on without.
    pub from: Option<Place>,
    /// Files that were last written before this hold nothing of interest.
    pub since: Option<Timestamp>,
    /// The most lines to take.
    pub lines: usize,
    /// About how many bytes to look at, at most.
    pub bytes: u64,
}

/// One page.
#[derive(Debug)]
pub struct Page<T> {
    /// What was taken, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; none at the log's end.
    pub next: Option<Place>,
}

/// Takes what `take` makes of the log's lines, newest first; none where the
/// place that it was to begin at is not there any more.
///
/// # Errors
/// What the file system says.
pub fn read_back<T>(
    directory: &Path,
    span: Span,
    mut take: impl FnMut(&[u8]) -> Option<T>,
) -> io::Result<Option<Page<T>>> {
    let mut files = open_files(directory, span.since)?.into_iter().peekable();
    if let Some(from) = span.from {
        while files.next_if(|file| file.id != from.file).is_some() {}
        match files.peek_mut() {
            Some(file) if from.offset <= file.start => file.start = from.offset,
            Some(_) | None => return Ok(None),
        }
    }
    let mut items = Vec::new();
    let mut left = span.bytes;
    while let Some(mut file) = files.next() {
        loop {
            let before = file.start;
            let Some(line) = file.previous_line()? else {
                break;
            };
            items.extend(take(&line));
            left = left.saturating_sub(before - file.start);
            if items.len() >= span.lines || left == 0 {
                let more = file.start > 0 || files.peek().is_some();
                let next = more.then_some(Place {
                    file: file.id,
                    offset: file.start,
                });
                return Ok(Some(Page { items, next }));
            }
        }
    }
    Ok(Some(Page { items, next: None }))
}

/// The log's files that hold anything, newest first.
fn open_files(directory: &Path, since: Option<Timestamp>) -> io::Result<Vec<Lines>> {
    // The current one first: should it be renamed meanwhile, it is met again
    // under its new name, and is not missed.
    let mut paths = vec![directory.join(log::CURRENT)];
    let mut full = log::full_files(directory)?;
    full.reverse();
    let mut files: Vec<Lines> = Vec::new();
    paths.append(&mut full);
    for path in paths {
        let Some(file) = open(&path, since)? else {
            continue;
        };
        if files.iter().all(|known| known.id != file.id) {
            files.push(file);
        }
    }
    Ok(files)
}

fn open(path: &PathBuf, since: Option<Timestamp>) -> io::Result<Option<Lines>> {
    let file = match File::open(path) {
        // The oldest is taken away when a new one is begun.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    let written = metadata.modified().ok().map(Timestamp::try_from);
    if let (Some(Ok(written)), Some(since)) = (written, since)
        && written < since
    {
        return Ok(None);
    }
    let mut beginning = Vec::new();
    BufReader::new((&file).take(BEGINNING)).read_until(b'\n', &mut beginning)?;
    if beginning.is_empty() {
        return Ok(None);
    }
    let mut id = [0; 8];
    id.iter_mut()
        .zip(Sha256::digest(&beginning))
        .for_each(|(to, from)| *to = from);
    Ok(Some(Lines {
        id: Hex(id),
        start: metadata.len(),
        file,
        block: Vec::new(),
    }))
}

/// The lines of one file, from its end.
#[derive(Debug)]
struct Lines {
    id: Hex<8>,
    file: File,
    /// Lines that begin here or later were given.
    start: u64,
    /// The bytes before `start` that were read.
    block: Vec<u8>,
}

impl Lines {
    /// The line before the ones that were given, without its end.
    fn previous_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.start == 0 {
            return Ok(None);
        }
        loop {
            let body = self.block.strip_suffix(b"\n").unwrap_or(&self.block);
            let at = body.iter().rposition(|&byte| byte == b'\n');
            let rest = self.start - self.block.len() as u64;
            if let Some(at) = at {
                let line = body.get(at + 1..).unwrap_or_default().to_vec();
                self.start = rest + at as u64 + 1;
                self.block.truncate(at + 1);
                return Ok(Some(line));
            }
            if rest == 0 {
                let line = body.to_vec();
                self.start = 0;
                return Ok(Some(line));
            }
            self.read_before(rest)?;
        }
    }

    /// Reads another block; larger ones where a line is longer than one.
    fn read_before(&mut self, rest: u64) -> io::Result<()> {
        let size = rest.min(BLOCK.max(self.block.len() as u64));
        let mut read = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut read, rest - size)?;
        read.append(&mut self.block);
        self.block = read;
        Ok(())
    }
}
