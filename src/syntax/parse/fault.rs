//! What the scanner finds wrong, in words.

use std::ops::Range;

use super::split::MAX_NESTING;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::syntax::codes;

/// Something wrong that was seen before the grammar was asked.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) range: Range<usize>,
    pub(super) kind: FaultKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// A bracket that is never closed.
    Unclosed,
    /// A closing bracket of another kind than the open one.
    WrongCloser { opening: Range<usize> },
    /// A closing bracket with nothing to close.
    StrayCloser,
    /// Nesting past the limit.
    TooDeep,
    /// `//`
    SlashComment,
    /// `//` for a regular expression.
    EmptyRegex,
    /// `;`
    Semicolon,
    /// A string without its end.
    OpenText,
    /// A regular expression without its end.
    OpenRegex,
    /// Characters that begin no token.
    Stray,
}

impl Fault {
    /// Whether the rest can be read as if the fault were blank.
    pub(super) fn is_blank(&self) -> bool {
        match self.kind {
            FaultKind::SlashComment | FaultKind::Semicolon | FaultKind::StrayCloser => true,
            FaultKind::Unclosed
            | FaultKind::WrongCloser { .. }
            | FaultKind::TooDeep
            | FaultKind::EmptyRegex
            | FaultKind::OpenText
            | FaultKind::OpenRegex
            | FaultKind::Stray => false,
        }
    }

    /// The fault in the user's words.
    pub(super) fn diagnostic(&self, file: FileId, text: &str) -> Diagnostic {
        let span = Span::new(file, self.range.clone());
        let found = text.get(self.range.clone()).unwrap_or_default();
        match &self.kind {
            FaultKind::Unclosed => Diagnostic::new(
                &codes::BRACKET,
                span,
                format!("this `{found}` is never closed"),
            )
            .help(format!("close it with `{}`", closer(found))),
            FaultKind::WrongCloser { opening } => wrong_closer(file, text, span, opening),
            FaultKind::StrayCloser => Diagnostic::new(
                &codes::BRACKET,
                span,
                format!("this `{found}` closes nothing"),
            )
            .help("remove it, or open what it should close"),
            FaultKind::TooDeep => Diagnostic::new(
                &codes::NESTING,
                span,
                format!("nesting goes deeper than {MAX_NESTING}"),
            )
            .help("split this into several rules"),
            FaultKind::SlashComment => {
                let slashes = Span::new(file, self.range.start..self.range.start + 2);
                Diagnostic::new(&codes::SLASH_COMMENT, slashes, "`//` begins no comment")
                    .help("use `#`")
                    .fix(slashes, "#")
            }
            FaultKind::EmptyRegex => {
                Diagnostic::new(&codes::SYNTAX, span, "this regular expression is empty")
                    .help("say what names must match: `/^web-[0-9]+$/`")
            }
            FaultKind::Semicolon => {
                Diagnostic::new(&codes::SYNTAX, span, "statements end without `;`")
                    .help("remove it: each statement begins with its keyword")
                    .fix(span, "")
            }
            FaultKind::OpenText => Diagnostic::new(
                &codes::UNTERMINATED,
                span,
                "this string has no end on its line",
            )
            .help("close it with `\"`; write `\\n` for a line break"),
            FaultKind::OpenRegex => Diagnostic::new(
                &codes::UNTERMINATED,
                span,
                "this regular expression has no end on its line",
            )
            .help("close it with `/`; write `\\/` for a slash inside"),
            FaultKind::Stray => stray(span, found),
        }
    }
}

fn closer(opener: &str) -> &'static str {
    match opener {
        "{" => "}",
        "[" => "]",
        _ => ")",
    }
}

fn wrong_closer(file: FileId, text: &str, span: Span, opening: &Range<usize>) -> Diagnostic {
    let opener = text.get(opening.clone()).unwrap_or_default();
    let found = text.get(span.range()).unwrap_or_default();
    let right = closer(opener);
    Diagnostic::new(
        &codes::BRACKET,
        span,
        format!("expected `{right}`, found `{found}`"),
    )
    .also(Span::new(file, opening.clone()), "opened here")
    .help(format!("close `{opener}` with `{right}`"))
    .fix(span, right)
}

fn stray(span: Span, found: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        &codes::FOREIGN_CHARACTER,
        span,
        format!(
            "`{}` has no meaning here",
            found.replace(char::is_control, "\u{fffd}")
        ),
    );
    let is_quote = |character| matches!(character, '\'' | '‘' | '’' | '“' | '”');
    let inner = found.trim_matches(is_quote);
    match found.chars().next() {
        Some(first) if is_quote(first) && inner.len() < found.len() && !inner.is_empty() => {
            diagnostic
                .help("strings stand in straight double quotes")
                .fix(span, format!("\"{inner}\""))
        }
        Some(first) if is_quote(first) => {
            diagnostic.help("strings stand in straight double quotes: `\"…\"`")
        }
        Some(first) if first.is_alphabetic() => {
            diagnostic.help("names are letters a to z in lower case, digits and hyphens")
        }
        Some(first) if first.is_control() || first.is_whitespace() => diagnostic.help(format!(
            "{} may not stand here; only blanks, tabs and line breaks part words",
            code_point(first)
        )),
        Some('@' | '*' | '$' | '%' | '^' | '~' | '?') => {
            diagnostic.help("text stands in double quotes: `\"…\"`")
        }
        Some(_) | None => diagnostic.help("remove it"),
    }
}

fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}
