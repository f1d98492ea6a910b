//! Exact answers against enumeration: on a small world, what `diff` and
//! invariants say of every request is what deciding every request shows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use panopol::analyze::claims::{Verdict as Proved, Witness as Refuting, prove};
use panopol::decision::Decision;
use panopol::diff::inventory::Device;
use panopol::diff::{Class, Comparison, Kind, Region, compare};
use panopol::eval::{Program, people::Asker, requirement};
use panopol::ir::PolicySet;
use panopol::ir::table::Id;
use panopol::ir::unlock::WithoutApproval;
use panopol::request::{
    Approved, ArmedAllowOnce, IssuanceFacts, IssuanceRequest, UnlockFacts, UnlockRequest,
    effective_action,
};
use panopol::san::parse_name;
use panopol::suite;
use panopol::vocabulary::{Action, DeviceState, Outcome, Override};
use proptest::prelude::*;
use proptest::sample::select;

use super::ask::{IssuanceAsk, issuances};
use super::pick::{ADDRESSES, DNS_PATTERNS};
use super::world::{items, renamed};
use super::{Compiled, compile, config};

/// Two sets of items that share some: each kind and name comes from the one or the other.
fn pairs() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    (items(), items(), prop::collection::vec(0..10u8, 64)).prop_map(|(old, other, choices)| {
        let name = |item: &String| {
            item.split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let theirs: BTreeMap<String, String> = other
            .iter()
            .map(|item| (name(item), item.clone()))
            .collect();
        let mut new: Vec<String> = Vec::new();
        for (item, choice) in old.iter().zip(choices.iter().cycle()) {
            let replaced = theirs.get(&name(item)).filter(|_| *choice < 2);
            // Only rules and defaults may be left out; the rest is referred to.
            let optional = ["unlock", "approval", "issuance", "bypass", "defaults"];
            let is_optional = optional.iter().any(|kind| item.starts_with(kind));
            if is_optional && *choice == 9 {
                continue;
            }
            new.push(replaced.unwrap_or(item).clone());
        }
        (old, new)
    })
}

type Point = (BTreeMap<String, String>, IpAddr, Timestamp);

fn shown_tags((tags, ..): &Point) -> String {
    format!("{tags:?}")
}

/// How many points each world is asked about; all of them take too long here.
const ASKED: usize = 400;

/// Some of all points, others for each world.
fn some_points() -> impl Strategy<Value = Vec<Point>> {
    static ALL: std::sync::LazyLock<Vec<Point>> = std::sync::LazyLock::new(points);
    prop::collection::vec(0..ALL.len(), ASKED)
        .prop_map(|places| places.into_iter().map(|place| ALL[place].clone()).collect())
}

/// Devices, sources and times of which each rule of the small world tells some apart.
fn points() -> Vec<Point> {
    let times = [
        "2026-03-29T00:30:00Z",
        "2026-03-29T01:30:00Z",
        "2026-06-10T06:00:00Z",
        "2026-06-13T12:00:00Z",
        "2026-10-25T00:30:00Z",
        "2026-12-31T23:59:59Z",
    ];
    let mut points = Vec::new();
    for env in [None, Some("p"), Some("q"), Some("r")] {
        for role in [None, Some("a"), Some("b")] {
            for site in [None, Some("x"), Some(""), Some("zzz")] {
                let tags = [("env", env), ("role", role), ("site", site)];
                let tags: BTreeMap<String, String> = tags
                    .iter()
                    .filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())))
                    .collect();
                for address in ADDRESSES {
                    let address = panopol::address::parse_address(address).unwrap();
                    for time in times {
                        points.push((tags.clone(), address, time.parse().unwrap()));
                    }
                }
            }
        }
    }
    points
}

fn decide(
    program: &Program,
    tags: &BTreeMap<String, String>,
    source: IpAddr,
    at: Timestamp,
) -> Decision {
    decide_with(program, (tags, source, at), &UnlockFacts::default())
}

fn decide_with(
    program: &Program,
    (tags, source, at): (&BTreeMap<String, String>, IpAddr, Timestamp),
    facts: &UnlockFacts,
) -> Decision {
    let request = UnlockRequest {
        device: String::new(),
        tags: tags.clone(),
        state: DeviceState::Active,
        source,
        kid: None,
    };
    program.decide_unlock(&request, facts, at)
}

/// Whether the best that a one-time unlock of its source can bring the point is
/// another, or waits for something else.
fn differ_once_armed(old: &Program, new: &Program, (tags, source, at): &Point) -> bool {
    let best = |program: &Program| {
        let armed = ["once0", "once1"].map(|name| {
            let facts = UnlockFacts {
                allow_once: vec![ArmedAllowOnce {
                    id: "o".to_owned(),
                    name: name.to_owned(),
                    overrides: vec![Override::Source],
                    addresses: vec![(*source).into()],
                    until: *at + SignedDuration::from_hours(1),
                }],
                ..UnlockFacts::default()
            };
            let decision = decide_with(program, (tags, *source, *at), &facts);
            let pending = decision.outcome == Outcome::Pending;
            let waits = pending.then(|| nameless(program.set(), &decision.groups));
            (rank(&decision), waits)
        });
        armed.into_iter().max()
    };
    best(old) != best(new)
}

fn rank(decision: &Decision) -> u8 {
    match decision.outcome {
        Outcome::Deny => 0,
        Outcome::Pending => 1,
        Outcome::Allow => 2,
    }
}

fn code(decision: &Decision) -> String {
    decision.reasons[0].code.word().to_owned()
}

/// What is required, but for the names of groups.
fn nameless(set: &PolicySet, groups: &[String]) -> String {
    let ids: Vec<_> = groups
        .iter()
        .map(|name| set.approvals.find(name).unwrap())
        .collect();
    let required = requirement(set, &ids, Asker::default(), Timestamp::UNIX_EPOCH).unwrap();
    let mut groups: Vec<String> = Vec::new();
    for group in &required.groups {
        let mut said = serde_json::to_value(group).unwrap();
        said["name"] = "".into();
        // A team that is all who may approve, now and later, is as good as none.
        if let [clause] = group.clauses.as_slice()
            && clause.eligible == group.approvers
            && group.escalations.is_empty()
        {
            said["clauses"][0].as_object_mut().unwrap().remove("team");
        }
        let said = said.to_string();
        if group.mandatory || !groups.contains(&said) {
            groups.push(said);
        }
    }
    groups.sort();
    format!("{groups:?} {:?}", required.terms)
}

/// What deciding the point under both shows, as classes of kinds.
fn shown(old: &Program, new: &Program, (tags, source, at): &Point) -> BTreeSet<(Kind, Class)> {
    let before = decide(old, tags, *source, *at);
    let after = decide(new, tags, *source, *at);
    let mut found = BTreeSet::new();
    match rank(&before).cmp(&rank(&after)) {
        std::cmp::Ordering::Less => {
            found.insert((Kind::Unlock, Class::Widened));
        }
        std::cmp::Ordering::Greater => {
            found.insert((Kind::Unlock, Class::Narrowed));
        }
        std::cmp::Ordering::Equal if code(&before) != code(&after) => {
            found.insert((Kind::Unlock, Class::Relabelled));
        }
        std::cmp::Ordering::Equal => {}
    }
    if before.outcome == Outcome::Pending
        && after.outcome == Outcome::Pending
        && nameless(old.set(), &before.groups) != nameless(new.set(), &after.groups)
    {
        found.insert((Kind::Requirement, Class::Changed));
    }
    found
}

/// Each region's example is decided as the region says, and its test holds of the new set.
fn examples_hold(comparison: &Comparison<'_>, new: &[String]) -> Result<(), TestCaseError> {
    for region in &comparison.regions {
        let Some(example) = &region.witness else {
            prop_assert_eq!(region.kind, Kind::Role, "{:?}", region);
            continue;
        };
        let begins = |decided: &str, said: &str| match region.kind {
            // Other fields may fail beside the one whose code is another.
            Kind::Issuance if region.class == Class::Relabelled => {
                let code = said.split(' ').nth(1);
                decided.starts_with("deny") && code.is_none_or(|code| decided.contains(code))
            }
            Kind::Unlock | Kind::Issuance => {
                decided.starts_with(said.split(" by ").next().unwrap())
            }
            Kind::Requirement => decided.starts_with("pending"),
            Kind::AllowOnce | Kind::Bypass | Kind::Role => true,
        };
        prop_assert!(begins(&example.before, &region.before), "{region:#?}");
        prop_assert!(begins(&example.after, &region.after), "{region:#?}");
        let mut with_test = new.to_vec();
        with_test.push(example.test.clone());
        let compiled = compile(&[with_test]);
        for result in suite::run(&compiled.program, None) {
            prop_assert!(result.diagnostic().is_none(), "{}", example.test);
        }
    }
    Ok(())
}

fn classes_of(regions: &[&Region]) -> BTreeSet<(Kind, Class)> {
    let of_points = |region: &&&Region| matches!(region.kind, Kind::Unlock | Kind::Requirement);
    regions
        .iter()
        .filter(of_points)
        .map(|region| (region.kind, region.class))
        .collect()
}

/// An invariant's lines about unlocks, and about certificate requests.
fn claims() -> impl Strategy<Value = String> {
    let selectors = select(vec![
        "",
        " where env == p",
        " where env != q",
        " where role == a and has env",
        " where not has site",
        " where (env in [p, q] or site == \"x\")",
    ]);
    let from = select(vec![
        "",
        " from net0",
        " from outside net1",
        " from 10.1.0.0/16",
        " from outside [net2, 10.0.0.0/8]",
    ]);
    let approval = select(vec![
        "",
        " without approval",
        " without approval by gate0",
        " without approval by gate1",
    ]);
    let never = (selectors.clone(), from.clone(), approval)
        .prop_map(|(a, b, c)| format!("never allow unlock{a}{b}{c}"));
    let always = (selectors, from).prop_map(|(a, b)| format!("always reachable unlock{a}{b}"));
    let subject = select(vec![
        "",
        " where project == web",
        " where project != web",
        " where action == export",
        " where requester in [alice, robot]",
    ]);
    let keys = select(vec![
        "",
        " with key-type RSA-2048",
        " with key-type [Ed25519, ECDSA-P384]",
    ]);
    let san = select(DNS_PATTERNS.to_vec());
    let san = prop::option::of(san).prop_map(|pattern| {
        pattern
            .map(|pattern| format!(" with san dns \"{pattern}\""))
            .unwrap_or_default()
    });
    let issuance =
        (subject, keys, san).prop_map(|(a, b, c)| format!("never allow issuance{a}{b}{c}"));
    prop_oneof![2 => never, 1 => always, 1 => issuance]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_difference_is_said_exactly_where_deciding_shows_one((old, new) in pairs(), points in some_points()) {
        let (before, after) = (compile(std::slice::from_ref(&old)), compile(std::slice::from_ref(&new)));
        let mut comparison = compare(&before.program, &after.program);
        let devices: Vec<Device> = points.iter().map(|point| Device { name: shown_tags(point), tags: point.0.clone() }).collect();
        let concerned: BTreeSet<String> = comparison.devices_concerned(&devices).concat().into_iter().collect();
        for point in points {
            let said = classes_of(&comparison.regions_of_unlock(&point.0, point.1, point.2));
            let shown = shown(&before.program, &after.program, &point);
            prop_assert_eq!(said, shown, "said, then shown, of {:?}\n--- old\n{}\n--- new\n{}", point, old.join("\n"), new.join("\n"));
            prop_assert!(
                concerned.contains(&shown_tags(&point)) || !differ_once_armed(&before.program, &after.program, &point),
                "nothing is said of {:?} with a one-time unlock\n--- old\n{}\n--- new\n{}", point, old.join("\n"), new.join("\n")
            );
        }
        examples_hold(&comparison, &new)?;
    }

    #[test]
    fn a_difference_of_certificate_requests_is_said_where_deciding_shows_one(
        (old, new) in pairs(),
        asks in issuances(),
    ) {
        let (before, after) = (compile(std::slice::from_ref(&old)), compile(std::slice::from_ref(&new)));
        let comparison = compare(&before.program, &after.program);
        for IssuanceAsk { request, at, .. } in asks {
            let facts = IssuanceFacts::default();
            let was = before.program.decide_issuance(&request, &facts, at);
            let is = after.program.decide_issuance(&request, &facts, at);
            let class = match rank(&was).cmp(&rank(&is)) {
                std::cmp::Ordering::Less => Class::Widened,
                std::cmp::Ordering::Greater => Class::Narrowed,
                std::cmp::Ordering::Equal => continue,
            };
            let names: Vec<_> = request.san.iter().map(|name| (name.as_str(), parse_name(name))).collect();
            let (action, _) = effective_action(&request, &names);
            let said = comparison.regions_of_issuance(&request, action);
            prop_assert!(
                said.iter().any(|region| region.kind == Kind::Issuance && region.class == class),
                "{class:?} of {request:#?}\n--- old\n{}\n--- new\n{}", old.join("\n"), new.join("\n")
            );
        }
    }

    #[test]
    fn what_decides_alike_is_said_to_have_no_effect(
        (items, moved) in items().prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle())),
    ) {
        let before = compile(std::slice::from_ref(&items));
        let rules = [("rule", "regel"), ("policy", "police"), ("gate", "tor"), ("group", "gruppe"), ("once0", "einmal"), ("once1", "nochmal")];
        let rename = |item: String| rules.iter().fold(item, |text, (from, to)| text.replace(from, to));
        let moved = compile(&[renamed(&moved).into_iter().map(rename).collect()]);
        let comparison = compare(&before.program, &moved.program);
        prop_assert!(comparison.regions.is_empty(), "{:#?}\n{}", comparison.regions, items.join("\n"));
    }

    #[test]
    fn an_invariant_holds_exactly_where_no_request_refutes_it(
        items in items(),
        lines in prop::collection::vec(claims(), 1..5),
        asks in issuances(),
        points in some_points(),
    ) {
        // A group that is not there cannot be named.
        let declared = |gate: &str| items.iter().any(|item| item.starts_with(&format!("approval {gate} ")));
        let lines: Vec<String> = lines.iter().map(|line| match line.rsplit_once(" by ") {
            Some((rest, gate)) if !declared(gate) => rest.to_owned(),
            Some(_) | None => line.clone(),
        }).collect();
        let mut with_claims = items.clone();
        with_claims.push(format!("invariant promise {{\n{}\n}}", lines.join("\n")));
        let compiled = compile(&[with_claims]);
        let set = Arc::clone(compiled.program.set());
        for (line, proof) in lines.iter().zip(prove(&set)) {
            let claim = &set.invariants[panopol::ir::InvariantId::from_index(0)].lines;
            let claim = &claim.iter().find(|(span, _)| *span == proof.span).unwrap().1;
            match &proof.verdict {
                Proved::FailsFor(witness) => {
                    prop_assert!(refutes(&compiled, claim, witness), "{line}: {witness:#?}\n{}", items.join("\n"));
                }
                Proved::NotDecided => prop_assert!(false, "{line} is not decided"),
                Proved::Holds | Proved::Vacuous => {
                    for (tags, source, at) in &points {
                        let witness = panopol::analyze::witness::UnlockWitness { tags: tags.clone(), source: *source, at: Some(*at) };
                        prop_assert!(!refutes(&compiled, claim, &Refuting::Unlock(witness)), "{line}: {tags:?} {source} {at}\n{}", items.join("\n"));
                    }
                    for ask in &asks {
                        prop_assert!(!refutes(&compiled, claim, &Refuting::Issuance(Box::new(ask.request.clone()))), "{line}: {:#?}\n{}", ask.request, items.join("\n"));
                    }
                }
            }
        }
    }
}

/// Whether deciding the request shows that the claim does not hold of it.
fn refutes(compiled: &Compiled, claim: &panopol::ir::unlock::Claim, witness: &Refuting) -> bool {
    use panopol::ir::unlock::Claim;
    let program = &compiled.program;
    match (claim, witness) {
        (Claim::NeverAllowUnlock(region), Refuting::Unlock(witness)) => {
            let at = witness.at.unwrap_or_default();
            let outcome_with = |approvals: Vec<Approved>| {
                let facts = UnlockFacts {
                    approvals,
                    ..UnlockFacts::default()
                };
                decide_with(program, (&witness.tags, witness.source, at), &facts).outcome
            };
            is_within(compiled, region, witness)
                && match region.without_approval {
                    None => outcome_with(Vec::new()) != Outcome::Deny,
                    Some(WithoutApproval::Any) => outcome_with(Vec::new()) == Outcome::Allow,
                    // Every other group says yes, and that is enough.
                    Some(WithoutApproval::By(group)) => {
                        let name = program.set().approvals.name(group);
                        let names = program.set().approvals.names();
                        let others = names.filter(|other| *other != name);
                        let approved = Approved {
                            id: "a".to_owned(),
                            groups: others.map(str::to_owned).collect(),
                            source: None,
                            until: at + SignedDuration::from_hours(1),
                        };
                        outcome_with(vec![approved]) == Outcome::Allow
                    }
                }
        }
        (Claim::AlwaysReachableUnlock(region), Refuting::Unlock(witness)) => {
            let outcome = decide(
                program,
                &witness.tags,
                witness.source,
                witness.at.unwrap_or_default(),
            )
            .outcome;
            is_within(compiled, region, witness) && outcome == Outcome::Deny
        }
        (Claim::NeverAllowIssuance(region), Refuting::Issuance(request)) => {
            refutes_issuance(compiled, region, request)
        }
        _ => false,
    }
}

/// A device that enrollment permits, of the region's selector, from its sources:
/// asked of the evaluator with a policy of one rule.
fn is_within(
    compiled: &Compiled,
    region: &panopol::ir::unlock::UnlockRegion,
    witness: &panopol::analyze::witness::UnlockWitness,
) -> bool {
    use panopol::ir::unlock::Source;
    let program = &compiled.program;
    if program.classify(&witness.tags).is_err() {
        return false;
    }
    let matches = compiled.twin.selects(&region.selector, &witness.tags);
    let inside = region.from.as_ref().is_none_or(|from| {
        let covered = from.sources.iter().any(|source| match source {
            Source::Network(id) => program.covers(*id, witness.source),
            Source::Prefix(prefix) => panopol::address::covers(*prefix, witness.source),
        });
        covered != from.outside
    });
    matches && inside
}

fn refutes_issuance(
    compiled: &Compiled,
    region: &panopol::ir::unlock::IssuanceRegion,
    request: &IssuanceRequest,
) -> bool {
    let decision =
        compiled
            .program
            .decide_issuance(request, &IssuanceFacts::default(), Timestamp::UNIX_EPOCH);
    let names: Vec<_> = request
        .san
        .iter()
        .map(|name| (name.as_str(), parse_name(name)))
        .collect();
    let (action, _) = effective_action(request, &names);
    let has_key = region.key_types.as_ref().is_none_or(|types| {
        request
            .key_type
            .as_ref()
            .is_some_and(|word| types.iter().any(|one| one.word() == word))
    });
    let has_name = region.san.as_ref().is_none_or(|(kind, patterns)| {
        names.iter().any(|(_, name)| {
            name.as_ref().is_ok_and(|name| {
                name.kind() == *kind
                    && patterns
                        .iter()
                        .any(|pattern| panopol::san::meets(name, pattern))
            })
        })
    });
    let judged = compiled.twin.selects_request(&region.selector, request);
    let named = format!("{:?}", region.selector).contains("Action(");
    let regulated = matches!(action, Action::Issue | Action::Renew | Action::Reissue);
    decision.outcome != Outcome::Deny && has_key && has_name && judged && (named || regulated)
}
