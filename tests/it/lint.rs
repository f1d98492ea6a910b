//! The lint rules, the codes' own examples, and the pages made from them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use jiff::Timestamp;
use panopol::check::check_files;
use panopol::diagnostic::Diagnostic;
use panopol::eval::Program;
use panopol::lint::{self, Profile};
use panopol::suite;

use crate::support::{self, one_file};

/// A day on which no example's bypass has ended that should not have.
fn now() -> Timestamp {
    "2026-11-22T00:00:00Z".parse().unwrap()
}

/// Everything `check` says of one file.
fn findings(text: &str, profile: Profile) -> (Vec<Diagnostic>, panopol::check::Checked) {
    let checked = check_files(&mut one_file(text));
    let mut findings = checked.diagnostics.clone();
    findings.extend(lint::lint(&checked, now(), profile));
    if let Some(set) = &checked.set {
        let results = suite::run(&Program::compile(set.clone()), None);
        findings.extend(results.iter().filter_map(suite::TestResult::diagnostic));
    }
    (findings, checked)
}

/// A file in `tests/data/lint/` marks each finding under its line:
/// `#   ^^^ warning[code]`. One named `*.production.pano` is for production.
#[test]
fn marked_files_get_exactly_the_marked_findings() {
    let mut wrong = String::new();
    let files = support::files_below(&support::root().join("tests/data/lint"), "pano");
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let production = file.to_str().unwrap().ends_with(".production.pano");
        let profile = if production {
            Profile::Production
        } else {
            Profile::Development
        };
        let (findings, checked) = findings(&text, profile);
        let found: BTreeSet<String> = findings
            .iter()
            .map(|finding| {
                let at = checked
                    .sources
                    .position(finding.primary.as_ref().unwrap().span);
                let (severity, code) = (finding.severity.word(), finding.code.name);
                format!("{}:{} {severity}[{code}]", at.line, at.column)
            })
            .collect();
        let expected = marks(&text);
        if found != expected {
            let name = file.file_name().unwrap();
            writeln!(wrong, "{name:?}: found {found:#?}, marked {expected:#?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn marks(text: &str) -> BTreeSet<String> {
    let mut marks = BTreeSet::new();
    let mut line_of_code = 0;
    for (index, line) in text.lines().enumerate() {
        let mark = line.trim_start().strip_prefix('#').map(str::trim_start);
        match mark.filter(|mark| mark.starts_with('^')) {
            Some(mark) => {
                let column = line.find('^').unwrap() + 1;
                let what = mark.trim_start_matches('^').trim();
                marks.insert(format!("{line_of_code}:{column} {what}"));
            }
            None => line_of_code = index + 1,
        }
    }
    marks
}
