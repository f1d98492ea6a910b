//! The exported policies, decided by Cedar's own engine as by the evaluator,
//! wherever Cedar can say it: allow by `unlock`, allow or pending by `reach`,
//! and why something is denied by the forbids that determined it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, Policy, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use jiff::Timestamp;
use panopol::address::{covers, fold, fold_prefix};
use panopol::export::cedar::export;
use panopol::ir;
use panopol::request::ArmedAllowOnce;
use panopol::space::schedule::is_open;
use panopol::vocabulary::{Outcome, Override, ReasonCode};
use proptest::prelude::*;

use super::ask::{UnlockAsk, unlocks};
use super::world::items;
use super::{compile, config};

/// The exported policies, ready to decide.
pub(crate) struct Exported {
    schema: Schema,
    policies: PolicySet,
}

impl Exported {
    /// Exports `set`; what comes out is valid in Cedar's strict mode.
    pub(crate) fn new(set: &ir::PolicySet) -> Exported {
        let made = export(set);
        let (schema, warnings) = Schema::from_cedarschema_str(&made.schema)
            .unwrap_or_else(|error| panic!("{error:?}\n{}", made.schema));
        assert_eq!(warnings.count(), 0);
        let policies = PolicySet::from_str(&made.policies)
            .unwrap_or_else(|error| panic!("{error:?}\n{}", made.policies));
        let found = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        let errors: Vec<String> = found.validation_errors().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{}", made.policies);
        Exported { schema, policies }
    }

    /// What Cedar answers to one action, with the reasons of the policies that
    /// determined it; none where the schema refuses the device.
    fn ask(&self, action: &str, given: &Given) -> Option<(bool, BTreeSet<String>)> {
        let id = |kind: &str, id: &str| EntityUid::from_str(&format!("{kind}::\"{id}\"")).unwrap();
        let (device, disk) = (id("Device", "host"), id("Disk", "disk"));
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let tags = given
            .tags
            .iter()
            .map(|(tag, value)| (tag.clone(), text(value)));
        let members = HashMap::from([
            ("state".to_owned(), text(&given.state)),
            (
                "tags".to_owned(),
                RestrictedExpression::new_record(tags).unwrap(),
            ),
        ]);
        let device_entity = Entity::new(device.clone(), members, HashSet::new()).unwrap();
        let disk_entity = Entity::new_no_attrs(disk.clone(), HashSet::new());
        let entities =
            Entities::from_entities([device_entity, disk_entity], Some(&self.schema)).ok()?;
        let context = Context::from_pairs(given.context()).unwrap();
        let action = id("Action", action);
        let request = Request::new(device, action, disk, context, Some(&self.schema)).unwrap();
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        let errors: Vec<String> = answer
            .diagnostics()
            .errors()
            .map(ToString::to_string)
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let reasons = answer
            .diagnostics()
            .reason()
            .map(|id| self.policies.policy(id).unwrap());
        let reason = |policy: &Policy| policy.annotation("reason").unwrap().to_owned();
        Some((
            answer.decision() == Decision::Allow,
            reasons.map(reason).collect(),
        ))
    }
}

/// A request and what is live beside it, as Cedar is given them.
struct Given {
    tags: BTreeMap<String, String>,
    state: String,
    source: String,
    denied: bool,
    approved: Vec<String>,
    armed: [Vec<String>; 3],
    open: Vec<String>,
    bypasses: Vec<String>,
}

impl Given {
    /// Works out what is live, by the plainest reading.
    fn new(set: &ir::PolicySet, ask: &UnlockAsk) -> Given {
        let (at, source) = (ask.at, fold(ask.request.source));
        let here = |prefix: ipnet::IpNet| covers(fold_prefix(prefix), source);
        let denials = ask.facts.denials.iter();
        let approvals = ask.facts.approvals.iter();
        let approvals = approvals.filter(|one| at < one.until && one.source.is_none_or(here));
        let armed = |what: Override| {
            let all = ask.facts.allow_once.iter();
            let live = all.filter(|one| is_armed(one, what, at, &here));
            live.map(|one| one.name.clone()).collect()
        };
        let schedules = set.schedules.iter();
        let bypasses = set.bypasses.iter();
        let bypasses = bypasses.filter(|(_, one)| ask.facts.allow_bypass && at < one.until);
        Given {
            tags: ask.request.tags.clone(),
            state: ask.request.state.word().to_owned(),
            source: source.to_string(),
            denied: { denials }.any(|one| at < one.until && here(one.source)),
            approved: approvals.flat_map(|one| one.groups.clone()).collect(),
            armed: [Override::Source, Override::Disabled, Override::Approval].map(armed),
            open: schedules
                .filter(|(_, schedule)| is_open(schedule, at))
                .map(|(_, schedule)| schedule.header.name.clone())
                .collect(),
            bypasses: bypasses.map(|(_, one)| one.header.name.clone()).collect(),
        }
    }

    fn context(&self) -> Vec<(String, RestrictedExpression)> {
        let set = |words: &[String]| {
            let words = words.iter().cloned().map(RestrictedExpression::new_string);
            RestrictedExpression::new_set(words)
        };
        let [source, disabled, approval] = &self.armed;
        let armed = [
            ("source", source),
            ("disabled", disabled),
            ("approval", approval),
        ];
        let armed = armed.map(|(what, names)| (what.to_owned(), set(names)));
        vec![
            (
                "source".to_owned(),
                RestrictedExpression::new_ip(&self.source),
            ),
            (
                "denied".to_owned(),
                RestrictedExpression::new_bool(self.denied),
            ),
            ("approved".to_owned(), set(&self.approved)),
            (
                "armed".to_owned(),
                RestrictedExpression::new_record(armed).unwrap(),
            ),
            ("open".to_owned(), set(&self.open)),
            ("bypasses".to_owned(), set(&self.bypasses)),
        ]
    }
}

/// Whether it was armed for this, and is live here and now.
fn is_armed(
    one: &ArmedAllowOnce,
    what: Override,
    at: Timestamp,
    here: &impl Fn(ipnet::IpNet) -> bool,
) -> bool {
    let somewhere = what != Override::Source || !one.addresses.is_empty();
    let at_hand = one.addresses.is_empty() || one.addresses.iter().any(|&prefix| here(prefix));
    one.overrides.contains(&what) && at < one.until && at_hand && somewhere
}

/// The codes of forbids, in the order of decision.
const ORDER: [ReasonCode; 5] = [
    ReasonCode::DeviceRevoked,
    ReasonCode::TemporarilyDenied,
    ReasonCode::EvaluationIncomplete,
    ReasonCode::SourceDenied,
    ReasonCode::DeviceDisabled,
];

/// Holds Cedar's answers against a decision.
pub(crate) fn expect_as_cedar(
    exported: &Exported,
    set: &ir::PolicySet,
    ask: &UnlockAsk,
    decision: &panopol::decision::Decision,
) {
    let given = Given::new(set, ask);
    let code = decision.reasons[0].code;
    let (Some(unlock), Some(reach)) = (
        exported.ask("unlock", &given),
        exported.ask("reach", &given),
    ) else {
        // A tag that is not declared.
        let declared = |tag: &String| set.tags.find(tag).is_some();
        assert!(!given.tags.keys().all(declared), "{ask:#?}");
        assert!(ORDER[..3].contains(&code), "{ask:#?}");
        return;
    };
    let outcome = match (unlock.0, reach.0) {
        (true, _) => Outcome::Allow,
        (false, true) => Outcome::Pending,
        (false, false) => Outcome::Deny,
    };
    assert_eq!(outcome, decision.outcome, "{ask:#?}\n{decision:#?}");
    assert!(reach.0 || !unlock.0, "what is allowed is reached");
    match outcome {
        Outcome::Allow => assert_eq!(unlock.1, BTreeSet::from(["allowed".to_owned()])),
        Outcome::Pending => {
            assert_eq!(unlock.1, BTreeSet::from(["approval-required".to_owned()]));
        }
        Outcome::Deny => {
            let first = ORDER.iter().find(|code| reach.1.contains(code.word()));
            match first {
                Some(&first) => assert_eq!(first, code, "{ask:#?}"),
                // Nothing permits: Cedar does not say whether only a schedule failed.
                None => assert!(
                    [ReasonCode::SourceNotAllowed, ReasonCode::OutsideSchedule].contains(&code),
                    "{ask:#?}\n{decision:#?}"
                ),
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn cedar_decides_the_exported_policies_as_they_were_decided(
        items in items(), asks in unlocks(),
    ) {
        let compiled = compile(std::slice::from_ref(&items));
        let set = compiled.program.set();
        let exported = Exported::new(set);
        for ask in &asks {
            expect_as_cedar(&exported, set, ask, &compiled.unlock(ask));
        }
    }
}

#[test]
fn cedar_evaluates_what_thousands_of_rules_and_prefixes_come_to() {
    let prefixes: Vec<String> = (0..20_000u32)
        .map(|number| format!("10.{}.{}.0/25", number >> 8, number & 255))
        .collect();
    let mut items = vec![
        "tag host = text".to_owned(),
        "person alice { role owner in org }".to_owned(),
        format!("network racks = [{}]", prefixes.join(", ")),
        "unlock racks { allow from racks }".to_owned(),
    ];
    items.extend((0..3000).map(|number| {
        format!(
            "approval a{number} {{ on unlock where host == \"{number}\" approvers person alice }}"
        )
    }));
    let compiled = compile(&[items]);
    let set = compiled.program.set();
    let exported = Exported::new(set);
    for (host, source, outcome) in [
        ("2999", "10.78.31.9", Outcome::Pending),
        ("3000", "10.78.31.127", Outcome::Allow),
        ("0", "10.78.31.128", Outcome::Deny),
    ] {
        let request = serde_json::json!({
            "tags": {"host": host}, "state": "active", "source": source,
        });
        let ask = UnlockAsk {
            request: serde_json::from_value(request).unwrap(),
            facts: Default::default(),
            at: Timestamp::UNIX_EPOCH,
        };
        let decision = compiled.unlock(&ask);
        assert_eq!(decision.outcome, outcome);
        expect_as_cedar(&exported, set, &ask, &decision);
    }
}
