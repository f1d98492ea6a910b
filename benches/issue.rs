//! What a certificate's decision costs: ten names against a thousand patterns,
//! beside globset on the same names and patterns; and among ten to ten thousand
//! policies that do not match, or match by the same project's other tags.
//!
//! globset answers which glob a text fits and nothing else: no normalising, no
//! requested wildcards, no denials, no reasons. It is a mark to measure by.
//!
//! All of a table's contestants take turns in one run; the figure of each is
//! the median of its turns.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and fails by panicking"
)]

mod turns;

use std::fmt::Write;
use std::hint::black_box;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::request::{IssuanceFacts, IssuanceRequest};
use panopol::san::parse_name;
use panopol::source::load::InMemory;
use panopol::vocabulary::Outcome;
use turns::{Contestant, compete};

/// What a turn asks, so often.
const ASKED: usize = 200;
const TURNS: usize = 101;

/// A thousand patterns: names, `*.` and `**.`, none of them within another.
fn patterns() -> Vec<String> {
    let star = |number: usize| match number % 3 {
        0 => "",
        1 => "*.",
        _ => "**.",
    };
    let pattern = |number| {
        format!(
            "{}team{number}.region{}.example.com",
            star(number),
            number % 7
        )
    };
    (0..1000).map(pattern).collect()
}

/// Ten names, each within one pattern, spread over all of them.
fn names() -> Vec<String> {
    let name = |number: usize| {
        let below = match number % 3 {
            0 => "",
            1 => "api.",
            _ => "v1.api.",
        };
        format!("{below}team{number}.region{}.example.com", number % 7)
    };
    (0..10).map(|number| name(number * 99 + 9)).collect()
}

fn program(policy: &str) -> Program {
    let mut files = InMemory::default();
    files
        .files
        .insert("policy.pano".to_owned(), policy.as_bytes().to_vec());
    let checked = check_files(&mut files);
    Program::compile(checked.set.unwrap())
}

fn request(san: Vec<String>) -> IssuanceRequest {
    let text = r#"{"action": "issue", "project": "web", "name": "api", "lifetime_s": 86400,
        "key_type": "ECDSA-P256", "issuer_type": "local-ca", "issuer_id": "inside"}"#;
    let request: IssuanceRequest = serde_json::from_str(text).unwrap();
    IssuanceRequest { san, ..request }
}

fn allowed(program: &Program, request: &IssuanceRequest) -> bool {
    let time = Timestamp::UNIX_EPOCH;
    let facts = IssuanceFacts::default();
    program.decide_issuance(request, &facts, time).outcome == Outcome::Allow
}

fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // A dot is what parts labels; globset parts by `/`.
        let path: Vec<&str> = pattern.split('.').collect();
        let glob = GlobBuilder::new(&path.join("/"))
            .literal_separator(true)
            .build();
        set.add(glob.unwrap());
    }
    set.build().unwrap()
}

fn names_and_patterns() {
    let (patterns, names) = (patterns(), names());
    let listed: Vec<String> = patterns.iter().map(|one| format!("\"{one}\"")).collect();
    let program = program(&format!(
        "edition 2026\nproject web {{}}\nissuance web {{\n  where project == web\n  san dns allow [{}]\n}}\n",
        listed.join(", ")
    ));
    let asked = request(names.iter().map(|name| format!("dns:{name}")).collect());
    assert!(allowed(&program, &asked));
    let set = globs(&patterns);
    let paths: Vec<String> = names.iter().map(|name| name.replace('.', "/")).collect();
    assert!(paths.iter().all(|path| set.is_match(path)));
    let read = |name: &&String| parse_name(black_box(name)).is_ok();
    let all = names.len();
    let mut contestants = [
        often("decision", || {
            allowed(black_box(&program), black_box(&asked))
        }),
        often("names", || asked.san.iter().filter(read).count() == all),
        often("globset", || {
            paths.iter().all(|path| set.is_match(black_box(path)))
        }),
    ];
    let nanos = compete(&mut contestants, TURNS);
    println!("| ten names, a thousand patterns | time | times globset |\n|---|---|---|");
    for (contestant, name) in [
        ("decision", "the decision"),
        ("names", "of that, reading and normalising the names"),
        ("globset", "globset alone, on names made ready for it"),
    ] {
        let own = nanos[contestant];
        println!(
            "| {name} | {:.2} µs | {:.2} |",
            own / 1e3,
            own / nanos["globset"]
        );
    }
}

/// A contestant that asks one thing often, and finds that it is so.
fn often<'a>(name: &'static str, mut is: impl FnMut() -> bool + 'a) -> Contestant<'a> {
    Contestant::new(name, ASKED, move || (0..ASKED).filter(|_| is()).count())
}

/// One policy of this project, and `more` of others.
fn crowd(more: usize, by: &str) -> String {
    let mut text = "edition 2026\ntag tier = text\nproject web { tags { tier = \"gold\" } }\nissuance web {\n  where project == web\n  san dns allow \"**.example.com\"\n}\n".to_owned();
    for number in 0..more {
        match by {
            "project" => writeln!(text, "project other{number} {{}}\nissuance other{number} {{ where project == other{number}  san dns allow \"{number}.example.com\" }}"),
            _ => writeln!(text, "issuance other{number} {{ where tier == \"{number}\"  san dns allow \"{number}.example.com\" }}"),
        }
        .unwrap();
    }
    text
}

fn policies_that_do_not_match() {
    let asked = request(names().iter().map(|name| format!("dns:{name}")).collect());
    println!(
        "\n| among policies that do not match | 10 | 100 | 1,000 | 10,000 | the last, times the first |"
    );
    println!("|---|---|---|---|---|---|");
    for by in ["project", "tag"] {
        let [few, more, many, most] = [10, 100, 1000, 10_000].map(|more| program(&crowd(more, by)));
        let mut contestants = [
            ("10", &few),
            ("100", &more),
            ("1,000", &many),
            ("10,000", &most),
        ]
        .map(|(name, program)| often(name, || allowed(black_box(program), black_box(&asked))));
        let nanos = compete(&mut contestants, TURNS);
        let time = |name| nanos[name] / 1e3;
        println!(
            "| of another {by} | {:.2} µs | {:.2} µs | {:.2} µs | {:.2} µs | {:.2} |",
            time("10"),
            time("100"),
            time("1,000"),
            time("10,000"),
            time("10,000") / time("10"),
        );
    }
}

fn main() {
    names_and_patterns();
    policies_that_do_not_match();
}
