//! Cuts a file into declarations, and finds what no grammar needs to see:
//! brackets without a partner, strings without an end, characters of no token.

use std::ops::Range;

use super::fault::{Fault, FaultKind};
use super::keywords::{ITEMS, item_keyword};
use super::scan::{Kind, Scanner, Token};

/// How deep brackets, parentheses and `not` may nest.
pub(super) const MAX_NESTING: usize = 64;

/// Faults after which the rest of a file is not looked at.
const MAX_FAULTS: usize = 1000;

/// A stretch of a file that should be one declaration.
pub(super) struct Piece {
    /// From its keyword to its last token.
    pub(super) range: Range<usize>,
    /// What was found without the grammar, in order.
    pub(super) faults: Vec<Fault>,
}

/// A file cut into declarations.
#[derive(Default)]
pub(super) struct Split {
    pub(super) pieces: Vec<Piece>,
    pub(super) comments: Vec<CommentPlace>,
    /// Where words begin that follow a blank line.
    pub(super) blanks: Vec<usize>,
}

/// A comment and how it stands among the lines.
pub(super) struct CommentPlace {
    pub(super) range: Range<usize>,
    pub(super) own_line: bool,
    pub(super) after_blank: bool,
}

/// Cuts `text` at the keywords of declarations, from byte `from` on.
pub(super) fn split(text: &str, from: usize) -> Split {
    let mut splitter = Splitter {
        text,
        split: Split::default(),
        open: Vec::new(),
        previous: Previous::Start,
        end: from,
        line_end: from,
        faults: 0,
    };
    let mut scanner = Scanner::new(text, from);
    while let Some(token) = scanner.next() {
        if splitter.faults > MAX_FAULTS {
            break;
        }
        let breaks = splitter.breaks(token.range.start);
        if token.kind == Kind::Comment {
            splitter.line_end = token.range.end;
            splitter.split.comments.push(CommentPlace {
                own_line: breaks > 0 || token.range.start == 0,
                after_blank: breaks > 1,
                range: token.range,
            });
            continue;
        }
        if breaks > 1 {
            splitter.split.blanks.push(token.range.start);
        }
        splitter.token(token, &scanner);
    }
    splitter.close_all(0);
    let mut split = splitter.split;
    for piece in &mut split.pieces {
        piece.faults.sort_by_key(|fault| fault.range.start);
    }
    split
}

/// What the last token means for the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Previous {
    /// Nothing was before.
    Start,
    /// A declaration's keyword: a name is due.
    Keyword,
    /// An operator: an operand is due.
    Operator,
    /// Anything else.
    Other,
}

struct Splitter<'a> {
    text: &'a str,
    split: Split,
    /// The brackets that are open.
    open: Vec<Range<usize>>,
    previous: Previous,
    /// Where the last token ended.
    end: usize,
    /// Where the last token or comment ended.
    line_end: usize,
    /// How many faults there are in all pieces.
    faults: usize,
}

impl Splitter<'_> {
    fn token(&mut self, token: Token, ahead: &Scanner<'_>) {
        let word = self.text.get(token.range.clone()).unwrap_or_default();
        let starts = token.kind == Kind::Word && self.starts(word, &token, ahead);
        if starts {
            self.close_all(0);
        }
        if starts || self.split.pieces.is_empty() {
            self.split.pieces.push(Piece {
                range: token.range.clone(),
                faults: Vec::new(),
            });
        }
        if let Some(piece) = self.split.pieces.last_mut() {
            piece.range.end = token.range.end;
        }
        self.previous = match token.kind {
            _ if starts && word != "defaults" => Previous::Keyword,
            Kind::Punct if matches!(word, "=" | "|" | ",") => Previous::Operator,
            _ => Previous::Other,
        };
        self.structure(&token, word);
        self.end = token.range.end;
        self.line_end = token.range.end;
    }

    /// How many line breaks stand before `start`.
    fn breaks(&self, start: usize) -> usize {
        let gap = self.text.as_bytes().get(self.line_end..start);
        gap.map_or(0, |gap| gap.iter().filter(|&&byte| byte == b'\n').count())
    }

    /// Whether a word begins a declaration. Cheap for the common words: most are no keyword.
    fn starts(&self, word: &str, token: &Token, ahead: &Scanner<'_>) -> bool {
        let is_keyword = ITEMS.contains(&word);
        let at_top = self.open.is_empty();
        let first_on_line = || {
            let gap = self.text.get(self.end..token.range.start);
            self.previous == Previous::Start || gap.is_some_and(|gap| gap.contains('\n'))
        };
        match (is_keyword, at_top, self.previous) {
            (true, true, Previous::Start | Previous::Other) => true,
            // Where a name, an operand or the end of a block is due, only what can be
            // nothing but a declaration begins one.
            (true, _, _) => first_on_line() && heads(self.text, ahead, false),
            (false, true, Previous::Start | Previous::Other) => {
                first_on_line() && heads(self.text, ahead, true)
            }
            (false, _, _) => false,
        }
    }

    fn structure(&mut self, token: &Token, text: &str) {
        match token.kind {
            Kind::Open => {
                self.open.push(token.range.clone());
                if self.open.len() == MAX_NESTING + 1 {
                    self.fault(token.range.clone(), FaultKind::TooDeep);
                }
            }
            Kind::Close => self.close(token, text),
            Kind::SlashComment => self.fault(token.range.clone(), FaultKind::SlashComment),
            Kind::EmptyRegex => self.fault(token.range.clone(), FaultKind::EmptyRegex),
            Kind::OpenText => self.fault(token.range.clone(), FaultKind::OpenText),
            Kind::OpenRegex => self.fault(token.range.clone(), FaultKind::OpenRegex),
            Kind::Stray => self.fault(token.range.clone(), FaultKind::Stray),
            Kind::Punct if text == ";" => self.fault(token.range.clone(), FaultKind::Semicolon),
            Kind::Word | Kind::Literal | Kind::Text | Kind::Regex | Kind::Punct | Kind::Comment => {
            }
        }
    }

    fn close(&mut self, token: &Token, closer: &str) {
        let partner = match closer {
            "}" => "{",
            "]" => "[",
            _ => "(",
        };
        let text = self.text;
        let matches = |range: &Range<usize>| text.get(range.clone()) == Some(partner);
        match self.open.iter().rposition(matches) {
            Some(at) => {
                self.close_all(at + 1);
                self.open.pop();
            }
            None => match self.open.pop() {
                Some(opening) => {
                    self.fault(token.range.clone(), FaultKind::WrongCloser { opening });
                }
                None => self.fault(token.range.clone(), FaultKind::StrayCloser),
            },
        }
    }

    /// Reports every bracket above `keep` as never closed.
    fn close_all(&mut self, keep: usize) {
        while self.open.len() > keep
            && let Some(opening) = self.open.pop()
        {
            self.fault(opening, FaultKind::Unclosed);
        }
    }

    fn fault(&mut self, range: Range<usize>, kind: FaultKind) {
        if self.faults > MAX_FAULTS {
            return;
        }
        if let Some(piece) = self.split.pieces.last_mut() {
            // A run of foreign characters is one fault.
            if let (FaultKind::Stray, Some(last)) = (&kind, piece.faults.last_mut())
                && last.kind == FaultKind::Stray
                && last.range.end == range.start
            {
                last.range.end = range.end;
                return;
            }
            piece.faults.push(Fault { range, kind });
            self.faults += 1;
        }
    }
}

/// Whether what follows on the same line is the head of a declaration: a name or a
/// title, then `=` or `{`. A `misspelled` keyword may also stand alone before `{`, and
/// is none when a real keyword follows it.
fn heads(text: &str, ahead: &Scanner<'_>, misspelled: bool) -> bool {
    let mut ahead = ahead.clone();
    let line = |from: usize, to: usize| text.get(from..to).is_some_and(|gap| !gap.contains('\n'));
    let start = ahead.at();
    let Some(name) = ahead.next().filter(|name| line(start, name.range.start)) else {
        return false;
    };
    let word = text.get(name.range.clone()).unwrap_or_default();
    if misspelled && (word == "{" || item_keyword(word).is_some()) {
        return word == "{";
    }
    if !matches!(name.kind, Kind::Word | Kind::Text) {
        return false;
    }
    ahead.next().is_some_and(|third| {
        matches!(text.get(third.range.clone()), Some("=" | "{"))
            && line(name.range.end, third.range.start)
    })
}
