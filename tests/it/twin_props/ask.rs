//! Random requests with their facts and times, drawn to stand at edges.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, date, time};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use panopol::address::parse_prefix;
use panopol::request::{
    Approved, ArmedAllowOnce, Denial, IssuanceFacts, IssuanceRequest, Predecessor, UnlockFacts,
    UnlockRequest,
};
use panopol::vocabulary::{Action, DeviceState, Override};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::pick::{ADDRESSES, CLOCK, PREFIXES, ZONES, name, one};

/// How many requests each policy set is asked.
const ASKED: usize = 32;

/// An unlock request, its facts and its time.
#[derive(Clone, Debug)]
pub(super) struct UnlockAsk {
    pub(super) request: UnlockRequest,
    pub(super) facts: UnlockFacts,
    pub(super) at: Timestamp,
}

/// A certificate request, its facts and its time.
#[derive(Clone, Debug)]
pub(super) struct IssuanceAsk {
    pub(super) request: IssuanceRequest,
    pub(super) facts: IssuanceFacts,
    pub(super) at: Timestamp,
}

pub(super) fn unlocks() -> impl Strategy<Value = Vec<UnlockAsk>> {
    let denial = (prefix(), until()).prop_map(|(source, until)| Denial { source, until });
    let denials = prop_oneof![4 => Just(Vec::new()), 1 => vec(denial, 1..3)];
    let facts = (
        denials,
        vec(armed(), 0..4),
        approvals(&["gate0", "gate1", "gate2", "gone"]),
        any::<bool>(),
    );
    let states = prop_oneof![
        8 => Just(DeviceState::Active),
        3 => Just(DeviceState::Disabled),
        1 => Just(DeviceState::Revoked),
    ];
    let ask = (tags(), states, one(ADDRESSES), facts, moment()).prop_map(
        |(tags, state, source, (denials, allow_once, approvals, allow_bypass), at)| {
            let mut facts = UnlockFacts {
                denials,
                allow_once,
                approvals,
                allow_bypass,
            };
            facts
                .denials
                .iter_mut()
                .for_each(|one| one.until = near(at, one.until));
            facts
                .allow_once
                .iter_mut()
                .for_each(|one| one.until = near(at, one.until));
            facts
                .approvals
                .iter_mut()
                .for_each(|one| one.until = near(at, one.until));
            for (number, one) in facts.allow_once.iter_mut().enumerate() {
                one.id = format!("o{number}");
            }
            for (number, one) in facts.approvals.iter_mut().enumerate() {
                one.id = format!("a{number}");
            }
            let request = UnlockRequest {
                device: String::new(),
                tags,
                state,
                source: source.parse().unwrap(),
                kid: None,
            };
            UnlockAsk { request, facts, at }
        },
    );
    vec(ask, ASKED)
}

/// One request at many instants.
pub(super) fn instants() -> impl Strategy<Value = Vec<UnlockAsk>> {
    let ask = moment().prop_map(|at| UnlockAsk {
        request: UnlockRequest {
            device: String::new(),
            tags: BTreeMap::new(),
            state: DeviceState::Active,
            source: [192, 0, 2, 1].into(),
            kid: None,
        },
        facts: UnlockFacts::default(),
        at,
    });
    vec(ask, 8 * ASKED)
}

pub(super) fn issuances() -> impl Strategy<Value = Vec<IssuanceAsk>> {
    let facts = (
        approvals(&["group0", "group1", "group2", "gone"]),
        any::<bool>(),
    );
    let ask = (request(), facts, moment()).prop_map(|(request, (approvals, allow_bypass), at)| {
        let mut facts = IssuanceFacts {
            approvals,
            allow_bypass,
        };
        for (number, one) in facts.approvals.iter_mut().enumerate() {
            one.id = format!("a{number}");
            one.until = near(at, one.until);
            // A certificate request has no address to bind.
            one.source = None;
        }
        IssuanceAsk { request, facts, at }
    });
    vec(ask, ASKED)
}

/// An instant near an edge of some window, on days when clocks change and others.
fn moment() -> impl Strategy<Value = Timestamp> {
    let days = select(vec![
        date(2026, 3, 8),
        date(2026, 3, 28),
        date(2026, 3, 29),
        date(2026, 4, 5),
        date(2026, 6, 10),
        date(2026, 6, 13),
        date(2026, 6, 15),
        date(2026, 10, 4),
        date(2026, 10, 25),
        date(2026, 11, 1),
    ]);
    let hour = SignedDuration::from_hours(1);
    let offsets = select(vec![
        SignedDuration::ZERO,
        SignedDuration::from_nanos(-1),
        SignedDuration::from_nanos(1),
        SignedDuration::from_secs(-1),
        SignedDuration::from_mins(30),
        hour,
        -hour,
    ]);
    (days, select(CLOCK), select(ZONES), offsets).prop_map(|(day, clock, zone, offset)| {
        let (hours, minutes) = clock.split_once(':').unwrap();
        let hours: i8 = hours.parse().unwrap();
        let local: DateTime = day.to_datetime(time(hours % 24, minutes.parse().unwrap(), 0, 0));
        let zone = TimeZone::get(zone).unwrap();
        local.to_zoned(zone).unwrap().timestamp() + offset
    })
}

/// An end, as an offset from the epoch that [`near`] lays beside the request's time.
fn until() -> impl Strategy<Value = Timestamp> {
    let offsets = select(vec![
        0,
        1,
        -1,
        3_600_000_000_000,
        3_600_000_000_000,
        7_200_000_000_000,
    ]);
    offsets.prop_map(|offset| Timestamp::from_nanosecond(offset).unwrap())
}

fn near(at: Timestamp, offset: Timestamp) -> Timestamp {
    at + offset.duration_since(Timestamp::UNIX_EPOCH)
}

fn prefix() -> impl Strategy<Value = ipnet::IpNet> {
    prop_oneof![one(PREFIXES), one(ADDRESSES)].prop_map(|text| parse_prefix(&text).unwrap())
}

fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    let env = weighted(
        0.9,
        prop_oneof![20 => select(&["p", "q", "r"][..]), 1 => Just("s")],
    );
    let role = of(select(&["a", "b"][..]));
    let site = of(select(&["x", "y", ""][..]));
    let colour = weighted(0.03, Just("red"));
    (env, role, site, colour).prop_map(|(env, role, site, colour)| {
        [
            ("env", env),
            ("role", role),
            ("site", site),
            ("colour", colour),
        ]
        .into_iter()
        .filter_map(|(tag, value)| Some((tag.to_owned(), value?.to_owned())))
        .collect()
    })
}

fn armed() -> impl Strategy<Value = ArmedAllowOnce> {
    let overrides = subsequence(Override::ALL, 0..=3);
    let names = one(&["once0", "once1", "once0", "once1", "gone"]);
    (names, overrides, vec(prefix(), 0..3), until()).prop_map(
        |(name, overrides, addresses, until)| ArmedAllowOnce {
            id: String::new(),
            name,
            overrides,
            addresses,
            until,
        },
    )
}

fn approvals(groups: &'static [&'static str]) -> impl Strategy<Value = Vec<Approved>> {
    let approved =
        (subsequence(groups, 0..=3), of(prefix()), until()).prop_map(|(groups, source, until)| {
            Approved {
                id: String::new(),
                groups: groups.into_iter().map(str::to_owned).collect(),
                source,
                until,
            }
        });
    vec(approved, 0..3)
}

fn request() -> impl Strategy<Value = IssuanceRequest> {
    let who = (
        prop_oneof![
            select(&[Action::Issue, Action::Renew][..]),
            select(Action::ALL)
        ],
        declared(&["web", "lab", "bare"]),
        declared(&["edge", "slow"]),
        declared(&["alice", "carol", "robot"]),
    );
    let what = (
        usually(&["ECDSA-P256", "Ed25519"], &["RSA-2048", "DSA"]),
        usually(&["acme", "local-ca"], &["msca", "other"]),
        usually(&["one", "two"], &["three", "ONE"]),
        usually(&["abc", "z"], &["ABC", "abc1", ""]),
        weighted(0.9, select(vec![1u64, 7_776_000, 7_776_001])),
        prop_oneof![4 => Just(Some(true)), 1 => Just(Some(false)), 1 => Just(None)],
    );
    let said = (
        usually(&["because"], &["", " "]),
        usually(&["T-1"], &["T-2", "A-1", "xT-1", ""]),
        prop_oneof![16 => Just(Vec::new()), 1 => Just(vec!["ca".to_owned()])],
    );
    let names = (
        vec(name(), 0..4),
        weighted(0.3, name()),
        of((vec(name(), 0..3), 0.0..1.0)),
    );
    (who, what, said, names).prop_map(|(who, what, said, (san, common_name, known))| {
        // Often the common name is one of the names, and the predecessor has them all.
        let common_name = common_name.map(|text| match (text.len() % 2, san.first()) {
            (0, Some(first)) => bare(first),
            (_, _) => bare(&text),
        });
        let predecessor = known.map(|(mut names, chance)| {
            if chance < 0.7 {
                names.extend(san.iter().cloned());
            }
            Predecessor {
                id: "earlier".to_owned(),
                san: names,
            }
        });
        IssuanceRequest {
            action: who.0,
            project: who.1,
            profile: who.2,
            requester: who.3,
            name: what.3,
            key_type: what.0,
            issuer_type: what.1,
            issuer_id: what.2,
            san,
            common_name,
            lifetime_s: what.4,
            auto_renew: what.5,
            reason: said.0,
            ticket: said.1,
            predecessor,
            unsupported: said.2,
        }
    })
}

/// One that is declared, or none; seldom one that is not.
fn declared(names: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        20 => one(names).prop_map(Some),
        10 => Just(None),
        1 => Just(Some("gone".to_owned())),
    ]
}

/// Mostly one that policies know, seldom another or none.
fn usually(
    known: &'static [&'static str],
    other: &'static [&'static str],
) -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        10 => one(known).prop_map(Some),
        2 => one(other).prop_map(Some),
        1 => Just(None),
    ]
}

/// A name without its type.
fn bare(name: &str) -> String {
    name.split_once(':')
        .map_or(name, |(_, bare)| bare)
        .to_owned()
}
