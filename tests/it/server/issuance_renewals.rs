//! Renewals that nobody asks for: the scheduler is a service, and goes through
//! the same gate; a repeated submission makes nothing twice.

use serde_json::{Value, json};

use super::approvals::mint;
use super::harness::{Server, http, wait_for};
use super::issuance::{POLICY, World, good, key};

/// A certificate of project web that is due in six seconds.
fn short(world: &World) -> Value {
    let web = key(&world.server.dir, "web", "P-256");
    let mut body = good(&web);
    body["lifetime_s"] = json!(9);
    let (status, waits) = world.submit(&world.carol, &body);
    assert_eq!(status, 202, "{waits:#}");
    assert_eq!(
        world
            .approve(&world.bob, waits["approval"].as_str().unwrap())
            .0,
        200
    );
    world.job(&waits["job"])["result"].clone()
}

fn enable(world: &World, token: &str, serial: &Value) -> (u16, Value) {
    let body = json!({"certificate": serial, "service": "renewals", "reason": "it ends soon"});
    world.server.api_as(token, "POST", "/renewals", Some(body))
}

fn renewals(world: &World) -> Value {
    world.server.api("GET", "/renewals", None).1["items"].clone()
}

fn pending(world: &World) -> Vec<Value> {
    let (_, list) = world.server.api("GET", "/approvals?state=pending", None);
    list["items"].as_array().unwrap().clone()
}

#[test]
fn a_scheduled_renewal_waits_for_a_person_who_neither_owns_nor_enabled_it() {
    // Alice, who is an approver, enables it; carol owns the service.
    let policy = POLICY.replace(
        "team security = [alice, bob]",
        "team security = [alice, bob, carol]",
    );
    let world = World::start_with(&policy, &[]);
    let alice = mint(&world.server, &world.server.token, "alice");
    let first = short(&world);
    let (status, schedule) = enable(&world, &alice, &first["serial"]);
    assert_eq!(status, 201, "{schedule:#}");
    assert_eq!(schedule["enabled_by"], json!(["alice"]));
    wait_for("it asks", || pending(&world).len() == 1);
    let asked = pending(&world).remove(0);
    assert_eq!(asked["request"]["request"]["requester"], "renewals");
    assert_eq!(asked["request"]["request"]["action"], "renew");
    assert_eq!(asked["requesters"], json!(["alice", "carol"]));
    // Neither by their own tokens, nor by more of them, nor by the service's.
    let id = asked["id"].as_str().unwrap();
    for (token, who) in [
        (&world.carol, "its owner"),
        (&alice, "who enabled it"),
        (&mint(&world.server, &alice, "alice"), "by another token"),
        (&world.renewals, "itself"),
    ] {
        let (status, refused) = world.approve(token, id);
        assert_eq!(status, 403, "{who}: {refused}");
        let detail = refused["detail"].as_str().unwrap();
        let refused = ["two-person integrity", "may not `approval-decide`"];
        assert!(
            refused.iter().any(|one| detail.contains(one)),
            "{who}: {detail}"
        );
    }
    // It asks once, however often it looks.
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!(pending(&world).len(), 1);
    assert_eq!(world.approve(&world.bob, id).0, 200);
    let job = world.job(&asked["request"]["job"]);
    assert_eq!(job["state"], "executed", "{job:#}");
    // The order goes on with what was made.
    assert_eq!(renewals(&world)[0]["certificate"], job["result"]["serial"]);
    assert_ne!(first["serial"], job["result"]["serial"]);
    let (_, audit, _) = world.server.panopol(&["audit", "export"]);
    assert!(audit.contains("renewal-scheduled") && audit.contains("\"credential\":\"renewal:"));
}

#[test]
fn what_is_not_gated_is_renewed_at_once_and_a_stopped_or_revoked_one_is_not() {
    let policy = POLICY.replace(
        "on        [issue, renew, reissue, revoke]",
        "on        issue",
    );
    let world = World::start_with(&policy, &[]);
    let first = short(&world);
    let (status, schedule) = enable(&world, &world.carol, &first["serial"]);
    assert_eq!(status, 201, "{schedule:#}");
    assert_eq!(enable(&world, &world.carol, &first["serial"]).0, 409);
    wait_for("it is renewed", || {
        renewals(&world)[0]["certificate"] != first["serial"]
    });
    let (code, listed, _) = world.server.panopol(&["issuance", "renewals"]);
    assert!(
        code == Some(0) && listed.contains("by renewals, due"),
        "{listed}"
    );
    let id = schedule["id"].as_str().unwrap();
    let (code, said, _) = world.server.panopol(&["issuance", "stop-renewal", id]);
    assert!(code == Some(0) && said.contains("stopped"), "{said}");
    assert_eq!(
        world
            .server
            .api("DELETE", &format!("/renewals/{id}"), None)
            .0,
        409
    );
    let second = renewals(&world)[0]["certificate"].clone();
    std::thread::sleep(std::time::Duration::from_secs(12));
    assert_eq!(renewals(&world)[0]["certificate"], second);
}

#[test]
fn only_who_may_act_there_enables_and_only_a_service_that_may_asks() {
    let world = World::start();
    let first = short(&world);
    let serial = &first["serial"];
    assert_eq!(enable(&world, &world.erin, serial).0, 403);
    assert_eq!(
        enable(&world, &world.renewals, serial).0,
        403,
        "a service enables nothing"
    );
    assert_eq!(enable(&world, &world.carol, &json!("00")).0, 422);
    let body = json!({"certificate": serial, "service": "carol"});
    let (status, said) = world
        .server
        .api_as(&world.carol, "POST", "/renewals", Some(body));
    assert_eq!(status, 422, "{said}");
    // The service loses its role: nothing is asked for, and it says why.
    assert_eq!(enable(&world, &world.carol, serial).0, 201);
    let less = POLICY.replace(
        "service renewals { owner carol  role operator",
        "service renewals { owner carol  role viewer",
    );
    assert_eq!(world.server.policy(&less).0, 200);
    wait_for("it is refused", || {
        renewals(&world)[0]["last_fault"].is_string()
    });
    let fault = renewals(&world)[0]["last_fault"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(fault.contains("not operator or above"), "{fault}");
    assert!(pending(&world).is_empty());
}

#[test]
fn a_revocation_that_ends_what_is_to_renew_by_itself_is_warned_of() {
    let policy = POLICY.replace(
        "  lifetime     max 90d",
        "  lifetime     max 90d\n  auto-renew   required",
    );
    let world = World::start_with(&policy, &[]);
    let web = key(&world.server.dir, "web", "P-256");
    let mut body = good(&web);
    body["auto_renew"] = json!(true);
    let (_, waits) = world.submit(&world.carol, &body);
    assert_eq!(
        world
            .approve(&world.bob, waits["approval"].as_str().unwrap())
            .0,
        200
    );
    let serial = world.job(&waits["job"])["result"]["serial"].clone();
    let mut revoke = json!({"action": "revoke", "certificate": serial, "reason": "moved"});
    let (status, warned) = world.submit(&world.carol, &revoke);
    assert_eq!(status, 422, "{warned}");
    let detail = warned["detail"].as_str().unwrap();
    assert!(
        detail.contains("requires automatic renewal") && detail.contains("\"auto-renew\""),
        "{detail}"
    );
    revoke["acknowledge"] = json!(["auto-renew"]);
    let (status, waits) = world.submit(&world.carol, &revoke);
    assert_eq!(status, 202, "{waits}");
    let (_, shown) = world.server.api(
        "GET",
        &format!("/approvals/{}", waits["approval"].as_str().unwrap()),
        None,
    );
    assert_eq!(shown["request"]["acknowledged"], json!(["auto-renew"]));
}

#[test]
fn a_submission_under_one_key_is_one_over_restarts_too() {
    let world = World::start();
    let (web, other) = (
        key(&world.server.dir, "web", "P-256"),
        key(&world.server.dir, "other", "P-256"),
    );
    let (body, another) = (good(&web), good(&other));
    let call = |server: &Server, token: &str, body: &Value| {
        let headers = [
            ("authorization", format!("Bearer {token}")),
            ("idempotency-key", "front-7".to_owned()),
        ];
        let url = format!("{}/api/v1/issuance", server.admin);
        let (status, text) = http("POST", &url, &headers, Some(body.to_string()));
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    // What was refused made nothing, and is judged anew.
    let mut wrong = body.clone();
    wrong["lifetime_s"] = json!(86_400 * 365);
    assert_eq!(call(&world.server, &world.carol, &wrong).0, 422);
    let first = call(&world.server, &world.carol, &body);
    assert_eq!(first.0, 202, "{:#}", first.1);
    assert_eq!(call(&world.server, &world.carol, &body), first);
    let carol = world.carol.clone();
    let bob = world.bob.clone();
    let keep = world.server.kill().unwrap();
    let mut server = Server::launch(keep.path(), &[]);
    server.own(keep);
    assert_eq!(call(&server, &carol, &body), first);
    assert_eq!(call(&server, &carol, &another).0, 409);
    // Another person's key of the same name is another key.
    let theirs = call(&server, &bob, &body);
    assert_ne!(theirs.1["job"], first.1["job"]);
    let (_, list) = server.api("GET", "/approvals", None);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    // Ten at once are one.
    let many: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let call = |_| {
            scope.spawn(|| {
                let headers = [
                    ("authorization", format!("Bearer {carol}")),
                    ("idempotency-key", "front-8".to_owned()),
                ];
                let url = format!("{}/api/v1/issuance", server.admin);
                let (status, text) = http("POST", &url, &headers, Some(another.to_string()));
                (status, serde_json::from_str::<Value>(&text).unwrap())
            })
        };
        let calls: Vec<_> = (0..10).map(call).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(
        many.iter().all(|one| one.0 == 202 && one == &many[0]),
        "{many:#?}"
    );
    let (_, list) = server.api("GET", "/approvals", None);
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
}
