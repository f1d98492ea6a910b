//! Nine holes that another product of this kind is known to have, each tried on
//! the built server; and what a policy that changes, or one human with many
//! credentials, gets by trying.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use panopol::approval::{ApprovalRequest, NewRequest};
use serde_json::{Value, json};

use super::approvals::mint;
use super::harness::{Server, http, run, wait_for};
use super::issuance::{POLICY, World, csr, good, key};
use crate::scarcity::limit_files;

/// A request of carol's that waits: its approval and its job.
fn waits(world: &World, change: impl FnOnce(&mut Value)) -> (String, Value) {
    let path = world.server.dir.join("web.key");
    let web = match path.exists() {
        true => path,
        false => key(&world.server.dir, "web", "P-256"),
    };
    let mut body = good(&web);
    change(&mut body);
    let (status, waits) = world.submit(&world.carol, &body);
    assert_eq!(status, 202, "{waits:#}");
    let approval = waits["approval"].as_str().unwrap().to_owned();
    (approval, waits["job"].clone())
}

fn certificates(server: &Server) -> usize {
    let (_, list) = server.api("GET", "/certificates", None);
    list["items"].as_array().unwrap().len()
}

fn approval(server: &Server, id: &str) -> Value {
    server.api("GET", &format!("/approvals/{id}"), None).1
}

fn job(server: &Server, id: &Value) -> Value {
    let path = format!("/jobs/{}", id.as_str().unwrap());
    server.api("GET", &path, None).1
}

/// The same state in a new process; and a sweep has gone by.
fn restarted(world: World) -> World {
    let keep = world.server.kill().unwrap();
    let mut server = Server::launch(keep.path(), &[]);
    server.own(keep);
    sweep();
    World { server, ..world }
}

fn sweep() {
    std::thread::sleep(Duration::from_millis(5_500));
}

#[test]
fn hole_1_a_renewal_loop_does_not_skip_the_gate() {
    let world = World::start();
    let (id, first) = waits(&world, |body| body["lifetime_s"] = json!(6));
    assert_eq!(world.approve(&world.bob, &id).0, 200);
    let serial = world.job(&first)["result"]["serial"].clone();
    let order = json!({"certificate": serial, "service": "renewals", "reason": "it ends"});
    let (status, said) = world
        .server
        .api_as(&world.carol, "POST", "/renewals", Some(order));
    assert_eq!(status, 201, "{said}");
    let pending = |server: &Server| {
        let (_, list) = server.api("GET", "/approvals?state=pending", None);
        list["items"].as_array().unwrap().len()
    };
    wait_for("the loop asks", || pending(&world.server) == 1);
    // Round after round, and in a new process: it waits, and nothing is made.
    let world = restarted(world);
    assert_eq!(
        (pending(&world.server), certificates(&world.server)),
        (1, 1)
    );
}

#[test]
fn hole_2_a_policy_that_cannot_be_looked_up_opens_nothing() {
    let world = World::start();
    let (id, waiting) = waits(&world, |_| {});
    // A tree that is broken: the last good one decides, here and at a start.
    let (status, said) = world.server.policy("edition 2026\napproval {");
    assert_eq!(status, 422, "{said}");
    let web = world.server.dir.join("web.key");
    assert_eq!(world.submit(&world.carol, &good(&web)).0, 202);
    let world = restarted(world);
    assert_eq!(world.submit(&world.carol, &good(&web)).0, 202);
    let (status, ready) = http("GET", &format!("{}/readyz", world.server.admin), &[], None);
    assert_eq!(status, 503, "{ready}");
    // A project that the policy does not know any more: no rule, and no pass.
    let gone = POLICY
        .replace("project web { tags { env = production } }\n", "")
        .replace("role admin in project web", "role admin in org")
        .replace("role operator in project web", "role operator in org")
        .replace("project in [web, lab]", "project == lab")
        .replace(" where project == web", "");
    let (status, said) = world.server.policy(&gone);
    assert_eq!(status, 200, "{said}");
    let (status, refused) = world.submit(&world.carol, &good(&web));
    assert_eq!(status, 422, "{refused}");
    assert!(
        refused.to_string().contains("evaluation-incomplete"),
        "{refused}"
    );
    world.approve(&world.bob, &id);
    sweep();
    assert_eq!(world.job(&waiting)["state"], "ended");
    assert_eq!(certificates(&world.server), 0);
}

#[test]
fn hole_3_no_retry_brings_an_expired_approval_to_execution() {
    let policy = POLICY.replace(
        "  reason    required\n",
        "  reason    required\n  expires   1s\n",
    );
    let world = World::start_with(&policy, &[]);
    let (id, late) = waits(&world, |_| {});
    std::thread::sleep(Duration::from_millis(1_200));
    // Judged by the deadline, whether or not somebody has tidied.
    for _ in 0..3 {
        let (status, said) = world.approve(&world.bob, &id);
        assert_eq!(status, 409, "{said}");
        assert!(said.to_string().contains("expired"), "{said}");
    }
    sweep();
    assert_eq!(approval(&world.server, &id)["state"], "expired");
    let world = restarted(world);
    assert_eq!(world.approve(&world.bob, &id).0, 409);
    let job = world.job(&late);
    assert_eq!(
        (&job["state"], &job["cause"]),
        (&json!("ended"), &json!("expired"))
    );
    assert_eq!(certificates(&world.server), 0);
}

#[test]
fn hole_3_nor_one_that_was_approved_in_time_and_could_not_be_carried_out() {
    let policy = POLICY.replace(
        "  reason    required\n",
        "  reason    required\n  expires   4s\n",
    );
    let world = World::start_with(&policy, &[]);
    let journal = world.server.dir.join("state/store/journal");
    // How long the entry of an approval is.
    let (id, first) = waits(&world, |_| {});
    assert_eq!(world.approve(&world.bob, &id).0, 200);
    assert_eq!(world.job(&first)["state"], "executed");
    let bytes = std::fs::read(&journal).unwrap();
    let at = |kind: &[u8]| bytes.windows(kind.len()).rposition(|part| part == kind);
    let approved = at(b"job-claimed").unwrap() - at(b"approval-stepped").unwrap();
    // Room for another one, which names its actor, and none for the claim after it.
    let (id, waiting) = waits(&world, |_| {});
    let length = std::fs::metadata(&journal).unwrap().len() + approved as u64 + 160;
    limit_files(world.server.child.id(), Some(length));
    assert_eq!(world.approve(&world.bob, &id).0, 200);
    assert_eq!(approval(&world.server, &id)["state"], "approved");
    assert_eq!(world.job(&waiting)["state"], "queued");
    sweep();
    limit_files(world.server.child.id(), None);
    // What it was approved for is over, however often it is tried.
    wait_for("it is ended", || world.job(&waiting)["state"] == "ended");
    assert_eq!(approval(&world.server, &id)["state"], "expired");
    assert_eq!(certificates(&world.server), 1);
}

#[test]
fn hole_4_no_other_endpoint_approves_by_other_rules() {
    let world = World::start();
    let (id, waiting) = waits(&world, |_| {});
    let digest = approval(&world.server, &id)["digest"].clone();
    let (_, described) = world.server.api("GET", "/openapi.json", None);
    let mut tried = 0;
    for (path, operations) in described["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            if method == "get" || !path.contains('{') {
                continue;
            }
            // Each thing there is to name, named by what waits.
            for name in [id.as_str(), waiting.as_str().unwrap()] {
                let target = path
                    .trim_start_matches("/api/v1")
                    .replace("{verdict}", "approve")
                    .replace("{id}", name)
                    .replace("{name}", name)
                    .replace("{thumbprint}", name);
                let body = json!({"note": "it is fine", "digest": digest});
                for token in [&world.carol, &world.renewals] {
                    let method = method.to_uppercase();
                    let (status, said) =
                        world
                            .server
                            .api_as(token, &method, &target, Some(body.clone()));
                    assert!(
                        (400..500).contains(&status),
                        "{method} {target}: {status} {said}"
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 40, "{tried}");
    for verdict in ["execute", "override", "force", "Approve", "approve/"] {
        let (status, _) = world.server.api_as(
            &world.carol,
            "POST",
            &format!("/approvals/{id}/{verdict}"),
            Some(json!({"digest": digest})),
        );
        assert_eq!(status, 404, "{verdict}");
    }
    assert_eq!(approval(&world.server, &id)["state"], "pending");
    assert_eq!(world.job(&waiting)["state"], "waiting");
    assert_eq!(certificates(&world.server), 0);
}

#[test]
fn hole_5_an_actor_is_a_person_and_no_string() {
    let world = World::start();
    // Nobody says who they are: the token does.
    let web = key(&world.server.dir, "web", "P-256");
    let mut body = good(&web);
    body["requester"] = json!("alice");
    let (status, said) = world.submit(&world.bob, &body);
    assert!(status == 400 || status == 422, "{said}");
    let (status, own) = world.submit(&world.bob, &good(&web));
    assert_eq!(status, 202);
    let id = own["approval"].as_str().unwrap();
    let digest = approval(&world.server, id)["digest"].clone();
    let url = format!("{}/api/v1/approvals/{id}/approve", world.server.admin);
    for (name, value) in [
        ("x-actor", "alice"),
        ("x-forwarded-user", "alice"),
        ("x-remote-user", "alice"),
        ("from", "alice@example.com"),
    ] {
        let headers = [
            ("authorization", format!("Bearer {}", world.bob)),
            (name, value.to_owned()),
        ];
        let (status, said) = http(
            "POST",
            &url,
            &headers,
            Some(json!({"digest": digest}).to_string()),
        );
        assert_eq!(status, 403, "{name}: {said}");
        assert!(said.contains("two-person integrity"), "{name}: {said}");
    }
    // Nor does a spelling make somebody else of one.
    for name in ["Bob", "bob ", "ｂｏｂ", "b\u{43e}b"] {
        let (status, said) = world
            .server
            .api("POST", "/tokens", Some(json!({"person": name})));
        assert!((400..500).contains(&status), "{name}: {said}");
    }
    assert_eq!(approval(&world.server, id)["state"], "pending");
}

#[test]
fn hole_6_no_decision_stands_without_its_entry() {
    let world = World::start();
    let (id, waiting) = waits(&world, |_| {});
    let journal = world.server.dir.join("state/store/journal");
    let length = std::fs::metadata(&journal).unwrap().len();
    limit_files(world.server.child.id(), Some(length));
    // No room for the entry: no approval, and nothing runs.
    let (status, said) = world.approve(&world.bob, &id);
    assert_eq!(status, 503, "{said}");
    sweep();
    assert_eq!(approval(&world.server, &id)["state"], "pending");
    assert_eq!(certificates(&world.server), 0);
    limit_files(world.server.child.id(), None);
    assert_eq!(world.approve(&world.bob, &id).0, 200);
    assert_eq!(world.job(&waiting)["state"], "executed");
    // Each thing that became true has its entry, in its order.
    let (_, audit, _) = world.server.panopol(&["audit", "export"]);
    let kinds: Vec<String> = audit
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|entry| {
            entry.to_string().contains(waiting.as_str().unwrap()) || entry.to_string().contains(&id)
        })
        .map(|entry| {
            entry["event"]["kind"]
                .as_str()
                .or(entry["kind"].as_str())
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "job-submitted",
            "approval-stepped",
            "job-claimed",
            "job-finished"
        ]
    );
}

#[test]
fn hole_7_an_old_request_is_judged_by_the_policy_of_the_moment() {
    let world = World::start();
    let (narrowed, first) = waits(&world, |_| {});
    let (regrouped, second) = waits(&world, |_| {});
    let (shown, third) = waits(&world, |_| {});
    let stale = approval(&world.server, &shown)["digest"].clone();
    // What is required changed: the old request ends, whoever approves.
    let more = POLICY.replace(
        "  approvers team security",
        "  approvers team security\n  need      2 of team security",
    );
    let more = more.replace(
        "team security = [alice, bob]",
        "team security = [alice, bob, carol]",
    );
    assert_eq!(world.server.policy(&more).0, 200);
    let (status, said) = world.approve(&world.bob, &regrouped);
    assert_eq!(status, 409, "{said}");
    assert_eq!(world.job(&second)["state"], "ended");
    // What is allowed changed, and the gate did not.
    let tighter = POLICY.replace("lifetime     max 90d", "lifetime     max 7d");
    assert_eq!(world.server.policy(&tighter).0, 200);
    world.approve(&world.bob, &narrowed);
    sweep();
    assert_eq!(world.job(&first)["state"], "ended");
    let body = json!({"digest": stale, "note": "as I saw it"});
    let path = format!("/approvals/{shown}/approve");
    world.server.api_as(&world.bob, "POST", &path, Some(body));
    assert_ne!(world.job(&third)["state"], "executed");
    assert_eq!(certificates(&world.server), 0);
}

#[test]
fn hole_8_what_was_rejected_never_runs() {
    let world = World::start();
    let (id, refused) = waits(&world, |_| {});
    let body = json!({"note": "not this name"});
    let path = format!("/approvals/{id}/reject");
    assert_eq!(
        world.server.api_as(&world.bob, "POST", &path, Some(body)).0,
        200
    );
    let alice = mint(&world.server, &world.server.token, "alice");
    assert_eq!(world.approve(&alice, &id).0, 409);
    sweep();
    let world = restarted(world);
    assert_eq!(world.approve(&alice, &id).0, 409);
    assert_eq!(world.approve(&world.bob, &id).0, 409);
    let job = world.job(&refused);
    assert_eq!(
        (&job["state"], &job["cause"]),
        (&json!("ended"), &json!("rejected"))
    );
    assert_eq!(certificates(&world.server), 0);
}

#[test]
fn hole_9_no_field_of_the_chain_can_be_shifted() {
    let world = World::start();
    let (id, _) = waits(&world, |body| body["reason"] = json!("shift me"));
    // The digest of what is shown, of one request throughout: texts that run
    // together are not the same.
    let (_, audit, _) = world.server.panopol(&["audit", "export"]);
    let asked = audit.lines().find(|line| line.contains("job-submitted"));
    let asked: Value = serde_json::from_str(asked.unwrap()).unwrap();
    let digest = |name: &str, reason: &str, ticket: Option<&str>| {
        let mut asked = asked["event"]["approval"].clone();
        let request = &mut asked["subject"]["request"];
        request["name"] = json!(name);
        request["reason"] = json!(reason);
        request["ticket"] = json!(ticket);
        let asked: NewRequest = serde_json::from_value(asked).unwrap();
        ApprovalRequest::begin(asked, Timestamp::UNIX_EPOCH, 1).shown(&BTreeMap::new())
    };
    let digests = [
        digest("prod-a", "bc", None),
        digest("prod-ab", "c", None),
        digest("prod-a", "b", Some("c")),
        digest("prod-a", "bc", Some("")),
    ];
    let distinct: BTreeSet<&String> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len(), "{digests:?}");
    assert_eq!(digest("prod-a", "bc", None), digests[0]);
    // The journal: one letter moved from one field to the next, of equal length.
    assert_eq!(world.approve(&world.bob, &id).0, 200);
    let keep = world.server.kill().unwrap();
    let journal = keep.path().join("state/store/journal");
    let whole = std::fs::read(&journal).unwrap();
    let verify = |bytes: &[u8]| {
        let copy = keep.path().join("copy");
        std::fs::write(&copy, bytes).unwrap();
        run(
            std::process::Command::new(env!("CARGO_BIN_EXE_panopol")).args([
                "audit",
                "verify",
                copy.to_str().unwrap(),
            ]),
        )
    };
    assert!(verify(&whole).0);
    for (from, to) in [
        ("\"reason\":\"shift me\"", "\"reason\":\"shift m\" "),
        ("\"person\":\"carol\"", "\"person\":\"alice\""),
        ("\"name\":\"prod-api\"", "\"name\":\"prod-ap\" "),
        ("\"verdict\":\"approve\"", "\"verdict\":\"reject\" "),
        ("\"note\":\"looked at\"", "\"note\":\"looked\"   "),
    ] {
        assert_eq!(from.len(), to.len());
        let at = whole
            .windows(from.len())
            .position(|part| part == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{from} is not in the journal"));
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        let (sound, said) = verify(&bytes);
        assert!(!sound, "{from}: {said}");
    }
}

#[test]
fn a_policy_that_is_loosened_meanwhile_gives_what_was_approved_and_no_more() {
    let world = World::start();
    let (id, waiting) = waits(&world, |_| {});
    let (gated, ungated) = waits(&world, |_| {});
    let looser = POLICY
        .replace("lifetime     max 90d", "lifetime     max 900d")
        .replace("  san max      3\n", "")
        .replace(
            "allow \"*.example.com\" deny \"admin.example.com\"",
            "allow \"**.example.com\"",
        );
    assert_eq!(world.server.policy(&looser).0, 200);
    assert_eq!(world.approve(&world.bob, &id).0, 200);
    let done = world.job(&waiting);
    assert_eq!(done["state"], "executed", "{done:#}");
    let time = |name: &str| {
        done["result"][name]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .unwrap()
    };
    let life = time("not_after").as_second() - time("not_before").as_second() + 1;
    assert_eq!(life, 86_400 * 30);
    let pem = world.server.dir.join("made.pem");
    std::fs::write(&pem, done["result"]["certificate"].as_str().unwrap()).unwrap();
    let shown = super::issuance::openssl(&[
        "x509",
        "-in",
        pem.to_str().unwrap(),
        "-noout",
        "-ext",
        "subjectAltName",
    ]);
    assert_eq!(shown.matches("DNS:").count(), 1, "{shown}");
    // A gate that is taken away: what waits at it is not let through by that.
    let open = POLICY.split("approval prod-certs").next().unwrap();
    assert_eq!(world.server.policy(open).0, 200);
    sweep();
    let job = world.job(&ungated);
    assert_ne!(job["state"], "executed", "{job:#}");
    assert_ne!(approval(&world.server, &gated)["state"], "approved");
    assert_eq!(certificates(&world.server), 1);
    // And the audit says that it was taken away.
    let (_, audit, _) = world.server.panopol(&["audit", "export"]);
    let reloads: Vec<&str> = audit
        .lines()
        .filter(|line| line.contains("policy-reloaded"))
        .collect();
    assert!(
        reloads.last().unwrap().contains("prod-certs"),
        "{reloads:#?}"
    );
}

#[test]
fn one_human_is_one_person_by_a_second_token_a_minted_one_a_service_and_a_schedule() {
    let policy = POLICY.replace(
        "team security = [alice, bob]",
        "team security = [alice, bob, carol]",
    );
    let world = World::start_with(&policy, &[]);
    let alice = mint(&world.server, &world.server.token, "alice");
    let refused = |token: &str, id: &str, what: &str| {
        let (status, said) = world.approve(token, id);
        assert_eq!(status, 403, "{what}: {said}");
    };
    // Alice asks by a token that she minted for the service of carol's.
    let by_alice = mint(&world.server, &alice, "renewals");
    let web = key(&world.server.dir, "web", "P-256");
    let (status, asked) = world.submit(&by_alice, &good(&web));
    assert_eq!(status, 202, "{asked}");
    let id = asked["approval"].as_str().unwrap();
    refused(&alice, id, "who minted the token");
    refused(&world.carol, id, "who owns the service");
    refused(
        &mint(&world.server, &alice, "alice"),
        id,
        "by a second token",
    );
    refused(
        &mint(&world.server, &world.carol, "carol"),
        id,
        "by a second token",
    );
    refused(&by_alice, id, "the service itself");
    // A token of bob's that alice minted is alice's hand as well.
    refused(
        &mint(&world.server, &alice, "bob"),
        id,
        "by a token that she minted",
    );
    assert_eq!(approval(&world.server, id)["state"], "pending");
    assert_eq!(world.approve(&world.bob, id).0, 200);
    let serial = job(&world.server, &asked["job"])["result"]["serial"].clone();
    // Bob enables a schedule: what it asks is not his to approve.
    let mut short = good(&web);
    short["lifetime_s"] = json!(3);
    short["csr"] = json!(csr(&web, "web.example.com", "DNS:web.example.com"));
    let (_, waits) = world.submit(&alice, &short);
    assert_eq!(
        world
            .approve(&world.carol, waits["approval"].as_str().unwrap())
            .0,
        200
    );
    let brief = world.job(&waits["job"])["result"]["serial"].clone();
    assert_ne!(serial, brief);
    let order = json!({"certificate": brief, "service": "renewals", "reason": "it ends"});
    let (status, said) = world
        .server
        .api_as(&world.bob, "POST", "/renewals", Some(order));
    assert_eq!(status, 201, "{said}");
    let pending = || {
        let (_, list) = world.server.api("GET", "/approvals?state=pending", None);
        list["items"].as_array().unwrap().clone()
    };
    wait_for("the schedule asks", || pending().len() == 1);
    let id = pending()[0]["id"].as_str().unwrap().to_owned();
    refused(&world.bob, &id, "who enabled it");
    refused(&world.carol, &id, "who owns the service that asks");
    assert_eq!(world.approve(&alice, &id).0, 200);
}
