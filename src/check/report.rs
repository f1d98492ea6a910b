//! What the checker has found so far.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::left_out::{LeftOut, MOST};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::Span;
use crate::syntax::tree::File;
use crate::vocabulary;

use super::names::Kind;

/// How many misspellings are compared with every declared name in one run; a
/// file of nothing but misspellings must not take quadratic time.
const SEARCHES: u32 = 100;

/// Further places of one unknown name that are pointed at.
const PLACES: usize = 20;

/// A name that nobody declares.
#[derive(Debug)]
struct Unknown {
    /// Where its finding stands, if it was kept.
    finding: Option<usize>,
    /// Places that the finding does not point at.
    unsaid: usize,
}

/// Every diagnostic of one run.
#[derive(Debug)]
pub(super) struct Report {
    diagnostics: Vec<Diagnostic>,
    /// How many of each severity these are.
    kept: LeftOut,
    left_out: LeftOut,
    /// Declarations that a syntax error left incomplete: what is missing there is not missing.
    broken: HashSet<Span>,
    /// Where the parser found a fault: one place has one mistake.
    faults: HashSet<Span>,
    unknown: HashMap<(Kind, String), Unknown>,
    searches_left: u32,
}

impl Report {
    /// Starts with what the loader and the parser said.
    pub(super) fn new(diagnostics: Vec<Diagnostic>, files: &[File]) -> Self {
        let broken = files.iter().flat_map(|file| &file.broken);
        let faults = diagnostics
            .iter()
            .filter_map(|found| found.primary.as_ref());
        let mut report = Report {
            broken: broken.map(|broken| broken.span).collect(),
            faults: faults.map(|label| label.span).collect(),
            diagnostics: Vec::new(),
            kept: LeftOut::default(),
            left_out: LeftOut::default(),
            unknown: HashMap::new(),
            searches_left: SEARCHES,
        };
        for diagnostic in diagnostics {
            report.keep(diagnostic);
        }
        report
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.push_if_new(diagnostic);
    }

    /// Adds a finding, unless one mistake would be said twice; where it then stands.
    fn push_if_new(&mut self, diagnostic: Diagnostic) -> Option<usize> {
        let place = diagnostic.primary.as_ref().map(|label| label.span);
        if place.is_some_and(|span| self.faults.contains(&span)) {
            return None;
        }
        self.keep(diagnostic)
    }

    /// Keeps a finding, or counts it: as many as can be shown are kept of each
    /// severity, lest the worst be crowded out.
    fn keep(&mut self, diagnostic: Diagnostic) -> Option<usize> {
        let severity = diagnostic.severity;
        if self.kept.of(severity) >= MOST {
            self.left_out.add(severity);
            return None;
        }
        self.kept.add(severity);
        self.diagnostics.push(diagnostic);
        Some(self.diagnostics.len() - 1)
    }

    /// Reports an unknown name, once: further places of the same are labels.
    pub(super) fn push_unknown(&mut self, kind: Kind, name: &str, diagnostic: Diagnostic) {
        let finding = self.push_if_new(diagnostic);
        let unknown = Unknown { finding, unsaid: 0 };
        self.unknown.insert((kind, name.to_owned()), unknown);
    }

    /// Adds `span` to the report of the unknown `name`, if there is one.
    pub(super) fn is_known_unknown(&mut self, kind: Kind, name: &str, span: Span) -> bool {
        let Some(unknown) = self.unknown.get_mut(&(kind, name.to_owned())) else {
            return false;
        };
        let finding = unknown.finding;
        match finding.and_then(|index| self.diagnostics.get_mut(index)) {
            Some(finding) if finding.secondary.len() < PLACES => finding.secondary.push(Label {
                span,
                text: "and here".to_owned(),
            }),
            Some(_) | None => unknown.unsaid += 1,
        }
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
    pub(super) fn finish(mut self) -> (Vec<Diagnostic>, LeftOut) {
        for unknown in self.unknown.values().filter(|unknown| unknown.unsaid > 0) {
            let finding = unknown.finding;
            if let Some(finding) = finding.and_then(|index| self.diagnostics.get_mut(index)) {
                let places = if unknown.unsaid == 1 {
                    "place"
                } else {
                    "places"
                };
                let note = format!("and in {} more {places}", unknown.unsaid);
                finding.notes.push(note);
            }
        }
        self.diagnostics.sort_by_key(|diagnostic| {
            let label = diagnostic.primary.as_ref();
            label.map(|label| (label.span.file, label.span.start))
        });
        (self.diagnostics, self.left_out)
    }

    /// Whether the policy set is wrong.
    pub(super) fn has_errors(&self) -> bool {
        let mut all = self.diagnostics.iter();
        all.any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
