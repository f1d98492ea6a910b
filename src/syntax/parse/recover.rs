//! Reads what can be read of a declaration that the grammar did not take whole.
//!
//! A block is cut at the words that begin a line, each stretch is read by
//! itself, and each reports its first error: one mistake, one message.

mod resume;

use std::ops::Range;

use pest::Parser;

use super::build::{Builder, Built};
use super::explain::{self, Failure};
use super::fault::{Fault, FaultKind};
use super::grammar::{Grammar, Rule};
use super::keywords::{self, Block};
use super::scan::{Kind, Scanner, Token};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::codes;
use crate::syntax::tree::{Item, Name};
use crate::vocabulary::nearest;

use resume::MAX_RESUMPTIONS;

/// Errors after which the rest of a block is not looked at.
const MAX_ERRORS: usize = 1000;

/// A declaration with an error in it.
pub(super) struct Recovery<'a> {
    pub(super) file: FileId,
    /// The declaration, blank where a fault may be read over.
    pub(super) text: &'a str,
    /// Where it begins in the file.
    pub(super) base: usize,
    /// Faults already reported, by their place in the file.
    pub(super) faults: &'a [Fault],
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What was left of it.
#[derive(Default)]
pub(super) struct Recovered {
    pub(super) item: Option<Item>,
    pub(super) declares: Option<(String, Name)>,
}

impl<'a> Recovery<'a> {
    /// Reads what can be read.
    pub(super) fn recover(&mut self) -> Recovered {
        let tokens: Vec<Token> = Scanner::new(self.text, 0)
            .filter(|token| token.kind != Kind::Comment)
            .collect();
        let Some(first) = tokens.first() else {
            return Recovered::default();
        };
        let word = self.slice(&first.range);
        let known = keywords::item_keyword(word);
        if known.is_none() {
            self.unknown_declaration(first);
        }
        let meant = known.or_else(|| nearest(word, keywords::ITEMS.iter().copied()));
        let declares = meant.and_then(|keyword| self.declares(keyword, tokens.get(1)?));
        let block = meant.and_then(keywords::block);
        let open = tokens
            .iter()
            .position(|token| self.slice(&token.range) == "{");
        let item = match (block, open) {
            (Some(block), Some(open)) => self.block(&block, &tokens, open, known.is_some()),
            (Some(_), None) | (None, _) => {
                if known.is_some() {
                    self.whole();
                }
                None
            }
        };
        Recovered { item, declares }
    }

    fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.file, self.base + range.start..self.base + range.end)
    }

    fn declares(&self, keyword: &str, name: &Token) -> Option<(String, Name)> {
        let text = self.slice(&name.range).to_owned();
        (name.kind == Kind::Word).then(|| {
            (
                keyword.to_owned(),
                Spanned::new(text, self.span(&name.range)),
            )
        })
    }

    fn unknown_declaration(&mut self, first: &Token) {
        if self.is_quiet(&first.range) {
            return;
        }
        let span = self.span(&first.range);
        let word = self.slice(&first.range);
        let near = nearest(word, keywords::ITEMS.iter().copied());
        let message = format!("`{word}` begins no declaration");
        let diagnostic = Diagnostic::new(&codes::SYNTAX, span, message);
        self.diagnostics.push(match near {
            Some(near) => diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(span, near),
            None => diagnostic
                .help("a declaration begins with its keyword: `tag`, `network`, `unlock`, …"),
        });
    }

    /// Whether a fault inside `range` was reported, so that what follows from it is not.
    fn is_quiet(&self, range: &Range<usize>) -> bool {
        let start = self.base + range.start;
        let end = (self.base + range.end).max(start + 1);
        self.fault_from(start)
            .is_some_and(|fault| fault.range.start < end)
    }

    /// The first fault at or after a place in the file.
    fn fault_from(&self, start: usize) -> Option<&Fault> {
        let at = self
            .faults
            .partition_point(|fault| fault.range.start < start);
        self.faults.get(at)
    }

    /// The error of a declaration that has no block to look into.
    fn whole(&mut self) {
        if self.faults.is_empty()
            && let Err(error) = Grammar::parse(Rule::one_item, self.text)
        {
            let diagnostic = self.failure(0..self.text.len(), None).explain(&error);
            self.diagnostics.push(diagnostic);
        }
    }

    fn failure<'s>(&'s self, range: Range<usize>, block: Option<&'s Block>) -> Failure<'s> {
        Failure {
            file: self.file,
            text: self.text.get(range.clone()).unwrap_or_default(),
            base: self.base + range.start,
            block,
        }
    }

    /// A block: its head, then its statements, then what should not be behind it.
    fn block(&mut self, block: &Block, tokens: &[Token], open: usize, known: bool) -> Option<Item> {
        let head_end = tokens.get(open)?.range.end;
        let mut item = if known { self.head(head_end) } else { None };
        let close = self.closing(tokens, open);
        let inside = tokens.get(open + 1..close).unwrap_or_default();
        let end = match tokens.get(close) {
            Some(closer) => closer.range.start,
            None => self.text.len(),
        };
        let mut windows = self.windows(block, inside);
        windows.push(end);
        let mut start = head_end;
        let mut at = 0;
        while let Some(&window_end) = windows.get(at)
            && self.diagnostics.len() < MAX_ERRORS
        {
            let next = windows.get(at + 1).copied();
            let read = self.window(block, start..window_end, next, item.as_mut());
            at += if read > window_end { 2 } else { 1 };
            start = read;
        }
        if let Some(junk) = tokens.get(close + 1)
            && !self.is_quiet(&junk.range)
        {
            let found = self.slice(&junk.range);
            let message = format!("expected the next declaration, found `{found}`");
            let diagnostic = Diagnostic::new(&codes::SYNTAX, self.span(&junk.range), message);
            self.diagnostics.push(diagnostic);
        }
        let whole = self.span(&(0..self.text.len()));
        if let Some(item) = &mut item {
            item.span = whole;
        }
        item
    }

    /// The declaration without its statements.
    fn head(&mut self, end: usize) -> Option<Item> {
        let head = format!("{}}}", self.slice(&(0..end)));
        match Grammar::parse(Rule::one_item, &head) {
            Ok(mut pairs) => {
                let mut builder = Builder::new(self.file, self.base);
                let built = pairs.next().and_then(|pair| builder.item(pair));
                self.diagnostics.append(&mut builder.diagnostics);
                match built? {
                    Built::Item(item) => Some(item),
                    Built::Edition(_) => None,
                }
            }
            Err(error) => {
                if !self.is_quiet(&(0..end - 1)) {
                    let failure = Failure {
                        file: self.file,
                        text: &head,
                        base: self.base,
                        block: None,
                    };
                    self.diagnostics.push(failure.explain(&error));
                }
                None
            }
        }
    }

    /// The token that closes the one at `open`; past the end without one.
    fn closing(&self, tokens: &[Token], open: usize) -> usize {
        let mut depth = 0usize;
        for (at, token) in tokens.iter().enumerate().skip(open) {
            match token.kind {
                Kind::Open if at == open || !self.is_unclosed(token) => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        tokens.len()
    }

    fn is_unclosed(&self, token: &Token) -> bool {
        let start = self.base + token.range.start;
        self.fault_from(start)
            .is_some_and(|fault| fault.range.start == start && fault.kind == FaultKind::Unclosed)
    }

    /// Reads the statements of `window`; where the last one may go on behind it, up to
    /// `next`. Returns where it stopped reading.
    fn window(
        &mut self,
        block: &Block,
        window: Range<usize>,
        next: Option<usize>,
        mut item: Option<&mut Item>,
    ) -> usize {
        if let Some(next) = next
            && !self.reads_all(block, window.clone())
            && self.reads_all(block, window.start..next)
        {
            // What looked like the next statement is this one's operand.
            self.statements(block, window.start..next, item);
            return next;
        }
        let mut start = window.start;
        for _ in 0..MAX_RESUMPTIONS {
            let Some(at) = self.behind_operator(block, start..window.end) else {
                break;
            };
            self.pieces(block, start..at, item.as_deref_mut());
            start = at;
        }
        self.pieces(block, start..window.end, item);
        window.end
    }

    /// Reads statement by statement, going on behind each error.
    fn pieces(&mut self, block: &Block, window: Range<usize>, mut item: Option<&mut Item>) {
        let (mut last, mut at) = self.statements(block, window.clone(), item.as_deref_mut());
        let mut tries = 0;
        while self.is_more(at..window.end) {
            if self.is_quiet(&window) {
                break;
            }
            let Some(diagnostic) = self.first_error(block, last..window.end, at) else {
                break;
            };
            self.diagnostics.push(diagnostic);
            let Some(resume) = self.resumption(block, at..window.end, &mut tries) else {
                break;
            };
            (last, at) = self.statements(block, resume..window.end, item.as_deref_mut());
        }
    }

    /// The error of the statement that begins `range`, whose good part ends at `end`: it
    /// may lie in an optional part of it, or further on in the statement after it.
    fn first_error(&self, block: &Block, range: Range<usize>, end: usize) -> Option<Diagnostic> {
        let parse = |range: Range<usize>| {
            let error = Grammar::parse(block.one, self.slice(&range)).err()?;
            Some((range.start + explain::place_of(&error), range, error))
        };
        let within = parse(range.clone())?;
        let behind = parse(end..range.end).filter(|behind| behind.0 > within.0);
        let (_, failing, error) = behind.unwrap_or(within);
        Some(self.failure(failing, Some(block)).explain(&error))
    }

    /// Reads good statements as far as they go, and returns where the last begins and ends.
    fn statements(
        &mut self,
        block: &Block,
        range: Range<usize>,
        item: Option<&mut Item>,
    ) -> (usize, usize) {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let mut builder = Builder::new(self.file, self.base + range.start);
        let (mut start, mut end) = (range.start, range.start);
        let mut item = item;
        for pair in Grammar::parse(block.some, text).into_iter().flatten() {
            start = range.start + pair.as_span().start();
            end = range.start + pair.as_span().end();
            builder.statement(
                item.as_deref_mut().map(|item| &mut item.value),
                block.some,
                pair,
            );
        }
        self.diagnostics.append(&mut builder.diagnostics);
        (start, end)
    }

    fn is_more(&self, range: Range<usize>) -> bool {
        Scanner::new(self.slice(&range), 0).any(|token| token.kind != Kind::Comment)
    }

    fn reads_all(&self, block: &Block, range: Range<usize>) -> bool {
        Grammar::parse(block.some, self.slice(&range))
            .ok()
            .and_then(Iterator::last)
            .is_some_and(|last| !self.is_more(range.start + last.as_span().end()..range.end))
    }
}
