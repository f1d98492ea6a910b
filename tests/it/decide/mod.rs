//! Decision tables: each row of `tests/data/decide/*/*.rows` is one decision,
//! its expectation written by hand from the language reference. The policy of
//! `x.rows` is `x.pano` beside it, or the directory `x`. The evaluator and
//! its twin must both give what the row says.
//!
//! A row of `unlock/` is `tags | source | facts | expectation`, one of
//! `issuance/` is `members | facts | expectation`; a line `base members` gives
//! what the members of the rows after it start from, and `-member` takes one
//! away. [`rows`] reads the columns.

mod issuance;
mod rows;
mod unlock;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use panopol::check::check_files;
use panopol::decision::Decision;
use panopol::eval::Program;
use panopol::source::load::Directory;

use crate::twin::{Twin, Verdict};
use rows::Expected;

/// One table with what decides its rows.
struct Table {
    path: PathBuf,
    text: String,
    program: Program,
    twin: Twin,
}

/// What the evaluator, its trace and the twin said of one row.
struct Answers {
    decision: Decision,
    traced: Decision,
    twin: Verdict,
}

/// Every table below `tests/data/decide/PART`, compiled.
fn tables(part: &str) -> Vec<Table> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/decide")
        .join(part);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rows")
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no tables in {}", folder.display());
    paths.into_iter().map(load).collect()
}

fn load(path: PathBuf) -> Table {
    let file = path.with_extension("pano");
    let policy = if file.is_file() {
        file
    } else {
        path.with_extension("")
    };
    let mut files = Directory::open(&policy).unwrap();
    let checked = check_files(&mut files);
    let Some(set) = &checked.set else {
        let messages: Vec<&str> = checked
            .diagnostics
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        panic!("{} does not compile: {messages:#?}", policy.display());
    };
    Table {
        text: std::fs::read_to_string(&path).unwrap(),
        program: Program::compile(Arc::clone(set)),
        twin: Twin::new(Arc::clone(set), &checked.trees),
        path,
    }
}

/// Decides each row of `table`, and says which came out otherwise than expected.
fn failures(
    table: &Table,
    mut decide: impl FnMut(&str) -> Option<(Answers, Expected)>,
) -> Vec<String> {
    let mut failures = Vec::new();
    for (number, line) in (1..).zip(table.text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((answers, expected)) = decide(line) else {
            continue;
        };
        let place = format!("{}:{number}: {line}", table.path.display());
        let mut untraced = answers.traced.clone();
        untraced.trace = None;
        if untraced != answers.decision {
            failures.push(format!(
                "{place}\n  traced, it is {untraced:?}\n  untraced {:?}",
                answers.decision
            ));
        }
        if let Some(difference) = expected.differs(&Verdict::of(&answers.decision)) {
            failures.push(format!("{place}\n  evaluator: {difference}"));
        } else if let Some(difference) = expected.names_differ(&answers.decision) {
            failures.push(format!("{place}\n  evaluator: {difference}"));
        }
        if let Some(difference) = expected.differs(&answers.twin) {
            failures.push(format!("{place}\n  twin: {difference}"));
        }
    }
    failures
}

fn expect_none(failures: Vec<String>) {
    assert!(
        failures.is_empty(),
        "{} rows differ\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn unlocks_are_decided_as_the_tables_say() {
    let found = tables("unlock");
    expect_none(found.iter().flat_map(unlock::failures).collect());
}

#[test]
fn certificate_requests_are_decided_as_the_tables_say() {
    let found = tables("issuance");
    expect_none(found.iter().flat_map(issuance::failures).collect());
}
