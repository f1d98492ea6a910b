//! Findings as one JSON object, for scripts.

use serde::Serialize;

use super::levels::Origin;
use super::report::{Report, SetReport};
use super::{Diagnostic, Fix};

#[derive(Serialize)]
struct Output<'a> {
    findings: Vec<Finding<'a>>,
    tests: Tests,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    levels: Vec<ChosenLevel<'a>>,
}

/// A level that somebody chose.
#[derive(Serialize)]
struct ChosenLevel<'a> {
    code: &'a str,
    level: &'a str,
    /// The set that it was chosen for, as it was named.
    set: &'a str,
    /// `command-line`, `file` or `comment`.
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(flatten)]
    place: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// How many findings it concerned.
    findings: usize,
}

#[derive(Serialize)]
struct Tests {
    passed: usize,
    failed: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Replacement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

#[derive(Serialize)]
struct Location {
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct Replacement<'a> {
    #[serde(flatten)]
    place: Location,
    replacement: &'a str,
}

/// Renders the report as one line of JSON.
pub fn render_json(report: &Report) -> String {
    let (passed, failed) = report.test_counts();
    let output = Output {
        findings: report
            .findings()
            .map(|(set, finding)| finding_json(set, finding))
            .collect(),
        tests: Tests { passed, failed },
        levels: report.sets.iter().flat_map(levels_json).collect(),
    };
    render_line(&output)
}

fn levels_json(set: &SetReport) -> impl Iterator<Item = ChosenLevel<'_>> {
    set.levels.changes.iter().map(|change| {
        let (by, path, span, reason) = match &change.origin {
            Origin::CommandLine => ("command-line", None, None, None),
            Origin::File(path) => ("file", Some(path.as_str()), None, None),
            Origin::Comment { span, reason } => {
                ("comment", None, Some(*span), Some(reason.as_str()))
            }
        };
        ChosenLevel {
            code: change.code.name,
            level: change.level.word(),
            set: &set.name,
            by,
            path,
            place: span.and_then(|span| location(set, span)),
            reason,
            findings: change.findings,
        }
    })
}

/// Renders one value as one line of JSON.
pub fn render_line(value: &impl Serialize) -> String {
    // What is rendered here is made of strings, numbers and lists, which always serialize.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

fn finding_json<'a>(set: &SetReport, finding: &'a Diagnostic) -> Finding<'a> {
    Finding {
        code: finding.code.name,
        severity: finding.severity.word(),
        message: &finding.message,
        place: finding
            .primary
            .as_ref()
            .and_then(|label| location(set, label.span)),
        help: finding.help.as_deref(),
        fix: finding.fix.as_ref().and_then(|fix| replacement(set, fix)),
        witness: finding.witness.as_deref(),
        notes: &finding.notes,
    }
}

fn replacement<'a>(set: &SetReport, fix: &'a Fix) -> Option<Replacement<'a>> {
    Some(Replacement {
        place: location(set, fix.span)?,
        replacement: &fix.replacement,
    })
}

fn location(set: &SetReport, span: crate::source::Span) -> Option<Location> {
    let place = set.place(span)?;
    Some(Location {
        file: place.file,
        line: place.start.line,
        column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
    })
}
