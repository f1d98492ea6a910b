//! Finds where each declaration of a file begins and ends.

use std::ops::Range;

use super::scan::{Kind, Scanner, Token};

/// The keyword that each kind of declaration begins with.
pub(super) const ITEM_KEYWORDS: &[&str] = &[
    "edition",
    "tag",
    "network",
    "schedule",
    "project",
    "profile",
    "defaults",
    "person",
    "service",
    "team",
    "unlock",
    "allow-once",
    "approval",
    "issuance",
    "invariant",
    "bypass",
    "test",
];

/// A file cut into declarations.
pub(super) struct Split {
    /// Each declaration from its keyword to its last token.
    pub(super) pieces: Vec<Range<usize>>,
    /// Every comment.
    pub(super) comments: Vec<Range<usize>>,
}

/// Cuts `text` at the keywords of declarations.
///
/// At depth 0 a keyword begins a declaration unless it stands where a name or an
/// operand is due: after another declaration's keyword, `=`, `|`, `,`.
pub(super) fn split(text: &str, from: usize) -> Split {
    let mut split = Split {
        pieces: Vec::new(),
        comments: Vec::new(),
    };
    let mut depth = 0usize;
    let mut name_due = false;
    for token in Scanner::new(text, from) {
        if token.kind == Kind::Comment {
            split.comments.push(token.range);
            continue;
        }
        let word = text.get(token.range.clone()).unwrap_or_default();
        let starts =
            depth == 0 && !name_due && token.kind == Kind::Word && ITEM_KEYWORDS.contains(&word);
        name_due = (starts && !matches!(word, "defaults"))
            || (depth == 0 && matches!(word, "=" | "|" | ","));
        extend(&mut split.pieces, &token, starts);
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    split
}

fn extend(pieces: &mut Vec<Range<usize>>, token: &Token, starts: bool) {
    match pieces.last_mut() {
        Some(piece) if !starts => piece.end = token.range.end,
        Some(_) | None => pieces.push(token.range.clone()),
    }
}
