//! What the evaluator says beyond its outcomes: messages, traces, the nearest
//! miss, approvers, and what is spent.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use panopol::check::check_files;
use panopol::decision::{Decision, Obligation};
use panopol::eval::{Program, given};
use panopol::ir::test::Expect;
use panopol::request::{
    Approved, ArmedAllowOnce, IssuanceFacts, IssuanceRequest, UnlockFacts, UnlockRequest,
};
use panopol::source::load::{Directory, InMemory};
use panopol::vocabulary::{Action, DeviceState, Outcome, Override};
use proptest::prelude::*;

use crate::support;

const FLEET: &str = r#"edition 2026
tag env  = production | staging | dev required
tag role = database | web
tag site = text
network office   = 203.0.113.0/24
network provider = 192.0.2.0/24
network anywhere = [0.0.0.0/0, ::/0]
schedule business-hours = mon..fri 08:00..18:00 in "Europe/Berlin"
project web { tags { env = production } }
project lab { tags { env = dev } }
person alice { role owner in org }
person bob   { role admin in project web  delegate dave from 2026-12-20 until 2027-01-02 }
person carol { role operator in project web }
person dave  { role viewer in project lab }
person erin  { role owner in project web }
service renewals { owner bob  role operator in project web }
team dba = [alice, bob]
unlock fixed {
  where env == production and role in [database, web]
  allow from [office, provider, 198.51.100.7]
  deny from 203.0.113.66
}
unlock laptops {
  where env != production and not has role
  allow from anywhere during business-hours
}
unlock lab {
  where site == "lab 1"
  allow from 10.0.0.0/8
}
allow-once by-source { where env == production  overrides source  by team dba  max 2h }
allow-once by-state  { where env == production  overrides disabled  by team dba  max 2h }
allow-once both      { where env == production  overrides [source, disabled]  by team dba  max 2h }
approval prod-db {
  on unlock where env == production and role == database
  approvers team dba
}
approval prod-certs {
  on [issue, renew, revoke] where project == web
  approvers tier-above
}
approval late {
  on reissue where project == web
  approvers person bob
}
issuance web {
  where project == web
  key-types [ECDSA-P256, ECDSA-P384]
  san dns allow ["*.example.com", "**.internal.example.com"] deny "**.admin.example.com"
  san ip allow 10.0.0.0/8
  san max 3
  lifetime max 90d
}
"#;

fn program(text: &str) -> Program {
    let mut files = InMemory::default();
    files.files.insert("fleet.pano".to_owned(), text.into());
    let checked = check_files(&mut files);
    let set = checked
        .set
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    Program::compile(set)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Noon on a Friday in Berlin.
fn noon() -> Timestamp {
    at("2026-11-20T12:00:00+01:00")
}

fn device(tags: &[(&str, &str)], source: &str) -> UnlockRequest {
    UnlockRequest {
        device: "db1".to_owned(),
        tags: tags
            .iter()
            .map(|&(tag, value)| (tag.to_owned(), value.to_owned()))
            .collect(),
        state: DeviceState::Active,
        source: source.parse().unwrap(),
        kid: None,
    }
}

const WEB: &[(&str, &str)] = &[("env", "production"), ("role", "web")];
const DATABASE: &[(&str, &str)] = &[("env", "production"), ("role", "database")];

/// The reason and the trace as a person reads them.
fn shown(decision: &Decision) -> String {
    let mut text = format!("{}\n", decision.outcome);
    for reason in &decision.reasons {
        write!(text, "{}: {}", reason.code, reason.message).unwrap();
        if let Some(rule) = &reason.rule {
            write!(text, " [{} {}:{}]", rule.kind, rule.name, rule.line).unwrap();
        }
        text.push('\n');
    }
    for entry in decision.trace.iter().flatten() {
        let name = entry.rule.as_ref().map_or("-", |rule| &rule.name);
        let mark = if entry.matched { '+' } else { ' ' };
        let nearest = if entry.nearest { " <- nearest" } else { "" };
        writeln!(
            text,
            "{mark} {} {name}: {}{nearest}",
            entry.step, entry.detail
        )
        .unwrap();
    }
    text
}

fn unlock_trace(tags: &[(&str, &str)], source: &str, when: Timestamp) -> String {
    let facts = UnlockFacts::default();
    shown(&program(FLEET).trace_unlock(&device(tags, source), &facts, when))
}

#[test]
fn an_allowed_unlock_names_rule_line_and_network() {
    insta::assert_snapshot!(unlock_trace(WEB, "203.0.113.9", noon()));
}

#[test]
fn a_source_that_no_rule_allows_has_a_nearest_miss() {
    insta::assert_snapshot!(unlock_trace(WEB, "198.51.100.8", noon()));
}

#[test]
fn a_denied_source_says_by_which_line() {
    insta::assert_snapshot!(unlock_trace(WEB, "::ffff:203.0.113.66", noon()));
}

#[test]
fn a_closed_schedule_says_when_it_opens() {
    let night = at("2026-11-20T18:00:00+01:00");
    insta::assert_snapshot!(unlock_trace(&[("env", "dev")], "198.51.100.8", night));
}

#[test]
fn a_device_that_matches_no_rule_is_told_which_condition_failed() {
    let tags = [("env", "staging"), ("role", "web"), ("site", "lab 2")];
    insta::assert_snapshot!(unlock_trace(&tags, "10.1.2.3", noon()));
}

#[test]
fn a_device_that_could_not_be_enrolled_is_incomplete() {
    insta::assert_snapshot!(unlock_trace(&[("role", "web")], "203.0.113.9", noon()));
}

#[test]
fn a_pending_unlock_says_for_whom_it_waits() {
    let program = program(FLEET);
    let request = device(DATABASE, "203.0.113.9");
    let decision = program.trace_unlock(&request, &UnlockFacts::default(), noon());
    insta::assert_snapshot!(shown(&decision));
    assert_eq!(decision.groups, ["prod-db"]);
    assert_eq!(decision.approvers, ["alice", "bob"]);
    assert!(decision.obligations.is_empty());
}

#[test]
fn a_delegate_stands_in_while_the_delegation_lasts() {
    let program = program(FLEET);
    let approvers = |when: &str| {
        let request = device(DATABASE, "203.0.113.9");
        program
            .decide_unlock(&request, &UnlockFacts::default(), at(when))
            .approvers
    };
    assert_eq!(approvers("2026-12-19T23:59:59Z"), ["alice", "bob"]);
    assert_eq!(approvers("2026-12-20T00:00:00Z"), ["alice", "bob", "dave"]);
    assert_eq!(approvers("2027-01-02T23:59:59Z"), ["alice", "bob", "dave"]);
    assert_eq!(approvers("2027-01-03T00:00:00Z"), ["alice", "bob"]);
}

fn armed(id: &str, name: &str, overrides: &[Override], until: &str) -> ArmedAllowOnce {
    ArmedAllowOnce {
        id: id.to_owned(),
        name: name.to_owned(),
        overrides: overrides.to_vec(),
        addresses: vec!["198.51.100.0/24".parse().unwrap()],
        until: at(until),
    }
}

fn spent(decision: &Decision) -> Vec<&str> {
    let obligations = decision.obligations.iter();
    obligations
        .map(|one| match one {
            Obligation::SpendAllowOnce { id } | Obligation::SpendApproval { id } => id.as_str(),
            Obligation::RecordBypass { name } => name.as_str(),
        })
        .collect()
}

#[test]
fn one_allow_once_that_does_for_all_is_spent_before_two() {
    let program = program(FLEET);
    let mut request = device(WEB, "198.51.100.8");
    request.state = DeviceState::Disabled;
    let (source, state) = (Override::Source, Override::Disabled);
    let mut facts = UnlockFacts {
        allow_once: vec![
            armed("a", "by-source", &[source], "2026-11-21T00:00:00Z"),
            armed("b", "by-state", &[state], "2026-11-21T00:00:00Z"),
            armed("d", "both", &[source, state], "2026-11-23T00:00:00Z"),
            armed("c", "both", &[source, state], "2026-11-23T00:00:00Z"),
        ],
        ..UnlockFacts::default()
    };
    let decision = program.decide_unlock(&request, &facts, noon());
    insta::assert_snapshot!(shown(&decision), @"
    allow
    allowed: allow-once `both` overrides source, disabled [allow-once both:33]
    ");
    assert_eq!(spent(&decision), ["c"]);
    facts.allow_once.truncate(2);
    assert_eq!(
        spent(&program.decide_unlock(&request, &facts, noon())),
        ["a", "b"]
    );
}

#[test]
fn an_allow_once_holds_what_policy_still_grants_from_where_it_was_armed() {
    let program = program(FLEET);
    let request = device(WEB, "198.51.100.8");
    let outcome = |one: ArmedAllowOnce, when: &str| {
        let facts = UnlockFacts {
            allow_once: vec![one],
            ..UnlockFacts::default()
        };
        program.decide_unlock(&request, &facts, at(when)).outcome
    };
    let why = |one: ArmedAllowOnce| {
        let facts = UnlockFacts {
            allow_once: vec![one],
            ..UnlockFacts::default()
        };
        let trace = program.trace_unlock(&request, &facts, noon()).trace;
        let mut entries = trace.unwrap().into_iter();
        entries
            .find(|entry| entry.step == "allow-once")
            .unwrap()
            .detail
    };
    let good = || {
        armed(
            "a",
            "by-source",
            &[Override::Source],
            "2026-11-20T12:00:00Z",
        )
    };
    assert_eq!(outcome(good(), "2026-11-20T11:59:59Z"), Outcome::Allow);
    assert_eq!(outcome(good(), "2026-11-20T12:00:00Z"), Outcome::Deny);
    let not_granted = armed("a", "by-state", &[Override::Source], "2026-11-21T00:00:00Z");
    assert_eq!(outcome(not_granted, "2026-11-20T11:00:00Z"), Outcome::Deny);
    let no_address = ArmedAllowOnce {
        addresses: Vec::new(),
        ..good()
    };
    assert_eq!(outcome(no_address, "2026-11-20T11:00:00Z"), Outcome::Deny);
    let elsewhere = ArmedAllowOnce {
        addresses: vec!["192.0.2.0/24".parse().unwrap()],
        ..good()
    };
    assert_eq!(outcome(elsewhere, "2026-11-20T11:00:00Z"), Outcome::Deny);
    let elsewhere = ArmedAllowOnce {
        addresses: vec!["192.0.2.0/24".parse().unwrap()],
        ..good()
    };
    insta::assert_snapshot!(why(elsewhere), @"`a` overrides nothing: it is armed for other addresses");
    let gone = ArmedAllowOnce {
        name: "gone".to_owned(),
        ..good()
    };
    insta::assert_snapshot!(why(gone), @"`a` overrides nothing: its rule is no longer declared");
    insta::assert_snapshot!(why(good()), @"`a` overrides source");
    let mapped = ArmedAllowOnce {
        addresses: vec!["::ffff:198.51.100.0/120".parse().unwrap()],
        ..good()
    };
    assert_eq!(outcome(mapped, "2026-11-20T11:00:00Z"), Outcome::Allow);
}

#[test]
fn of_approvals_that_mandatory_groups_need_the_fewest_are_spent() {
    let text = FLEET.to_owned()
        + "approval second { on unlock where role == database  approvers person alice  mandatory }
           approval third  { on unlock where role == database  approvers person bob    mandatory }";
    let program = program(&text);
    let request = device(DATABASE, "203.0.113.9");
    let approved = |id: &str, groups: &[&str], until: &str| Approved {
        id: id.to_owned(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        source: None,
        until: at(until),
    };
    let decide = |approvals: Vec<Approved>| {
        let facts = UnlockFacts {
            approvals,
            ..UnlockFacts::default()
        };
        program.decide_unlock(&request, &facts, noon())
    };
    let soon = "2026-11-21T00:00:00Z";
    let late = "2026-11-22T00:00:00Z";
    let both = decide(vec![
        approved("one", &["second"], soon),
        approved("two", &["third"], soon),
        approved("all", &["second", "third"], late),
    ]);
    assert_eq!(spent(&both), ["all"]);
    let halves = decide(vec![
        approved("two", &["third"], soon),
        approved("one", &["second"], late),
    ]);
    assert_eq!(spent(&halves), ["two", "one"]);
    let optional = decide(vec![
        approved("db", &["prod-db"], soon),
        approved("one", &["second"], soon),
    ]);
    assert_eq!(
        (optional.outcome, optional.groups),
        (Outcome::Pending, vec!["third".to_owned()])
    );
    let none = decide(Vec::new());
    assert_eq!(none.groups, ["prod-db", "second", "third"]);
}

fn certificate(requester: &str) -> IssuanceRequest {
    serde_json::from_value(serde_json::json!({
        "action": "issue", "project": "web", "requester": requester, "name": "api",
        "key_type": "ECDSA-P256", "san": ["dns:api.example.com"], "lifetime_s": 86_400,
    }))
    .unwrap()
}

fn issuance_trace(request: &IssuanceRequest) -> String {
    let facts = IssuanceFacts::default();
    shown(&program(FLEET).trace_issuance(request, &facts, noon()))
}

#[test]
fn every_violation_is_told_with_its_rule_and_what_is_allowed() {
    let mut request = certificate("carol");
    request.key_type = Some("RSA-512".to_owned());
    request.lifetime_s = Some(400 * 86_400);
    request.common_name = Some("www.example.com".to_owned());
    request.san = [
        "dns:x.admin.example.com",
        "dns:example.org",
        "dns:a..b",
        "uri:https://x.example.com",
    ]
    .map(str::to_owned)
    .to_vec();
    let decision = program(FLEET).decide_issuance(&request, &IssuanceFacts::default(), noon());
    let json = serde_json::to_string_pretty(&decision.reasons).unwrap();
    insta::assert_snapshot!(json);
}

#[test]
fn a_violation_marks_the_policy_that_was_nearest() {
    let mut request = certificate("carol");
    request.lifetime_s = None;
    insta::assert_snapshot!(issuance_trace(&request));
}

#[test]
fn a_renewal_that_asks_for_more_is_judged_as_an_issue_and_says_so() {
    let mut request = certificate("carol");
    request.action = panopol::vocabulary::Action::Reissue;
    request.predecessor = Some(panopol::request::Predecessor {
        id: "c-1".to_owned(),
        san: vec!["dns:*.example.com".to_owned()],
    });
    insta::assert_snapshot!(issuance_trace(&request));
    request
        .predecessor
        .as_mut()
        .unwrap()
        .san
        .push("dns:API.example.com.".to_owned());
    insta::assert_snapshot!(issuance_trace(&request));
}

#[test]
fn a_request_that_no_policy_matches_is_told_the_nearest() {
    let mut request = certificate("dave");
    request.project = Some("lab".to_owned());
    insta::assert_snapshot!(issuance_trace(&request));
}

#[test]
fn an_undeclared_project_cannot_be_evaluated() {
    let mut request = certificate("carol");
    request.project = Some("nowhere".to_owned());
    insta::assert_snapshot!(issuance_trace(&request), @"
    deny
    evaluation-incomplete: the evaluation cannot be completed: project `nowhere` is not declared
    + action -: judged as issue
    + request -: project `nowhere` is not declared
    ");
}

/// Who may approve an `issue` in project web by this requester.
fn approvers(requester: &str) -> Vec<String> {
    let request = certificate(requester);
    let facts = IssuanceFacts::default();
    let decision = program(FLEET).decide_issuance(&request, &facts, noon());
    assert_eq!(decision.outcome, Outcome::Pending);
    decision.approvers
}

#[test]
fn approvers_are_a_tier_above_the_requester_on_the_scope() {
    assert_eq!(approvers("carol"), ["alice", "bob", "erin"]);
    assert_eq!(approvers("bob"), ["alice", "erin"]);
}

#[test]
fn an_owners_request_goes_to_another_owner() {
    assert_eq!(approvers("erin"), ["alice"]);
}

#[test]
fn the_person_behind_a_service_never_approves_its_requests() {
    assert_eq!(approvers("renewals"), ["alice", "erin"]);
}

#[test]
fn nobody_stands_in_for_the_requester() {
    let mut request = certificate("bob");
    request.action = panopol::vocabulary::Action::Reissue;
    request.predecessor = Some(panopol::request::Predecessor {
        id: "c-1".to_owned(),
        san: request.san.clone(),
    });
    let christmas = at("2026-12-24T12:00:00Z");
    let program = program(FLEET);
    let decision = program.decide_issuance(&request, &IssuanceFacts::default(), christmas);
    assert_eq!(decision.groups, ["late"]);
    assert!(decision.approvers.is_empty(), "{:?}", decision.approvers);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_request_gets_a_decision(texts in proptest::collection::vec("\\PC{0,12}|dns:[a.*-]{0,9}", 8), lifetime in any::<u64>()) {
        let program = program(FLEET);
        let mut request = certificate("carol");
        let [key, issuer, name, common, reason, ticket, first, second] = texts.try_into().unwrap();
        (request.key_type, request.issuer_type, request.name) = (Some(key.clone()), Some(issuer), Some(name));
        (request.common_name, request.reason, request.ticket) = (Some(common), Some(reason), Some(ticket));
        (request.san, request.lifetime_s) = (vec![first, second], Some(lifetime));
        let decision = program.trace_issuance(&request, &IssuanceFacts::default(), noon());
        prop_assert_eq!(decision.outcome, Outcome::Deny);
        let unlock = device(&[("env", &key)], "192.0.2.1");
        let decision = program.trace_unlock(&unlock, &UnlockFacts::default(), Timestamp::MAX);
        prop_assert_eq!(decision.reasons.len(), 1);
    }
}

#[test]
fn a_decision_is_read_back_from_its_json() {
    let request = device(DATABASE, "203.0.113.9");
    let decision = program(FLEET).trace_unlock(&request, &UnlockFacts::default(), noon());
    let json = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<Decision>(&json).unwrap(), decision);
}

#[test]
fn a_verdict_says_the_same_as_its_decision() {
    let program = program(FLEET);
    let facts = UnlockFacts::default();
    for tags in [WEB, DATABASE, &[("env", "dev")], &[]] {
        let tags: BTreeMap<String, String> = tags
            .iter()
            .map(|&(tag, value)| (tag.to_owned(), value.to_owned()))
            .collect();
        let class = program.classify(&tags);
        for source in ["203.0.113.9", "203.0.113.66", "10.0.0.1", "::1"] {
            let request = UnlockRequest {
                tags: tags.clone(),
                ..device(&[], source)
            };
            let verdict = program.judge_unlock(&class, &request, &facts, noon());
            let decision = program.decide_unlock(&request, &facts, noon());
            assert_eq!(verdict.outcome(), decision.outcome);
            assert_eq!(verdict.code, decision.reasons[0].code);
        }
    }
}

#[test]
fn the_tests_of_the_shipped_policies_hold() {
    for name in ["reference", "small-company", "fleet"] {
        let path = support::root().join("policies").join(name);
        let checked = check_files(&mut Directory::open(&path).unwrap());
        let set = checked.set.unwrap();
        let program = Program::compile(set.clone());
        for test in &set.tests {
            let when = test.at.unwrap_or_else(noon);
            let decision = match given::of_test(&set, test) {
                given::Given::Unlock(request, facts) => {
                    program.trace_unlock(&request, &facts, when)
                }
                given::Given::Issuance(request, facts) => {
                    program.trace_issuance(&request, &facts, when)
                }
            };
            let codes = decision.reasons.iter().map(|reason| reason.code);
            let holds = match &test.expect {
                Expect::Allow => decision.outcome == Outcome::Allow,
                Expect::Deny(expected) => codes.eq(expected.iter().copied()),
                Expect::Pending(groups) => {
                    let names = groups.iter().map(|&id| set.approvals.name(id));
                    decision.outcome == Outcome::Pending && names.eq(decision.groups.iter())
                }
            };
            assert!(
                holds,
                "{name}: {}: {:?}\n{}",
                test.name,
                test.expect,
                shown(&decision)
            );
        }
    }
}

#[test]
fn a_pending_decision_says_where_nobody_may_approve() {
    let program = program(
        "edition 2026\n\
         person alice { role operator in org }\n\
         person bob { role owner in org }\n\
         project one\n\
         project two\n\
         project three\n\
         approval above { on revoke where project in [one, two]\n approvers tier-above }\n\
         approval own { on revoke where project in [two, three]\n approvers person alice }\n\
         approval must { on revoke where project == three\n approvers person bob\n mandatory }\n",
    );
    let ask = |project: &str, requester: &str| {
        let request = IssuanceRequest {
            action: Action::Revoke,
            project: Some(project.to_owned()),
            ..certificate(requester)
        };
        let decision = program.decide_issuance(&request, &IssuanceFacts::default(), noon());
        assert_eq!(decision.outcome, Outcome::Pending, "{}", shown(&decision));
        let message = decision.reasons[0].message.clone();
        (decision.approvers.join(" "), message)
    };
    for (project, requester, approvers, message) in [
        ("one", "alice", "bob", "waits for approval by `above`"),
        (
            "one",
            "bob",
            "",
            "waits for approval by `above`; nobody may approve for `above` at this time",
        ),
        // One of two is enough.
        (
            "two",
            "alice",
            "bob",
            "waits for approval by any one of `above`, `own`",
        ),
        // The approver of the other group does not help.
        (
            "three",
            "bob",
            "alice",
            "waits for approval by `must`; nobody may approve for `must` at this time",
        ),
    ] {
        let expected = (approvers.to_owned(), message.to_owned());
        assert_eq!(
            ask(project, requester),
            expected,
            "{project} by {requester}"
        );
    }
}

#[test]
fn a_verdict_by_a_row_allocates_nothing_and_one_without_a_row_is_the_same() {
    let rules = (0..200).map(|rule| {
        let during = ["", "during business-hours"][rule % 2];
        format!("unlock r{rule} {{ where env == dev  allow from 10.{rule}.0.0/16 {during} }}")
    });
    let text = format!("{FLEET}{}", rules.collect::<Vec<_>>().join("\n"));
    let mut files = InMemory::default();
    files.files.insert("p.pano".to_owned(), text.into_bytes());
    let set = check_files(&mut files).set.unwrap();
    let (program, narrow) = (
        Program::compile(std::sync::Arc::clone(&set)),
        Program::compile_within(set, 1000),
    );
    let tags = [("env", "dev"), ("role", "web")];
    let tags = BTreeMap::from(tags.map(|(tag, value)| (tag.to_owned(), value.to_owned())));
    let (known, walked) = (program.warm(&tags), narrow.warm(&tags));
    assert!(known.is_laid_out());
    assert!(!walked.is_laid_out());
    let facts = UnlockFacts::default();
    let mut request = UnlockRequest {
        device: "d".to_owned(),
        tags,
        state: DeviceState::Active,
        source: [10, 0, 0, 1].into(),
        kid: None,
    };
    // A schedule is looked up once before it is remembered.
    let times: [Timestamp; 2] =
        ["2026-06-10T10:00:00Z", "2026-06-10T20:00:00Z"].map(|time| time.parse().unwrap());
    let mut codes = std::collections::BTreeSet::new();
    for at in times {
        for third in 0..=255 {
            request.source = [10, third, 0, 1].into();
            program.judge_known(&known, &request, &facts, at);
            let mut fast = None;
            let allocated = allocation_counter::measure(|| {
                fast = Some(program.judge_known(&known, &request, &facts, at));
            });
            assert_eq!(allocated.count_total, 0, "{request:?}");
            let slow = narrow.judge_known(&walked, &request, &facts, at);
            assert_eq!(fast, Some(slow));
            codes.insert(slow.code.word());
        }
    }
    let seen: Vec<_> = codes.into_iter().collect();
    assert_eq!(seen, ["allowed", "outside-schedule", "source-not-allowed"]);
}
