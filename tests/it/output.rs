//! What each output format makes of the same findings.

use std::sync::Arc;

use panopol::diagnostic::human::render_human;
use panopol::diagnostic::left_out::LeftOut;
use panopol::diagnostic::report::{Report, SetReport, TestCase};
use panopol::diagnostic::{Code, Diagnostic, Severity};
use panopol::diagnostic::{github, json, junit, sarif};
use panopol::source::{FileId, SourceMap, Span};
use serde_json::{Value, json};

use crate::support;

static UNKNOWN_TAG: Code = Code {
    name: "unknown-tag",
    severity: Severity::Error,
    summary: "a tag is used that nobody declares",
    why: "A misspelled tag would match nothing.",
    bad: "edition 2026\n",
    good: "edition 2026\n",
};
static DOUBTFUL: Code = Code {
    name: "doubtful",
    severity: Severity::Warning,
    ..UNKNOWN_TAG
};
static TEST_FAILED: Code = Code {
    name: "test-failed",
    ..UNKNOWN_TAG
};

const TEXT: &str =
    "edition 2026\n\ntag env = a | b\n\nunlock x {\n  where évn == a\n  allow from 192.0.2.1\n}\n";

/// The span of the first `needle` in `text`.
fn find(file: FileId, text: &str, needle: &str) -> Span {
    let start = text.find(needle).unwrap();
    Span::new(file, start..start + needle.len())
}

fn set(path: &str, text: &str, findings: impl FnOnce(FileId) -> Vec<Diagnostic>) -> SetReport {
    let mut sources = SourceMap::new();
    let file = sources.add(path, text);
    SetReport {
        name: "policies/".to_owned(),
        root: "policies/".to_owned(),
        sources: Arc::new(sources),
        findings: findings(file),
        left_out: LeftOut::default(),
        tests: Vec::new(),
        levels: Default::default(),
    }
}

fn misspelled(file: FileId) -> Diagnostic {
    let span = find(file, TEXT, "évn");
    Diagnostic::new(&UNKNOWN_TAG, span, "no tag is named `évn`")
        .label("not declared")
        .also(find(file, TEXT, "env"), "the nearest name")
        .help("did you mean `env`?")
        .fix(span, "env")
}

fn sample() -> Report {
    let mut set = set("a b/un:lock.pano", TEXT, |file| {
        vec![
            Diagnostic::global(&DOUBTFUL, "50% of it, at least:\r\nall, and more")
                .help("look\nagain"),
            misspelled(file),
        ]
    });
    let span = find(FileId(0), TEXT, "allow");
    set.tests = vec![
        TestCase {
            name: "a <good> & \"quoted\" one".to_owned(),
            span: find(FileId(0), TEXT, "unlock"),
            failure: None,
        },
        TestCase {
            name: "a bad one \u{1}\u{fffe}".to_owned(),
            span,
            failure: Some("expected allow, got deny\n  trace ]]>".to_owned()),
        },
    ];
    set.findings.push(Diagnostic::new(
        &TEST_FAILED,
        span,
        "expected allow, got deny",
    ));
    Report {
        sets: vec![set],
        fails_at: Severity::Error,
    }
}

#[test]
fn a_person_sees_place_cause_and_repair() {
    insta::assert_snapshot!(render_human(&sample().sets[0], false));
}

#[test]
fn colour_is_used_only_when_asked_for() {
    assert!(!render_human(&sample().sets[0], false).contains('\u{1b}'));
    assert!(render_human(&sample().sets[0], true).contains('\u{1b}'));
}

#[test]
fn a_policy_cannot_paint_the_terminal() {
    let evil = "\u{1b}[31m\u{9b}2J\u{7}\r\u{202e}x\u{200b}";
    let text = format!("# {evil}\r\n\ttag {evil} y\r\n");
    let report = set(&format!("{evil}.pano"), &text, |file| {
        let span = find(file, &text, "y\r");
        let span = Span {
            end: span.start + 1,
            ..span
        };
        vec![
            Diagnostic::new(&UNKNOWN_TAG, span, format!("no `{evil}`"))
                .label(evil)
                .also(find(file, &text, "tag"), evil)
                .help(evil)
                .note(evil)
                .fix(span, evil),
        ]
    });
    let shown = render_human(&report, false);
    let bad = |char: char| (char.is_control() && char != '\n') || "\u{202e}\u{200b}".contains(char);
    assert!(!shown.contains(bad), "{shown:?}");
    insta::assert_snapshot!(shown);
}

#[test]
fn a_very_long_line_is_trimmed_around_the_fault() {
    let text = format!("{}évn{}", "x ".repeat(50_000), " y".repeat(50_000));
    let report = set("long.pano", &text, |file| {
        let span = find(file, &text, "évn");
        vec![Diagnostic::new(&UNKNOWN_TAG, span, "no tag is named `évn`").fix(span, "env")]
    });
    let shown = render_human(&report, false);
    assert!(shown.contains("évn"), "{shown}");
    assert!(shown.len() < 1000, "{} bytes", shown.len());
}

#[test]
fn a_place_at_any_byte_of_any_text_is_shown() {
    for text in ["", "\n", "é", "a\r\nb\r\n", "\u{feff}x\r", "a\n\n\n"] {
        let report = set("x.pano", text, |file| {
            let ends = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
            ends.flat_map(|at| [at..at, at..text.len()])
                .map(|range| {
                    let span = Span::new(file, range);
                    Diagnostic::new(&UNKNOWN_TAG, span, "here").fix(span, "there")
                })
                .collect()
        });
        let shown = render_human(&report, false);
        assert_eq!(
            shown.matches("error[unknown-tag]").count(),
            report.findings.len()
        );
    }
}

#[test]
fn json_names_every_member_and_omits_the_absent() {
    let found: Value = serde_json::from_str(&json::render_json(&sample())).unwrap();
    assert_eq!(found["tests"], json!({ "passed": 1, "failed": 1 }));
    assert_eq!(
        found["findings"][0],
        json!({
            "code": "doubtful", "severity": "warning",
            "message": "50% of it, at least:\r\nall, and more", "help": "look\nagain",
        })
    );
    assert_eq!(
        found["findings"][1],
        json!({
            "code": "unknown-tag", "severity": "error", "message": "no tag is named `évn`",
            "file": "policies/a b/un:lock.pano",
            "line": 6, "column": 9, "end_line": 6, "end_column": 12,
            "help": "did you mean `env`?",
            "fix": {
                "file": "policies/a b/un:lock.pano",
                "line": 6, "column": 9, "end_line": 6, "end_column": 12,
                "replacement": "env",
            },
        })
    );
}

fn sarif_schema() -> jsonschema::Validator {
    let schema = support::root().join("tests/data/sarif-schema-2.1.0.json");
    let schema = std::fs::read_to_string(schema).unwrap();
    // As published, the pattern of a language has a bracket that nothing opens.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// Holds a SARIF log against the published schema.
pub(crate) fn expect_valid_sarif(log: &Value) {
    let validator = sarif_schema();
    let errors = validator.iter_errors(log).map(|error| error.to_string());
    let errors: Vec<_> = errors.collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let empty = Report {
        sets: Vec::new(),
        fails_at: Severity::Error,
    };
    for report in [sample(), empty] {
        let log: Value = serde_json::from_str(&sarif::render_sarif(&report)).unwrap();
        expect_valid_sarif(&log);
    }
    let mut broken: Value = serde_json::from_str(&sarif::render_sarif(&sample())).unwrap();
    broken["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(
        !sarif_schema().is_valid(&broken),
        "the schema must be able to refuse"
    );
}

#[test]
fn sarif_points_at_characters_of_an_escaped_path() {
    let log: Value = serde_json::from_str(&sarif::render_sarif(&sample())).unwrap();
    let run = &log["runs"][0];
    let result = &run["results"][1];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(
        result["locations"][0]["physicalLocation"],
        json!({
            "artifactLocation": { "uri": "policies/a%20b/un%3Alock.pano" },
            "region": { "startLine": 6, "startColumn": 9, "endLine": 6, "endColumn": 12 },
        })
    );
    let replacement = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], "env");
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "unknown-tag");
}

#[test]
fn github_commands_are_one_line_each_and_escaped() {
    let found = github::render_github(&sample());
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "::warning title=doubtful::50%25 of it, at least:%0D%0Aall, and more%0Ahelp: look%0Aagain",
            "::error file=policies/a b/un%3Alock.pano,line=6,endLine=6,col=9,endColumn=12,title=unknown-tag\
             ::no tag is named `évn`%0Ahelp: did you mean `env`?",
        ]
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn junit_is_xml_that_counts_right() {
    let xml = junit::render_junit(&sample());
    let document = roxmltree::Document::parse(&xml).unwrap();
    let named = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.has_tag_name(name))
    };
    let suite = named("testsuite").next().unwrap();
    assert_eq!(suite.attribute("tests"), Some("4"));
    assert_eq!(suite.attribute("failures"), Some("2"));
    assert_eq!(named("testcase").count(), 4);
    assert_eq!(named("failure").count(), 2);
    let names: Vec<_> = named("testcase")
        .filter_map(|case| case.attribute("name"))
        .collect();
    assert!(names.contains(&"a <good> & \"quoted\" one"), "{names:?}");
    assert!(names.contains(&"a bad one \u{fffd}\u{fffd}"), "{names:?}");
    let failure = named("failure").next_back().unwrap();
    assert_eq!(
        failure.text(),
        Some("expected allow, got deny\n  trace ]]>")
    );
}

#[test]
fn junit_of_a_clean_set_has_one_passing_case() {
    let report = Report {
        sets: vec![set("x.pano", "", |_| Vec::new())],
        fails_at: Severity::Error,
    };
    let xml = junit::render_junit(&report);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suite = document
        .descendants()
        .find(|node| node.has_tag_name("testsuite"))
        .unwrap();
    assert_eq!(suite.attribute("tests"), Some("1"));
    assert_eq!(suite.attribute("failures"), Some("0"));
}
