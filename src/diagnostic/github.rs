//! Findings as GitHub workflow commands, which become annotations on a change.
//!
//! Source: docs.github.com, "Workflow commands for GitHub Actions"; the
//! escapes are those of `@actions/core`, `command.ts`.

use std::fmt::Write;

use super::levels::Change;
use super::report::{Report, SetReport};
use super::{Diagnostic, Severity};

/// Renders one command a line.
pub fn render_github(report: &Report) -> String {
    let findings = report.findings();
    let annotations = findings.map(|(set, finding)| annotation(set, finding));
    let sets = report.sets.iter();
    let levels = sets.flat_map(|set| set.levels.changes.iter().map(|one| level(set, one)));
    annotations.chain(levels).collect()
}

/// A level that somebody chose.
fn level(set: &SetReport, change: &Change) -> String {
    let sentence = format!("{}: {}", set.place_of(change), change.sentence());
    format!("::notice title=level::{}\n", data(&sentence))
}

fn annotation(set: &SetReport, finding: &Diagnostic) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut line = format!("::{command} ");
    if let Some(place) = set.primary(finding) {
        let (start, end) = (place.start, place.end);
        let file = property(&place.file);
        // Writing to a string cannot fail.
        let _ = write!(line, "file={file},line={}", start.line);
        let _ = write!(line, ",endLine={},col={}", end.line, start.column);
        // GitHub takes an end column only within one line.
        if start.line == end.line {
            let _ = write!(line, ",endColumn={}", end.column);
        }
        line.push(',');
    }
    let _ = writeln!(
        line,
        "title={}::{}",
        property(finding.code.name),
        data(&body(finding))
    );
    line
}

fn body(finding: &Diagnostic) -> String {
    let mut body = finding.message.clone();
    for note in &finding.notes {
        body.push('\n');
        body.push_str(note);
    }
    if let Some(witness) = &finding.witness {
        let _ = write!(body, "\nwitness: {witness}");
    }
    if let Some(help) = &finding.help {
        let _ = write!(body, "\nhelp: {help}");
    }
    body
}

/// Escapes the text after `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
