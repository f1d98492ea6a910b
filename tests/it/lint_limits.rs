//! Lints of sets as large, and as entangled, as somebody may hand in.

use std::fmt::Write;
use std::time::{Duration, Instant};

use panopol::check::check_files;
use panopol::diagnostic::Diagnostic;
use panopol::eval::Program;
use panopol::lint::levels::Chosen;
use panopol::lint::{Profile, Run, lint};

use crate::lint::now;
use crate::support::example;

/// A set of very many rules, networks, groups and policies, nested in each other.
fn large(size: usize) -> String {
    let mut text = String::from("edition 2026\n\ntag env = production | dev required\n");
    for n in 0..size {
        let (a, b) = (n / 256 % 256, n % 256);
        writeln!(text, "network n{n} = [10.{a}.{b}.0/24, 10.{a}.{b}.128/25]").unwrap();
        writeln!(
            text,
            "unlock u{n} {{\n  where env == production\n  allow from [n{n}, n{}]\n}}",
            (n + 1) % size
        )
        .unwrap();
    }
    for n in 0..size / 10 {
        writeln!(
            text,
            "project p{n}\nprofile f{n}\nperson h{n} {{ role operator in project p{n} }}"
        )
        .unwrap();
        writeln!(
            text,
            "approval g{n} {{\n  on [issue, renew] where project == p{n}\n  approvers [person h{n}, person h{}]\n}}",
            (n + 1) % (size / 10)
        )
        .unwrap();
        writeln!(text, "issuance i{n} {{\n  where project == p{n} and profile == f{n}\n  key-types RSA-2048\n}}").unwrap();
    }
    let all = |prefix: &str, count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("{prefix}{n}")).collect();
        names.join(", ")
    };
    writeln!(text, "network all = [{}]", all("n", size)).unwrap();
    // Denied by very many rules, and given to other devices than theirs.
    writeln!(
        text,
        "unlock elsewhere {{\n  where env == dev\n  allow from 172.16.5.0/24\n}}"
    )
    .unwrap();
    for n in 0..size / 2 {
        writeln!(
            text,
            "unlock d{n} {{\n  where env == production\n  deny from 172.16.0.0/12\n}}"
        )
        .unwrap();
    }
    let names: Vec<String> = (0..size).map(|n| format!("\"n{n}.example.com\"")).collect();
    writeln!(
        text,
        "issuance names {{\n  san dns allow [{0}] deny [{0}]\n}}",
        names.join(", ")
    )
    .unwrap();
    text
}

/// Rules over many tags with nothing in common: what exact sets are worst at.
fn entangled(size: usize) -> String {
    let mut text = String::from("edition 2026\n\n");
    for tag in 0..12 {
        writeln!(text, "tag t{tag} = a | b | c | d").unwrap();
    }
    writeln!(
        text,
        "person p {{ role owner in org }}\nperson q {{ role admin in org }}"
    )
    .unwrap();
    // A fixed sequence that looks random; the values do not matter.
    let mut seed = 12_345_u32;
    let mut next = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % below
    };
    let mut conjunction = |atoms: u32| {
        let atoms: Vec<String> = (0..atoms)
            .map(|at| {
                format!(
                    "t{} == {}",
                    at * 4 + next(4),
                    ["a", "b", "c", "d"][next(4) as usize]
                )
            })
            .collect();
        atoms.join(" and ")
    };
    for n in 0..size {
        let effect = if n % 5 == 0 { "deny" } else { "allow" };
        let wide = if n % 50 == 0 { ", 0.0.0.0/0" } else { "" };
        let (a, b) = (n / 256, n % 256);
        let devices = conjunction(3);
        writeln!(
            text,
            "unlock u{n} {{\n  where {devices}\n  {effect} from [10.{a}.{b}.0/24{wide}]\n}}"
        )
        .unwrap();
    }
    for n in 0..size / 20 {
        let devices = conjunction(2);
        let need = 1 + n % 2;
        writeln!(text, "approval g{n} {{\n  on unlock where {devices}\n  approvers [person p, person q]\n  need {need}\n}}").unwrap();
    }
    text
}

/// What is found of a large text, without its tests, in a bounded time.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the lints take is what is tested"
)]
fn found_in_time(text: &str, most: Duration) -> Vec<Diagnostic> {
    let checked = check_files(&mut example(text));
    assert_eq!(checked.diagnostics, []);
    let program = Program::compile(checked.set.clone().unwrap());
    let run = Run {
        program: &program,
        tests: None,
        now: now(),
        profile: Profile::Development,
        chosen: &Chosen::default(),
    };
    let began = Instant::now();
    let (findings, _) = lint(&checked, &run);
    assert!(began.elapsed() < most, "{:?}", began.elapsed());
    findings
}

fn undecided(findings: &[Diagnostic]) -> String {
    let given_up = findings
        .iter()
        .filter(|one| one.code.name == "lint-not-decided");
    given_up.map(|one| format!("{}\n", one.message)).collect()
}

#[test]
fn lints_of_ten_thousand_rules_take_seconds_and_say_where_they_gave_up() {
    let findings = found_in_time(&large(10_000), Duration::from_secs(90));
    let of = |code: &str| findings.iter().filter(|one| one.code.name == code).count();
    assert!(of("shadowed-network") > 9_000);
    assert_eq!(of("weak-key-type"), 1_000);
    assert_eq!(of("deny-without-effect"), 5_000);
    let undecided = undecided(&findings);
    assert!(
        undecided.contains("`name-wholly-denied` was not"),
        "{undecided}"
    );
    // What such a set has of devices and lines is looked at wholly.
    for code in [
        "never-matches",
        "allow-inside-deny",
        "deny-without-effect",
        "weakened-approval",
    ] {
        assert!(!undecided.contains(&format!("`{code}`")), "{undecided}");
    }
}

#[test]
fn lints_of_entangled_rules_give_up_in_time_and_say_so() {
    let findings = found_in_time(&entangled(3_000), Duration::from_secs(90));
    let undecided = undecided(&findings);
    assert!(
        undecided.contains("`weakened-approval` was not"),
        "{undecided}"
    );
}
