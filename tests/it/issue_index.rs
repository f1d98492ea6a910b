//! The index over patterns and selectors, held against looking through all of
//! them in order.

use jiff::Timestamp;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::request::{IssuanceFacts, IssuanceRequest};
use panopol::san::{San, SanPattern, inside, meets, parse_name};
use panopol::source::load::InMemory;
use panopol::vocabulary::ReasonCode;
use proptest::prelude::*;

const BASES: &[&str] = &[
    "com",
    "a.com",
    "b.a.com",
    "c.b.a.com",
    "d.c.b.a.com",
    "xa.com",
    "e.a.com",
];

fn program(policy: &str) -> Program {
    let mut files = InMemory::default();
    files.files.insert("p.pano".to_owned(), policy.into());
    let checked = check_files(&mut files);
    Program::compile(checked.set.unwrap_or_else(|| panic!("{policy}")))
}

fn request(san: &str) -> IssuanceRequest {
    let text = format!(r#"{{"action": "issue", "project": "web", "san": ["{san}"]}}"#);
    serde_json::from_str(&text).unwrap()
}

fn dns_pattern() -> impl Strategy<Value = String> {
    let star = prop::sample::select(vec!["", "*.", "**."]);
    (star, prop::sample::select(BASES)).prop_map(|(star, base)| format!("{star}{base}"))
}

/// Patterns in any order, each once: a policy that says one twice is refused.
fn dns_patterns() -> impl Strategy<Value = Vec<String>> {
    let all = prop::collection::btree_set(dns_pattern(), 1..12);
    all.prop_map(|all| all.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn name() -> impl Strategy<Value = String> {
    let form = prop::sample::select(vec!["dns:", "dns:*.", "dns:z.", "email:x@", "uri:https://"]);
    (form, prop::sample::select(BASES)).prop_map(|(form, base)| format!("{form}{base}"))
}

fn list(patterns: &[String]) -> String {
    let quoted: Vec<String> = patterns.iter().map(|one| format!("\"{one}\"")).collect();
    quoted.join(", ")
}

/// What looking through all patterns says: the code, and the set that denies.
fn expected(name: &San, allow: &[SanPattern], deny: &[SanPattern]) -> (ReasonCode, Option<String>) {
    if let Some(found) = deny.iter().find(|pattern| meets(name, pattern)) {
        return (ReasonCode::SanDenied, Some(found.to_string()));
    }
    match allow.iter().any(|pattern| inside(name, pattern)) {
        true => (ReasonCode::Allowed, None),
        false => (ReasonCode::SanNotAllowed, None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_name_is_judged_as_by_looking_through_all_patterns(
        allow in dns_patterns(),
        deny in dns_patterns(),
        names in prop::collection::vec(name(), 1..12),
    ) {
        let policy = format!(
            "edition 2026\nproject web {{}}\nissuance web {{ where project == web  san dns allow [{}] deny [{}] }}\n",
            list(&allow),
            list(&deny),
        );
        let (program, sizes) = (program(&policy), (allow.len(), deny.len()));
        // In the order that the program has them in.
        let rule = &program.set().issuances.iter().next().unwrap().1.san[0];
        let (allow, deny) = (rule.allow.as_ref().unwrap(), &rule.deny);
        prop_assert_eq!((allow.len(), deny.len()), sizes);
        for text in names {
            let facts = IssuanceFacts::default();
            let decision = program.decide_issuance(&request(&text), &facts, Timestamp::UNIX_EPOCH);
            let reason = &decision.reasons[0];
            let (code, by) = expected(&parse_name(&text).unwrap(), allow, deny);
            prop_assert_eq!(reason.code, code, "{} in {}", text, policy);
            if let Some(by) = by {
                // The first that denies is the one that is named.
                let named = format!(" `{by}`, which");
                prop_assert!(reason.message.contains(&named), "{}: {}", reason.message, policy);
            }
        }
    }
}

#[test]
fn a_policy_matches_by_whatever_its_selector_needs() {
    let set = "edition 2026
tag tier = gold | iron
project web { tags { tier = gold } }
project lab { tags { tier = iron } }
profile fast {}
person ann { role operator in org }
person bob { role operator in org }
";
    for (selector, matches) in [
        ("project == web", true),
        ("project == lab", false),
        ("project in [lab, web]", true),
        ("tier == gold", true),
        ("tier == iron", false),
        ("tier != iron", true),
        ("not project == web", false),
        ("not project == lab", true),
        ("project == lab or tier == gold", true),
        ("project == lab or tier == iron", false),
        ("project == lab or action == issue", true),
        ("project == web and tier == iron", false),
        ("tier == gold and action == issue", true),
        ("requester == ann", true),
        ("requester == bob", false),
        ("profile == fast", true),
        ("has profile and requester in [ann, bob]", true),
        (
            "(project == lab and tier == gold) or (profile == fast and project == web)",
            true,
        ),
    ] {
        let policy = format!("{set}issuance one {{ where {selector} }}\n");
        let program = program(&policy);
        let request: IssuanceRequest = serde_json::from_str(
            r#"{"action": "issue", "project": "web", "profile": "fast", "requester": "ann"}"#,
        )
        .unwrap();
        let facts = IssuanceFacts::default();
        let decision = program.decide_issuance(&request, &facts, Timestamp::UNIX_EPOCH);
        let code = match matches {
            true => ReasonCode::Allowed,
            false => ReasonCode::Unregulated,
        };
        assert_eq!(decision.reasons[0].code, code, "{selector}");
    }
}
