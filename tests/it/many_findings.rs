//! What is said of files with very many mistakes, or very long lines, is bounded.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use panopol::check::{Checked, check_files};
use panopol::diagnostic::human::render_human;
use panopol::diagnostic::left_out::{FINDINGS_LEFT_OUT, LeftOut, MOST};
use panopol::diagnostic::report::{Report, SetReport};
use panopol::diagnostic::{Code, Diagnostic, Severity, github, json, junit, sarif};
use panopol::source::SourceMap;
use panopol::source::Span;
use panopol::source::load::InMemory;

static WRONG: Code = Code {
    name: "wrong",
    severity: Severity::Error,
    summary: "wrong",
    why: "It is wrong.",
    bad: "",
    good: "",
};

/// One file with what is found in it.
fn set(
    text: &str,
    findings: impl FnOnce(&dyn Fn(&str, usize) -> Span) -> Vec<Diagnostic>,
) -> SetReport {
    let mut sources = SourceMap::new();
    let file = sources.add("x.pano", text);
    let span = |needle: &str, from: usize| {
        let start = from + text[from..].find(needle).unwrap();
        Span::new(file, start..start + needle.len())
    };
    SetReport {
        name: "x.pano".to_owned(),
        root: String::new(),
        findings: findings(&span),
        left_out: LeftOut::default(),
        sources: Arc::new(sources),
        tests: Vec::new(),
        levels: Default::default(),
    }
}

fn checked(text: &str) -> Checked {
    let files = [("x.pano".to_owned(), text.as_bytes().to_vec())];
    check_files(&mut InMemory {
        files: files.into(),
    })
}

fn report(checked: &Checked) -> SetReport {
    let mut report = SetReport {
        name: "x.pano".to_owned(),
        root: String::new(),
        sources: checked.sources.clone(),
        findings: checked.diagnostics.clone(),
        left_out: checked.left_out,
        tests: Vec::new(),
        levels: Default::default(),
    };
    report.settle();
    report
}

fn repeated(element: &str, count: usize) -> String {
    vec![element; count].join(", ")
}

#[test]
fn a_long_line_is_shown_around_each_place_under_its_true_column() {
    let text = format!(
        "é{}first{}second{}",
        "a ".repeat(5000),
        "b ".repeat(5000),
        "c ".repeat(5000)
    );
    let set = set(&text, |span| {
        vec![
            Diagnostic::new(&WRONG, span("second", 0), "twice")
                .label("again")
                .also(span("first", 0), "first here"),
        ]
    });
    insta::assert_snapshot!(render_human(&set, false));
}

#[test]
fn places_far_apart_are_shown_each_by_itself() {
    let text = format!("first\n{}second\n", "between\n".repeat(50_000));
    let set = set(&text, |span| {
        vec![
            Diagnostic::new(&WRONG, span("second", 0), "twice")
                .also(span("first", 0), "first here"),
        ]
    });
    insta::assert_snapshot!(render_human(&set, false));
}

#[test]
fn a_place_of_very_many_lines_is_shown_at_its_first() {
    let text = format!("begin\n{}end\n", "between\n".repeat(50_000));
    let set = set(&text, |span| {
        vec![
            Diagnostic::new(&WRONG, span("begin", 0).to(span("end", 0)), "too long")
                .label("all of this"),
        ]
    });
    insta::assert_snapshot!(render_human(&set, false));
}

#[test]
fn what_is_shown_does_not_grow_with_the_line() {
    let shown = |length: usize| {
        let text = "x ".repeat(length / 2);
        let set = set(&text, |span| {
            let at = |place: usize| span("x", place * 2);
            (0..200)
                .map(|n| {
                    Diagnostic::new(&WRONG, at(length / 4 + n), "wrong").also(at(n), "first here")
                })
                .collect()
        });
        render_human(&set, false).len()
    };
    let (short, long) = (shown(10_000), shown(1_000_000));
    assert!(long < short + short / 10, "{short} bytes became {long}");
    assert!(long < 200 * 1000, "{long} bytes for 200 findings");
}

#[test]
fn the_checker_keeps_as_many_findings_as_are_shown_and_counts_the_others() {
    for (list, element) in [
        ("network n = [LIST]", "10.0.0.0/8"),
        (
            "team x = [p]\nperson p { email \"p@x.test\" }\napproval g { on unlock\n need 1\n expires 1h\n approvers [LIST] }",
            "team x",
        ),
    ] {
        let text = format!(
            "edition 2026\n{}\n",
            list.replace("LIST", &repeated(element, 4000))
        );
        let checked = checked(&text);
        let count = |name: &str| {
            checked
                .diagnostics
                .iter()
                .filter(|finding| finding.code.name == name)
                .count()
        };
        assert_eq!(count("duplicate-element"), MOST, "{element}");
        assert_eq!(checked.left_out.errors, 2999, "{element}");
        assert!(checked.set.is_none());
        let report = report(&checked);
        assert_eq!(report.count(Severity::Error), 3999);
        let last = report.findings.last().unwrap();
        assert_eq!(last.code, &FINDINGS_LEFT_OUT);
        assert_eq!(last.severity, Severity::Error);
        assert_eq!(last.message, "2999 more errors are not shown");
        assert!(render_human(&report, false).len() < 1_500_000);
    }
}

#[test]
fn every_format_says_that_findings_were_left_out() {
    let text = format!(
        "edition 2026\nnetwork n = [{}]\n",
        repeated("10.0.0.0/8", 1003)
    );
    let report = Report {
        sets: vec![report(&checked(&text))],
        fails_at: Severity::Error,
    };
    let outputs = [
        render_human(&report.sets[0], false),
        json::render_json(&report),
        sarif::render_sarif(&report),
        github::render_github(&report),
        junit::render_junit(&report),
    ];
    for output in outputs {
        assert!(
            output.contains("2 more errors are not shown"),
            "{}",
            &output[output.len() - 500..]
        );
        assert!(output.contains("findings-left-out"));
    }
}

#[test]
fn errors_are_shown_before_notes_and_nothing_is_counted_twice() {
    let text = "n ".repeat(1200) + "e";
    let mut set = set(&text, |span| {
        let notes = (0..1200).map(|n| Diagnostic {
            severity: Severity::Note,
            ..Diagnostic::new(&WRONG, span("n", n * 2), "doubtful")
        });
        let mut findings: Vec<Diagnostic> = notes.collect();
        findings.push(Diagnostic::new(&WRONG, span("e", 0), "wrong"));
        findings
    });
    for _ in 0..2 {
        set.settle();
        assert_eq!(
            (set.count(Severity::Error), set.count(Severity::Note)),
            (1, 1200)
        );
        assert_eq!(set.findings.len(), MOST + 1);
        assert!(set.findings.iter().any(|one| one.message == "wrong"));
        let last = set.findings.last().unwrap();
        assert_eq!(
            (last.severity, last.message.as_str()),
            (Severity::Note, "201 more notes are not shown")
        );
    }
}

#[test]
fn one_unknown_name_is_pointed_at_in_a_bounded_number_of_places() {
    let mut text = String::from("edition 2026\n");
    for number in 0..500 {
        text.push_str(&format!("network n{number} = [nowhere]\n"));
    }
    let checked = checked(&text);
    let [finding] = checked.diagnostics.as_slice() else {
        panic!("{:?}", checked.diagnostics);
    };
    assert_eq!(finding.secondary.len(), 20);
    assert_eq!(finding.notes, ["and in 479 more places"]);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long a process takes is what is tested"
)]
fn hostile_files_are_reported_in_bounded_time_and_space() {
    let hostile = [
        "{".repeat(200_000),
        "}".repeat(200_000),
        "{}".repeat(100_000),
        format!(
            "edition 2026\nnetwork n = [{}]\n",
            repeated("10.0.0.0/8", 20_000)
        ),
        format!("edition 2026\nteam x = [{}]\n", repeated("nobody", 20_000)),
    ];
    for text in hostile {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("x.pano"), &text).unwrap();
        for command in ["check", "fmt"] {
            let began = Instant::now();
            let mut panopol = Command::new(env!("CARGO_BIN_EXE_panopol"));
            panopol
                .current_dir(directory.path())
                .args([command, "x.pano"]);
            let output = panopol.env_clear().stdin(Stdio::null()).output().unwrap();
            let start = &text[..30];
            // Seconds; with the whole line for each finding it was minutes.
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{command} of {start}"
            );
            assert!(output.stdout.len() < 2_000_000, "{command} of {start}");
            assert!(output.stderr.is_empty(), "{command} of {start}");
            let parses = text.starts_with("edition");
            let found = command == "check" || !parses;
            assert_eq!(
                output.status.code(),
                Some(i32::from(found)),
                "{command} of {start}"
            );
        }
    }
}
