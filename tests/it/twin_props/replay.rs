//! Recorded requests judged again: nothing flips under the policy that decided
//! them, and under another what the two decisions say, told by the most literal
//! reading of both.

use panopol::decision::{Decision, Obligation};
use panopol::record::{Asked, Record, VERSION};
use panopol::replay::{Class, Judge, Replay};
use panopol::vocabulary::{Outcome, ReasonCode};
use proptest::prelude::*;

use super::ask::{IssuanceAsk, UnlockAsk, issuances, unlocks};
use super::world::items;
use super::{Compiled, compile, config};

fn record(at: jiff::Timestamp, asked: Asked, decision: Decision) -> String {
    let record = Record {
        v: VERSION,
        id: "1-\u{e9}\"".to_owned(),
        time: at,
        asked,
        decision,
        repeats: None,
    };
    serde_json::to_string(&record).unwrap()
}

/// The same line with its members, and those of its request, from last to first.
fn reversed(line: &str) -> String {
    let serde_json::Value::Object(mut members) = serde_json::from_str(line).unwrap() else {
        panic!("{line}");
    };
    let request = members["request"].as_object().unwrap().clone();
    let request: serde_json::Map<_, _> = request.into_iter().rev().collect();
    members["request"] = request.into();
    let members: serde_json::Map<_, _> = members.into_iter().rev().collect();
    serde_json::Value::Object(members).to_string()
}

fn rank(outcome: Outcome) -> usize {
    let order = [Outcome::Deny, Outcome::Pending, Outcome::Allow];
    order.iter().position(|one| *one == outcome).unwrap()
}

fn codes(decision: &Decision) -> Vec<ReasonCode> {
    decision.reasons.iter().map(|reason| reason.code).collect()
}

fn sorted(mut obligations: Vec<Obligation>) -> Vec<Obligation> {
    obligations.sort();
    obligations
}

/// The class that two decisions come to, where nothing is lacking.
fn literal(before: &Decision, after: &Decision) -> Option<Class> {
    if rank(after.outcome) > rank(before.outcome) {
        return Some(Class::Widened);
    }
    if rank(after.outcome) < rank(before.outcome) {
        return Some(Class::Narrowed);
    }
    let same = codes(before) == codes(after)
        && before.groups == after.groups
        && before.approvers == after.approvers
        && sorted(before.obligations.clone()) == sorted(after.obligations.clone());
    (!same).then_some(Class::Changed)
}

/// Whether the later decision rests on what the record does not hold.
fn is_lacking(before: &Decision, after: &Decision) -> bool {
    let reason = &after.reasons[0];
    let mut violations = after.reasons.iter().flat_map(|reason| &reason.violations);
    let absent = [
        ReasonCode::KeyType,
        ReasonCode::IssuerType,
        ReasonCode::IssuerId,
        ReasonCode::Naming,
        ReasonCode::Lifetime,
        ReasonCode::AutoRenew,
        ReasonCode::ReasonRequired,
        ReasonCode::TicketRequired,
    ];
    let members = after.outcome == Outcome::Deny
        && violations.clone().next().is_some()
        && violations.all(|one| one.found.is_none() && absent.contains(&one.code));
    let tag = reason.code == ReasonCode::EvaluationIncomplete
        && reason.message.contains("the required tag");
    (members || tag) && before.reasons[0].code != reason.code
}

/// Judges a line under `policies` in both orders of its members, and holds what
/// comes out against what the two decisions say.
fn expect_class(policies: &Replay, line: &str, before: &Decision, after: &Decision) {
    let mut judge = Judge::new(policies);
    let expected = match literal(before, after) {
        Some(_) if is_lacking(before, after) => Some(Class::Lacking),
        class => class,
    };
    // Twice, so that what is kept of the first time is judged too.
    for line in [line.to_owned(), line.to_owned(), reversed(line)] {
        let judged = judge.judge(line.as_bytes()).unwrap();
        assert_eq!(judged.count, 1);
        assert_eq!(
            judged.flip.as_ref().map(|flip| flip.class),
            expected,
            "{line}\nbefore {before:#?}\nafter {after:#?}"
        );
        if let Some(flip) = judged.flip {
            assert_eq!(&flip.after, after);
            assert!(!flip.cause.text().is_empty());
        }
    }
}

struct Pair {
    old: Compiled,
    same: Replay,
    new: Compiled,
    other: Replay,
    anew: Replay,
}

fn pair(old: &[String], new: &[String]) -> Pair {
    let (old, new) = ([old.to_vec()], [new.to_vec()]);
    let replay = |candidate: &[Vec<String>], baseline: Option<&[Vec<String>]>| Replay {
        candidate: compile(candidate).program,
        baseline: baseline.map(|files| compile(files).program),
    };
    Pair {
        same: replay(&old, None),
        other: replay(&new, None),
        anew: replay(&new, Some(&old)),
        old: compile(&old),
        new: compile(&new),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_replay_flips_what_the_two_policies_decide_otherwise(
        old in items(), new in items(), unlocks in unlocks(), issuances in issuances(),
    ) {
        let pair = pair(&old, &new);
        let both = unlocks.iter().map(|ask| {
            let UnlockAsk { request, facts, at } = ask.clone();
            (at, Asked::Unlock { request, facts }, pair.old.unlock(ask), pair.new.unlock(ask))
        });
        let both = both.chain(issuances.iter().map(|ask| {
            let IssuanceAsk { request, facts, at } = ask.clone();
            let asked = Asked::Issuance { request: Box::new(request), facts };
            (at, asked, pair.old.issuance(ask), pair.new.issuance(ask))
        }));
        for (at, asked, before, after) in both {
            let line = record(at, asked, before.clone());
            expect_class(&pair.same, &line, &before, &before);
            expect_class(&pair.other, &line, &before, &after);
            expect_class(&pair.anew, &line, &before, &after);
        }
    }
}
