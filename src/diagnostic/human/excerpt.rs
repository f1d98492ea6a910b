//! The lines of a file around some places, as they are shown: each whole, or,
//! where it is very long, what stands around the places on it.
//!
//! A finding's share of the work is bounded by this, however long a line is.

use std::ops::Range;

use super::clean;
use crate::source::SourceFile;

/// The longest line that is shown whole, in bytes.
const LONGEST: usize = 240;

/// What is shown of a longer one, on each side of a place, in bytes.
const AROUND: usize = 60;

/// What stands where something was left out.
const LEFT_OUT: &str = "...";

/// Some lines as they are shown.
pub(super) struct Excerpt {
    /// The lines, cleaned.
    pub(super) shown: String,
    /// The number of the first of them, from 1.
    pub(super) first_line: usize,
    /// Whether a line is not shown whole, so that columns are not the file's.
    pub(super) is_clipped: bool,
    kept: Vec<Kept>,
}

/// A stretch of the file that is shown.
struct Kept {
    range: Range<usize>,
    /// Where it begins in what is shown.
    at: usize,
}

impl Excerpt {
    /// The lines from that of the first of `places` (bytes of `file`) to that of
    /// the last.
    pub(super) fn new(file: &SourceFile, places: &[u32]) -> Self {
        let first = places.iter().min().copied().unwrap_or(0);
        let last = places.iter().max().copied().unwrap_or(first);
        let lines = file.line_index(first)..=file.line_index(last);
        let mut excerpt = Excerpt {
            shown: String::new(),
            first_line: file.position(first).line as usize,
            is_clipped: false,
            kept: Vec::new(),
        };
        for line in lines.clone() {
            if line != *lines.start() {
                excerpt.shown.push('\n');
            }
            excerpt.push_line(&file.text, file.line_range(line), places);
        }
        excerpt
    }

    fn push_line(&mut self, text: &str, line: Range<usize>, places: &[u32]) {
        if line.len() <= LONGEST {
            self.keep(text, line);
            return;
        }
        self.is_clipped = true;
        let mut end = line.start;
        for window in windows(text, &line, places) {
            if window.start > end {
                self.shown.push_str(LEFT_OUT);
            }
            end = window.end;
            self.keep(text, window);
        }
        if end < line.end {
            self.shown.push_str(LEFT_OUT);
        }
    }

    fn keep(&mut self, text: &str, range: Range<usize>) {
        let at = self.shown.len();
        self.shown
            .push_str(&clean(text.get(range.clone()).unwrap_or_default()));
        self.kept.push(Kept { range, at });
    }

    /// Where a byte of `file` stands in what is shown of it.
    pub(super) fn offset(&self, file: &SourceFile, byte: u32) -> usize {
        let byte = byte as usize;
        let after = self.kept.partition_point(|kept| kept.range.start <= byte);
        let Some(kept) = after.checked_sub(1).and_then(|last| self.kept.get(last)) else {
            return 0;
        };
        let end = byte.min(kept.range.end);
        let before = file.text.get(kept.range.start..end).unwrap_or_default();
        kept.at + clean(before).len()
    }
}

/// What is kept of a long line, in order and apart from each other.
fn windows(text: &str, line: &Range<usize>, places: &[u32]) -> Vec<Range<usize>> {
    let here = places.iter().map(|&place| place as usize);
    let mut here: Vec<usize> = here
        .filter(|place| (line.start..=line.end).contains(place))
        .collect();
    if here.is_empty() {
        here.push(line.start);
    }
    here.sort_unstable();
    let mut windows: Vec<Range<usize>> = Vec::new();
    for place in here {
        let start = text.floor_char_boundary(place.saturating_sub(AROUND).max(line.start));
        let end = text.ceil_char_boundary((place + AROUND).min(line.end));
        match windows.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            Some(_) | None => windows.push(start..end),
        }
    }
    windows
}
