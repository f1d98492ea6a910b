//! The built command, run as people and CI run it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const GOOD: &str = r#"edition 2026

tag env = production | dev required

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com" }

team dba = [alice, bob]

unlock servers {
  where env == production
  allow from 192.0.2.0/24
}

unlock drafts {
  where env == dev
  allow from 192.0.2.0/24
}

approval gate {
  on        unlock where env == dev
  approvers team dba
}

test "servers start at home" {
  device { env = production }
  unlock from 192.0.2.7 expect allow
}

test "drafts wait" {
  device { env = dev }
  unlock from 192.0.2.7 expect pending by gate
}
"#;

/// What a run of the command left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn command(directory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panopol"));
    command.current_dir(directory).args(args).env_clear();
    command.stdin(Stdio::null());
    command
}

pub(crate) fn run(directory: &Path, args: &[&str]) -> Ran {
    ran(&mut command(directory, args))
}

pub(crate) fn run_with_stdin(directory: &Path, args: &[&str], stdin: &[u8]) -> Ran {
    let mut command = command(directory, args);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    finished(child.wait_with_output().unwrap())
}

fn ran(command: &mut Command) -> Ran {
    finished(command.output().unwrap())
}

fn finished(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A directory with one policy file, `policies/all.pano`.
pub(crate) fn repository(policy: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("policies/all.pano"), policy).unwrap();
    directory
}

fn broken() -> String {
    GOOD.replace("where env == production", "where evn == production")
}

fn failing() -> String {
    GOOD.replace("expect allow", "expect deny source-denied")
}

fn doubtful() -> String {
    GOOD.replace("dev required", "dev")
        .replace("env == production\n  allow", "env != dev\n  allow")
}

#[test]
fn help_teaches() {
    let here = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for command in [
        "",
        "check",
        "lint",
        "fmt",
        "test",
        "eval",
        "eval unlock",
        "eval issuance",
        "replay",
        "export",
        "export cedar",
        "init",
        "serve",
        "device",
        "token",
        "keys",
        "audit",
        "completions",
    ] {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("--help");
        let help = run(here.path(), &args);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        let examples = help.stdout.split("Examples:\n").nth(1).unwrap_or_default();
        let count = examples
            .lines()
            .filter(|line| line.contains("panopol "))
            .count();
        assert_eq!(
            count, 2,
            "`{command} --help` ends with two examples:\n{}",
            help.stdout
        );
        all.push_str(&format!("$ panopol {}\n{}\n", args.join(" "), help.stdout));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn help_lists_every_command_in_a_group() {
    let here = tempfile::tempdir().unwrap();
    let help = run(here.path(), &["--help"]).stdout;
    let script = run(here.path(), &["completions", "fish"]).stdout;
    let offered = script
        .lines()
        .filter(|line| line.contains("__fish_panopol_needs_command"));
    let commands = offered.filter_map(|line| line.split("-a \"").nth(1)?.split('"').next());
    let mut count = 0;
    for name in commands {
        assert!(
            help.contains(&format!("\n  {name} ")),
            "`{name}` is in no group"
        );
        count += 1;
    }
    assert_eq!(count, 18);
}

#[test]
fn a_thumbprint_that_begins_with_a_hyphen_is_no_flag() {
    for arguments in [
        ["keys", "delete", "-Ab3", "--url", "http://127.0.0.1:1"],
        ["keys", "delete", "--url", "http://127.0.0.1:1", "-Ab3"],
    ] {
        let ran = run(Path::new("."), &arguments);
        assert!(ran.stderr.contains("cannot reach"), "{}", ran.stderr);
    }
}

#[test]
fn a_usage_error_is_exit_2_with_the_nearest_command() {
    let here = tempfile::tempdir().unwrap();
    let wrong = run(here.path(), &["chekc"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""));
    assert!(wrong.stderr.contains("'check'"), "{}", wrong.stderr);
    assert_eq!(run(here.path(), &[]).code, 2);
    assert_eq!(run(here.path(), &["check", "--format", "xml"]).code, 2);
}

#[test]
fn check_passes_a_good_set_with_one_line() {
    let here = repository(GOOD);
    let ran = run(here.path(), &["check"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, "policies/: 1 file, 3 rules, 2 tests passed\n");
    let ran = run(here.path(), &["check", "--no-tests", "policies/all.pano"]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.stdout,
        "policies/all.pano: 1 file, 3 rules, tests left out\n"
    );
}

#[test]
fn check_reports_findings_on_stdout_with_exit_1() {
    let here = repository(&broken());
    let ran = run(here.path(), &["check"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert!(
        ran.stdout.contains("policies/all.pano:11:9"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains('\u{1b}'), "colour is for terminals");
    let found: Value =
        serde_json::from_str(&run(here.path(), &["check", "--format", "json"]).stdout).unwrap();
    assert_eq!(found["findings"].as_array().unwrap().len(), 1);
    assert_eq!(found["findings"][0]["file"], "policies/all.pano");
    assert_eq!(found["tests"], json!({ "passed": 0, "failed": 0 }));
}

#[test]
fn check_runs_the_tests_unless_told_not_to() {
    let here = repository(&failing());
    let ran = run(here.path(), &["check", "--format", "json"]);
    assert_eq!(ran.code, 1);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["findings"][0]["code"], "test-failed");
    assert_eq!(found["tests"], json!({ "passed": 1, "failed": 1 }));
    assert_eq!(run(here.path(), &["check", "--no-tests"]).code, 0);
}

#[test]
fn warnings_fail_only_where_denied_and_harden_in_production() {
    let here = repository(&doubtful());
    let ran = run(here.path(), &["check"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains("warning[unguarded-negation]"),
        "{}",
        ran.stdout
    );
    assert_eq!(run(here.path(), &["check", "--deny", "warnings"]).code, 1);
    let ran = run(here.path(), &["check", "--profile", "production"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("error[unguarded-negation]"),
        "{}",
        ran.stdout
    );
}

#[test]
fn every_format_is_written_for_every_set_named() {
    let here = repository(&broken());
    fs::write(here.path().join("good.pano"), GOOD).unwrap();
    for format in ["human", "json", "sarif", "github", "junit"] {
        let ran = run(
            here.path(),
            &["check", "--format", format, "good.pano", "policies"],
        );
        assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{format}");
        assert!(
            ran.stdout.contains("policies/all.pano"),
            "{format}: {}",
            ran.stdout
        );
    }
}

#[test]
fn a_set_that_is_not_there_is_exit_2_and_the_others_are_still_checked() {
    let here = repository(GOOD);
    let ran = run(here.path(), &["check", "nowhere", "policies/"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with("error: cannot read `nowhere`"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("2 tests passed"), "{}", ran.stdout);
    let empty = tempfile::tempdir().unwrap();
    let ran = run(empty.path(), &["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("panopol init"), "{}", ran.stderr);
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    let here = repository(&broken());
    for (args, code) in [
        (&["lint", "--list"][..], 0),
        (&["check"][..], 1),
        (&["check", "--help"][..], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(here.path(), args);
        command.stdout(writer).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), stderr.as_str()),
            (Some(code), ""),
            "{args:?}"
        );
    }
}

#[test]
fn output_that_cannot_be_written_is_exit_2() {
    let here = repository(GOOD);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command(here.path(), &["check"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: standard output"));
}

#[test]
fn lint_explains_each_code_and_the_nearest_to_an_unknown_one() {
    let here = tempfile::tempdir().unwrap();
    let ran = run(here.path(), &["lint", "--explain", "unguarded-negation"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains("Wrong:") && ran.stdout.contains("Right:"),
        "{}",
        ran.stdout
    );
    let ran = run(here.path(), &["lint", "--explain", "unguarded-negatoin"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("did you mean `unguarded-negation`?"),
        "{}",
        ran.stderr
    );
    let ran = run(here.path(), &["lint", "--list"]);
    assert_eq!(ran.stdout.lines().count(), panopol::lint::codes().len());
    assert_eq!(run(here.path(), &["lint"]).code, 2);
    assert_eq!(
        run(here.path(), &["lint", "--list", "--explain", "syntax"]).code,
        2
    );
}

#[test]
fn fmt_replaces_only_what_changes_and_keeps_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let here = repository(GOOD);
    let policies = here.path().join("policies");
    assert_eq!(run(here.path(), &["fmt"]).stdout, "", "{GOOD} is canonical");
    let messy = "edition 2026\ntag   env=dev # kept\n";
    fs::write(policies.join("messy.pano"), messy).unwrap();
    fs::set_permissions(
        policies.join("messy.pano"),
        fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    symlink("policies/messy.pano", here.path().join("link.pano")).unwrap();

    let ran = run(here.path(), &["fmt", "--check", "policies/messy.pano"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert!(
        ran.stdout.contains("-tag   env=dev # kept"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        fs::read_to_string(policies.join("messy.pano")).unwrap(),
        messy
    );

    let ran = run(here.path(), &["fmt", "link.pano"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "formatted policies/messy.pano\n"),
        "{}",
        ran.stderr
    );
    let formatted = fs::read_to_string(policies.join("messy.pano")).unwrap();
    assert!(
        formatted.contains("tag env = dev") && formatted.contains("# kept"),
        "{formatted}"
    );
    assert!(here.path().join("link.pano").is_symlink());
    let mode = fs::metadata(policies.join("messy.pano"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let names = fs::read_dir(&policies).unwrap().count();
    assert_eq!(names, 2, "no temporary file stays");
    assert_eq!(
        run(here.path(), &["fmt", "--check", "policies/messy.pano"]).code,
        0
    );
}

#[test]
fn fmt_leaves_a_read_only_file_alone() {
    use std::os::unix::fs::PermissionsExt;
    let here = repository("edition 2026\ntag   env=dev\n");
    let file = here.path().join("policies/all.pano");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let ran = run(here.path(), &["fmt"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("policies/all.pano"), "{}", ran.stderr);
    assert!(fs::read_to_string(&file).unwrap().contains("tag   env"));
}

#[test]
fn fmt_reports_a_broken_file_and_formats_the_others() {
    let here = repository("edition 2026\ntag   env=dev\n");
    fs::write(
        here.path().join("policies/broken.pano"),
        "edition 2026\ntag env dev\n",
    )
    .unwrap();
    let ran = run(here.path(), &["fmt"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("formatted policies/all.pano"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("--> policies/broken.pano:2"),
        "{}",
        ran.stdout
    );
}

#[test]
fn fmt_of_standard_input_goes_to_standard_output() {
    let here = tempfile::tempdir().unwrap();
    let ran = run_with_stdin(here.path(), &["fmt", "-"], b"edition 2026\ntag   env=dev\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("tag env = dev"), "{}", ran.stdout);
    let again = run_with_stdin(here.path(), &["fmt", "-", "--check"], ran.stdout.as_bytes());
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    let ran = run_with_stdin(here.path(), &["fmt", "-"], b"edition 2026\ntag env dev\n");
    assert_eq!(ran.code, 1);
    let ran = run_with_stdin(here.path(), &["fmt", "-"], b"\xff\xfe");
    assert_ne!(ran.code, 0);
}

#[test]
fn test_runs_what_the_filter_names_and_shows_a_failures_trace() {
    let here = repository(&failing());
    let ran = run(here.path(), &["test"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.contains("trace:"), "{}", ran.stdout);
    assert!(
        ran.stdout.ends_with("policies/: 1 test passed, 1 failed\n"),
        "{}",
        ran.stdout
    );
    let here = repository(GOOD);
    let ran = run(here.path(), &["test", "--filter", "at home"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "policies/: 1 test passed\n")
    );
    let ran = run(here.path(), &["test", "--filter", "elsewhere"]);
    assert_eq!(ran.code, 2);
}

#[test]
fn eval_unlock_answers_with_reason_and_trace() {
    let here = repository(GOOD);
    let ask = |args: &[&str]| {
        let mut all = vec!["eval", "unlock", "--at", "2027-01-04T08:00:00Z"];
        all.extend(args);
        run(here.path(), &all)
    };
    let ran = ask(&["--tag", "env=production", "--from", "198.51.100.7"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("deny\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("source-not-allowed") && ran.stdout.contains("servers"),
        "{}",
        ran.stdout
    );
    let ran = ask(&[
        "--tag",
        "env=production",
        "--from",
        "192.0.2.7",
        "--format",
        "json",
    ]);
    let decision: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(decision["outcome"], "allow");
    assert_eq!(decision["reasons"][0]["rule"]["name"], "servers");
    assert!(!decision["trace"].as_array().unwrap().is_empty());
    let ran = ask(&[
        "--tag",
        "env=production",
        "--from",
        "192.0.2.7",
        "--expect",
        "allow",
    ]);
    assert_eq!(ran.code, 0);
    let ran = ask(&[
        "--tag",
        "env=production",
        "--from",
        "192.0.2.7",
        "--expect",
        "deny",
    ]);
    assert_eq!(ran.code, 1);
    let ran = ask(&[
        "--tag",
        "env=production",
        "--from",
        "192.0.2.7",
        "--given",
        "disabled",
    ]);
    assert!(ran.stdout.contains("device-disabled"), "{}", ran.stdout);
}

#[test]
fn eval_holds_its_arguments_against_the_policy() {
    let here = repository(GOOD);
    for (args, hint) in [
        (&["--tag", "evn=production"][..], "did you mean `env`?"),
        (
            &["--tag", "env=prodution"][..],
            "did you mean `production`?",
        ),
        (&["--tag", "env=dev", "--tag", "env=dev"][..], "twice"),
        (&["--tag", "env"][..], "TAG=VALUE"),
        (&["--given", "approved by gaet"][..], "did you mean `gate`?"),
        (
            &["--given", "allow-once x"][..],
            "no allow-once is named `x`",
        ),
        (&["--given", "approved"][..], "a fact is"),
        (
            &["--state", "active", "--given", "revoked"][..],
            "cannot be both",
        ),
    ] {
        let mut all = vec!["eval", "unlock", "--from", "192.0.2.7"];
        all.extend(args);
        let ran = run(here.path(), &all);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        assert!(ran.stderr.contains(hint), "{args:?}: {}", ran.stderr);
    }
    let ran = run(here.path(), &["eval", "unlock", "--from", "192.0.2.07"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("leading zero"), "{}", ran.stderr);
}

const FACTS: &str = r#"edition 2026

tag role = web | db

network office = 192.0.2.0/24
network attic  = 198.51.100.0/24

person alice { email "alice@example.com" }

unlock all { allow from [office, attic] }

approval gate {
  on        unlock where role == db
  approvers person alice
}

allow-once planned {
  where     role == db
  overrides source
  by        person alice
  max       1h
}

test "from the office" {
  device { role = web }
  unlock from 192.0.2.7 expect allow
}
"#;

#[test]
fn eval_refuses_a_fact_that_cannot_hold() {
    let here = repository(FACTS);
    let ask = |role: &str, fact: &str| {
        let args = ["eval", "unlock", "--from", "192.0.2.7", "--tag", role];
        run(here.path(), &[&args[..], &["--given", fact][..]].concat())
    };
    for fact in ["approved by gate", "allow-once planned"] {
        let ran = ask("role=web", fact);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{fact}");
        assert!(ran.stderr.contains("device"), "{}", ran.stderr);
        assert_eq!(ask("role=db", fact).code, 0, "{fact}");
    }
}

#[test]
fn eval_takes_each_fact_once_and_a_day_for_its_start() {
    let here = repository(FACTS);
    let ask = |more: &[&str]| {
        let args = ["eval", "unlock", "--from", "192.0.2.7", "--tag", "role=db"];
        run(here.path(), &[&args[..], more].concat())
    };
    for fact in [
        "denied",
        "disabled",
        "approved by gate",
        "allow-once planned",
    ] {
        let twice = ask(&["--given", fact, "--given", fact]);
        assert_eq!((twice.code, twice.stdout.as_str()), (2, ""), "{fact}");
        let said = format!("the fact `{fact}` is given twice");
        assert!(twice.stderr.contains(&said), "{}", twice.stderr);
    }
    let respaced = ask(&[
        "--given",
        "approved by gate",
        "--given",
        "approved  by gate",
    ]);
    assert_eq!(respaced.code, 2, "{}", respaced.stdout);
    let day = ask(&["--at", "2027-01-31"]);
    assert!(
        day.stdout.contains("2027-01-31T00:00:00Z"),
        "{}",
        day.stdout
    );
    for wrong in [
        "2027-02-30",
        "2027-1-31",
        "2027-01-31T08:00:00",
        "31.01.2027",
        "soon",
    ] {
        let ran = ask(&["--at", wrong]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{wrong}");
        assert!(ran.stderr.contains("or a day"), "{}", ran.stderr);
    }
}

#[test]
fn coverage_lists_what_no_test_reached() {
    let here = repository(FACTS);
    let ran = run(here.path(), &["test", "--coverage"]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.stdout,
        "policies/: 1 test passed\n\
         not reached by any test:\n  \
         allow-once planned (all.pano:17)\n  \
         approval gate (all.pano:12)\n  \
         network attic (all.pano:6)\n\
         edges that no test asks from:\n  \
         network attic (all.pano:6), 3 of 3: \
         198.51.100.0 (first), 198.51.100.255 (last), 198.51.101.0 (outside)\n  \
         network office (all.pano:5), 3 of 3: \
         192.0.2.0 (first), 192.0.2.255 (last), 192.0.3.0 (outside)\n"
    );
}

#[test]
fn eval_of_a_broken_set_is_a_finding() {
    let here = repository(&broken());
    let ran = run(here.path(), &["eval", "unlock", "--from", "192.0.2.7"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("error["), "{}", ran.stdout);
}

const CERTIFICATES: &str = r#"edition 2026

project web

issuance web {
  where     project == web
  key-types ECDSA-P256
  san dns   allow "*.example.com"
}
"#;

#[test]
fn eval_issuance_reads_a_request_from_a_file_or_standard_input() {
    let here = repository(CERTIFICATES);
    let request = json!({
        "action": "issue", "project": "web", "key_type": "RSA-2048", "san": ["dns:a.example.org"],
    })
    .to_string();
    let args = ["eval", "issuance", "--request", "-", "--format", "json"];
    let ran = run_with_stdin(here.path(), &args, request.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let decision: Value = serde_json::from_str(&ran.stdout).unwrap();
    let codes: Vec<_> = decision["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| &reason["code"])
        .collect();
    assert_eq!(codes, ["key-type", "san-not-allowed"]);
    fs::write(here.path().join("request.json"), request).unwrap();
    let ran = run(
        here.path(),
        &[
            "eval",
            "issuance",
            "--request",
            "request.json",
            "--expect",
            "deny",
        ],
    );
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with("deny\n"), "{}", ran.stdout);
}

#[test]
fn a_bad_request_is_named_by_line_column_and_nearest_word() {
    let here = repository(CERTIFICATES);
    for (request, hint) in [
        ("{\n  \"action\": ", "standard input:2:"),
        (
            "{\"action\": \"issue\", \"key-type\": \"RSA-2048\"}",
            "did you mean `key_type`?",
        ),
        ("{\"action\": \"isue\"}", "did you mean `issue`?"),
        ("{}", "missing member `action`"),
        (
            "{\"action\":\"issue\",\"key_type\":null,\"san\":{}}",
            "wrong type: an object, expected a list",
        ),
        (
            "{\"action\":\"issue\",\"predecessor\":7}",
            "wrong type: the number `7`, expected an object",
        ),
        (
            "{\"action\":\"issue\",\"auto_renew\":\"yes\"}",
            "wrong type: the string \"yes\", expected `true` or `false`",
        ),
        (
            "{\"action\":\"issue\",\"name\":[]}",
            "wrong type: a list, expected a string",
        ),
        (
            "{\"action\":\"issue\",\"lifetime_s\":true}",
            "wrong type: `true`, expected a whole number, 0 or more",
        ),
        (
            "{\"action\":\"issue\",\"lifetime_s\":1.5}",
            "wrong type: the number `1.5`, expected a whole number, 0 or more",
        ),
        (" [\"issue\"]", "a request is a JSON object"),
        (
            "{\"action\":\"issue\",\"lifetime_s\":-1}",
            "out of range: the number `-1`, expected a whole number, 0 or more",
        ),
    ] {
        let ran = run_with_stdin(
            here.path(),
            &["eval", "issuance", "--request", "-"],
            request.as_bytes(),
        );
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{request}");
        assert!(ran.stderr.contains(hint), "{request}: {}", ran.stderr);
    }
    let ran = run(
        here.path(),
        &["eval", "issuance", "--request", "nowhere.json"],
    );
    assert_eq!(ran.code, 2);
}

#[test]
fn each_member_of_a_request_has_a_hint() {
    let here = repository(CERTIFICATES);
    let request = panopol::request::IssuanceRequest {
        action: panopol::vocabulary::Action::Renew,
        project: Some(String::new()),
        profile: Some(String::new()),
        requester: Some(String::new()),
        name: Some(String::new()),
        key_type: Some(String::new()),
        issuer_type: Some(String::new()),
        issuer_id: Some(String::new()),
        san: vec![String::new()],
        common_name: Some(String::new()),
        lifetime_s: Some(1),
        auto_renew: Some(true),
        reason: Some(String::new()),
        ticket: Some(String::new()),
        predecessor: Some(panopol::request::Predecessor {
            id: String::new(),
            san: Vec::new(),
        }),
        unsupported: vec![String::new()],
    };
    let Value::Object(members) = serde_json::to_value(request).unwrap() else {
        unreachable!()
    };
    for member in members.keys() {
        let request = format!("{{\"{member}x\":1}}");
        let ran = run_with_stdin(
            here.path(),
            &["eval", "issuance", "--request", "-"],
            request.as_bytes(),
        );
        assert!(
            ran.stderr.contains(&format!("did you mean `{member}`?")),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn completions_are_made_for_each_shell() {
    let here = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(here.path(), &["completions", shell]);
        assert_eq!(ran.code, 0, "{shell}");
        assert!(ran.stdout.contains("panopol"), "{shell}");
    }
}

#[test]
fn init_makes_a_repository_that_passes_everything() {
    let here = tempfile::tempdir().unwrap();
    let ran = run(here.path(), &["init", "new"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let new = here.path().join("new");
    for args in [
        &["check", "--deny", "warnings", "--profile", "production"][..],
        &["fmt", "--check"][..],
        &["test"][..],
    ] {
        let ran = run(&new, args);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (0, ""),
            "{args:?}: {}",
            ran.stdout
        );
    }
    for file in [
        ".github/workflows/policy.yml",
        ".pre-commit-config.yaml",
        "README.md",
    ] {
        assert!(new.join(file).is_file(), "{file}");
    }
}

#[test]
fn init_never_overwrites() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("README.md"), "mine").unwrap();
    let ran = run(here.path(), &["init"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("README.md` already exists"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        fs::read_to_string(here.path().join("README.md")).unwrap(),
        "mine"
    );
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 1);
}
