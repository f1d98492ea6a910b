//! What a certificate's decision costs: ten names against a thousand patterns,
//! beside globset on the same names and patterns; and among ten to ten thousand
//! policies that do not match, or match by the same project's other tags.
//!
//! globset answers which glob a text fits and nothing else: no normalising, no
//! requested wildcards, no denials, no reasons. It is a mark to measure by.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark fails by panicking"
)]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::request::{IssuanceFacts, IssuanceRequest};
use panopol::san::parse_name;
use panopol::source::load::InMemory;
use panopol::vocabulary::Outcome;

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

fn names_and_patterns(criterion: &mut Criterion) {
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
    let mut group = criterion.benchmark_group("10 names, 1000 patterns");
    group.bench_function("decide", |bench| {
        bench.iter(|| allowed(black_box(&program), black_box(&asked)));
    });
    group.bench_function("reading the names alone", |bench| {
        bench.iter(|| {
            asked
                .san
                .iter()
                .all(|name| parse_name(black_box(name)).is_ok())
        });
    });
    group.bench_function("globset", |bench| {
        bench.iter(|| paths.iter().all(|path| set.is_match(black_box(path))));
    });
    group.finish();
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

fn policies_that_do_not_match(criterion: &mut Criterion) {
    let asked = request(names().iter().map(|name| format!("dns:{name}")).collect());
    for by in ["project", "tag"] {
        let mut group = criterion.benchmark_group(format!("policies of another {by}"));
        for more in [10, 100, 1000, 10_000] {
            let program = program(&crowd(more, by));
            assert!(allowed(&program, &asked));
            group.bench_function(more.to_string(), |bench| {
                bench.iter(|| allowed(black_box(&program), black_box(&asked)));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(50);
    targets = names_and_patterns, policies_that_do_not_match
}
criterion_main!(benches);
