//! An input cut into pieces of whole lines, so that many may be judged at once.

use std::io::{self, Read};

/// About how many bytes a piece has.
const SIZE: usize = 256 * 1024;
/// The longest line that is read; a record with a trace of thousands of rules
/// stays far below.
const LONGEST: usize = 4 * 1024 * 1024;

/// Part of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Whole lines; the last of the input may lack its end.
    Lines,
    /// One line, too long to be read.
    TooLong,
}

/// Cuts an input.
pub(super) struct Pieces<R> {
    input: R,
    /// What was read after the last piece.
    rest: Vec<u8>,
    ended: bool,
    size: usize,
    longest: usize,
}

impl<R: Read> Pieces<R> {
    /// The pieces of `input`.
    pub(super) fn new(input: R) -> Self {
        Pieces {
            input,
            rest: Vec::new(),
            ended: false,
            size: SIZE,
            longest: LONGEST,
        }
    }

    /// The next piece, whose bytes are then in `buffer`; none at the end.
    ///
    /// # Errors
    /// What the input says.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        buffer.clear();
        buffer.append(&mut self.rest);
        // After a line that was too long, the rest may hold whole lines.
        let mut searched = 0;
        loop {
            self.fill(buffer, self.size.max(buffer.len()))?;
            let new = buffer.get(searched..).unwrap_or_default();
            if let Some(at) = new.iter().rposition(|&byte| byte == b'\n') {
                self.rest.extend(new.get(at + 1..).unwrap_or_default());
                buffer.truncate(searched + at + 1);
                return Ok(Some(Piece::Lines));
            }
            searched = buffer.len();
            if buffer.len() > self.longest {
                self.skip_line(buffer)?;
                return Ok(Some(Piece::TooLong));
            }
            if self.ended {
                return Ok((!buffer.is_empty()).then_some(Piece::Lines));
            }
        }
    }

    /// Reads so many bytes more, or what there is.
    fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        let limit = wanted as u64;
        let read = (&mut self.input).take(limit).read_to_end(buffer)?;
        self.ended = (read as u64) < limit;
        Ok(())
    }

    /// Reads on after the end of this line.
    fn skip_line(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        while !self.ended {
            buffer.clear();
            self.fill(buffer, self.size)?;
            if let Some(at) = buffer.iter().position(|&byte| byte == b'\n') {
                self.rest.extend(buffer.get(at + 1..).unwrap_or_default());
                break;
            }
        }
        buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Pieces};

    /// The lines of `text`, a line that is too long as `None`.
    fn lines(text: &str, size: usize, longest: usize) -> Vec<Option<String>> {
        let mut pieces = Pieces {
            size,
            longest,
            ..Pieces::new(text.as_bytes())
        };
        let mut lines = Vec::new();
        let mut buffer = Vec::new();
        while let Some(piece) = pieces.next(&mut buffer).unwrap() {
            match piece {
                Piece::Lines => {
                    let text = std::str::from_utf8(&buffer).unwrap();
                    lines.extend(text.lines().map(|line| Some(line.to_owned())));
                }
                Piece::TooLong => lines.push(None),
            }
        }
        lines
    }

    #[test]
    fn pieces_of_any_size_are_the_lines() {
        for text in [
            "",
            "\n",
            "a",
            "a\n",
            "a\nbb\n\nccc",
            "a\nbb\n\ncccccccccccc\n\nd\n",
        ] {
            let expected: Vec<_> = text.lines().map(|line| Some(line.to_owned())).collect();
            for size in 1..20 {
                assert_eq!(lines(text, size, 100), expected, "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_whole_and_the_next_is_read() {
        let long = "x".repeat(1000);
        for size in 1..300 {
            let some = |text: &str| Some(text.to_owned());
            let text = format!("a\n{long}\nb\n{long}\n{long}\nc\n");
            let expected = [some("a"), None, some("b"), None, None, some("c")];
            assert_eq!(lines(&text, size, 400), expected, "by {size}");
            let cut = format!("a\n{long}");
            assert_eq!(lines(&cut, size, 400), [some("a"), None], "by {size}");
        }
    }
}
