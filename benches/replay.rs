//! What a replay costs: recorded requests judged again, beside bare serde_json
//! reading the same lines, on one core and on all.
//!
//! One table of times and ratios. `bare` reads every member of a line, borrowed,
//! into types of its own, and does nothing with it; the ratio is its time to the
//! replay's, so 1.00 is as fast. Ratios of one run mean something; bare times of
//! two machines do not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    missing_docs,
    reason = "a benchmark reads the clock, and fails by panicking"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::record::line::LineError;
use panopol::record::{Asked, Record, VERSION};
use panopol::replay::{Input, Place, Replay, Report, Watch, run};
use panopol::request::{IssuanceFacts, IssuanceRequest, UnlockFacts, UnlockRequest};
use panopol::source::load::{Directory, InMemory};
use panopol::vocabulary::{DeviceState, Outcome};
use serde::Deserialize;

const LINES: usize = 200_000;
const ROUNDS: usize = 9;

/// A record as serde_json reads it at its fastest, nothing left out.
#[derive(Deserialize)]
struct Bare<'a> {
    #[serde(rename = "v")]
    _v: u8,
    #[serde(borrow, rename = "id")]
    _id: Cow<'a, str>,
    #[serde(borrow, rename = "time")]
    _time: Cow<'a, str>,
    #[serde(borrow, rename = "kind")]
    _kind: Cow<'a, str>,
    #[serde(borrow, rename = "request")]
    _request: BareRequest<'a>,
    #[serde(borrow, rename = "decision")]
    _decision: BareDecision<'a>,
}

#[derive(Deserialize)]
struct BareRequest<'a> {
    #[serde(borrow, default, rename = "device")]
    _device: Cow<'a, str>,
    #[serde(borrow, default, rename = "tags")]
    _tags: BareTags<'a>,
    #[serde(borrow, default, rename = "state")]
    _state: Cow<'a, str>,
    #[serde(borrow, default, rename = "source")]
    _source: Cow<'a, str>,
    #[serde(borrow, default, rename = "kid")]
    _kid: Cow<'a, str>,
}

/// Tags, borrowed.
#[derive(Default, Deserialize)]
#[allow(dead_code, reason = "read, and nothing more")]
struct BareTags<'a>(#[serde(borrow)] BTreeMap<&'a str, &'a str>);

#[derive(Deserialize)]
struct BareDecision<'a> {
    #[serde(borrow, rename = "outcome")]
    _outcome: Cow<'a, str>,
    #[serde(borrow, rename = "reasons")]
    _reasons: Vec<BareReason<'a>>,
    #[serde(borrow, rename = "groups")]
    _groups: Vec<&'a str>,
    #[serde(borrow, rename = "approvers")]
    _approvers: Vec<&'a str>,
    #[serde(borrow, rename = "policy")]
    _policy: Cow<'a, str>,
}

#[derive(Deserialize)]
struct BareReason<'a> {
    #[serde(borrow, rename = "code")]
    _code: Cow<'a, str>,
    #[serde(borrow, rename = "message")]
    _message: Cow<'a, str>,
    #[serde(borrow, default, rename = "rule")]
    _rule: Option<BareRule<'a>>,
    #[serde(borrow, default, rename = "network")]
    _network: Cow<'a, str>,
}

#[derive(Deserialize)]
struct BareRule<'a> {
    #[serde(borrow, rename = "kind")]
    _kind: Cow<'a, str>,
    #[serde(borrow, rename = "name")]
    _name: Cow<'a, str>,
    #[serde(borrow, rename = "file")]
    _file: Cow<'a, str>,
    #[serde(rename = "line")]
    _line: u32,
}

struct Quiet;

impl Watch for Quiet {
    fn skipped(&mut self, place: Place<'_>, why: Option<&LineError>) {
        panic!("{place:?}: {why:?}");
    }
    fn judged(&mut self, _: &Report, _: u64) {}
}

fn compile(set: &str) -> Program {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let checked = check_files(&mut Directory::open(&root.join(set)).unwrap());
    Program::compile(checked.set.unwrap())
}

fn one_file(text: &str) -> Program {
    let mut files = InMemory::default();
    files.files.insert("p.pano".to_owned(), text.into());
    Program::compile(check_files(&mut files).set.unwrap())
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Racks of the fleet: region, site, what stands there and from where it asks.
const RACKS: &[(&str, &str, &str, &str)] = &[
    ("emea", "fra1", "edge", "10.20.0.5"),
    ("emea", "fra1", "edge", "2001:db8:1004:1::5"),
    ("emea", "fra2", "edge", "10.21.0.9"),
    ("emea", "fra2", "edge", "10.21.1.9"),
    ("emea", "fra1", "cache", "10.20.22.39"),
    ("emea", "fra1", "database", "10.20.1.9"),
    ("emea", "fra1", "edge", "192.0.2.1"),
    ("amer", "ord1", "web", "10.104.3.9"),
];

/// An unlock request of the fleet: mostly where a device stands, some not.
fn unlock(program: &Program, numbers: &mut Numbers, number: usize) -> (Outcome, Record) {
    let (region, site, role, source) = RACKS[numbers.below(RACKS.len())];
    let data = if role == "database" {
        "restricted"
    } else {
        "public"
    };
    let tags = [
        ("env", "production"),
        ("provider", "colo"),
        ("role", role),
        ("region", region),
        ("site", site),
        ("data", data),
        ("rack", ["a01", "a02", "b07", "c11"][numbers.below(4)]),
    ];
    let request = UnlockRequest {
        device: format!("{site}-{:04}", numbers.below(5000)),
        tags: BTreeMap::from(tags.map(|(tag, value)| (tag.to_owned(), value.to_owned()))),
        state: DeviceState::Active,
        source: source.parse().unwrap(),
        kid: Some("hkCBBCAcOoNMzPGxtgWmeDVDhGjyNNBqcOYfNrkFZQU".to_owned()),
    };
    let facts = UnlockFacts::default();
    let decision = program.decide_unlock(&request, &facts, at(number));
    let outcome = decision.outcome;
    let asked = Asked::Unlock { request, facts };
    (outcome, record(number, asked, decision))
}

fn at(number: usize) -> Timestamp {
    let start: Timestamp = "2026-11-20T00:00:00.123456789Z".parse().unwrap();
    start + SignedDuration::from_millis(i64::try_from(number).unwrap() * 37)
}

fn record(number: usize, asked: Asked, decision: panopol::decision::Decision) -> Record {
    Record {
        v: VERSION,
        id: format!("18a9c3f2b1d0e000-{number:x}"),
        time: at(number),
        asked,
        decision,
        repeats: None,
    }
}

fn unlocks(program: &Program) -> Vec<String> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut outcomes = BTreeMap::new();
    let lines = (0..LINES).map(|number| {
        let (outcome, record) = unlock(program, &mut numbers, number);
        *outcomes.entry(outcome.word()).or_insert(0) += 1;
        serde_json::to_string(&record).unwrap()
    });
    let lines: Vec<String> = lines.collect();
    println!("unlocks of the fleet: {outcomes:?}\n");
    lines
}

const CERTIFICATES: &str = r#"edition 2026
project web
issuance web {
  where        project == web
  key-types    [ECDSA-P256, ECDSA-P384]
  issuer-types acme
  san dns      allow ["*.example.com", "**.internal.example.com"] deny "**.admin.example.com"
  san max      10
  lifetime     max 90d
}
"#;

fn issuances(program: &Program) -> Vec<String> {
    let lines = (0..LINES / 10).map(|number| {
        let request: IssuanceRequest = serde_json::from_value(serde_json::json!({
            "action": "issue", "project": "web", "name": "api", "key_type": "ECDSA-P256",
            "issuer_type": "acme", "lifetime_s": 7_776_000,
            "san": [format!("dns:a{number}.example.com"), "dns:b.example.com"],
        }))
        .unwrap();
        let facts = IssuanceFacts::default();
        let decision = program.decide_issuance(&request, &facts, at(number));
        let request = Box::new(request);
        serde_json::to_string(&record(
            number,
            Asked::Issuance { request, facts },
            decision,
        ))
        .unwrap()
    });
    lines.collect()
}

/// The shortest time of each of `works`, done in turns so that whatever else
/// the machine does is shared by all.
fn shortest<const N: usize>(works: [&dyn Fn(); N]) -> [Duration; N] {
    let mut times = [Duration::MAX; N];
    for _ in 0..ROUNDS {
        for (work, time) in works.iter().zip(&mut times) {
            let began = Instant::now();
            work();
            *time = (*time).min(began.elapsed());
        }
    }
    times
}

/// Parses every line by so many threads, each its share.
fn parse<'a, T: Deserialize<'a>>(text: &'a str, threads: usize) {
    let shares = shares(text, threads);
    std::thread::scope(|scope| {
        for share in shares {
            scope.spawn(move || {
                for line in share.lines() {
                    black_box(serde_json::from_str::<T>(line).unwrap());
                }
            });
        }
    });
}

/// `text` in so many parts of whole lines.
fn shares(text: &str, count: usize) -> Vec<&str> {
    let mut rest = text;
    let mut shares = Vec::new();
    for left in (1..=count).rev() {
        let cut = rest.len() / left;
        let end = rest[cut..].find('\n').map_or(rest.len(), |at| cut + at + 1);
        let (share, after) = rest.split_at(if left == 1 { rest.len() } else { end });
        shares.push(share);
        rest = after;
    }
    shares
}

/// Text that is read where it lies.
struct Bytes(Arc<str>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn replay(policies: &Replay, text: &Arc<str>, threads: usize) -> Report {
    let input = Input {
        name: "records".to_owned(),
        from: Box::new(Cursor::new(Bytes(Arc::clone(text)))),
    };
    run(policies, vec![input], threads, &mut Quiet)
}

fn table(what: &str, policies: &Replay, lines: &[String], flips: bool) {
    let text: Arc<str> = lines
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .into();
    let cores = std::thread::available_parallelism().unwrap().get();
    let report = replay(policies, &text, cores);
    assert_eq!(report.counts.records, lines.len() as u64);
    assert_eq!(report.counts.flipped() > 0, flips, "{:?}", report.counts);
    println!(
        "| {what}: {} lines of {} bytes, {} of them flips | threads | records/s | ratio |\n|---|---|---|---|",
        lines.len(),
        text.len() / lines.len(),
        report.counts.flipped()
    );
    for threads in [1, cores] {
        let [bare, value, judged] = shortest([
            &|| parse::<Bare<'_>>(&text, threads),
            &|| parse::<serde_json::Value>(&text, threads),
            &|| {
                black_box(replay(policies, &text, threads));
            },
        ]);
        for (name, time) in [
            ("serde_json, bare", bare),
            ("serde_json, as a value", value),
            ("replay", judged),
        ] {
            println!(
                "| {name} | {threads} | {:.0} | {:.2} |",
                lines.len() as f64 / time.as_secs_f64(),
                bare.as_secs_f64() / time.as_secs_f64()
            );
        }
    }
    println!();
}

fn main() {
    let lines = unlocks(&compile("fleet"));
    let recorded = Replay {
        candidate: compile("fleet"),
        baseline: None,
    };
    table("unlocks", &recorded, &lines, false);
    let anew = Replay {
        candidate: compile("fleet"),
        baseline: Some(compile("fleet")),
    };
    table("unlocks, against a baseline", &anew, &lines, false);
    let empty = Replay {
        candidate: one_file("edition 2026\ntag env = production | staging"),
        baseline: None,
    };
    table(
        "unlocks, under a policy that allows nothing",
        &empty,
        &lines,
        true,
    );
    let certificates = Replay {
        candidate: one_file(CERTIFICATES),
        baseline: None,
    };
    let lines = issuances(&certificates.candidate);
    table("certificate requests", &certificates, &lines, false);
}
