//! Text to tree: a scanner cuts a file into declarations, pest reads each, and
//! the builder turns pest's pairs into owned nodes.
//!
//! Knows no meaning and no names. A good declaration takes one pest pass; one
//! that pest refuses is read again piece by piece in [`recover`], and what pest
//! says becomes words in [`explain`]. Start at [`parse_file`].

mod build;
mod explain;
mod fault;
mod grammar;
mod keywords;
mod recover;
mod scan;
mod split;

use std::borrow::Cow;

use pest::Parser;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::codes;
use crate::syntax::tree::{Broken, Comment, File};

use build::{Builder, Built};
use fault::{Fault, FaultKind};
use grammar::{Grammar, Rule};
use recover::Recovery;
use split::Piece;

/// Errors after which the rest of a file is not looked at.
const MAX_ERRORS: usize = 1000;

/// Reads one file: all of it that can be read, and every syntax error.
pub fn parse_file(id: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let split = split::split(text, start);
    let mut reader = Reader {
        id,
        text,
        file: File {
            edition: None,
            items: Vec::with_capacity(split.pieces.len()),
            comments: Vec::with_capacity(split.comments.len()),
            broken: Vec::new(),
            blanks: Vec::with_capacity(split.blanks.len()),
        },
        diagnostics: Vec::new(),
        edition: EditionState::Due,
    };
    let blanks = split.blanks.into_iter();
    reader
        .file
        .blanks
        .extend(blanks.map(|at| u32::try_from(at).unwrap_or(u32::MAX)));
    for place in split.comments {
        let comment = text.get(place.range.clone()).unwrap_or_default().trim_end();
        reader.file.comments.push(Comment {
            span: Span::new(id, place.range.start..place.range.start + comment.len()),
            text: comment.to_owned(),
            own_line: place.own_line,
            after_blank: place.after_blank,
        });
    }
    for piece in &split.pieces {
        if reader.diagnostics.len() >= MAX_ERRORS {
            reader.give_up(piece);
            break;
        }
        reader.piece(piece);
    }
    if reader.edition == EditionState::Due {
        reader.missing_edition(start);
    }
    reader
        .diagnostics
        .sort_by_key(|diagnostic| diagnostic.primary.as_ref().map(|label| label.span));
    (reader.file, reader.diagnostics)
}

/// Reads a duration as policies write it, `90s` or `1h30m`, in seconds.
///
/// # Errors
/// What is wrong with it, and what helps.
pub fn parse_duration(text: &str) -> Result<u64, (String, &'static str)> {
    build::literal::read_duration(text)
}

/// Reads bytes as the text of a policy file.
///
/// # Errors
/// The offset of the first byte that is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, usize> {
    std::str::from_utf8(bytes).map_err(|error| error.valid_up_to())
}

/// Whether the first item was seen, and was what it must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EditionState {
    Due,
    Seen,
    /// It is missing, and that has been said.
    Missing,
}

struct Reader<'a> {
    id: FileId,
    text: &'a str,
    file: File,
    diagnostics: Vec<Diagnostic>,
    edition: EditionState,
}

impl Reader<'_> {
    fn piece(&mut self, piece: &Piece) {
        let before = self.diagnostics.len();
        for fault in &piece.faults {
            let diagnostic = fault.diagnostic(self.id, self.text);
            self.diagnostics.push(diagnostic);
        }
        let span = Span::new(self.id, piece.range.clone());
        let written = self.text.get(piece.range.clone()).unwrap_or_default();
        self.expect_edition(written, piece.range.start);
        let text = blanked(written, piece);
        let declares = self.read(piece, &text);
        if declares.is_some() || self.diagnostics.len() > before {
            let declares = declares.flatten();
            self.file.broken.push(Broken { span, declares });
        }
    }

    /// Reads a piece; `Some` when it could not be read whole, with what it declares.
    #[allow(
        clippy::option_option,
        reason = "incomplete, and then perhaps with a name"
    )]
    fn read(
        &mut self,
        piece: &Piece,
        text: &str,
    ) -> Option<Option<(String, crate::syntax::tree::Name)>> {
        if piece
            .faults
            .iter()
            .any(|fault| fault.kind == FaultKind::TooDeep)
        {
            return Some(None);
        }
        if piece.faults.iter().all(Fault::is_blank)
            && let Ok(mut pairs) = Grammar::parse(Rule::one_item, text)
        {
            let mut builder = Builder::new(self.id, piece.range.start);
            let built = pairs.next().and_then(|pair| builder.item(pair));
            self.diagnostics.append(&mut builder.diagnostics);
            match built {
                Some(Built::Edition(edition)) => self.edition_item(edition),
                Some(Built::Item(item)) => self.file.items.push(item),
                None => return Some(declared(self.id, piece, text)),
            }
            return None;
        }
        let mut recovery = Recovery {
            file: self.id,
            text,
            base: piece.range.start,
            faults: &piece.faults,
            diagnostics: Vec::new(),
        };
        let recovered = recovery.recover();
        self.diagnostics.append(&mut recovery.diagnostics);
        self.file.items.extend(recovered.item);
        Some(recovered.declares)
    }

    fn expect_edition(&mut self, piece: &str, start: usize) {
        if self.edition != EditionState::Due {
            return;
        }
        let word = scan::Scanner::new(piece, 0).next();
        let word = word
            .and_then(|token| piece.get(token.range))
            .unwrap_or_default();
        // A misspelled `edition` is reported as such.
        if crate::vocabulary::nearest(word, ["edition"]).is_some() {
            self.edition = EditionState::Seen;
        } else {
            self.missing_edition(start);
        }
    }

    fn missing_edition(&mut self, at: usize) {
        self.edition = EditionState::Missing;
        let place = Span::new(self.id, at..at);
        self.diagnostics.push(
            Diagnostic::new(
                &codes::EDITION,
                place,
                "the file does not begin with its edition",
            )
            .help("put `edition 2026` first")
            .fix(place, "edition 2026\n\n"),
        );
    }

    fn edition_item(&mut self, edition: Spanned<u32>) {
        if let Some(first) = &self.file.edition {
            let diagnostic =
                Diagnostic::new(&codes::EDITION, edition.span, "the edition stands twice")
                    .also(first.span, "first here")
                    .help("remove this one");
            self.diagnostics.push(diagnostic);
            return;
        }
        self.file.edition = Some(edition);
    }

    fn give_up(&mut self, piece: &Piece) {
        let rest = Span::new(self.id, piece.range.start..piece.range.start);
        self.diagnostics.push(
            Diagnostic::new(
                &codes::SYNTAX,
                rest,
                format!("more than {MAX_ERRORS} errors: the rest of the file was not read"),
            )
            .help("mend those above first"),
        );
        let span = Span::new(self.id, piece.range.start..self.text.len());
        self.file.broken.push(Broken {
            span,
            declares: None,
        });
    }
}

/// The piece with the faults that may be read over made blank, byte for byte.
fn blanked<'a>(written: &'a str, piece: &Piece) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(written);
    for fault in piece.faults.iter().filter(|fault| fault.is_blank()) {
        let range = fault.range.start - piece.range.start..fault.range.end - piece.range.start;
        let blank = " ".repeat(range.len());
        text.to_mut().replace_range(range, &blank);
    }
    text
}

/// What a declaration that cannot be kept would declare.
fn declared(id: FileId, piece: &Piece, text: &str) -> Option<(String, crate::syntax::tree::Name)> {
    let mut tokens = scan::Scanner::new(text, 0).filter(|token| token.kind != scan::Kind::Comment);
    let keyword = text.get(tokens.next()?.range)?;
    let name = tokens
        .next()
        .filter(|token| token.kind == scan::Kind::Word)?;
    let start = piece.range.start;
    let span = Span::new(id, start + name.range.start..start + name.range.end);
    let value = text.get(name.range)?.to_owned();
    Some((keyword.to_owned(), Spanned::new(value, span)))
}
