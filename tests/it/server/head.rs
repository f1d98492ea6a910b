//! The signed head that was put away is what tells an older state from the
//! last one, and stays to tell it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{POLICY, Server, http, run, wait_for};

fn ready(server: &Server) -> u16 {
    http("GET", &format!("{}/readyz", server.admin), &[], None).0
}

/// The entry that the head at `path` covers, 0 where there is none.
fn reached(path: &Path) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let head: Value = serde_json::from_str(&text).unwrap_or_default();
    head["head"]["seq"].as_u64().unwrap_or(0)
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let (done, said) = run(Command::new("cp").arg("-a").args([from, to]));
    assert!(done, "{said}");
}

#[test]
fn an_older_state_is_seen_again_at_each_start() {
    let server = Server::start(POLICY);
    let dir = server.dir.clone();
    let _keep = server.kill();
    let (store, older) = (dir.join("state/store"), dir.join("older"));
    copy(&store, &older);
    let head = dir.join("state/head.json");
    let server = Server::launch(&dir, &[]);
    server.enroll("web-1", json!({"env": "production"}), 1);
    server.kill();
    let before = reached(&head);
    let server = Server::launch(&dir, &[]);
    // The head is put away once the server waits for signals.
    while reached(&head) == before {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(ready(&server), 200);
    server.kill();
    let anchored = reached(&head);
    copy(&older, &store);
    for _ in 0..2 {
        let server = Server::launch(&dir, &[]);
        assert_eq!(ready(&server), 503);
        std::thread::sleep(Duration::from_millis(300));
        server.kill();
        assert_eq!(reached(&head), anchored, "the head is not overwritten");
    }
    let server = Server::launch(&dir, &[]);
    accept(&server, anchored);
    server.kill();
    let server = Server::launch(&dir, &[]);
    assert_eq!(ready(&server), 200, "accepted for good");
    wait_for("a new head is put away", || reached(&head) != anchored);
}

/// Accepts the older head as an owner may, and nobody else.
fn accept(server: &Server, anchored: u64) {
    let (_, minted) = server.api("POST", "/tokens", Some(json!({"person": "bob"})));
    let operator = minted["token"].as_str().unwrap();
    let path = "/audit/accept-head";
    let note = json!({"note": "the disk died"});
    assert_eq!(server.api_as(operator, "POST", path, Some(note)).0, 403);
    let blank = server.api("POST", path, Some(json!({"note": " "})));
    assert_eq!(blank.0, 422, "{}", blank.1);
    assert_eq!(server.api("POST", path, Some(json!({}))).0, 400);
    assert_eq!(ready(server), 503);
    let args = ["audit", "accept-head", "--note", "the disk died"];
    let (code, said, error) = server.panopol(&args);
    assert_eq!(code, Some(0), "{said}{error}");
    assert!(
        said.contains(&format!("the head of entry {anchored} ")),
        "{said}"
    );
    assert_eq!(ready(server), 200);
    let (code, said, _) = server.panopol(&args);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no anchored head waits"), "{said}");
    let (_, entries) = server.api("GET", "/audit?limit=1000", None);
    let last = entries["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["event"]["kind"], "head-accepted", "{last}");
    assert_eq!(last["event"]["note"], "the disk died");
    assert_eq!(last["actor"]["person"], "alice");
}
