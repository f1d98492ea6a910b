//! Random policy sets, as text: a list of items, of which any order in any files says the same.

use proptest::prelude::*;
use proptest::sample::select;

use super::pick::{
    CLOCK, DNS_PATTERNS, EMAIL_PATTERNS, PREFIXES, URI_PATTERNS, ZONES, list, maybe, one,
    quoted_list,
};

const DAYS: &[&str] = &[
    "mon", "tue", "wed..thu", "fri", "sat..mon", "sun", "mon..fri", "mon..sun",
];
const ACTIONS: &[&str] = &[
    "issue",
    "renew",
    "reissue",
    "revoke",
    "export",
    "distribute",
];
const OVERRIDES: &[&str] = &["source", "disabled", "approval"];

/// The items of a policy set.
pub(super) fn items() -> impl Strategy<Value = Vec<String>> {
    let declared = (any::<bool>(), any::<bool>()).prop_map(|(required, open)| {
        let mut items = vec![
            format!(
                "tag env = p | q | r {}",
                if required { "required" } else { "" }
            ),
            "tag role = a | b".to_owned(),
            "tag site = text".to_owned(),
            "project web { tags { env = p, role = a } }".to_owned(),
            "project lab { tags { env = q } }".to_owned(),
            "project bare".to_owned(),
            "profile edge { tags { site = \"x\" } }".to_owned(),
            "profile slow".to_owned(),
            "person alice { role owner in org }".to_owned(),
            "person bob { role owner in org }".to_owned(),
            "person carol { role owner in org }".to_owned(),
            "service robot { owner alice }".to_owned(),
            "team crew = [alice, bob, carol]".to_owned(),
            "team pair = [alice, bob]".to_owned(),
        ];
        if open {
            items.push("defaults { issuance allow }".to_owned());
        }
        items
    });
    let several = |item: BoxedStrategy<String>, name: &'static str, count| {
        prop::collection::vec(item, count).prop_map(move |bodies| {
            let named = bodies.into_iter().enumerate();
            named
                .map(|(at, body)| body.replace("NAME", &format!("{name}{at}")))
                .collect::<Vec<_>>()
        })
    };
    (
        declared,
        networks(),
        several(schedule(), "hours", 2..=2),
        several(unlock(), "rule", 0..=4),
        several(allow_once(), "once", 2..=2),
        several(unlock_group(), "gate", 0..=3),
        several(issuance(), "policy", 0..=4),
        several(issuance_group(), "group", 0..=3),
        several(bypass(), "bypass", 0..=2),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i)| [a, b, c, d, e, f, g, h, i].concat())
}

/// One schedule, and nothing else that could decide.
pub(super) fn scheduled() -> impl Strategy<Value = Vec<String>> {
    schedule().prop_map(|schedule| {
        let rule = "unlock rule0 { allow from 0.0.0.0/0 during hours0 }";
        vec![schedule.replace("NAME", "hours0"), rule.to_owned()]
    })
}

/// The items with other names for what decisions never name.
pub(super) fn renamed(items: &[String]) -> Vec<String> {
    let names = [
        ("net0", "zulu"),
        ("net1", "mike"),
        ("net2", "alpha"),
        ("hours0", "night"),
        ("hours1", "day"),
        ("crew", "people"),
    ];
    let rename = |item: &String| {
        names
            .iter()
            .fold(item.clone(), |text, (from, to)| text.replace(from, to))
    };
    items.iter().map(rename).collect()
}

/// Three networks, the later ones sometimes naming the earlier.
fn networks() -> impl Strategy<Value = Vec<String>> {
    let prefixes = || list(PREFIXES, 2);
    (prefixes(), prefixes(), prefixes(), any::<[bool; 2]>()).prop_map(|(a, b, c, names)| {
        let also = |list: &str, name: &str, wanted: bool| match wanted {
            true => list.replacen('[', &format!("[{name}, "), 1),
            false => list.to_owned(),
        };
        vec![
            format!("network net0 = {a}"),
            format!("network net1 = {}", also(&b, "net0", names[0])),
            format!("network net2 = {}", also(&c, "net1", names[1])),
        ]
    })
}

fn schedule() -> BoxedStrategy<String> {
    let starts = &CLOCK[..CLOCK.len() - 1];
    (one(DAYS), one(starts), one(CLOCK), one(ZONES))
        .prop_filter("a window is not empty", |(_, start, end, _)| start != end)
        .prop_map(|(days, start, end, zone)| {
            format!("schedule NAME = {days} {start}..{end} in \"{zone}\"")
        })
        .boxed()
}

/// A selector over tags, and over attributes where there are any.
fn selector(attributes: bool) -> BoxedStrategy<String> {
    let tags = prop_oneof![
        select(
            &[
                "env == p",
                "env != p",
                "env == q",
                "env != r",
                "env in [p, q]"
            ][..]
        ),
        select(
            &[
                "role == a",
                "role != a",
                "role in [a, b]",
                "has role",
                "has env"
            ][..]
        ),
        select(
            &[
                "site == \"x\"",
                "site != \"x\"",
                "site in [\"x\", \"\"]",
                "has site"
            ][..]
        ),
    ];
    let atoms = if attributes {
        let more = prop_oneof![
            select(
                &[
                    "project == web",
                    "project != web",
                    "project in [lab, bare]",
                    "has project"
                ][..]
            ),
            select(&["profile == edge", "profile != edge", "has profile"][..]),
            select(
                &[
                    "action == issue",
                    "action != issue",
                    "action in [renew, export]",
                    "has action"
                ][..]
            ),
            select(
                &[
                    "requester == robot",
                    "requester != alice",
                    "requester in [alice, robot]",
                    "has requester"
                ][..]
            ),
        ];
        prop_oneof![tags, more].boxed()
    } else {
        tags.boxed()
    };
    let leaf = atoms.prop_map(str::to_owned);
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| format!("not ({one})")),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner, 2..4)
                .prop_map(|parts| format!("({})", parts.join(" or "))),
        ]
    })
    .boxed()
}

fn condition(attributes: bool) -> impl Strategy<Value = String> {
    maybe(selector(attributes).prop_map(|selector| format!(" where {selector}")))
}

fn unlock() -> BoxedStrategy<String> {
    let networks: &[&str] = &["net0", "net1", "net2"];
    let sources = prop_oneof![list(networks, 2), list(PREFIXES, 3)];
    let during = maybe(list(&["hours0", "hours1"], 2).prop_map(|list| format!(" during {list}")));
    let effect = prop_oneof![3 => Just("allow"), 1 => Just("deny")];
    let line = (effect, sources, during)
        .prop_map(|(effect, sources, during)| format!("  {effect} from {sources}{during}\n"));
    (condition(false), prop::collection::vec(line, 1..4))
        .prop_map(|(condition, lines)| {
            format!("unlock NAME {{\n {condition}\n{}}}", lines.concat())
        })
        .boxed()
}

fn allow_once() -> BoxedStrategy<String> {
    (condition(false), list(OVERRIDES, 3))
        .prop_map(|(condition, overrides)| {
            format!(
                "allow-once NAME {{{condition}\n overrides {overrides}\n by team crew\n max 2h\n}}"
            )
        })
        .boxed()
}

fn unlock_group() -> BoxedStrategy<String> {
    let terms = (
        rarely(&["expires 2h\n", "expires 1d\n"]),
        rarely(&["claim 1m\n"]),
        rarely(&["collect 1m up to 2\n", "collect 2m up to 1\n"]),
        rarely(&["binds network\n", "binds device\n"]),
        rarely(&["deny-for 1h\n"]),
    );
    let terms = terms.prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat());
    (condition(false), people(), terms)
        .prop_map(|(condition, people, terms)| {
            format!("approval NAME {{\n on unlock{condition}\n {people}{terms}}}")
        })
        .boxed()
}

/// Who must approve: of whom there are always enough.
fn people() -> impl Strategy<Value = String> {
    let who = select(vec![
        "approvers team crew\n",
        "approvers team crew\n need 2\n",
        "approvers [person alice, person bob]\n",
        "approvers [person bob, person carol]\n need 2\n",
        "need 1 of team crew\n",
        "need [1 of team crew, 1 of team pair]\n",
    ]);
    let more = rarely(&[
        "escalate after 1h to person carol\n",
        "comment required on reject\n",
    ]);
    (who, more, rarely(&["mandatory\n"])).prop_map(|(a, b, c)| [a, &b, &c].concat())
}

fn issuance_group() -> BoxedStrategy<String> {
    let reason = maybe(Just("reason required\n".to_owned()));
    let tickets = [
        "ticket required\n",
        "ticket required /T-[0-9]+/\n",
        "ticket required /[A-Z]-1/\n",
    ];
    let ticket = maybe(select(tickets.to_vec()).prop_map(str::to_owned));
    (list(ACTIONS, 4), condition(true), reason, ticket, people())
        .prop_map(|(actions, condition, reason, ticket, people)| {
            format!("approval NAME {{\n on {actions}{condition}\n {people} {reason} {ticket}}}")
        })
        .boxed()
}

fn bypass() -> BoxedStrategy<String> {
    let unlock = condition(false).prop_map(|condition| format!("unlock{condition}"));
    let actions = (list(ACTIONS, 4), condition(true))
        .prop_map(|(actions, condition)| format!("{actions}{condition}"));
    let until = one(&["2026-06-10", "2026-03-29T01:00:00Z", "2030-01-01"]);
    (prop_oneof![unlock, actions], until)
        .prop_map(|(on, until)| {
            format!("bypass NAME {{\n on {on}\n reason \"x\"\n until {until}\n}}")
        })
        .boxed()
}

fn issuance() -> BoxedStrategy<String> {
    let san = |kind: &'static str, patterns: fn() -> BoxedStrategy<String>| {
        let allow = patterns().prop_map(|list| format!(" allow {list}"));
        let deny = patterns().prop_map(|list| format!(" deny {list}"));
        let both = (
            patterns().prop_map(|list| format!(" allow {list}")),
            patterns().prop_map(|list| format!(" deny {list}")),
        )
            .prop_map(|(allow, deny)| allow + &deny);
        let rule =
            prop_oneof![allow, deny, both].prop_map(move |rest| format!("san {kind}{rest}\n"));
        prop_oneof![2 => Just(String::new()), 1 => rule]
    };
    let names = (
        san("dns", || quoted_list(DNS_PATTERNS, 3).boxed()),
        san("ip", || list(PREFIXES, 3).boxed()),
        san("email", || quoted_list(EMAIL_PATTERNS, 2).boxed()),
        san("uri", || quoted_list(URI_PATTERNS, 2).boxed()),
        rarely(&["san max 2\n", "san max 1\n"]),
    )
        .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat());
    let rest = (
        rarely(&[
            "key-types [ECDSA-P256, Ed25519]\n",
            "key-types [Ed25519, RSA-2048]\n",
        ]),
        rarely(&["issuer-types [acme, local-ca]\n", "issuer-types msca\n"]),
        rarely(&["issuer-ids [\"one\", \"two\"]\n", "issuer-ids \"three\"\n"]),
        rarely(&[
            "naming /[a-z]+/\n",
            "naming /[A-Z]+|z/\n",
            "naming /[a-z0-9]*/\n",
        ]),
        rarely(&["lifetime max 90d\n", "lifetime max 1d\n"]),
        rarely(&["auto-renew required\n"]),
        rarely(&["key-export forbidden\n"]),
    )
        .prop_map(|(a, b, c, d, e, f, g)| [a, b, c, d, e, f, g].concat());
    (condition(true), names, rest)
        .prop_map(|(condition, names, rest)| {
            let some = if names.is_empty() && rest.is_empty() {
                "san max 9\n"
            } else {
                ""
            };
            format!("issuance NAME {{\n{condition}\n{names}{rest}{some}}}")
        })
        .boxed()
}

/// One of some lines, mostly none.
fn rarely(lines: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => one(lines)]
}
