//! Findings as SARIF 2.1.0, for code-scanning services.
//!
//! Source: OASIS SARIF 2.1.0 with errata 01.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::levels::{Origin, Suppressed};
use super::report::{Place, Report, SetReport};
use super::{Code, Diagnostic, Severity};

/// Renders the report as one SARIF log with one run.
pub fn render_sarif(report: &Report) -> String {
    let rules: BTreeMap<&str, &Code> = report
        .findings()
        .chain(suppressed(report).map(|(set, one)| (set, &one.finding)))
        .map(|(_, finding)| (finding.code.name, finding.code))
        .collect();
    let found = report.findings();
    let found = found.map(|(set, finding)| Value::Object(result(set, finding, &rules)));
    let suppressed = suppressed(report).map(|(set, one)| {
        let mut result = result(set, &one.finding, &rules);
        let reason = suppression(set, one);
        result.insert("suppressions".to_owned(), json!([reason]));
        Value::Object(result)
    });
    let results: Vec<Value> = found.chain(suppressed).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "panopol",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log}\n")
}

/// The findings that a level took out, with their sets.
fn suppressed(report: &Report) -> impl Iterator<Item = (&SetReport, &Suppressed)> {
    let sets = report.sets.iter();
    sets.flat_map(|set| set.levels.suppressed.iter().map(move |one| (set, one)))
}

/// Who took a finding out, and why.
fn suppression(set: &SetReport, suppressed: &Suppressed) -> Value {
    let change = set.levels.change_of(suppressed);
    match change.map(|change| &change.origin) {
        Some(Origin::Comment { span, reason }) => {
            let mut value = json!({ "kind": "inSource", "justification": reason });
            if let (Some(place), Some(value)) = (set.place(*span), value.as_object_mut()) {
                value.insert("location".to_owned(), location(&place, None));
            }
            value
        }
        Some(Origin::CommandLine | Origin::File(_)) | None => {
            let why = change.map(|change| change.sentence()).unwrap_or_default();
            json!({ "kind": "external", "justification": why })
        }
    }
}

fn rule(code: &Code) -> Value {
    json!({
        "id": code.name,
        "shortDescription": { "text": code.summary },
        "fullDescription": { "text": code.why },
        "help": {
            "text": format!("{}\n\nWrong:\n{}\n\nRight:\n{}", code.why, code.bad, code.good),
            "markdown": format!(
                "{}\n\nWrong:\n\n```pano\n{}\n```\n\nRight:\n\n```pano\n{}\n```",
                code.why, code.bad, code.good
            ),
        },
        "defaultConfiguration": { "level": level(code.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(
    set: &SetReport,
    finding: &Diagnostic,
    rules: &BTreeMap<&str, &Code>,
) -> serde_json::Map<String, Value> {
    let mut result = serde_json::Map::new();
    result.insert("ruleId".to_owned(), json!(finding.code.name));
    let index = rules.keys().position(|&name| name == finding.code.name);
    result.insert("ruleIndex".to_owned(), json!(index));
    result.insert("level".to_owned(), json!(level(finding.severity)));
    let text = message(finding);
    result.insert("message".to_owned(), json!({ "text": text }));
    let primary = set.primary(finding).map(|place| location(&place, None));
    for (member, values) in [
        ("locations", primary.into_iter().collect()),
        ("relatedLocations", related(set, finding)),
        ("fixes", fixes(set, finding)),
    ] {
        if !values.is_empty() {
            result.insert(member.to_owned(), Value::Array(values));
        }
    }
    result
}

fn message(finding: &Diagnostic) -> String {
    let mut parts = vec![finding.message.clone()];
    parts.extend(finding.notes.iter().cloned());
    parts.extend(
        finding
            .witness
            .as_ref()
            .map(|text| format!("witness: {text}")),
    );
    parts.extend(finding.help.as_ref().map(|text| format!("help: {text}")));
    parts.join("\n")
}

fn related(set: &SetReport, finding: &Diagnostic) -> Vec<Value> {
    finding
        .secondary
        .iter()
        .filter_map(|label| Some(location(&set.place(label.span)?, Some(&label.text))))
        .collect()
}

fn fixes(set: &SetReport, finding: &Diagnostic) -> Vec<Value> {
    let fix = finding.fix.as_ref();
    fix.and_then(|fix| {
        let place = set.place(fix.span)?;
        Some(json!({
            "description": { "text": finding.help.as_deref().unwrap_or("replace it") },
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(&place.file) },
                "replacements": [{
                    "deletedRegion": region(&place),
                    "insertedContent": { "text": fix.replacement },
                }],
            }],
        }))
    })
    .into_iter()
    .collect()
}

fn location(place: &Place, text: Option<&str>) -> Value {
    let physical = json!({
        "artifactLocation": { "uri": uri(&place.file) },
        "region": region(place),
    });
    match text.filter(|text| !text.is_empty()) {
        Some(text) => json!({ "physicalLocation": physical, "message": { "text": text } }),
        None => json!({ "physicalLocation": physical }),
    }
}

fn region(place: &Place) -> Value {
    json!({
        "startLine": place.start.line,
        "startColumn": place.start.column,
        "endLine": place.end.line,
        "endColumn": place.end.column,
    })
}

/// A path as a URI reference: an absolute one as `file:`, any other relative.
/// Source: RFC 3986, 3.3; a colon is escaped lest a first segment read as a scheme.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
