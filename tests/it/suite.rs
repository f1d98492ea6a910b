//! In-file tests, run as a library's caller runs them.

use panopol::check::check_files;
use panopol::eval::Program;
use panopol::suite::{self, TestResult};

use crate::support::one_file;

const POLICY: &str = r#"edition 2026

tag role = database | web

person alice { email "alice@example.com" }
team dba = alice

unlock servers {
  allow from 192.0.2.0/24
}

approval databases {
  on        unlock where role == database
  approvers team dba
}

allow-once anywhere {
  overrides source
  by        team dba
  max       1h
}
"#;

fn run(tests: &str, filter: Option<&str>) -> Vec<TestResult> {
    let text = format!("{POLICY}\n{tests}");
    let checked = check_files(&mut one_file(&text));
    let set = checked
        .set
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    suite::run(&Program::compile(set), filter)
}

#[test]
fn each_outcome_can_be_expected() {
    let results = run(
        r#"test "outcomes" {
          device { role = database }
          unlock from 192.0.2.7 expect pending by databases
          unlock from 198.51.100.7 expect deny source-not-allowed
          unlock from 192.0.2.7 given approved by databases expect allow
        }"#,
        None,
    );
    assert_eq!(results.len(), 3);
    assert!(results.iter().all(|result| result.passed), "{results:#?}");
    assert!(results.iter().all(|result| result.diagnostic().is_none()));
}

#[test]
fn each_fact_reaches_the_decision() {
    let results = run(
        r#"test "facts" {
          device { role = web }
          unlock from 192.0.2.7 given revoked expect deny device-revoked
          unlock from 192.0.2.7 given disabled expect deny device-disabled
          unlock from 192.0.2.7 given denied expect deny temporarily-denied
          unlock from 198.51.100.7 given allow-once anywhere expect allow
        }"#,
        None,
    );
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|result| result.passed), "{results:#?}");
}

#[test]
fn a_failure_says_what_came_out_and_shows_the_trace() {
    let results = run(
        r#"test "wrong" {
          device { role = web }
          unlock from 198.51.100.7 expect allow
          unlock from 198.51.100.7 expect pending by databases
          unlock from 198.51.100.7 expect deny device-disabled
        }"#,
        None,
    );
    assert_eq!(results.len(), 3);
    for result in &results {
        assert!(!result.passed);
        let finding = result.diagnostic().unwrap();
        assert_eq!(finding.code.name, "test-failed");
        assert!(
            finding.message.contains("gets deny source-not-allowed"),
            "{}",
            finding.message
        );
        let trace = finding.notes.last().unwrap();
        assert!(
            trace.starts_with("trace:") && trace.contains("servers"),
            "{trace}"
        );
    }
}

#[test]
fn a_filter_takes_part_of_a_blocks_name() {
    let tests = r#"
        test "one fine day" { device {} unlock from 192.0.2.7 expect allow }
        test "another" { device {} unlock from 192.0.2.7 expect allow }
    "#;
    let names = |filter| -> Vec<String> {
        run(tests, filter)
            .into_iter()
            .map(|result| result.name)
            .collect()
    };
    assert_eq!(names(None), ["one fine day", "another"]);
    assert_eq!(names(Some("fine")), ["one fine day"]);
    assert!(names(Some("none")).is_empty());
}

#[test]
fn a_network_within_one_that_was_reached_before_is_reached_by_its_own_source() {
    let policy = r#"edition 2026
network near = 192.0.2.0/24
network far  = 198.51.100.0/24
network both = [near, far]
unlock servers { allow from both }
test "near first" {
  device {}
  unlock from 192.0.2.7 expect allow
  unlock from 198.51.100.7 expect allow
}
"#;
    let program = Program::compile(check_files(&mut one_file(policy)).set.unwrap());
    let results = suite::run(&program, None);
    assert_eq!(suite::coverage::unreached(&program, &results), []);
}
