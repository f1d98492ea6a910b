//! One unlock decision, from 10 rules to 100,000, beside a bare lookup of the
//! same address among the same prefixes, beside walking the rules, and beside
//! Cedar.
//!
//! All of a line's contestants take turns in one run, over the same addresses;
//! the figure of each is the median of its turns. Ratios of one run mean
//! something; bare times of two machines do not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and fails by panicking"
)]

mod turns;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr as _;

use ipnet::{Ipv4Net, Ipv6Net};
use iptrie::IpPrefix as _;
use jiff::Timestamp;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::request::{UnlockFacts, UnlockRequest};
use panopol::source::load::InMemory;
use panopol::space::prefixes::PrefixSet;
use panopol::vocabulary::{DeviceState, Outcome, ReasonCode};
use turns::{Contestant, compete};

/// How many prefixes the rules of a policy name together.
const PREFIXES: u32 = 100_000;
const RULES: [u32; 4] = [10, 1_000, 10_000, 100_000];
/// Addresses that each turn asks for.
const ASKED: u32 = 4096;
const TURNS: usize = 41;

/// The family, and whether lines have schedules.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    V4,
    V6,
    Scheduled,
}

/// The prefix of that number: spread, so that neighbours do not merge.
fn v4(number: u32) -> Ipv4Net {
    Ipv4Net::new(Ipv4Addr::from(0x0a00_0000 + (number << 6)), 27).unwrap()
}

fn v6(number: u32) -> Ipv6Net {
    let high = 0x2001_0db8_0000_0000_u128 + u128::from(number) * 2;
    Ipv6Net::new(Ipv6Addr::from(high << 64), 64).unwrap()
}

fn prefix(shape: Shape, number: u32) -> String {
    match shape {
        Shape::V4 | Shape::Scheduled => v4(number).to_string(),
        Shape::V6 => v6(number).to_string(),
    }
}

/// A policy of so many rules that all match one device; the prefixes are dealt
/// out among them like cards.
fn policy(shape: Shape, rules: u32, prefixes: u32) -> Program {
    let mut text = String::from(
        "edition 2026\ntag env = production | staging required\ntag site = text\n\
         schedule day = mon..fri 08:00..18:00 in \"Europe/Berlin\"\n\
         schedule night = mon..sun 20:00..06:00 in \"America/New_York\"\n",
    );
    for rule in 0..rules {
        let own = (rule..prefixes).step_by(rules as usize);
        let own: Vec<String> = own.map(|number| prefix(shape, number)).collect();
        let during = match (shape, rule % 2) {
            (Shape::V4 | Shape::V6, _) => "",
            (Shape::Scheduled, 0) => "during day",
            (Shape::Scheduled, _) => "during night",
        };
        let own = own.join(", ");
        writeln!(
            text,
            "unlock r{rule} {{\n  where env == production\n  allow from [{own}] {during}\n}}"
        )
        .unwrap();
    }
    let mut files = InMemory::default();
    files.files.insert("p.pano".to_owned(), text.into_bytes());
    let checked = check_files(&mut files);
    Program::compile(checked.set.expect("the policy is right"))
}

/// Half inside the prefixes and half between them, in no order.
fn addresses(shape: Shape, prefixes: u32) -> Vec<IpAddr> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state >> 32).unwrap()
    };
    let mut one = || {
        let (number, rest) = (draw() % prefixes, draw());
        match shape {
            Shape::V4 | Shape::Scheduled => {
                IpAddr::from(Ipv4Addr::from(u32::from(v4(number).addr()) + rest % 64))
            }
            Shape::V6 => {
                let within = u128::from(rest) << 33;
                IpAddr::from(Ipv6Addr::from(u128::from(v6(number).addr()) + within))
            }
        }
    };
    (0..ASKED).map(|_| one()).collect()
}

fn request() -> UnlockRequest {
    UnlockRequest {
        device: "d".to_owned(),
        tags: [("env", "production"), ("site", "s1")]
            .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
            .into(),
        state: DeviceState::Active,
        source: [10, 0, 0, 1].into(),
        kid: None,
    }
}

/// A Wednesday noon in Berlin: `day` is open, `night` is not.
fn noon() -> Timestamp {
    "2026-06-10T10:00:00Z".parse().unwrap()
}

/// The bare lookups, over the prefixes themselves.
fn lookups<'a>(shape: Shape, prefixes: u32, asked: &'a [IpAddr]) -> Vec<Contestant<'a>> {
    let all = asked.len();
    let number4 = |address: &IpAddr| match address {
        IpAddr::V4(address) => *address,
        IpAddr::V6(_) => unreachable!("one family a run"),
    };
    let number6 = |address: &IpAddr| match address {
        IpAddr::V6(address) => *address,
        IpAddr::V4(_) => unreachable!("one family a run"),
    };
    match shape {
        Shape::V4 | Shape::Scheduled => {
            let set = PrefixSet::new((0..prefixes).map(v4), []);
            let trie: iptrie::Ipv4RTrieSet = (0..prefixes)
                .map(|number| {
                    v4(number)
                        .to_string()
                        .parse::<iptrie::Ipv4Prefix>()
                        .unwrap()
                })
                .collect();
            let trie = trie.compress();
            let map: prefix_trie::PrefixSet<Ipv4Net> = (0..prefixes).map(v4).collect();
            vec![
                Contestant::new("binary search", all, move || {
                    asked.iter().filter(|one| set.contains(**one)).count()
                }),
                Contestant::new("iptrie", all, move || {
                    let holds = |one: &&IpAddr| trie.lookup(&number4(one)).len() > 0;
                    asked.iter().filter(holds).count()
                }),
                Contestant::new("prefix-trie", all, move || {
                    let holds = |one: &&IpAddr| map.get_lpm(&number4(one).into()).is_some();
                    asked.iter().filter(holds).count()
                }),
            ]
        }
        Shape::V6 => {
            let set = PrefixSet::new([], (0..prefixes).map(v6));
            let map: prefix_trie::PrefixSet<Ipv6Net> = (0..prefixes).map(v6).collect();
            vec![
                Contestant::new("binary search", all, move || {
                    asked.iter().filter(|one| set.contains(**one)).count()
                }),
                Contestant::new("prefix-trie", all, move || {
                    let holds = |one: &&IpAddr| map.get_lpm(&number6(one).into()).is_some();
                    asked.iter().filter(holds).count()
                }),
            ]
        }
    }
}

/// One line: a decision beside the bare lookups, and beside walking the rules.
/// Answers the decision's nanoseconds.
fn against_lookups(shape: Shape, rules: u32, prefixes: u32) -> f64 {
    let program = policy(shape, rules, prefixes);
    let asked = addresses(shape, prefixes);
    let facts = UnlockFacts::default();
    let at = noon();
    let known = program.warm(&request().tags);
    assert!(known.is_laid_out(), "there is room for the row");
    let class = program.classify(&request().tags);
    let mut judged = request();
    let mut judge = |asked: &[IpAddr]| {
        let judge = |one: &&IpAddr| {
            judged.source = **one;
            let verdict = program.judge_known(&known, &judged, &facts, at);
            verdict.code != ReasonCode::SourceNotAllowed
        };
        asked.iter().filter(judge).count()
    };
    // The first time, what is open now is looked up and remembered.
    black_box(judge(&asked));
    let allocated = allocation_counter::measure(|| {
        black_box(judge(&asked));
    });
    assert_eq!(allocated.count_total, 0, "a decision allocates nothing");
    // Walking a hundred thousand rules takes its time.
    let few = &asked[..(asked.len() / rules as usize).max(4)];
    let mut walked = request();
    let walk = |walked: &mut UnlockRequest, one: &IpAddr| {
        walked.source = *one;
        let verdict = program.judge_unlock(&class, walked, &facts, at);
        usize::from(verdict.code != ReasonCode::SourceNotAllowed)
    };
    let mut contestants = vec![Contestant::new("decision", asked.len(), || judge(&asked))];
    contestants.extend(lookups(shape, prefixes, &asked));
    contestants.push(Contestant::new("rules walked", few.len(), move || {
        few.iter().map(|one| walk(&mut walked, one)).sum()
    }));
    let nanos = compete(&mut contestants, TURNS);
    print_line(shape, (rules, prefixes), &nanos);
    nanos["decision"]
}

/// Prints one line of the first table.
fn print_line(shape: Shape, (rules, prefixes): (u32, u32), nanos: &BTreeMap<&str, f64>) {
    let fastest = ["binary search", "iptrie", "prefix-trie"]
        .iter()
        .filter_map(|name| nanos.get(name))
        .copied()
        .fold(f64::INFINITY, f64::min);
    let family = match shape {
        Shape::V4 => "IPv4",
        Shape::V6 => "IPv6",
        Shape::Scheduled => "IPv4, all scheduled",
    };
    let of = |name: &str| {
        nanos
            .get(name)
            .map_or("–".to_owned(), |n| format!("{n:.0}"))
    };
    println!(
        "| {rules} rules, {prefixes} prefixes, {family} | {} ns | {} / {} / {} ns | **{:.2}** | {:.0} | 0 |",
        of("decision"),
        of("binary search"),
        of("iptrie"),
        of("prefix-trie"),
        nanos["decision"] / fastest,
        nanos["rules walked"] / nanos["decision"],
    );
}

/// Cedar, with as many policies that say the same.
fn against_cedar(rules: u32) {
    use cedar_policy::{Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet};
    let program = policy(Shape::V4, rules, rules);
    let mut text = String::new();
    for rule in 0..rules {
        writeln!(
            text,
            "permit(principal, action == Action::\"unlock\", resource) when {{ \
             principal.env == \"production\" && context.source.isInRange(ip(\"{}\")) }};",
            v4(rule)
        )
        .unwrap();
    }
    let policies = PolicySet::from_str(&text).unwrap();
    let uid = |text: &str| EntityUid::from_str(text).unwrap();
    let attributes = [("env", "production"), ("site", "s1")].map(|(name, value)| {
        let value = cedar_policy::RestrictedExpression::new_string(value.to_owned());
        (name.to_owned(), value)
    });
    let device = Entity::new(uid("Device::\"d\""), attributes.into(), [].into()).unwrap();
    let entities = Entities::from_entities([device], None).unwrap();
    let asked = addresses(Shape::V4, rules);
    let few = &asked[..8];
    let requests: Vec<cedar_policy::Request> = few
        .iter()
        .map(|address| {
            let source = cedar_policy::RestrictedExpression::new_ip(address.to_string());
            let context = Context::from_pairs([("source".to_owned(), source)]).unwrap();
            let (principal, action) = (uid("Device::\"d\""), uid("Action::\"unlock\""));
            let resource = uid("Keys::\"k\"");
            cedar_policy::Request::new(principal, action, resource, context, None).unwrap()
        })
        .collect();
    let authorizer = Authorizer::new();
    let (facts, at) = (UnlockFacts::default(), noon());
    let known = program.warm(&request().tags);
    let mut judged = request();
    let mut contestants = [
        Contestant::new("decision", few.len(), || {
            let judge = |one: &&IpAddr| {
                judged.source = **one;
                let verdict = program.judge_known(&known, &judged, &facts, at);
                verdict.code == ReasonCode::Allowed
            };
            few.iter().filter(judge).count()
        }),
        Contestant::new("cedar", few.len(), || {
            let judge = |one: &&cedar_policy::Request| {
                authorizer
                    .is_authorized(one, &policies, &entities)
                    .decision()
                    == Decision::Allow
            };
            requests.iter().filter(judge).count()
        }),
        Contestant::new("in words", few.len(), || {
            let mut judged = request();
            let mut judge = |one: &&IpAddr| {
                judged.source = **one;
                program.decide_unlock(&judged, &facts, at).outcome == Outcome::Allow
            };
            few.iter().filter(|one| judge(one)).count()
        }),
    ];
    let turns = if rules > 1_000 { 5 } else { TURNS };
    let nanos = compete(&mut contestants, turns);
    println!(
        "| {rules} rules | {:.0} ns | {:.1} µs | {:.1} µs | {:.0} |",
        nanos["decision"],
        nanos["in words"] / 1e3,
        nanos["cedar"] / 1e3,
        nanos["cedar"] / nanos["decision"],
    );
}

fn main() {
    println!(
        "| an unlock decision | time | binary search / iptrie / prefix-trie | ratio to the fastest | rules walked: times as long | allocations |"
    );
    println!("|---|---|---|---|---|---|");
    let flat: Vec<f64> = RULES
        .iter()
        .map(|&rules| against_lookups(Shape::V4, rules, PREFIXES))
        .collect();
    against_lookups(Shape::V6, 1_000, PREFIXES);
    against_lookups(Shape::Scheduled, 1_000, PREFIXES);
    println!(
        "\n100,000 rules take {:.2} times as long as 10.\n",
        flat[flat.len() - 1] / flat[0]
    );
    println!(
        "| beside Cedar, one prefix a rule | decision | with its words | Cedar | Cedar: times as long |"
    );
    println!("|---|---|---|---|---|");
    for rules in [10, 1_000, 10_000] {
        against_cedar(rules);
    }
}
