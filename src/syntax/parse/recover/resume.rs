//! Where the statements of a broken block seem to begin.

use std::ops::Range;

use pest::Parser;

use super::Recovery;
use crate::syntax::parse::grammar::Grammar;
use crate::syntax::parse::keywords::{Block, CONTINUATIONS};
use crate::syntax::parse::scan::{Kind, Scanner, Token};

/// How many places on one line are tried for the next good statement.
pub(super) const MAX_RESUMPTIONS: usize = 16;

impl Recovery<'_> {
    /// Where the words stand that begin a line and, it seems, a statement.
    pub(super) fn windows(&self, block: &Block, tokens: &[Token]) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut depth = 0usize;
        let mut previous: Option<&Token> = None;
        for token in tokens {
            match token.kind {
                Kind::Open if !self.is_unclosed(token) => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                Kind::Word if depth == 0 && self.begins(block, previous, token) => {
                    starts.push(token.range.start);
                }
                _ => {}
            }
            previous = Some(token);
        }
        starts
    }

    fn begins(&self, block: &Block, previous: Option<&Token>, token: &Token) -> bool {
        let Some(previous) = previous else {
            return false;
        };
        let gap = self.slice(&(previous.range.end..token.range.start));
        if !gap.contains('\n') {
            return false;
        }
        let word = self.slice(&token.range);
        let before = self.slice(&previous.range);
        let operand = previous.kind == Kind::Punct
            || CONTINUATIONS.contains(&before)
            || block.keywords.contains(&before);
        block.keywords.contains(&word) || !(operand || CONTINUATIONS.contains(&word))
    }

    /// Where a statement begins on the same line in the place of an operand that was
    /// left out, in what cannot be read as it stands.
    pub(super) fn behind_operator(&self, block: &Block, range: Range<usize>) -> Option<usize> {
        if self.reads_all(block, range.clone()) {
            return None;
        }
        let text = self.slice(&range);
        let mut previous = "";
        for token in Scanner::new(text, 0) {
            let word = text.get(token.range.clone()).unwrap_or_default();
            let start = range.start + token.range.start;
            let is_due = matches!(previous, "==" | "!=" | "in" | "has");
            if is_due
                && block.keywords.contains(&word)
                && Grammar::parse(block.some, self.slice(&(start..range.end)))
                    .is_ok_and(|mut read| read.next().is_some())
            {
                return Some(start);
            }
            previous = word;
        }
        None
    }

    /// The next keyword on the line from which all of the rest can be read.
    pub(super) fn resumption(
        &self,
        block: &Block,
        range: Range<usize>,
        tries: &mut usize,
    ) -> Option<usize> {
        let text = self.slice(&range);
        let tokens = Scanner::new(text, 0);
        // `comment required on reject` has another statement's keyword in it.
        let comment = text.trim_start().starts_with("comment");
        for token in tokens.skip(1) {
            let word = text.get(token.range.clone()).unwrap_or_default();
            if token.kind != Kind::Word
                || !block.keywords.contains(&word)
                || (comment && word == "on")
            {
                continue;
            }
            *tries += 1;
            if *tries > MAX_RESUMPTIONS {
                return None;
            }
            let start = range.start + token.range.start;
            if self.reads_all(block, start..range.end) {
                return Some(start);
            }
        }
        None
    }
}
