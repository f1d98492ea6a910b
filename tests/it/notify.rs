//! What is told of a journal entry, in which words, and what follows from an
//! attempt: the parts of a notification that need no server.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use panopol::approval::{
    ApprovalRequest, Clause, Decision, GroupRequirement, NewRequest, Requirement, Step, Subject,
    Terms,
};
use panopol::durable::Hex;
use panopol::journal::{Actor, Draft, Entry, Event, JournalId};
use panopol::keyring::SecretBytes;
use panopol::notify::{
    Budget, Failed, Fate, Message, fate, key, ntfy_headers, signature, slack_body, text,
};
use panopol::vocabulary::{ApprovalState, Binds, Topic, Verdict};

const JOURNAL: JournalId = Hex([7; 16]);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn entry(event: Event) -> Entry {
    Entry {
        seq: 42,
        hash: Hex([0xab; 32]),
        draft: Draft {
            time: at(0),
            actor: Actor::server(),
            policy: None,
            event,
        },
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn new_request(device: &str) -> NewRequest {
    let requirement = Requirement {
        groups: vec![GroupRequirement {
            name: "databases".to_owned(),
            mandatory: false,
            clauses: vec![Clause {
                count: 2,
                team: Some("dba".to_owned()),
                eligible: names(&["bob", "carol"]),
            }],
            approvers: names(&["bob", "carol"]),
            escalations: Vec::new(),
        }],
        terms: Terms {
            expires_s: 600,
            claim_s: 60,
            collect_s: 60,
            up_to: 1,
            binds: Binds::Address,
            deny_for_s: 60,
            comment_required: false,
        },
    };
    NewRequest {
        id: "r1".to_owned(),
        subject: Subject::Unlock {
            device: device.to_owned(),
        },
        source: Some("203.0.113.9".parse().unwrap()),
        good_for: None,
        required: requirement.digest(),
        requirement,
        requesters: BTreeSet::new(),
        reason: None,
    }
}

fn request(device: &str) -> ApprovalRequest {
    ApprovalRequest::begin(new_request(device), at(0), 42)
}

fn told(event: Event) -> Option<Message> {
    Message::of(JOURNAL, &entry(event), Some(&request("db-1")))
}

fn stepped(step: Step) -> Option<Message> {
    told(Event::ApprovalStepped {
        id: "r1".to_owned(),
        step,
    })
}

fn decided(verdict: Verdict, to: ApprovalState) -> Option<Message> {
    let decision = Decision {
        person: "bob".to_owned(),
        persons: names(&["bob"]),
        credential: Some("token-id".to_owned()),
        verdict,
        note: Some("planned".to_owned()),
        shown: "sha256:shown".to_owned(),
        policy: "sha256:policy".to_owned(),
        time: at(0),
    };
    stepped(Step::Decided {
        decision,
        to,
        until: None,
    })
}

fn ended(to: ApprovalState) -> Option<Message> {
    let cause = "nobody decided in time".to_owned();
    stepped(Step::Ended { to, cause })
}

#[test]
fn a_request_is_told_with_all_that_a_person_needs() {
    let request = new_request("db-1");
    let message = told(Event::ApprovalRequested { request }).unwrap();
    insta::assert_snapshot!(message.json(), @r#"{"v":1,"id":"07070707070707070707070707070707-42-abababab","type":"approval.requested","time":"2023-11-14T22:13:20Z","device":"db-1","approval":{"id":"r1","kind":"unlock","state":"pending","source":"203.0.113.9","groups":["databases"],"approvers":["bob","carol"],"need":[{"group":"databases","mandatory":false,"clauses":[{"count":2,"team":"dba"}]}],"expires":"2023-11-14T22:23:20Z","decided_by":null}}"#);
    insta::assert_snapshot!(text(&message), @r"
    db-1: waits for approval
    unlock; from 203.0.113.9; group databases; may decide: bob, carol; until 2023-11-14T22:23:20Z; request r1
    ");
}

#[test]
fn each_end_of_a_request_is_told_as_what_it_is() {
    use ApprovalState as S;
    let topic = |message: Option<Message>| message.map(|message| message.topic);
    let cases = [
        (decided(Verdict::Approve, S::Pending), None),
        (decided(Verdict::Defer, S::Pending), None),
        (
            decided(Verdict::Approve, S::Approved),
            Some(Topic::ApprovalApproved),
        ),
        (
            decided(Verdict::Approve, S::Executed),
            Some(Topic::ApprovalApproved),
        ),
        (
            decided(Verdict::Deny, S::Denied),
            Some(Topic::ApprovalDenied),
        ),
        (
            decided(Verdict::Reject, S::Rejected),
            Some(Topic::ApprovalRejected),
        ),
        (
            decided(Verdict::Cancel, S::Cancelled),
            Some(Topic::ApprovalCancelled),
        ),
        (ended(S::Rejected), Some(Topic::ApprovalRejected)),
        (ended(S::Expired), Some(Topic::ApprovalExpired)),
        (ended(S::Superseded), Some(Topic::ApprovalSuperseded)),
        (ended(S::Spent), None),
    ];
    for (found, expected) in cases {
        assert_eq!(topic(found.clone()), expected, "{found:?}");
    }
    let facts = decided(Verdict::Deny, S::Denied).unwrap().approval.unwrap();
    assert_eq!(facts.decided_by.as_deref(), Some("bob"));
    assert_eq!(facts.note.as_deref(), Some("planned"));
    let facts = ended(S::Expired).unwrap().approval.unwrap();
    assert_eq!(facts.decided_by, None);
    assert_eq!(facts.cause.as_deref(), Some("nobody decided in time"));
    let json = decided(Verdict::Deny, S::Denied).unwrap().json();
    assert!(!json.contains("token-id"), "{json}");
}

#[test]
fn an_escalation_names_whom_it_adds() {
    let message = stepped(Step::Escalated {
        to: names(&["erin"]),
        announced: 1,
    })
    .unwrap();
    assert_eq!(message.topic, Topic::ApprovalEscalated);
    let facts = message.approval.unwrap();
    assert_eq!(facts.approvers, names(&["bob", "carol", "erin"]));
    assert_eq!(facts.state, ApprovalState::Pending);
}

#[test]
fn a_request_that_is_kept_no_more_is_told_by_its_id() {
    let event = Event::ApprovalStepped {
        id: "r1".to_owned(),
        step: Step::Ended {
            to: ApprovalState::Expired,
            cause: "nobody decided in time".to_owned(),
        },
    };
    let message = Message::of(JOURNAL, &entry(event), None).unwrap();
    assert_eq!(message.device, None);
    assert_eq!(message.approval.as_ref().unwrap().id, "r1");
    assert_eq!(
        text(&message),
        "approval request: expired\nnobody decided in time; request r1"
    );
}

#[test]
fn a_policy_and_the_clock_are_told() {
    let summary = "x".repeat(5000);
    let digest = "sha256:1".to_owned();
    let message = told(Event::PolicyReloaded { digest, summary }).unwrap();
    let policy = message.policy.unwrap();
    assert_eq!(policy.summary.chars().count(), 2049);
    assert!(policy.summary.ends_with('…'));
    let message = told(Event::ClockJumped { trusted: at(-9) }).unwrap();
    assert_eq!(message.clock.unwrap().trusted, at(-9));
    let nothing = Event::EpochBumped {
        epoch: 1,
        reason: String::new(),
    };
    assert_eq!(told(nothing), None);
}

#[test]
fn one_entry_has_one_id_and_another_history_another() {
    let event = || Event::ClockJumped { trusted: at(0) };
    let id = |hash: u8, seq: u64| {
        let mut entry = entry(event());
        (entry.hash, entry.seq) = (Hex([hash; 32]), seq);
        Message::of(JOURNAL, &entry, None).unwrap().id
    };
    assert_eq!(id(1, 42), id(1, 42));
    assert_ne!(id(1, 42), id(1, 43));
    // After a backup was restored the same number is another entry's.
    assert_ne!(id(1, 42), id(2, 42));
    assert!(id(1, 42).starts_with(&"07".repeat(16)));
}

#[test]
fn a_device_cannot_write_markup_or_a_header() {
    let hostile = "db\r\nX-Evil: <!channel> & ö";
    let event = Event::ApprovalRequested {
        request: new_request(hostile),
    };
    let message = Message::of(JOURNAL, &entry(event), Some(&request(hostile))).unwrap();
    let headers = ntfy_headers(&message);
    let (_, title) = headers.iter().find(|(name, _)| *name == "title").unwrap();
    assert_eq!(title, "db??X-Evil: <!channel> & ?: waits for approval");
    let body: serde_json::Value = serde_json::from_str(&slack_body(&message)).unwrap();
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("&lt;!channel&gt; &amp; ö"), "{text}");
    assert!(!text.contains('<') && !text.contains('>'), "{text}");
}

/// Computed with Python's `hmac` and `base64`.
#[test]
fn a_signature_is_what_other_implementations_compute() {
    let plain = key(&SecretBytes::new(b"0123456789abcdef\n".to_vec())).unwrap();
    assert_eq!(plain.expose(), b"0123456789abcdef");
    let signed = signature(&plain, "msg_1", 1_700_000_000, "{\"v\":1}").unwrap();
    assert_eq!(signed, "v1,Qb/Arq6YyYphRqK/c1wDadRWkGW+NrQr9kNWXLct++o=");
    let coded = key(&SecretBytes::new(
        b"whsec_MDEyMzQ1Njc4OWFiY2RlZg==".to_vec(),
    ))
    .unwrap();
    assert_eq!(coded.expose(), plain.expose());
    assert!(key(&SecretBytes::new(b"too short".to_vec())).is_err());
    assert!(key(&SecretBytes::new(b"whsec_MDEy".to_vec())).is_err());
}

fn failed(for_good: bool, after: Option<u64>) -> Result<(), Failed> {
    Err(Failed {
        cause: "no".to_owned(),
        for_good,
        after: after.map(Duration::from_secs),
    })
}

#[test]
fn pauses_double_to_five_minutes_and_end_after_a_day() {
    let young = SignedDuration::from_mins(1);
    let pause = |attempt, chance| fate(&failed(false, None), attempt, young, chance);
    let again = |millis| Fate::Again(Duration::from_millis(millis));
    assert_eq!(pause(0, 255), again(1000));
    assert_eq!(pause(0, 0), again(500));
    assert_eq!(pause(3, 255), again(8000));
    assert_eq!(pause(9, 255), again(300_000));
    assert_eq!(pause(u32::MAX, 0), again(150_000));
    assert_eq!(fate(&Ok(()), 0, young, 0), Fate::Done);
    assert_eq!(fate(&failed(true, None), 0, young, 0), Fate::Drop);
    let old = SignedDuration::from_hours(24);
    assert_eq!(fate(&failed(false, None), 7, old, 0), Fate::Drop);
    // A receiver that asks for time gets it, and not less than its turn.
    let asked = fate(&failed(false, Some(30)), 0, young, 255);
    assert_eq!(asked, again(30_000));
    assert_eq!(fate(&failed(false, Some(0)), 0, young, 255), again(1000));
}

#[test]
fn a_budget_is_a_devices_own_and_comes_back_with_time() {
    let mut budget = Budget::new(2);
    assert!(budget.admits("a", at(0)) && budget.admits("a", at(10)));
    assert!(!budget.admits("a", at(20)) && !budget.admits("a", at(3599)));
    assert!(budget.admits("b", at(20)));
    assert_eq!(budget.held_back(), 2);
    budget.settle();
    assert_eq!(budget.held_back(), 0);
    // The first is an hour old, the second is not.
    assert!(budget.admits("a", at(3600)));
    assert!(!budget.admits("a", at(3601)));
    assert!(budget.admits("a", at(3610)));
}

#[test]
fn a_budget_forgets_devices_that_are_quiet_and_no_other() {
    let mut budget = Budget::new(1);
    assert!(budget.admits("loud", at(4000)));
    for number in 0..5000 {
        assert!(budget.admits(&format!("d{number}"), at(0)));
    }
    assert!(!budget.admits("loud", at(4001)));
}
