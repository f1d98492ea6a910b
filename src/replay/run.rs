//! Judges whole inputs on all cores.
//!
//! One thread reads pieces, many judge them, and the caller's puts together what
//! they find, in the order of the input. A piece's buffer is used again only
//! when what came of it was put in its place, so that a slow piece holds up the
//! reader and memory does not grow.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use super::pieces::{Piece, Pieces};
use super::report::Report;
use super::{Judge, Replay};
use crate::record::line::LineError;

/// How many pieces there are for each thread.
const EACH: usize = 3;
/// A buffer that a long line has grown past this is not kept.
const KEPT: usize = 1024 * 1024;

/// What is read, and how it is called.
pub struct Input {
    /// Its name in what is reported.
    pub name: String,
    /// Its bytes.
    pub from: Box<dyn Read + Send>,
}

/// A line of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The input's name.
    pub file: &'a str,
    /// The line, from 1.
    pub line: u64,
}

/// Is told, in the order of the input, what happens on the way.
pub trait Watch {
    /// A line is no record; none: it is too long to be read.
    fn skipped(&mut self, place: Place<'_>, why: Option<&LineError>);
    /// So much was judged, of so many bytes in all.
    fn judged(&mut self, so_far: &Report, bytes: u64);
}

/// A piece on its way to be judged.
struct Work {
    /// Its place among all.
    index: u64,
    input: usize,
    piece: Piece,
    buffer: Vec<u8>,
}

/// What came of it.
struct Done {
    input: usize,
    bytes: u64,
    /// With the numbers of lines as they are in the piece.
    report: Report,
    skipped: Vec<(u64, Option<LineError>)>,
    /// How many lines it has, the empty ones too.
    lines: u64,
    buffer: Vec<u8>,
}

/// What came of a piece, or the fault of our own that ended it.
type Outcome = (u64, Result<Done, Box<dyn Any + Send>>);

/// Judges every line of the inputs by so many threads.
pub fn run(replay: &Replay, inputs: Vec<Input>, threads: usize, watch: &mut dyn Watch) -> Report {
    let threads = threads.max(1);
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    std::thread::scope(|scope| {
        let (free, buffers) = channel();
        let (work, waiting) = channel();
        let (finish, done) = channel();
        for _ in 0..threads * EACH {
            // Both ends are here.
            let _ = free.send(Vec::new());
        }
        let waiting = std::sync::Arc::new(Mutex::new(waiting));
        for _ in 0..threads {
            let (waiting, finish) = (waiting.clone(), finish.clone());
            scope.spawn(move || judge_all(replay, &waiting, &finish));
        }
        drop((waiting, finish));
        let reader = scope.spawn(move || read_all(inputs, &buffers, &work));
        let mut report = merge_all(&names, &done, free, watch);
        match reader.join() {
            Ok(unread) => report.unread = unread,
            Err(fault) => resume_unwind(fault),
        }
        report
    })
}

/// Reads the inputs one after the other; gives those that end in an error.
fn read_all(
    inputs: Vec<Input>,
    buffers: &Receiver<Vec<u8>>,
    work: &Sender<Work>,
) -> Vec<(String, String)> {
    let mut unread = Vec::new();
    let mut index = 0;
    let mut spare = None;
    for (input, Input { name, from }) in inputs.into_iter().enumerate() {
        let mut pieces = Pieces::new(from);
        loop {
            // Nobody gives buffers back where nobody goes on.
            let Some(mut buffer) = spare.take().or_else(|| buffers.recv().ok()) else {
                return unread;
            };
            let piece = match pieces.next(&mut buffer) {
                Ok(Some(piece)) => piece,
                Ok(None) => {
                    spare = Some(buffer);
                    break;
                }
                Err(error) => {
                    spare = Some(buffer);
                    unread.push((name, error.to_string()));
                    break;
                }
            };
            let sent = work.send(Work {
                index,
                input,
                piece,
                buffer,
            });
            if sent.is_err() {
                return unread;
            }
            index += 1;
        }
    }
    unread
}

/// Judges what waits, until nothing comes any more.
fn judge_all(replay: &Replay, waiting: &Mutex<Receiver<Work>>, finish: &Sender<Outcome>) {
    let mut judge = Judge::new(replay);
    loop {
        let next = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(work) = next else { return };
        let index = work.index;
        // Who waits for this piece would otherwise wait for ever.
        let judged = catch_unwind(AssertUnwindSafe(|| judge_piece(&mut judge, work)));
        let failed = judged.is_err();
        if finish.send((index, judged)).is_err() || failed {
            return;
        }
    }
}

fn judge_piece(judge: &mut Judge<'_>, work: Work) -> Done {
    let buffer = work.buffer;
    let mut done = Done {
        input: work.input,
        bytes: buffer.len() as u64,
        report: Report::default(),
        skipped: Vec::new(),
        lines: 0,
        buffer: Vec::new(),
    };
    if work.piece == Piece::TooLong {
        done.lines = 1;
        done.report.skip();
        done.skipped.push((1, None));
    }
    let mut rest = buffer.as_slice();
    while let Some(line) = next_line(&mut rest) {
        done.lines += 1;
        if line.is_empty() {
            continue;
        }
        match judge.judge(line) {
            Ok(judged) => (done.report).add(judged.count, judged.flip, done.lines, line),
            Err(error) => {
                done.report.skip();
                done.skipped.push((done.lines, Some(error)));
            }
        }
    }
    done.buffer = buffer;
    done
}

/// Takes the next line off `rest`, without its end and the spaces about it.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let all = *rest;
    // Reading from memory cannot fail.
    let length = rest.skip_until(b'\n').unwrap_or(0);
    let line = all.get(..length).filter(|line| !line.is_empty())?;
    Some(line.trim_ascii())
}

/// Puts together what comes, in the order of the input.
fn merge_all(
    names: &[String],
    done: &Receiver<Outcome>,
    free: Sender<Vec<u8>>,
    watch: &mut dyn Watch,
) -> Report {
    let mut report = Report::default();
    let mut early = BTreeMap::new();
    let (mut next, mut input, mut above, mut bytes) = (0, 0, 0, 0);
    for (index, judged) in done {
        match judged {
            Ok(judged) => early.insert(index, judged),
            Err(fault) => resume_unwind(fault),
        };
        while let Some(piece) = early.remove(&next) {
            next += 1;
            if std::mem::replace(&mut input, piece.input) != piece.input {
                above = 0;
            }
            let file = names.get(input).map_or("", String::as_str);
            for (number, why) in &piece.skipped {
                let line = above + number;
                watch.skipped(Place { file, line }, why.as_ref());
            }
            report.merge(piece.report, file, above);
            above += piece.lines;
            bytes += piece.bytes;
            let mut buffer = piece.buffer;
            buffer.clear();
            buffer.shrink_to(KEPT);
            // The reader may have ended.
            let _ = free.send(buffer);
            watch.judged(&report, bytes);
        }
    }
    report
}
