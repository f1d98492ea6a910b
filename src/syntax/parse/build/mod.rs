//! Turns pest's pairs into owned nodes, and says what is wrong with a literal.
//!
//! Every function is total: where the grammar promises a part, its absence
//! makes the node absent, never a panic.

mod approval;
mod issuance;
mod items;
pub(super) mod literal;
mod statement;
mod suite;
mod unlock;
mod words;

use pest::iterators::{Pair, Pairs};

use super::grammar::Rule;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::codes;
use crate::syntax::tree::Item;

pub(super) type Node<'i> = Pair<'i, Rule>;

/// What one piece of a file turned out to be.
pub(super) enum Built {
    Edition(Spanned<u32>),
    Item(Item),
}

/// Builds nodes of one piece of a file that begins at byte `base`.
pub(super) struct Builder {
    file: FileId,
    base: usize,
    /// How deep parentheses and `not` stand around what is being built.
    nesting: usize,
    /// What is wrong with literals; not empty means the piece is incomplete.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// The parts of a node, taken in order.
pub(super) struct Parts<'i>(Pairs<'i, Rule>);

impl<'i> Parts<'i> {
    pub(super) fn of(node: Node<'i>) -> Self {
        Parts(node.into_inner())
    }

    /// The next part of `rule`; parts before it are passed over. Stays where it is without one.
    pub(super) fn find(&mut self, rule: Rule) -> Option<Node<'i>> {
        let mut ahead = self.0.clone();
        let found = ahead.find(|part| part.as_rule() == rule)?;
        self.0 = ahead;
        Some(found)
    }

    /// Whether a part of `rule` follows.
    pub(super) fn has(&self, rule: Rule) -> bool {
        self.0.clone().any(|part| part.as_rule() == rule)
    }
}

impl<'i> Iterator for Parts<'i> {
    type Item = Node<'i>;

    fn next(&mut self) -> Option<Node<'i>> {
        self.0.next()
    }
}

impl Builder {
    pub(super) fn new(file: FileId, base: usize) -> Self {
        Builder {
            file,
            base,
            nesting: 0,
            diagnostics: Vec::new(),
        }
    }

    /// Where `node` stands in the file, without the blanks that pest takes where an
    /// optional last part is missing.
    fn span(&self, node: &Node<'_>) -> Span {
        let span = node.as_span();
        let end = match node.clone().into_inner().next_back() {
            None => span.end(),
            Some(last) => last_end(last),
        };
        Span::new(self.file, self.base + span.start()..self.base + end)
    }

    fn spanned<T>(&self, node: &Node<'_>, value: T) -> Spanned<T> {
        Spanned::new(value, self.span(node))
    }

    /// The elements of a list, bare or bracketed; says so when it is empty or lacks a comma.
    fn list<T>(
        &mut self,
        node: Node<'_>,
        mut element: impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> Vec<T> {
        let whole = self.span(&node);
        let (elements, count) = self.elements(Parts::of(node), &mut element);
        if count == 0 {
            self.diagnostics.push(
                Diagnostic::new(&codes::EMPTY_LIST, whole, "this list is empty")
                    .help("name at least one element, or leave the statement out"),
            );
        }
        elements
    }

    /// The elements among `parts`, and how many were written.
    fn elements<T>(
        &mut self,
        parts: Parts<'_>,
        element: &mut impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> (Vec<T>, usize) {
        let mut elements = Vec::new();
        let mut count = 0;
        let mut previous: Option<Span> = None;
        for part in parts {
            match part.as_rule() {
                Rule::p_comma => previous = None,
                Rule::l_open | Rule::l_close | Rule::p_open | Rule::p_close | Rule::k_need => {}
                _ => {
                    let span = self.span(&part);
                    if let Some(before) = previous.replace(span) {
                        self.missing_comma(before);
                    }
                    count += 1;
                    elements.extend(element(self, part));
                }
            }
        }
        (elements, count)
    }

    fn missing_comma(&mut self, before: Span) {
        let place = Span {
            start: before.end,
            ..before
        };
        self.diagnostics.push(
            Diagnostic::new(&codes::MISSING_COMMA, place, "a comma is missing here")
                .help("put it between the two")
                .fix(place, ","),
        );
    }

    /// The statements among `parts`, each with its place.
    fn statements<T>(
        &mut self,
        parts: Parts<'_>,
        mut statement: impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> Vec<Spanned<T>> {
        let mut statements = Vec::new();
        for part in parts {
            if matches!(part.as_rule(), Rule::p_open | Rule::p_close) {
                continue;
            }
            let span = self.span(&part);
            statements.extend(statement(self, part).map(|value| Spanned::new(value, span)));
        }
        statements
    }
}

/// Where the last token of `node` ends.
fn last_end(node: Node<'_>) -> usize {
    let mut node = node;
    loop {
        let end = node.as_span().end();
        match node.into_inner().next_back() {
            Some(last) => node = last,
            None => return end,
        }
    }
}
