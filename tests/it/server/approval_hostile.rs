//! People in the loop against those who mean ill: names used again, groups
//! added to get around a group, grants that are not one's own.

use serde_json::{Value, json};

use super::approvals::{FLAGS, POLICY, World, exchange};
use super::harness::{Server, http};

/// Revokes a device and enrolls another under its name.
fn replace(world: &World, name: &str) -> Value {
    let path = format!("/devices/{name}/revoke");
    let (status, answer) = world.server.api("POST", &path, Some(json!({})));
    assert_eq!(status, 200, "{answer:#}");
    world.database(name, 1)
}

#[test]
fn a_device_under_an_old_name_has_nothing_that_was_granted_to_the_old_one() {
    let world = World::start(&POLICY.replace("[source, disabled]", "[source, disabled, approval]"));
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.bob, &request, "approve").0, 200);
    let path = "/devices/db-1/allow-once";
    let body = json!({"overrides": ["approval"]});
    let (status, armed) = world.server.api_as(&world.bob, "POST", path, Some(body));
    assert_eq!((status, &armed["state"]), (201, &json!("armed")));
    let other = replace(&world, "db-1");
    assert_eq!(exchange(&world.server, &other, 0), 503);
    assert_eq!(world.request("superseded")["id"], request["id"]);
    let (_, listed) = world.server.api("GET", path, None);
    assert_eq!(listed["items"][0]["state"], "withdrawn", "{listed:#}");
}

#[test]
fn a_revoked_device_waits_for_nobody() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let web = json!({"tags": {"role": "web"}});
    let path = "/devices/db-1";
    let (status, _) = world
        .server
        .api_as(&world.bob, "PATCH", path, Some(web.clone()));
    assert_eq!(status, 202);
    let revoke = format!("{path}/revoke");
    assert_eq!(world.server.api("POST", &revoke, Some(json!({}))).0, 200);
    assert_eq!(world.count("pending"), 0);
    assert_eq!(world.count("superseded"), 2);
    // Nor is anybody asked about it from now on.
    let (status, refused) = world.server.api_as(&world.bob, "PATCH", path, Some(web));
    assert_eq!(status, 409, "{refused:#}");
    assert_eq!(world.count("pending"), 0);
}

#[test]
fn a_mandatory_group_is_not_slipped_in_to_decide_instead() {
    // Dave alone would decide for what has a site, and no longer the DBAs.
    let policy = format!(
        "{}\napproval sited {{\n  on        unlock where has site\n  approvers person dave\n  mandatory\n}}\n",
        POLICY.replace("team dba = [bob, carol]", "team dba = [alice, carol]")
    );
    let world = World::start(&policy);
    world.database("db-1", 1);
    let sited = json!({"tags": {"site": "here"}});
    let (status, answer) = world
        .server
        .api_as(&world.bob, "PATCH", "/devices/db-1", Some(sited));
    assert_eq!(status, 202, "{answer:#}");
    assert_eq!(answer["groups"], json!(["databases"]));
}

#[test]
fn a_one_time_unlock_is_taken_back_by_those_whom_it_concerns() {
    let world = World::start(POLICY);
    world.database("db-1", 1);
    world.database("db-2", 1);
    let path = "/devices/db-1/allow-once";
    let body = json!({"overrides": ["disabled"]});
    let (status, armed) = world.server.api_as(&world.bob, "POST", path, Some(body));
    assert_eq!(status, 201, "{armed:#}");
    let id = armed["id"].as_str().unwrap();
    let withdraw = |token: &str, device: &str| {
        let path = format!("/devices/{device}/allow-once/{id}");
        world.server.api_as(token, "DELETE", &path, None)
    };
    let (status, refused) = withdraw(&world.dave, "db-1");
    assert_eq!(status, 403, "{refused:#}");
    assert_eq!(withdraw(&world.bob, "db-2").0, 404);
    assert_eq!(withdraw(&world.carol, "db-1").0, 200);
}

/// Arms a one-time unlock of `db-1` for so many seconds, by bob and under one key.
fn arm(server: &Server, token: &str, seconds: u32) -> (u16, String) {
    let url = format!("{}/api/v1/devices/db-1/allow-once", server.admin);
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("idempotency-key", "one".to_owned()),
    ];
    let body = json!({"overrides": ["disabled"], "for_s": seconds}).to_string();
    http("POST", &url, &headers, Some(body))
}

#[test]
fn one_idempotency_key_arms_once_at_once_or_after_a_kill() {
    let mut world = World::start(POLICY);
    world.database("db-1", 1);
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let call = || arm(&world.server, &world.bob, 60);
        let calls: Vec<_> = (0..16).map(|_| scope.spawn(call)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    for (status, answer) in &answers {
        assert_eq!(*status, 201, "{answer}");
    }
    let keep = world.server.kill().unwrap();
    world.server = Server::launch(keep.path(), &FLAGS);
    world.server.own(keep);
    let (status, answer) = arm(&world.server, &world.bob, 60);
    assert_eq!(status, 201, "{answer}");
    assert_eq!(arm(&world.server, &world.bob, 61).0, 409);
    let path = "/devices/db-1/allow-once";
    let (_, listed) = world.server.api_as(&world.carol, "GET", path, None);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed:#}");
}

#[test]
fn an_arming_that_would_override_nothing_is_refused() {
    let world = World::start(&POLICY.replace("[source, disabled]", "approval"));
    world.database("db-1", 1);
    let path = "/devices/db-1/allow-once";
    let (status, answer) = world
        .server
        .api_as(&world.bob, "POST", path, Some(json!({})));
    assert_eq!(status, 422, "{answer:#}");
    assert!(answer["detail"].as_str().unwrap().contains("approval"));
}

#[test]
fn the_name_of_the_hosts_of_a_tang_server_is_nobody_elses() {
    let world = World::start(POLICY);
    let body = json!({"name": "tang", "tags": {"env": "production"}});
    let (status, answer) = world.server.api("POST", "/devices", Some(body));
    assert_eq!(status, 422, "{answer:#}");
}

#[test]
fn pages_of_what_is_pending_go_on_though_the_last_seen_was_decided() {
    let world = World::start(POLICY);
    for name in ["db-1", "db-2", "db-3"] {
        let device = world.database(name, 1);
        assert_eq!(exchange(&world.server, &device, 0), 503);
    }
    let path = "/approvals?state=pending&limit=1";
    let (_, first) = world.server.api("GET", path, None);
    assert_eq!(first["items"][0]["device"], "db-3", "{first:#}");
    assert_eq!(world.say(&world.bob, &first["items"][0], "deny").0, 200);
    let next = first["next"].as_str().unwrap();
    let (_, second) = world
        .server
        .api("GET", &format!("{path}&after={next}"), None);
    assert_eq!(second["items"][0]["device"], "db-2", "{second:#}");
    let (status, wrong) = world.server.api("GET", &format!("{path}&after=x"), None);
    assert_eq!(status, 400, "{wrong:#}");
}

#[test]
fn what_others_wrote_moves_no_cursor_of_who_reads_it() {
    let world = World::start(POLICY);
    let tags = json!({"env": "production", "role": "database",
        "site": "here\n  source     10.0.0.1\u{1b}[2K\u{202e}"});
    let device = world.server.enroll("db-1", tags, 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let request = world.request("pending");
    let id = request["id"].as_str().unwrap();
    let (code, shown, _) = world.server.panopol(&["approvals", "show", id]);
    assert_eq!(code, Some(0));
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    assert!(shown.contains("here\\n  source"), "{shown}");
}
