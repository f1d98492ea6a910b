//! Findings and in-file tests as JUnit XML, for CI systems that show test reports.
//!
//! Source: the Jenkins `junit-10.xsd`, the common ground of its many readers.

use std::fmt::Write;

use super::Diagnostic;
use super::report::{Report, SetReport, TestCase};

/// Renders one `testsuite` for each policy set: each in-file test is a test
/// case, and so is each other finding.
pub fn render_junit(report: &Report) -> String {
    let mut xml =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"panopol\">\n");
    for set in &report.sets {
        render_suite(&mut xml, report, set);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn render_suite(xml: &mut String, report: &Report, set: &SetReport) {
    let findings: Vec<&Diagnostic> = set
        .findings
        .iter()
        .filter(|finding| !is_failed_test(set, finding))
        .collect();
    let failing = findings
        .iter()
        .filter(|finding| report.fails(finding.severity))
        .count();
    // A suite without a case reads as one that did not run.
    let compiled = usize::from(findings.is_empty());
    let (_, failed) = set.test_counts();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">",
        escape(&set.name),
        set.tests.len() + findings.len() + compiled,
        failed + failing,
    );
    render_levels(xml, set);
    if findings.is_empty() {
        let _ = writeln!(
            xml,
            "    <testcase classname=\"{}\" name=\"check\"/>",
            escape(&set.name)
        );
    }
    for finding in findings {
        render_finding(xml, set, finding, report.fails(finding.severity));
    }
    for test in &set.tests {
        render_test(xml, set, test);
    }
    xml.push_str("  </testsuite>\n");
}

/// The levels that somebody chose, as the suite's properties.
fn render_levels(xml: &mut String, set: &SetReport) {
    if set.levels.changes.is_empty() {
        return;
    }
    xml.push_str("    <properties>\n");
    for change in &set.levels.changes {
        let value = format!("{}: {}", set.place_of(change), change.sentence());
        let value = escape(&value);
        let _ = writeln!(xml, "      <property name=\"level\" value=\"{value}\"/>");
    }
    xml.push_str("    </properties>\n");
}

/// Whether a finding stands for a test case that is reported as such.
fn is_failed_test(set: &SetReport, finding: &Diagnostic) -> bool {
    finding.primary.as_ref().is_some_and(|label| {
        finding.code.name == "test-failed"
            && set
                .tests
                .iter()
                .any(|test| test.failure.is_some() && test.span == label.span)
    })
}

fn render_finding(xml: &mut String, set: &SetReport, finding: &Diagnostic, fails: bool) {
    let place = set.primary(finding);
    let file = place
        .as_ref()
        .map_or(set.name.as_str(), |place| &place.file);
    let name = match &place {
        Some(place) => format!("{} at line {}", finding.code.name, place.start.line),
        None => finding.code.name.to_owned(),
    };
    open_case(
        xml,
        file,
        &name,
        place.as_ref().map(|place| place.start.line),
    );
    let mut body = format!("{}: {}", finding.severity.word(), finding.message);
    for note in &finding.notes {
        let _ = write!(body, "\n{note}");
    }
    if let Some(help) = &finding.help {
        let _ = write!(body, "\nhelp: {help}");
    }
    if fails {
        render_failure(xml, finding.code.name, &finding.message, &body);
    } else {
        let _ = writeln!(xml, "      <system-out>{}</system-out>", escape(&body));
    }
    xml.push_str("    </testcase>\n");
}

fn render_test(xml: &mut String, set: &SetReport, test: &TestCase) {
    let place = set.place(test.span);
    let file = place
        .as_ref()
        .map_or(set.name.as_str(), |place| &place.file);
    open_case(
        xml,
        file,
        &test.name,
        place.as_ref().map(|place| place.start.line),
    );
    if let Some(failure) = &test.failure {
        let first = failure.lines().next().unwrap_or_default();
        render_failure(xml, "test-failed", first, failure);
    }
    xml.push_str("    </testcase>\n");
}

fn open_case(xml: &mut String, file: &str, name: &str, line: Option<u32>) {
    let line = line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
    let (file, name) = (escape(file), escape(name));
    let _ = writeln!(
        xml,
        "    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\"{line}>"
    );
}

fn render_failure(xml: &mut String, kind: &str, message: &str, body: &str) {
    let _ = writeln!(
        xml,
        "      <failure type=\"{}\" message=\"{}\">{}</failure>",
        escape(kind),
        escape(message),
        escape(body)
    );
}

/// Escapes text for an attribute or for content. What XML 1.0 cannot hold at
/// all, not even as a reference, becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", u32::from(char));
            }
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(char),
        }
    }
    escaped
}
