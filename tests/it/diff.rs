//! `panopol diff` as people and CI meet it: exit codes, revisions, inventories, budgets.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const OLD: &str = r#"edition 2026

tag env  = production | dev required
tag role = database | web

network office = [203.0.113.0/24]
schedule hours = mon..fri 08:00..18:00 in "UTC"
project web
profile cdn

person alice { role owner in org }
person bob   { role admin in org }
team dba = [alice, bob]

unlock servers {
  where env == production
  allow from office
  deny  from 203.0.113.66
}

unlock laptops {
  where env == dev
  allow from office during hours
}

approval databases {
  on        unlock where role == database
  approvers team dba
}

allow-once reboots {
  overrides source
  by        team dba
  max       2h
}

issuance names {
  where     project == web
  key-types [ECDSA-P256, ECDSA-P384]
  san dns   allow "*.example.com"
  naming    /web-[a-z]+/
  lifetime  max 90d
}
"#;

fn diff(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_panopol"))
        .arg("diff")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What `diff` says of an edit, as JSON, and its exit code.
fn of_edit(edit: impl Fn(&str) -> String) -> (i32, Value) {
    let new = edit(OLD);
    assert_ne!(new, OLD, "the edit edits nothing");
    of_pair(OLD, &new)
}

/// What `diff` says of two policies, as JSON, and its exit code.
fn of_pair(old: &str, new: &str) -> (i32, Value) {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("old.pano"), old).unwrap();
    fs::write(here.path().join("new.pano"), new).unwrap();
    let output = diff(here.path(), &["old.pano", "new.pano", "--format", "json"]);
    let said =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    (output.status.code().unwrap(), said)
}

/// Each region as `class kind: before → after, because RULE of SIDE`.
fn regions(said: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let regions = said["regions"].as_array().unwrap().iter();
    let line = |region: &Value| {
        format!(
            "{} {}: {} -> {} by {} {}",
            word(&region["class"]),
            word(&region["kind"]),
            word(&region["before"]),
            word(&region["after"]),
            word(&region["rule"]["name"]),
            word(&region["rule"]["side"]),
        )
    };
    regions.map(line).collect()
}

#[test]
fn each_kind_of_edit_is_told_by_what_it_does() {
    let cases: [(&str, &str, &str, i32, &[&str]); 17] = [
        (
            "allow from office\n",
            "allow from [office, 198.51.100.0/24]\n",
            "widened",
            1,
            &[
                "widened unlock: deny -> allow by servers new",
                "widened unlock: deny -> pending by servers new",
            ],
        ),
        (
            "  deny  from 203.0.113.66\n",
            "",
            "widened",
            1,
            &[
                "widened unlock: deny -> allow by servers old",
                "widened unlock: deny -> pending by servers old",
            ],
        ),
        (
            "deny  from 203.0.113.66",
            "deny  from 203.0.113.64/29",
            "narrowed",
            0,
            &[
                "narrowed unlock: allow -> deny by servers new",
                "narrowed unlock: pending -> deny by servers new",
            ],
        ),
        (
            "on        unlock where role == database",
            "on        unlock where role == web",
            "both",
            1,
            &[
                "widened unlock: pending -> allow by databases old",
                "narrowed unlock: allow -> pending by databases new",
            ],
        ),
        (
            "approvers team dba",
            "approvers person alice",
            "changed",
            0,
            &["changed requirement: 1 of [alice, bob] -> 1 of [alice] by databases new"],
        ),
        (
            "approvers team dba",
            "approvers team dba\n  expires 2h",
            "changed",
            0,
            &["changed requirement: expires 1d -> expires 2h by databases old"],
        ),
        (
            "mon..fri 08:00..18:00",
            "mon..sat 08:00..18:00",
            "widened",
            1,
            &[
                "widened unlock: deny -> allow by laptops new",
                "widened unlock: deny -> pending by laptops new",
            ],
        ),
        (
            "  allow from office during hours\n",
            "  deny from anywhere\n}\nnetwork anywhere = [0.0.0.0/0, ::/0]\nunlock b {\n  where env == dev\n  allow from 192.0.2.1\n",
            "narrowed",
            0,
            &[
                "narrowed unlock: allow -> deny by laptops new",
                "narrowed unlock: pending -> deny by laptops new",
                "relabelled unlock: deny outside-schedule -> deny source-denied by laptops new",
                "relabelled unlock: deny source-not-allowed -> deny source-denied by laptops new",
            ],
        ),
        (
            "overrides source",
            "overrides [source, disabled]",
            "changed",
            0,
            &[
                "changed allow-once: [alice, bob] may override [source] for 2h -> [alice, bob] may override [source, disabled] for 2h by reboots new",
            ],
        ),
        (
            "person bob   { role admin in org }",
            "person bob   { role viewer in org }",
            "changed",
            0,
            &["changed role: role admin in org -> role viewer in org by bob new"],
        ),
        (
            "[ECDSA-P256, ECDSA-P384]",
            "[ECDSA-P256, RSA-2048]",
            "both",
            1,
            &[
                "widened issuance: deny -> allow by names old",
                "narrowed issuance: allow -> deny by names new",
            ],
        ),
        (
            "  key-types [ECDSA-P256, ECDSA-P384]\n",
            "",
            "widened",
            1,
            &["widened issuance: deny -> allow by names old"],
        ),
        (
            "allow \"*.example.com\"",
            "allow \"**.example.com\"",
            "widened",
            1,
            &[
                "widened issuance: deny -> allow by names old",
                "widened issuance: deny -> allow by names old",
            ],
        ),
        (
            "allow \"*.example.com\"",
            "allow \"*.example.com\" deny \"x.example.com\"",
            "narrowed",
            0,
            &[
                "narrowed issuance: allow -> deny by names new",
                "narrowed issuance: allow -> deny by names new",
                "relabelled issuance: deny san-not-allowed -> deny san-denied by names new",
            ],
        ),
        (
            "naming    /web-[a-z]+/",
            "naming    /web-[a-z]{2,}/",
            "narrowed",
            0,
            &["narrowed issuance: allow -> deny by names new"],
        ),
        (
            "naming    /web-[a-z]+/",
            "naming    /web-[a-z][a-z]*/",
            "none",
            0,
            &[],
        ),
        (
            "project web\n",
            "project web\nbypass x {\n  on unlock where role == database\n  reason \"r\"\n  until 2099-01-01\n}\n",
            "changed",
            0,
            &[
                "changed bypass: no bypass -> approval is bypassed until 2099-01-02T00:00:00Z by x new",
            ],
        ),
    ];
    for (from, to, effect, exit, expected) in cases {
        let (code, said) = of_edit(|text| text.replace(from, to));
        assert_eq!(said["effect"], effect, "{from} -> {to}\n{said:#}");
        assert_eq!(code, exit, "{from} -> {to}");
        assert_eq!(regions(&said), expected, "{from} -> {to}\n{said:#}");
    }
}

#[test]
fn what_says_the_same_otherwise_has_no_effect() {
    // Split, renamed, reordered, negated twice, a network taken apart, comments.
    let (code, said) = of_edit(|text| {
        text.replace(
            "unlock servers {\n  where env == production\n  allow from office\n  deny  from 203.0.113.66\n}",
            "unlock other { where not not (env != dev)\n allow from [203.0.113.0/25, 203.0.113.128/25] }\n\
             unlock no { where env == production\n deny from 203.0.113.66 } # moved",
        )
        .replace("network office = [203.0.113.0/24]", "network half = 203.0.113.0/25\nnetwork office = [half, 203.0.113.128/25]")
        .replace("approval databases", "approval whatever")
        .replace("approvers team dba\n}", "need 1 of team dba\n}")
        .replace("issuance names", "issuance certificates")
    });
    assert_eq!(
        (code, said["effect"].as_str()),
        (0, Some("none")),
        "{said:#}"
    );
}

#[test]
fn stand_ins_whose_times_touch_are_one() {
    let policy = |times: &str| {
        let bob = format!("person bob {{ role admin in org {times} }}");
        OLD.replace("person bob   { role admin in org }", &bob)
    };
    let whole = policy("delegate alice from 2026-12-20 until 2027-01-02");
    let split = policy(
        "delegate alice from 2026-12-27 until 2027-01-02  delegate alice from 2026-12-20 until 2026-12-26",
    );
    let gap = policy(
        "delegate alice from 2026-12-28 until 2027-01-02  delegate alice from 2026-12-20 until 2026-12-26",
    );
    assert_eq!(of_pair(&whole, &split).1["effect"], "none");
    assert_eq!(of_pair(&whole, &gap).1["effect"], "changed");
}

/// A policy whose one issuance policy has these rules.
fn issuing(rules: &str) -> String {
    format!("edition 2026\nproject web\nissuance names {{ where project == web\n{rules}\n}}\n")
}

#[test]
fn names_that_analysis_tries_itself_do_not_stand_for_others_where_a_policy_has_them() {
    let mapped: String = (0..16)
        .map(|bit| format!("::{:x}:0:0/{}, ", 0xffff << (16 - bit) & 0xffff, 81 + bit))
        .collect();
    let cases = [
        (
            "san uri allow \"urn:w\"",
            "san uri allow \"urn:\"",
            "widened",
        ),
        (
            "san email allow \"witness@example.com\"",
            "san email allow \"*@example.com\"",
            "widened",
        ),
        (
            &format!("san ip allow ::/64 deny [{mapped}]"),
            &format!("san ip allow ::/80 deny [{mapped}]"),
            "narrowed",
        ),
    ];
    for (old, new, effect) in cases {
        let (_, said) = of_pair(&issuing(old), &issuing(new));
        assert_eq!(said["effect"], effect, "{old} -> {new}\n{said:#}");
    }
}

#[test]
fn every_name_that_a_list_wins_is_told() {
    let (_, said) = of_pair(
        &issuing("san dns allow \"example.com\""),
        &issuing("san dns allow [\"example.com\", \"a.example.org\", \"evil.example.net\"]"),
    );
    let with = said["regions"][0]["where"][0]["with"].as_str().unwrap();
    assert_eq!(with, "san such as dns:a.example.org, dns:evil.example.net");
    assert_eq!(said["regions"].as_array().unwrap().len(), 1, "{said:#}");
}

#[test]
fn more_names_than_a_request_is_written_with_have_no_example() {
    let (code, said) = of_pair(&issuing("san max 20000"), &issuing("san max 30000"));
    assert_eq!((code, said["effect"].as_str()), (1, Some("widened")));
    assert_eq!(said["regions"][0]["where"][0]["with"], "20001 names");
    assert_eq!(said["regions"][0].get("witness"), None);
}

#[test]
fn what_a_one_time_unlock_waits_for_is_told_where_no_rule_allows() {
    let policy = |group: &str| {
        format!(
            "edition 2026\nperson alice {{ role owner in org }}\nperson bob {{ role owner in org }}\n\
             team all = [alice, bob]\nallow-once reboots {{ overrides source  by team all  max 1h }}\n{group}"
        )
    };
    let gated = policy("approval gate { on unlock  approvers team all  need 2 }");
    let weaker = policy("approval gate { on unlock  approvers team all }");
    let waits = "changed allow-once: a one-time unlock of the source waits: 2 of [alice, bob] -> a one-time unlock of the source";
    assert_eq!(
        regions(&of_pair(&gated, &policy("")).1),
        [format!("{waits} opens at once by gate old")]
    );
    assert_eq!(
        regions(&of_pair(&gated, &weaker).1),
        [format!("{waits} waits: 1 of [alice, bob] by gate new")]
    );
}

#[test]
fn addresses_are_told_by_prefixes_and_what_is_left_out_of_them() {
    let (_, said) =
        of_edit(|text| text.replace("approvers team dba", "approvers team dba\n  need 2"));
    let from = &said["regions"][0]["where"][0]["from"];
    assert_eq!(
        *from,
        serde_json::json!(["203.0.113.0/24 (except 203.0.113.66)"])
    );
}

#[test]
fn a_text_is_quoted_where_devices_are_told() {
    let policy = |site: &str| {
        format!(
            "edition 2026\ntag site = text\nunlock u {{ where site == \"{site}\"\nallow from 192.0.2.1 }}\n"
        )
    };
    let (_, said) = of_pair(&policy("a"), &policy("b"));
    let matching = |region: usize| said["regions"][region]["where"][0]["matching"].clone();
    assert_eq!(
        [matching(0), matching(1)],
        ["site == \"b\"", "site == \"a\""]
    );
}

#[test]
fn differences_that_are_alike_are_shown_by_the_first_few() {
    let here = tempfile::tempdir().unwrap();
    let policy = |more: &str| {
        let rules = (0..20).map(|rule| {
            format!("unlock r{rule} {{ where site == \"s{rule}\"  allow from [10.0.{rule}.0/24{more}] }}\n")
        });
        format!(
            "edition 2026\ntag site = text required\n{}",
            rules.collect::<String>()
        )
    };
    fs::write(here.path().join("old.pano"), policy("")).unwrap();
    fs::write(here.path().join("new.pano"), policy(", 192.0.2.7")).unwrap();
    let said = |more: &[&str]| {
        let output = diff(here.path(), &[&["old.pano", "new.pano"], more].concat());
        assert_eq!(output.status.code(), Some(1));
        text(&output)
    };
    let few = said(&[]);
    assert_eq!(few.matches("\n  because ").count(), 5, "{few}");
    assert!(
        few.contains("and 15 more: widened unlock: deny → allow\n"),
        "{few}"
    );
    assert!(few.ends_with("20 widened\n"), "{few}");
    assert_eq!(said(&["--all"]).matches("\n  because ").count(), 20);
    let markdown = said(&["--format", "markdown"]);
    assert_eq!(markdown.matches("| **widened** |").count(), 5, "{markdown}");
    assert!(
        markdown.contains("| and 15 more like these |"),
        "{markdown}"
    );
    let json: Value = serde_json::from_str(&said(&["--format", "json"])).unwrap();
    assert_eq!(json["regions"].as_array().unwrap().len(), 20);
}

#[test]
fn a_revision_is_compared_with_the_work_tree_and_devices_are_named() {
    let here = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments)
            .current_dir(here.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", text(&done));
    };
    git(&["init", "-q", "-b", "main"]);
    let set = here.path().join("policies");
    fs::create_dir_all(set.join("networks")).unwrap();
    fs::write(set.join("networks/office.txt"), "203.0.113.0/24\n").unwrap();
    let policy = OLD.replace("[203.0.113.0/24]", "file \"networks/office.txt\"");
    fs::write(set.join("main.pano"), policy).unwrap();
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "one"]);
    fs::write(
        set.join("networks/office.txt"),
        "203.0.113.0/24\n198.51.100.7\n",
    )
    .unwrap();
    let inventory = [
        r#"{"name":"db-1","tags":{"env":"production","role":"database"}}"#,
        r#"{"name":"web-1","tags":{"env":"production","role":"web"}}"#,
        r#"{"name":"note-1","tags":{"env":"dev"}}"#,
    ];
    fs::write(here.path().join("devices.jsonl"), inventory.join("\n")).unwrap();
    let arguments = ["main:policies", "policies", "--inventory", "devices.jsonl"];
    let output = diff(here.path(), &arguments);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("from 198.51.100.7"), "{said}");
    assert!(
        said.contains("devices  1: web-1") && said.contains("devices  1: note-1"),
        "{said}"
    );
    assert!(said.contains("devices  1: db-1"), "{said}");
    let markdown = diff(
        here.path(),
        &[
            "main:policies",
            "policies",
            "--format",
            "markdown",
            "--fail-on",
            "none",
        ],
    );
    assert_eq!(markdown.status.code(), Some(0));
    assert!(
        text(&markdown).contains("| **widened** | unlock | deny | allow |"),
        "{}",
        text(&markdown)
    );
    let same = diff(
        here.path(),
        &[
            "HEAD:policies",
            "main:policies/main.pano",
            "--fail-on",
            "any",
        ],
    );
    assert_eq!(same.status.code(), Some(0), "{}", text(&same));
    for (operand, why) in [
        ("nowhere:policies", "cannot be read"),
        ("main:nothing", "holds no file there"),
        ("--upload-pack=x:policies", "unexpected argument"),
        ("missing", "cannot read `missing`"),
    ] {
        let output = diff(here.path(), &[operand, "policies"]);
        assert_eq!(output.status.code(), Some(2), "{operand}");
        assert!(text(&output).contains(why), "{operand}: {}", text(&output));
    }
    fs::write(set.join("main.pano"), "edition 2026\nunlock {").unwrap();
    let broken = diff(here.path(), &["main:policies", "policies"]);
    assert_eq!(broken.status.code(), Some(1));
    let found = String::from_utf8_lossy(&broken.stdout);
    assert!(
        found.contains("error[syntax]: expected a name, found `{`"),
        "{found}"
    );
}

/// Conjunctions over many tags in unrelated orders: what no ordering of tags keeps small.
fn tangled(seed: u64) -> String {
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut policy = "edition 2026\n".to_owned();
    for tag in 0..30 {
        policy.push_str(&format!("tag t{tag} = a | b | c | d\n"));
    }
    for rule in 0..600 {
        let parts: Vec<String> = (0..6)
            .map(|_| {
                format!(
                    "t{} == {}",
                    random(30),
                    ["a", "b", "c", "d"][random(4) as usize]
                )
            })
            .collect();
        policy.push_str(&format!(
            "unlock r{rule} {{ where {}\n allow from 192.0.2.0/24 }}\n",
            parts.join(" and ")
        ));
    }
    policy
}

#[test]
fn what_takes_too_much_is_not_decided_and_counts_as_widened() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("old.pano"), tangled(1)).unwrap();
    fs::write(here.path().join("new.pano"), tangled(2)).unwrap();
    // Minutes would mean that no budget held.
    let output = Command::new("timeout")
        .args([
            "240",
            env!("CARGO_BIN_EXE_panopol"),
            "diff",
            "old.pano",
            "new.pano",
        ])
        .current_dir(here.path())
        .output()
        .unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("not decided"), "{said}");
}
