//! What no test reaches, and the tests that `panopol test --suggest` prints for
//! it, by the built command.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{repository, run};
use crate::support::{files_below, root};

const UNTESTED: &str = r#"edition 2026

tag env  = production | dev required
tag rack = text

network office = [203.0.113.0/24, 2001:db8:10::/48]
network attic  = [office, 198.51.100.7]
network unused = 192.0.2.0/24

schedule nights = mon..sun 22:00..06:00 in "Europe/Berlin"

project web

person alice { role owner in org }
person bob { role owner in org }
team dba = [alice, bob]

unlock servers {
  where env == production and rack == "a\"1"
  allow from attic
  deny  from 203.0.113.128/25
}

unlock by-night {
  where env == dev
  allow from 198.18.0.0/15 during nights
}

unlock never {
  where env == dev and env == production
  allow from office
}

allow-once planned {
  where     env == dev
  overrides [source, disabled]
  by        team dba
  max       1h
}

approval gate {
  on        unlock where env == production
  approvers team dba
}

approval certificates {
  on        [renew, revoke] where project == web
  approvers team dba
  ticket    required /(OPS|SEC)-[0-9]{3,}/
  reason    required
}

issuance web {
  where      project == web and action == renew
  key-types  [ECDSA-P384, ECDSA-P256]
  issuer-ids "one"
  san dns    allow ["**.example.com", "example.org"] deny "**.www.example.com"
  san ip     allow 10.0.0.0/8
  naming     /^(prod|stage)-[a-z0-9-]+$/
  lifetime   max 36h
  auto-renew required
}
"#;

/// What is not reached: kind, name and line.
fn unreached(here: &Path) -> Vec<(String, String)> {
    let ran = run(here, &["test", "--coverage", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let rows = report["coverage"][0]["unreached"].as_array().unwrap();
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let rows = rows
        .iter()
        .map(|row| (text(row, "kind"), text(row, "name")));
    rows.collect()
}

#[test]
fn suggestions_are_pasted_as_they_are_printed() {
    let here = repository(UNTESTED);
    let ran = run(here.path(), &["test", "--coverage", "--suggest"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout);
    let tests = format!("edition 2026\n\n{}", ran.stdout);
    fs::write(here.path().join("policies/tests.pano"), tests).unwrap();
    let ran = run(here.path(), &["check"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(run(here.path(), &["fmt"]).code, 0);
    let expected = [("unlock", "never"), ("network", "unused")];
    let expected = expected.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
    assert_eq!(unreached(here.path()), expected);
    let again = run(here.path(), &["test", "--suggest"]);
    insta::assert_snapshot!(again.stdout);
}

#[test]
fn coverage_is_one_object_for_scripts() {
    let here = repository(UNTESTED);
    let args = ["test", "--coverage", "--suggest", "--format", "json"];
    let ran = run(here.path(), &args);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["tests"], json!({"passed": 0, "failed": 0}));
    assert_eq!(report["findings"], json!([]));
    let unreached = &report["coverage"][0]["unreached"];
    assert_eq!(
        unreached[0],
        json!({"kind": "unlock", "name": "by-night", "file": "all.pano", "line": 24})
    );
    let edges = &report["coverage"][0]["edges"];
    assert_eq!(
        edges[0],
        json!({"kind": "network", "name": "attic", "file": "all.pano", "line": 7, "total": 2, "missing": [
            {"address": "198.51.100.7", "side": "only"},
            {"address": "198.51.100.8", "side": "outside"},
        ]})
    );
    let suggested = &report["suggestions"][0];
    assert_eq!(suggested["not_found"].as_array().unwrap().len(), 2);
    assert!(suggested["blocks"].as_array().unwrap().len() > 6);
    let failing = format!(
        "{UNTESTED}\ntest \"t\" {{ device {{ env = dev }} unlock from 192.0.2.1 expect allow }}\n"
    );
    let ran = run(repository(&failing).path(), &args);
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["tests"], json!({"passed": 0, "failed": 1}));
    assert_eq!(report["findings"][0]["code"], "test-failed");
    let broken = UNTESTED.replace("from attic", "from atticc");
    let ran = run(repository(&broken).path(), &args);
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["findings"][0]["code"], "unknown-network");
}

/// A shipped set without its tests.
fn stripped(set: &str) -> TempDir {
    let from = root().join("policies").join(set);
    let here = tempfile::tempdir().unwrap();
    for extension in ["pano", "txt"] {
        for file in files_below(&from, extension) {
            let to = here
                .path()
                .join("policies")
                .join(file.strip_prefix(&from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let text = fs::read_to_string(&file).unwrap();
            let mut inside = false;
            let lines = text.lines().filter(|line| {
                inside |= line.starts_with("test \"");
                let kept = !inside;
                inside &= *line != "}";
                kept
            });
            let text: String = lines.map(|line| format!("{line}\n")).collect();
            assert!(!text.contains("expect "));
            fs::write(to, text).unwrap();
        }
    }
    here
}

#[test]
fn a_shipped_set_without_its_tests_is_covered_by_what_is_suggested() {
    for set in ["reference", "small-company", "fleet"] {
        let here = stripped(set);
        let ran = run(here.path(), &["test", "--suggest"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        let tests = format!("edition 2026\n\n{}", ran.stdout);
        fs::write(here.path().join("policies/suggested.pano"), tests).unwrap();
        let ran = run(here.path(), &["test"]);
        assert_eq!(ran.code, 0, "{set}: {}", ran.stdout);
        assert_eq!(unreached(here.path()), [], "{set}");
    }
}
