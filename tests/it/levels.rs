//! Levels of lints: who may choose them, which of them holds, and that each is said.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use panopol::server::config::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;

/// One warning, `single-approver`, on line 6.
const SET: &str = r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"  role admin in org }

approval gate {
  on        unlock
  approvers person alice
}

unlock office {
  allow from 192.0.2.0/24
}

test "the office waits" {
  device {}
  unlock from 192.0.2.1 expect pending by gate
}
"#;

const COMMENT: &str = "# panopol: allow single-approver because: a laboratory\napproval gate";

fn repository(policy: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("policies/all.pano"), policy).unwrap();
    directory
}

/// Exit code, standard output and standard error of `panopol check ARGS`.
fn check(directory: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panopol"));
    command.current_dir(directory).arg("check").args(args);
    let output = command.env_clear().stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn check_json(directory: &Path, args: &[&str]) -> (i32, Value) {
    let mut all = vec!["--format", "json"];
    all.extend(args);
    let (code, stdout, stderr) = check(directory, &all);
    assert_eq!(stderr, "");
    (code, serde_json::from_str(&stdout).unwrap())
}

/// Each finding as `severity[code]`.
fn findings(output: &Value) -> Vec<String> {
    let findings = output["findings"].as_array().unwrap().iter();
    let word = |finding: &Value, member: &str| finding[member].as_str().unwrap().to_owned();
    findings
        .map(|one| format!("{}[{}]", word(one, "severity"), word(one, "code")))
        .collect()
}

#[test]
fn without_levels_a_lint_has_its_own() {
    let here = repository(SET);
    let (code, output) = check_json(here.path(), &[]);
    assert_eq!(
        (code, findings(&output)),
        (0, vec!["warning[single-approver]".to_owned()])
    );
    assert_eq!(output.get("levels"), None);
    assert_eq!(check(here.path(), &["--deny", "warnings"]).0, 1);
}

#[test]
fn the_command_line_allows_warns_and_denies() {
    let here = repository(SET);
    let (code, output) = check_json(
        here.path(),
        &["--allow", "single-approver", "--deny", "warnings"],
    );
    assert_eq!((code, findings(&output)), (0, vec![]));
    assert_eq!(
        output["levels"],
        json!([{ "code": "single-approver", "level": "allow", "set": "policies/",
                 "by": "command-line", "findings": 1 }])
    );
    let (code, output) = check_json(here.path(), &["--deny", "single-approver"]);
    assert_eq!(
        (code, findings(&output)),
        (1, vec!["error[single-approver]".to_owned()])
    );
    let (code, output) = check_json(here.path(), &["--warn", "single-approver"]);
    assert_eq!(
        (code, findings(&output)),
        (0, vec!["warning[single-approver]".to_owned()])
    );
    let (_, text, _) = check(here.path(), &["--allow", "single-approver"]);
    assert_eq!(
        text,
        "policies/: single-approver: 1 finding allowed by the command line\n\
         policies/: 1 file, 2 rules, 1 test passed\n"
    );
}

#[test]
fn a_level_for_what_has_none_is_a_usage_error() {
    let here = repository(SET);
    for (args, message, help) in [
        (
            &["--allow", "single-aprover"][..],
            "`--allow single-aprover`: no lint is named `single-aprover`",
            "did you mean `single-approver`?",
        ),
        (
            &["--deny", "warning"][..],
            "`--deny warning`: no lint is named `warning`",
            "`panopol lint --list` lists them",
        ),
        (
            &["--allow", "unknown-tag"][..],
            "`--allow unknown-tag`: `unknown-tag` is an error, which no level changes",
            "levels are for warnings and notes",
        ),
        (
            &["--allow", "bypass-in-production"][..],
            "`bypass-in-production` is an error",
            "levels are for",
        ),
        (
            &["--allow", "single-approver", "--deny", "single-approver"][..],
            "`single-approver` is given two levels",
            "keep one",
        ),
    ] {
        let (code, stdout, stderr) = check(here.path(), args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(stderr.contains(help), "{stderr}");
    }
}

#[test]
fn a_file_beside_or_above_the_set_gives_levels_and_the_nearest_alone() {
    let here = repository(SET);
    let above = here.path().join("panopol.toml");
    fs::write(&above, "[lints]\nsingle-approver = \"deny\"\n").unwrap();
    let (code, output) = check_json(here.path(), &[]);
    assert_eq!(
        (code, findings(&output)),
        (1, vec!["error[single-approver]".to_owned()])
    );
    assert_eq!(output["levels"][0]["by"], "file");
    assert_eq!(output["levels"][0]["path"], "panopol.toml");
    let beside = here.path().join("policies/panopol.toml");
    fs::write(&beside, "[lints]\nsingle-approver = \"allow\"\n").unwrap();
    let (code, text, _) = check(here.path(), &["--deny", "warnings"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.starts_with(
            "policies/: single-approver: 1 finding allowed by `policies/panopol.toml`\n"
        ),
        "{text}"
    );
    // For a set of one file, beside is its own directory.
    assert_eq!(
        check(here.path(), &["--deny", "warnings", "policies/all.pano"]).0,
        0
    );
    // The command line stands above the file.
    assert_eq!(check(here.path(), &["--deny", "single-approver"]).0, 1);
}

#[test]
fn no_file_is_taken_from_above_the_repository() {
    let here = repository(SET);
    let levels = "[lints]\nsingle-approver = \"deny\"\n";
    fs::write(here.path().join("panopol.toml"), levels).unwrap();
    assert_eq!(check(here.path(), &[]).0, 1);
    fs::create_dir(here.path().join("policies/.git")).unwrap();
    assert_eq!(check(here.path(), &[]).0, 0);
}

#[test]
fn a_file_that_says_what_is_not_there_is_a_usage_error() {
    let here = repository(SET);
    for (text, message, help) in [
        (
            "[lints]\nsingle-aprover = \"warn\"\n",
            "`panopol.toml`, [lints], `single-aprover`: no lint is named `single-aprover`",
            "did you mean `single-approver`?",
        ),
        (
            "[lints]\nsingle-approver = \"alow\"\n",
            "`panopol.toml`, [lints], `single-approver`: `alow` is no level",
            "did you mean `allow`?",
        ),
        (
            "[lints]\nunknown-tag = \"allow\"\n",
            "`unknown-tag` is an error",
            "levels are for",
        ),
        ("lints = 3\n", "`panopol.toml` is no configuration", ""),
        ("[lints\n", "`panopol.toml` is no configuration", ""),
    ] {
        fs::write(here.path().join("panopol.toml"), text).unwrap();
        let (code, stdout, stderr) = check(here.path(), &[]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{text}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(stderr.contains(help), "{stderr}");
    }
}

#[test]
fn the_servers_file_may_hold_levels_and_each_reader_ignores_the_others_part() {
    let here = repository(SET);
    let file = here.path().join("panopol.toml");
    let text =
        "policy = \"policies\"\nrate_per_source = 5\n\n[lints]\nsingle-approver = \"allow\"\n";
    fs::write(&file, text).unwrap();
    let settings = Settings::read(&file).unwrap();
    assert_eq!(settings.rate_per_source, Some(5));
    assert_eq!(check(here.path(), &["--deny", "warnings"]).0, 0);
    fs::write(&file, text.replace("rate_per", "rat_per")).unwrap();
    let wrong = Settings::read(&file).unwrap_err().to_string();
    assert!(wrong.contains("rat_per_source"), "{wrong}");
}

#[test]
fn a_comment_with_a_reason_allows_in_what_it_stands_above() {
    for policy in [
        SET.replace("approval gate", COMMENT),
        // Several codes, and other comments below it.
        SET.replace(
            "approval gate",
            "#panopol: allow unused-allow, single-approver because: a laboratory\n# why\napproval gate",
        )
        .replace("unused-allow, ", ""),
    ] {
        let here = repository(&policy);
        let (code, output) = check_json(here.path(), &["--deny", "warnings"]);
        assert_eq!((code, findings(&output)), (0, vec![]), "{policy}");
        let level = &output["levels"][0];
        assert_eq!(level["by"], "comment");
        assert_eq!(level["reason"], "a laboratory");
        assert_eq!((&level["line"], &level["findings"]), (&json!(6), &json!(1)));
    }
    let here = repository(&SET.replace("approval gate", COMMENT));
    let (_, text, _) = check(here.path(), &[]);
    assert!(
        text.starts_with(
            "policies/all.pano:6: single-approver: 1 finding allowed because: a laboratory\n"
        ),
        "{text}"
    );
}

#[test]
fn a_comment_above_something_else_allows_nothing_here() {
    let here = repository(&SET.replace(
        "unlock office",
        &COMMENT.replace("approval gate", "unlock office"),
    ));
    let (code, output) = check_json(here.path(), &["--deny", "warnings"]);
    assert_eq!(code, 1);
    assert_eq!(
        findings(&output),
        ["warning[single-approver]", "warning[unused-allow]"]
    );
    assert_eq!(output.get("levels"), None);
}

#[test]
fn a_comment_stands_above_the_command_line() {
    let here = repository(&SET.replace("approval gate", COMMENT));
    let (code, output) = check_json(here.path(), &["--deny", "single-approver"]);
    assert_eq!((code, findings(&output)), (0, vec![]));
    assert_eq!(output["levels"][0]["by"], "command-line");
    assert_eq!(output["levels"][0]["findings"], 0);
    assert_eq!(output["levels"][1]["by"], "comment");
}

#[test]
fn a_comment_that_does_not_say_what_it_must_is_an_error() {
    for (comment, message) in [
        ("# panopol: allow single-approver", "no reason is given"),
        (
            "# panopol: allow single-approver because:  ",
            "no reason is given",
        ),
        (
            "# panopol: allow single-aprover because: x",
            "no lint is named `single-aprover`",
        ),
        (
            "# panopol: allow unknown-tag because: x",
            "`unknown-tag` is an error",
        ),
        (
            "# panopol: ignore single-approver",
            "says nothing that is known",
        ),
        ("# panopol:", "says nothing that is known"),
        ("# panopol: allow because: x", "no lint is named"),
        (
            "# panopol: allow single-approver because: x\n",
            "stands above no declaration and no statement",
        ),
    ] {
        let here = repository(&SET.replace("approval gate", &format!("{comment}\napproval gate")));
        let (code, output) = check_json(here.path(), &[]);
        assert_eq!(code, 1, "{comment}");
        assert_eq!(
            findings(&output),
            ["error[malformed-allow]", "warning[single-approver]"],
            "{comment}"
        );
        let found = output["findings"][0]["message"].as_str().unwrap();
        assert!(found.contains(message), "{found}");
    }
    // At the end of a block, of a line and of the file there is nothing below it.
    for (code, with) in [
        (
            "person alice\n}",
            "person alice\n# panopol: allow single-approver because: x\n}",
        ),
        (
            "person alice\n}",
            "person alice # panopol: allow single-approver because: x\n}",
        ),
        (
            "expect pending by gate\n}\n",
            "expect pending by gate\n}\n# panopol: allow single-approver because: x",
        ),
    ] {
        let here = repository(&SET.replace(code, with));
        let (_, output) = check_json(here.path(), &[]);
        assert!(
            findings(&output).contains(&"error[malformed-allow]".to_owned()),
            "{with}"
        );
    }
}

#[test]
fn an_error_is_not_allowed_by_any_level() {
    let negated = "edition 2026\n\ntag role = database | web\n\nunlock all-but {\n  \
        # panopol: allow unguarded-negation because: untagged devices are laboratory machines\n  \
        where role != database\n  allow from 192.0.2.0/24\n}\n";
    let here = repository(negated);
    let all = |profile: &'static str| {
        let args = ["--profile", profile, "--allow", "unguarded-negation"];
        let (code, output) = check_json(here.path(), &args);
        let about = findings(&output).into_iter();
        let about: Vec<String> = about
            .filter(|one| one.contains("negation") || one.contains("allow"))
            .collect();
        (code, about, output)
    };
    let (code, found, _) = all("development");
    assert_eq!((code, found), (0, vec![]));
    let (code, found, output) = all("production");
    assert_eq!(
        (code, found),
        (1, vec!["error[unguarded-negation]".to_owned()])
    );
    let text = output.to_string();
    assert!(text.contains("the comment above allows a warning, and this is an error"));
}

#[test]
fn every_format_lists_what_was_suppressed() {
    let here = repository(&SET.replace("approval gate", COMMENT));
    for (format, shown) in [
        ("sarif", "\"justification\":\"a laboratory\""),
        (
            "github",
            "::notice title=level::policies/all.pano:6: single-approver",
        ),
        (
            "junit",
            "<property name=\"level\" value=\"policies/all.pano:6: single-approver",
        ),
    ] {
        let (code, text, _) = check(here.path(), &["--format", format]);
        assert_eq!(code, 0);
        assert!(text.contains(shown), "{text}");
    }
    let (_, text, _) = check(here.path(), &["--format", "sarif"]);
    let log: Value = serde_json::from_str(&text).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "single-approver");
    assert_eq!(result["suppressions"][0]["kind"], "inSource");
    let line = &result["suppressions"][0]["location"]["physicalLocation"]["region"]["startLine"];
    assert_eq!(line, 6);
    crate::output::expect_valid_sarif(&log);
    let here = repository(SET);
    let (_, text, _) = check(
        here.path(),
        &["--format", "sarif", "--allow", "single-approver"],
    );
    let log: Value = serde_json::from_str(&text).unwrap();
    let suppression = &log["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(suppression["kind"], "external");
    crate::output::expect_valid_sarif(&log);
}

#[test]
fn very_many_comments_are_read_in_one_pass() {
    let comments = "# panopol: allow single-approver because: x\n".repeat(20_000);
    let here = repository(&SET.replace("approval gate", &format!("{comments}approval gate")));
    let (code, output) = check_json(here.path(), &[]);
    assert_eq!(code, 0);
    // One of them is used; of the others as many are said as of any set.
    assert_eq!(findings(&output).len(), 1001);
}
