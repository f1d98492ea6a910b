//! What the checker has found so far.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::Span;
use crate::syntax::tree::File;
use crate::vocabulary;

use super::names::Kind;

/// How many misspellings are compared with every declared name in one run; a
/// file of nothing but misspellings must not take quadratic time.
const SEARCHES: u32 = 100;

/// Every diagnostic of one run.
#[derive(Debug)]
pub(super) struct Report {
    diagnostics: Vec<Diagnostic>,
    /// Declarations that a syntax error left incomplete: what is missing there is not missing.
    broken: HashSet<Span>,
    /// Where the parser found a fault: one place has one mistake.
    faults: HashSet<Span>,
    unknown: HashMap<(Kind, String), usize>,
    searches_left: u32,
}

impl Report {
    /// Starts with what the loader and the parser said.
    pub(super) fn new(diagnostics: Vec<Diagnostic>, files: &[File]) -> Self {
        let broken = files.iter().flat_map(|file| &file.broken);
        let faults = diagnostics
            .iter()
            .filter_map(|found| found.primary.as_ref());
        Report {
            broken: broken.map(|broken| broken.span).collect(),
            faults: faults.map(|label| label.span).collect(),
            diagnostics,
            unknown: HashMap::new(),
            searches_left: SEARCHES,
        }
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.primary.as_ref().map(|label| label.span);
        if place.is_none_or(|span| !self.faults.contains(&span)) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports an unknown name, once: further places of the same are labels.
    pub(super) fn push_unknown(&mut self, kind: Kind, name: &str, diagnostic: Diagnostic) {
        let index = self.diagnostics.len();
        self.unknown.insert((kind, name.to_owned()), index);
        self.push(diagnostic);
    }

    /// Adds `span` to the report of the unknown `name`, if there is one.
    pub(super) fn is_known_unknown(&mut self, kind: Kind, name: &str, span: Span) -> bool {
        let earlier = self.unknown.get(&(kind, name.to_owned()));
        let Some(earlier) = earlier.and_then(|&index| self.diagnostics.get_mut(index)) else {
            return false;
        };
        earlier.secondary.push(Label {
            span,
            text: "and here".to_owned(),
        });
        true
    }

    /// Whether `block` may lack parts that were written with an error.
    pub(super) fn is_broken(&self, block: Span) -> bool {
        self.broken.contains(&block)
    }

    /// Whether the budget for [`Report::nearest`] lasts.
    pub(super) fn may_search(&self) -> bool {
        self.searches_left > 0
    }

    /// The nearest of `candidates` to `word`, while the budget lasts.
    pub(super) fn nearest<'a>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.searches_left = self.searches_left.checked_sub(1)?;
        let length = word.len();
        let near = candidates
            .into_iter()
            .filter(|candidate| candidate.len().abs_diff(length) <= 3);
        vocabulary::nearest(word, near)
    }

    /// Everything found, by file and place.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| {
            let label = diagnostic.primary.as_ref();
            label.map(|label| (label.span.file, label.span.start))
        });
        self.diagnostics
    }

    /// Whether the policy set is wrong.
    pub(super) fn has_errors(&self) -> bool {
        let mut all = self.diagnostics.iter();
        all.any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
