//! What one run has to say, set by set: what every renderer is given.

use std::sync::Arc;

use super::left_out::{self, FINDINGS_LEFT_OUT, LeftOut};
use super::levels::{Change, Levels, Origin};
use super::{Diagnostic, Severity};
use crate::source::{Position, SourceMap, Span};

/// Everything that one run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The policy sets, in the order they were named.
    pub sets: Vec<SetReport>,
    /// The least severity that fails the run.
    pub fails_at: Severity,
}

/// What was found in one policy set.
#[derive(Clone, Debug)]
pub struct SetReport {
    /// The set as the user named it.
    pub name: String,
    /// What leads from the working directory to the set's files: `policies/`, or nothing.
    pub root: String,
    /// The texts that the findings point into.
    pub sources: Arc<SourceMap>,
    /// The findings, in the order they are shown.
    pub findings: Vec<Diagnostic>,
    /// What was found and is not among them.
    pub left_out: LeftOut,
    /// The in-file tests that ran, in order.
    pub tests: Vec<TestCase>,
    /// The levels that were chosen, and what they took out.
    pub levels: Levels,
}

/// One expectation of an in-file test that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCase {
    /// The test block's name.
    pub name: String,
    /// Where the expectation stands.
    pub span: Span,
    /// What went wrong, if something did.
    pub failure: Option<String>,
}

/// A stretch of one file as outputs name it; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path from the working directory, with `/` between its parts.
    pub file: String,
    /// The first character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
}

impl Report {
    /// Whether `severity` fails this run.
    pub fn fails(&self, severity: Severity) -> bool {
        severity >= self.fails_at
    }

    /// Whether anything found fails this run.
    pub fn failed(&self) -> bool {
        self.findings()
            .any(|(_, finding)| self.fails(finding.severity))
    }

    /// Every finding with its set.
    pub fn findings(&self) -> impl Iterator<Item = (&SetReport, &Diagnostic)> {
        self.sets
            .iter()
            .flat_map(|set| set.findings.iter().map(move |finding| (set, finding)))
    }

    /// How many tests passed, and how many failed.
    pub fn test_counts(&self) -> (usize, usize) {
        self.sets.iter().fold((0, 0), |(passed, failed), set| {
            let (set_passed, set_failed) = set.test_counts();
            (passed + set_passed, failed + set_failed)
        })
    }
}

impl SetReport {
    /// Puts the findings in the order they are shown, cuts them down to as many
    /// as are shown, and says last what was left out.
    pub fn settle(&mut self) {
        self.findings
            .retain(|finding| finding.code != &FINDINGS_LEFT_OUT);
        sort(&mut self.findings, &self.sources);
        left_out::cut(&mut self.findings, &mut self.left_out);
        self.findings.extend(self.left_out.diagnostic());
    }

    /// How many findings of a severity there are, shown or not.
    pub fn count(&self, severity: Severity) -> usize {
        let shown = self
            .findings
            .iter()
            .filter(|finding| finding.severity == severity && finding.code != &FINDINGS_LEFT_OUT);
        shown.count() + self.left_out.of(severity)
    }

    /// How many tests passed, and how many failed.
    pub fn test_counts(&self) -> (usize, usize) {
        let failed = self.tests.iter().filter(|test| test.failure.is_some());
        let failed = failed.count();
        (self.tests.len() - failed, failed)
    }

    /// The place of `span`; none when it is not of this set.
    pub fn place(&self, span: Span) -> Option<Place> {
        let file = self.sources.file(span.file)?;
        Some(Place {
            file: format!("{}{}", self.root, file.path),
            start: file.position(span.start),
            end: file.position(span.end.max(span.start)),
        })
    }

    /// Where a level was chosen: a comment's place, or the set.
    pub fn place_of(&self, change: &Change) -> String {
        let comment = match &change.origin {
            Origin::Comment { span, .. } => self.place(*span),
            Origin::CommandLine | Origin::File(_) => None,
        };
        comment.map_or_else(
            || self.name.clone(),
            |place| format!("{}:{}", place.file, place.start.line),
        )
    }

    /// The place that a finding points at.
    pub fn primary(&self, finding: &Diagnostic) -> Option<Place> {
        self.place(finding.primary.as_ref()?.span)
    }
}

/// Orders findings as they are shown: those of the whole set first, then by
/// file, place and code.
fn sort(findings: &mut [Diagnostic], sources: &SourceMap) {
    findings.sort_by(|a, b| {
        let key = |finding: &Diagnostic| {
            finding
                .primary
                .as_ref()
                .map(|label| (sources.path(label.span).to_owned(), label.span.start))
        };
        (key(a), a.code.name).cmp(&(key(b), b.code.name))
    });
}
