//! Recorded requests, judged again: the built command, and the run on many threads.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::{ChildStdin, Stdio};

use panopol::check::check_files;
use panopol::eval::Program;
use panopol::record::line::{Line, LineError};
use panopol::record::{Asked, Record, VERSION};
use panopol::replay::{Input, Place, Replay, Report, Watch, run as judge_all};
use panopol::request::{UnlockFacts, UnlockRequest};
use panopol::vocabulary::DeviceState;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{command, repository, run, run_with_stdin};
use crate::support::one_file;

const RECORDED: &str = r#"edition 2026

tag env  = production | dev required
tag role = database | web

network office = 203.0.113.0/24
network rack   = 198.51.100.0/24

schedule day = mon..fri 08:00..18:00 in "UTC"

project web

person alice { role owner in org }
person bob { role admin in org }
team dba = [alice, bob]

unlock servers {
  where env == production
  allow from rack
  deny  from 198.51.100.66
}

unlock laptops {
  where env == dev
  allow from office during day
}

approval databases {
  on        unlock where role == database
  approvers team dba
}

issuance certificates {
  where     project == web
  key-types ECDSA-P256
}
"#;

/// A Monday.
const NOON: &str = "2026-11-23T12:00:00Z";

fn program(policy: &str) -> Program {
    let checked = check_files(&mut one_file(policy));
    Program::compile(
        checked
            .set
            .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics)),
    )
}

/// What the recorded policy decides, as a record.
fn record(number: usize, tags: &[(&str, &str)], source: &str, facts: UnlockFacts) -> Record {
    let request = UnlockRequest {
        device: format!("host-{number}"),
        tags: tags
            .iter()
            .map(|&(tag, value)| (tag.to_owned(), value.to_owned()))
            .collect(),
        state: DeviceState::Active,
        source: source.parse().unwrap(),
        kid: None,
    };
    let time = NOON.parse().unwrap();
    let decision = program(RECORDED).decide_unlock(&request, &facts, time);
    Record {
        v: VERSION,
        id: format!("r-{number}"),
        time,
        asked: Asked::Unlock { request, facts },
        decision,
        repeats: None,
    }
}

const WEB: &[(&str, &str)] = &[("env", "production"), ("role", "web")];
const DATABASE: &[(&str, &str)] = &[("env", "production"), ("role", "database")];
const LAPTOP: &[(&str, &str)] = &[("env", "dev")];

fn plain(number: usize, tags: &[(&str, &str)], source: &str) -> Record {
    record(number, tags, source, UnlockFacts::default())
}

fn certificate(number: usize, member: (&str, &str)) -> String {
    let mut request = json!({"action": "issue", "project": "web"});
    request[member.0] = json!(member.1);
    let asked = serde_json::from_value(request.clone()).unwrap();
    let facts = Default::default();
    let decision = program(RECORDED).decide_issuance(&asked, &facts, NOON.parse().unwrap());
    let record = json!({
        "v": 1, "id": format!("c-{number}"), "time": NOON, "kind": "issuance",
        "request": request, "facts": {}, "decision": decision,
    });
    format!("{record}\n")
}

fn line(record: &Record) -> String {
    format!("{}\n", serde_json::to_string(record).unwrap())
}

/// One of each: allowed, denied, pending, outside its schedule, a certificate.
fn week() -> String {
    [
        line(&plain(1, WEB, "198.51.100.7")),
        line(&plain(2, WEB, "192.0.2.1")),
        line(&plain(3, DATABASE, "198.51.100.7")),
        line(&plain(4, LAPTOP, "203.0.113.9")),
        line(&plain(5, WEB, "198.51.100.66")),
        certificate(6, ("key_type", "ECDSA-P256")),
        line(&plain(7, WEB, "198.51.100.8")),
    ]
    .concat()
}

/// A repository whose policy is `policy`, with `records` beside it.
fn replayed(policy: &str, records: &str) -> TempDir {
    let here = repository(policy);
    fs::write(here.path().join("week.jsonl"), records).unwrap();
    here
}

/// The classes of a replay with their causes and counts, and the exit code.
fn groups(here: &Path, more: &[&str]) -> (i32, Vec<(String, String, u64)>, Value) {
    let args = [&["replay", "week.jsonl", "--format", "json"], more].concat();
    let ran = run(here, &args);
    assert_eq!(ran.stderr, "", "{args:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let groups = report["groups"].as_array().unwrap();
    let groups = groups.iter().map(|group| {
        let text = |member: &str| group[member].as_str().unwrap().to_owned();
        (
            text("class"),
            text("cause"),
            group["count"].as_u64().unwrap(),
        )
    });
    (ran.code, groups.collect(), report)
}

fn owned(groups: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    let owned = groups
        .iter()
        .map(|&(class, cause, count)| (class.to_owned(), cause.to_owned(), count));
    owned.collect()
}

#[test]
fn nothing_flips_under_the_policy_that_decided() {
    let here = replayed(RECORDED, &week());
    let (code, groups, report) = groups(here.path(), &[]);
    assert_eq!((code, groups), (0, vec![]));
    assert_eq!(
        (&report["records"], &report["unchanged"]),
        (&json!(7), &json!(7))
    );
    let ran = run(here.path(), &["replay", "week.jsonl"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "7 requests, none comes out otherwise\n")
    );
}

#[test]
fn each_edit_flips_what_it_touches_by_its_rule() {
    for (from, to, expected) in [
        // A rule gains a network, loses one, gains a deny, loses one.
        (
            "allow from rack\n",
            "allow from [rack, 192.0.2.0/24]\n",
            vec![("widened", "unlock servers", 1)],
        ),
        (
            "allow from rack\n",
            "allow from 198.51.100.8/32\n",
            vec![("narrowed", "unlock servers", 2)],
        ),
        (
            "deny  from 198.51.100.66",
            "deny  from 198.51.100.64/26",
            vec![],
        ),
        (
            "deny  from 198.51.100.66",
            "deny  from 198.51.100.0/28",
            vec![
                ("widened", "unlock servers", 1),
                ("narrowed", "unlock servers", 3),
            ],
        ),
        // A schedule closes; a group is lifted, and covers more.
        (
            "fri 08:00..18:00",
            "fri 13:00..18:00",
            vec![("narrowed", "unlock laptops", 1)],
        ),
        (
            "role == database\n",
            "role == database and env == dev\n",
            vec![("widened", "approval databases", 1)],
        ),
        (
            "role == database\n",
            "has role\n",
            vec![("narrowed", "approval databases", 2)],
        ),
        // Others may approve; a value is gone; a key type is no more allowed.
        (
            "team dba = [alice, bob]",
            "team dba = bob",
            vec![("changed", "approval databases", 1)],
        ),
        (
            "ECDSA-P256",
            "ECDSA-P384",
            vec![("narrowed", "issuance certificates", 1)],
        ),
        // A tag and a member that are now demanded, and are in no record.
        (
            "database | web\n",
            "database | web required\n",
            vec![("lacking", "the required tag `role` is absent", 1)],
        ),
        (
            "key-types ECDSA-P256",
            "issuer-ids \"one\"",
            vec![("lacking", "issuer-id of issuance certificates", 1)],
        ),
        (
            "where     project == web\n  key-types ECDSA-P256",
            "where project == web and action == renew\n  key-types ECDSA-P256",
            vec![("narrowed", "issuance certificates", 1)],
        ),
    ] {
        let policy = RECORDED.replacen(from, to, 1);
        assert_ne!(policy, RECORDED, "{from}");
        let here = replayed(&policy, &week());
        let (code, found, report) = groups(here.path(), &["--fail-on", "any"]);
        assert_eq!(found, owned(&expected), "{from} -> {to}\n{report:#}");
        assert_eq!(code, i32::from(!expected.is_empty()));
        let of = |class: &str| report[class].as_u64().unwrap();
        let flipped = of("widened") + of("narrowed") + of("changed") + of("lacking");
        assert_eq!(of("records"), 7);
        assert_eq!(of("unchanged") + flipped, 7);
        // The same, held against the policy that decided.
        fs::create_dir(here.path().join("old")).unwrap();
        fs::write(here.path().join("old/all.pano"), RECORDED).unwrap();
        let (_, anew, _) = groups(here.path(), &["--baseline", "old"]);
        assert_eq!(anew, owned(&expected), "{from} -> {to}");
    }
}

#[test]
fn an_example_is_the_first_record_of_its_group_with_both_decisions() {
    let policy = RECORDED.replacen("allow from rack\n", "allow from office\n", 1);
    let here = replayed(&policy, &week());
    let (_, _, report) = groups(here.path(), &[]);
    let group = &report["groups"][0];
    assert_eq!(
        (&group["class"], &group["count"]),
        (&json!("narrowed"), &json!(3))
    );
    assert_eq!(group["rule"]["name"], "servers");
    let example = &group["example"];
    assert_eq!(
        (&example["file"], &example["line"]),
        (&json!("week.jsonl"), &json!(1))
    );
    assert_eq!(
        (&example["id"], &example["time"]),
        (&json!("r-1"), &json!(NOON))
    );
    assert_eq!(example["request"]["source"], "198.51.100.7");
    assert_eq!(example["before"]["outcome"], "allow");
    assert_eq!(example["after"]["reasons"][0]["code"], "source-not-allowed");
    let ran = run(
        here.path(),
        &["replay", "week.jsonl", "--policy", "policies"],
    );
    insta::assert_snapshot!(ran.stdout);
    let ran = run(
        here.path(),
        &["replay", "week.jsonl", "--format", "markdown"],
    );
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn fail_on_says_which_flips_are_findings() {
    let narrower = RECORDED.replacen("allow from rack\n", "allow from office\n", 1);
    let wider = RECORDED.replacen("allow from rack\n", "allow from [rack, 192.0.2.0/24]\n", 1);
    for (policy, any, widened) in [(RECORDED, 0, 0), (&narrower, 1, 0), (&wider, 1, 1)] {
        let here = replayed(policy, &week());
        for (fail_on, expected) in [("any", any), ("widened", widened), ("none", 0)] {
            let ran = run(here.path(), &["replay", "week.jsonl", "--fail-on", fail_on]);
            assert_eq!(ran.code, expected, "{fail_on}: {}", ran.stdout);
        }
    }
}

#[test]
fn a_bypass_and_a_grant_that_no_longer_stand_in_are_their_own_causes() {
    let bypass =
        "bypass lab {\n on unlock where role == database\n reason \"x\"\n until 2027-01-01\n}\n";
    let facts = UnlockFacts {
        allow_bypass: true,
        ..UnlockFacts::default()
    };
    let bypassed = record(1, DATABASE, "198.51.100.7", facts);
    let here = replayed(&format!("{RECORDED}{bypass}"), &line(&bypassed));
    assert_eq!(
        groups(here.path(), &[]).1,
        owned(&[("widened", "bypass lab", 1)])
    );

    let approved = serde_json::from_value(json!({"approvals": [
        {"id": "a-1", "groups": ["databases"], "until": "2027-01-01T00:00:00Z"}
    ]}));
    let approved = record(1, DATABASE, "198.51.100.7", approved.unwrap());
    let here = replayed(
        &RECORDED.replacen("role == database\n", "env == dev\n", 1),
        &line(&approved),
    );
    let (_, found, report) = groups(here.path(), &[]);
    assert_eq!(
        found,
        owned(&[("changed", "approval databases", 1)]),
        "{report:#}"
    );
    let ran = run(here.path(), &["replay", "week.jsonl"]);
    assert!(
        ran.stdout
            .contains("allow, spend approval a-1 -> allow, nothing spent"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_folded_record_counts_as_many_as_it_stands_for() {
    let mut folded = plain(1, WEB, "192.0.2.1");
    folded.repeats = serde_json::from_value(json!({"n": 41, "first": NOON, "last": NOON})).unwrap();
    let policy = RECORDED.replacen("allow from rack\n", "allow from 0.0.0.0/0\n", 1);
    let here = replayed(
        &policy,
        &format!("{}{}", line(&folded), line(&plain(2, WEB, "192.0.2.1"))),
    );
    let (_, found, report) = groups(here.path(), &[]);
    assert_eq!(found, owned(&[("widened", "unlock servers", 42)]));
    assert_eq!(
        (&report["records"], &report["lines"]),
        (&json!(42), &json!(2))
    );
}

#[test]
fn a_line_that_is_no_record_is_named_counted_and_skipped() {
    let good = line(&plain(1, WEB, "198.51.100.7"));
    let bad = |from: &str, to: &str| {
        let line = good.replacen(from, to, 1);
        assert_ne!(line, good, "{from}");
        line
    };
    let records = [
        good.clone(),
        "\n".to_owned(),
        "{\n".to_owned(),
        bad("\"v\":1", "\"v\":2"),
        bad("\"state\":\"active\",", ""),
        bad("198.51.100.7", "198.51.100"),
        bad("\"kind\":\"unlock\"", "\"kind\":\"lock\""),
        bad("\"facts\":{}", "\"facts\":{\"approved\":[]}"),
        bad("\"time\":\"2026", "\"time\":\"26"),
        bad("\"env\":\"production\"", "\"env\":1"),
        bad("\"facts\":{}", "\"facts\":{},\"n\":0"),
        bad("\"facts\":{}", "\"facts\":{},\"facts\":{}"),
        bad("\"device\":\"host-1\"", "\"device\":7"),
        "[1]\n".to_owned(),
        good.clone(),
        good.trim_end().to_owned(),
    ];
    let here = replayed(RECORDED, &records.concat());
    let args = ["replay", "week.jsonl", "--format", "json"];
    let ran = run(here.path(), &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["bad"].as_array().unwrap().len(), 12);
    assert_eq!(report["bad"][0]["line"], 3);
    assert_eq!(
        (&report["records"], &report["skipped"]),
        (&json!(3), &json!(12))
    );
    let strict = run(here.path(), &[&args[..], &["--strict"]].concat());
    assert_eq!(strict.code, 2);
    assert!(
        strict.stderr.contains("error: 12 lines skipped"),
        "{}",
        strict.stderr
    );
    assert_eq!(strict.stdout, ran.stdout);

    let here = replayed(RECORDED, "what is this\n");
    let ran = run(here.path(), &args);
    assert_eq!(ran.code, 2, "a replay of nothing proves nothing");
    let here = replayed(RECORDED, "");
    assert_eq!(run(here.path(), &args).code, 0);
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end_are_skipped() {
    let good = line(&plain(1, WEB, "198.51.100.7")).into_bytes();
    let long = vec![b' '; 9 << 20];
    let records = [&good[..], b"\xff\xfe\n", &long, b"x\n", &good, &long].concat();
    let here = repository(RECORDED);
    let ran = run_with_stdin(here.path(), &["replay", "-"], &records);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (
            0,
            "2 requests, none comes out otherwise; 3 lines skipped\n",
            "skipped: standard input:2: it is not UTF-8\n\
             skipped: standard input:3: it is longer than any record\n\
             skipped: standard input:5: it is longer than any record\n"
        )
    );
}

#[test]
fn what_cannot_be_read_is_exit_2() {
    let here = replayed(RECORDED, &week());
    for (args, message) in [
        (
            &["replay", "nowhere.jsonl"][..],
            "cannot read `nowhere.jsonl`",
        ),
        (
            &["replay", "policies"][..],
            "name its files: `policies/*.jsonl`",
        ),
        (&["replay", "-", "-"][..], "standard input is named twice"),
        (
            &["replay", "week.jsonl", "--policy", "nowhere"][..],
            "cannot read `nowhere`",
        ),
        (
            &["replay", "week.jsonl", "--baseline", "nowhere"][..],
            "cannot read `nowhere`",
        ),
        (
            &["replay", "week.jsonl", "/proc/self/mem"][..],
            "cannot read `/proc/self/mem` to its end",
        ),
        (&["replay"][..], "RECORDS"),
    ] {
        let ran = run(here.path(), args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(message), "{args:?}: {}", ran.stderr);
    }
    let here = replayed(&RECORDED.replacen("from rack", "from rock", 1), &week());
    let ran = run(here.path(), &["replay", "week.jsonl"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("error[unknown-network]"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_baseline_needs_no_recorded_decision_and_a_record_alone_does() {
    let mut record: Value = serde_json::from_str(&line(&plain(1, WEB, "198.51.100.7"))).unwrap();
    record.as_object_mut().unwrap().remove("decision");
    let here = replayed(RECORDED, &format!("{record}\n"));
    let ran = run(here.path(), &["replay", "week.jsonl"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("week.jsonl:1: missing member `decision`"),
        "{}",
        ran.stderr
    );
    let ran = run(
        here.path(),
        &["replay", "week.jsonl", "--baseline", "policies"],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_record_without_facts_that_would_wait_is_lacking_them() {
    let mut record: Value = serde_json::from_str(&line(&plain(1, WEB, "198.51.100.7"))).unwrap();
    record.as_object_mut().unwrap().remove("facts");
    let policy = RECORDED.replacen("role == database\n", "has role\n", 1);
    let here = replayed(&policy, &format!("{record}\n"));
    let cause = "the record does not say what was live";
    assert_eq!(groups(here.path(), &[]).1, owned(&[("lacking", cause, 1)]));
}

#[test]
fn a_record_cannot_paint_the_terminal_nor_the_pull_request() {
    let mut hostile = plain(1, WEB, "198.51.100.7");
    let Asked::Unlock { request, .. } = &mut hostile.asked else {
        unreachable!()
    };
    request.device = "\u{1b}[2Jhost\n  99  `|x| <b>".to_owned();
    let policy = RECORDED.replacen("allow from rack\n", "allow from office\n", 1);
    let here = replayed(&policy, &line(&hostile));
    let ran = run(here.path(), &["replay", "week.jsonl"]);
    assert!(!ran.stdout.contains('\u{1b}'));
    assert_eq!(ran.stdout.lines().count(), 6, "{}", ran.stdout);
    let ran = run(
        here.path(),
        &["replay", "week.jsonl", "--format", "markdown"],
    );
    assert!(
        ran.stdout.contains(r"`␛[2Jhost␊  99  '\|x\| <b> {"),
        "{}",
        ran.stdout
    );
}

struct Skipped(Vec<(String, u64)>);

impl Watch for Skipped {
    fn skipped(&mut self, place: Place<'_>, _: Option<&LineError>) {
        self.0.push((place.file.to_owned(), place.line));
    }
    fn judged(&mut self, _: &Report, _: u64) {}
}

#[test]
fn any_number_of_threads_says_the_same_of_many_files() {
    let policy = RECORDED.replacen("allow from rack\n", "allow from 198.51.100.0/29\n", 1);
    let candidate = program(&policy);
    let replay = Replay {
        candidate,
        baseline: None,
    };
    let record = line(&plain(1, WEB, "198.51.100.7"));
    // Several pieces a file, a bad line here and there, more files than buffers.
    let text: String = (0..1500)
        .map(|number| match number % 997 {
            0 => "bad\n".to_owned(),
            _ => record.replace("198.51.100.7", &format!("198.51.100.{}", number % 256)),
        })
        .collect();
    let judge = |threads| {
        let inputs = (0..50).map(|number| Input {
            name: format!("{number}.jsonl"),
            from: Box::new(Cursor::new(match number % 10 {
                9 => text.clone(),
                1 => String::new(),
                _ => record.clone(),
            })),
        });
        let mut skipped = Skipped(Vec::new());
        let report = judge_all(&replay, inputs.collect(), threads, &mut skipped);
        (report, skipped.0)
    };
    let (report, skipped) = judge(1);
    assert_eq!(skipped.len(), 5 * 2);
    assert!(
        skipped.contains(&("49.jsonl".to_owned(), 1 + 997)),
        "{skipped:?}"
    );
    assert_eq!(report.lines, 5 * 1500 + 40);
    assert_eq!(report.groups().len(), 1);
    for threads in [2, 3, 16] {
        let (again, also) = judge(threads);
        assert_eq!(again, report);
        assert_eq!(also, skipped);
    }
}

/// The most memory that a process has had so far, in KiB.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Records that differ in all that may be remembered: tags, causes, places.
fn feed(stdin: &mut ChildStdin, record: &str, numbers: std::ops::Range<usize>) {
    for chunk in numbers.collect::<Vec<_>>().chunks(500) {
        let lines = chunk.iter().map(|number| match number % 16 {
            0 => record.replace("\"web\"", &format!("\"web-{number}\"")),
            1 => record.replace("\"role\":", &format!("\"role-{number}\":")),
            2 => "no record\n".to_owned(),
            _ => record.to_owned(),
        });
        stdin
            .write_all(lines.collect::<String>().as_bytes())
            .unwrap();
    }
}

#[test]
fn memory_does_not_grow_with_the_records() {
    let here = repository(RECORDED);
    let record = line(&plain(1, WEB, "198.51.100.7"));
    let mut child = command(here.path(), &["replay", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    feed(&mut stdin, &record, 0..40_000);
    let before = peak(child.id());
    feed(&mut stdin, &record, 40_000..240_000);
    let after = peak(child.id());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with(
            "225000 requests: 195000 unchanged, 30000 narrowed; 15000 lines skipped\n"
        ),
        "{text}"
    );
    assert!(text.contains("29000  other causes"), "{text}");
    // The second part has some 60 MiB of text; what grows is what allocators keep.
    assert!(after - before < 12 * 1024, "{before} KiB, then {after} KiB");
}

#[test]
fn a_line_is_read_as_the_record_that_was_written() {
    let written = plain(1, WEB, "198.51.100.7");
    let text = line(&written);
    let read = Line::parse(text.trim_end().as_bytes()).unwrap();
    assert_eq!(
        (read.time, read.count, read.has_facts),
        (written.time, 1, true)
    );
    let decision = read.decision.unwrap();
    assert_eq!(decision.outcome, written.decision.outcome);
    assert!(decision.reasons.is_just(written.decision.reasons[0].code));
    // What one reader refuses, the other does too.
    for cut in 1..text.trim_end().len() {
        assert!(Line::parse(&text.as_bytes()[..cut]).is_err(), "{cut}");
    }
}
