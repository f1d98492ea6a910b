//! The files of a set, read once each: texts for the parser, prefixes for networks.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::source::load::{LoadError, PolicyFiles, join_relative};
use crate::source::{FileId, SourceMap, Span};
use crate::syntax::tree::Text;

use super::codes::files as codes;
use super::codes::networks;
use super::digest::Digest;
use super::network_file::{self, BadLine, Parsed, Prefixes};
use super::report::Report;

/// How many bad lines of one network file are reported one by one.
const BAD_LINES: usize = 20;
/// How much of a bad line is shown, in bytes.
const EXCERPT: usize = 200;

/// What was read, and the door to what is still to be read.
pub(super) struct Files<'a> {
    door: &'a mut dyn PolicyFiles,
    pub(super) map: SourceMap,
    pub(super) digest: Digest,
    /// Network files by path; none where one was wrong, which was reported.
    networks: HashMap<String, Option<Prefixes>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(door: &'a mut dyn PolicyFiles) -> Self {
        Files {
            door,
            map: SourceMap::new(),
            digest: Digest::default(),
            networks: HashMap::new(),
        }
    }

    /// Reads every policy file into the map; those that are no text are reported.
    pub(super) fn read_policies(&mut self) -> (Vec<FileId>, Vec<Diagnostic>) {
        let mut texts = Vec::new();
        let mut diagnostics = Vec::new();
        let found = self.door.policy_files();
        if found.is_empty() {
            diagnostics.push(
                Diagnostic::global(&codes::EMPTY_SET, "there is no policy file here")
                    .help("a policy set is a directory with `*.pano` files, or one such file"),
            );
        }
        for file in found {
            match file {
                Ok(file) => {
                    self.digest.add(&file.path, &file.bytes);
                    match text_of(file.bytes) {
                        Ok(text) => texts.push(self.map.add(file.path, text)),
                        Err(fault) => diagnostics.push(self.report_fault(file.path, &fault)),
                    }
                }
                Err((path, error)) => diagnostics.push(self.report_unreadable(path, error)),
            }
        }
        (texts, diagnostics)
    }

    fn report_unreadable(&mut self, path: String, error: LoadError) -> Diagnostic {
        let message = format!("`{path}` {error}");
        let id = self.map.add(path, "");
        let mut diagnostic = Diagnostic::new(&codes::UNREADABLE_FILE, Span::new(id, 0..0), message);
        diagnostic.help = error.help;
        diagnostic
    }

    fn report_fault(&mut self, path: String, fault: &NotText) -> Diagnostic {
        let id = self
            .map
            .add_excerpt(path, fault.line, fault.excerpt.clone());
        let length = fault.excerpt[fault.at.min(fault.excerpt.len())..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
        let span = Span::new(id, fault.at..fault.at + length);
        Diagnostic::new(&codes::NOT_TEXT, span, fault.message).help(fault.help)
    }

    /// The prefixes of the network file that a policy names, or none and a report.
    pub(super) fn network(&mut self, path: &Text, report: &mut Report) -> Option<Prefixes> {
        let policy = self.map.path(path.span).to_owned();
        // A path that climbs out of the set is only refused by who resolves links.
        let key = join_relative(&policy, &path.value).unwrap_or_else(|| path.value.clone());
        if let Some(known) = self.networks.get(&key) {
            return known.clone();
        }
        let prefixes = self.read_network(&policy, path, report);
        self.networks.insert(key, prefixes.clone());
        prefixes
    }

    fn read_network(&mut self, policy: &str, path: &Text, report: &mut Report) -> Option<Prefixes> {
        let file = match self.door.network_file(policy, &path.value) {
            Ok(file) => file,
            Err(error) => {
                let message = format!("the network file `{}` {error}", path.value);
                let mut diagnostic = Diagnostic::new(&networks::NETWORK_FILE, path.span, message);
                diagnostic.help = error.help;
                report.push(diagnostic);
                return None;
            }
        };
        if !self.digest.add(&file.path, &file.bytes) {
            let message = format!(
                "the network file `{}` changed while it was read",
                path.value
            );
            report.push(Diagnostic::new(&networks::NETWORK_FILE, path.span, message));
            return None;
        }
        let parsed = network_file::parse(&file.bytes, BAD_LINES);
        if parsed.bad_count > 0 {
            self.report_lines(&file.path, &file.bytes, &parsed, path, report);
            return None;
        }
        if parsed.prefixes.is_empty() {
            let message = format!("the network file `{}` holds no address", path.value);
            report.push(
                Diagnostic::new(&networks::EMPTY_NETWORK_FILE, path.span, message).help(
                    "an empty network is most likely a failed download; write at least one CIDR",
                ),
            );
            return None;
        }
        Some(parsed.prefixes)
    }

    fn report_lines(
        &mut self,
        shown: &str,
        bytes: &[u8],
        parsed: &Parsed,
        path: &Text,
        report: &mut Report,
    ) {
        for bad in &parsed.bad {
            report.push(self.report_line(shown, bytes, bad, path));
        }
        let more = parsed.bad_count - parsed.bad.len();
        if more > 0 {
            let message = format!("and {more} more bad lines in `{}`", path.value);
            report.push(Diagnostic::new(
                &networks::NETWORK_FILE_LINE,
                path.span,
                message,
            ));
        }
    }

    fn report_line(&mut self, shown: &str, bytes: &[u8], bad: &BadLine, path: &Text) -> Diagnostic {
        let line = bytes.get(bad.range.clone()).unwrap_or_default();
        let text = excerpt(line);
        let id = self.map.add_excerpt(shown, bad.number, text.clone());
        let span = Span::new(id, 0..text.len());
        let diagnostic = Diagnostic::new(&networks::NETWORK_FILE_LINE, span, bad.problem.clone())
            .also(path.span, "read for this network");
        match &bad.right {
            Some(right) => diagnostic
                .help(format!("write `{right}`"))
                .fix(span, right.clone()),
            None => {
                diagnostic.help("a network file has one CIDR or address a line, and `#` comments")
            }
        }
    }
}

/// A file that is not text, and where.
struct NotText {
    message: &'static str,
    help: &'static str,
    line: u32,
    /// The line, with what is no text replaced.
    excerpt: String,
    /// Where in `excerpt` the fault stands.
    at: usize,
}

fn text_of(bytes: Vec<u8>) -> Result<String, NotText> {
    let (at, message, help) = match (std::str::from_utf8(&bytes), find_byte(&bytes, 0)) {
        (Ok(_), None) => return Ok(String::from_utf8(bytes).unwrap_or_default()),
        (Ok(_), Some(at)) => (
            at,
            "this file has a NUL byte, so it is no text",
            "is it a policy file at all, or was it cut off while written?",
        ),
        (Err(error), _) => (
            error.valid_up_to(),
            "this file is not UTF-8",
            "save it as UTF-8 in your editor",
        ),
    };
    let (before, after) = bytes.split_at(at.min(bytes.len()));
    let start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    // Only the nearest bytes of a long line are worth showing.
    let head_start = start.max(at.saturating_sub(EXCERPT / 2));
    let head = excerpt(bytes.get(head_start..at).unwrap_or_default());
    let tail = after
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    Err(NotText {
        message,
        help,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        at: head.len(),
        excerpt: head + &excerpt(tail),
    })
}

fn find_byte(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|&byte| byte == wanted)
}

/// The beginning of a line, what is no text replaced.
fn excerpt(line: &[u8]) -> String {
    let head = line.get(..EXCERPT).unwrap_or(line);
    String::from_utf8_lossy(head)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
