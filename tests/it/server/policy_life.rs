//! The policy's life under a running server: broken edits, bad starts, and
//! reloads while requests are decided.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::harness::{POLICY, Server, binding, bytes_of, directory, http, refused, send, wait_for};
use crate::tang::{random_point, request_for};

const BROKEN: &str = "edition 2026\nunlock {";

fn ready(server: &Server) -> (u16, Value) {
    let (status, text) = http("GET", &format!("{}/readyz", server.admin), &[], None);
    (status, serde_json::from_str(&text).unwrap())
}

fn digest(server: &Server) -> String {
    let (_, shown) = server.api("GET", "/policy", None);
    shown["digest"].as_str().unwrap().to_owned()
}

fn narrowed() -> String {
    POLICY.replace("allow from loopback", "allow from 192.0.2.0/24")
}

fn allowed(server: &Server, path: &str, kid: &str) -> u16 {
    let body = request_for(&random_point()).to_string();
    server
        .ask("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes())
        .status
}

#[test]
fn a_reload_needs_no_body_and_the_log_says_what_it_did() {
    let server = Server::start(POLICY);
    let headers = format!("Authorization: Bearer {}\r\n", server.token);
    let reload = bytes_of("POST", "/api/v1/policy/reload", &headers, b"");
    let reply = send(&server.admin, &reload).unwrap();
    assert_eq!(reply.status, 200, "{:?}", String::from_utf8(reply.body));
    assert!(server.log().contains("is the one that decides"));
    assert_eq!(server.policy(&narrowed()).0, 200);
    assert!(server.log().contains("another policy decides"));
    assert_eq!(server.policy(BROKEN).0, 422);
    let log = server.log();
    assert!(log.contains("the policy on disk is refused"), "{log}");
    assert!(!log.contains("Rejected {"), "{log}");
    // What needs members says that it got none.
    let enroll = bytes_of("POST", "/api/v1/devices", &headers, b"");
    let reply = send(&server.admin, &enroll).unwrap();
    let said = String::from_utf8(reply.body).unwrap();
    assert_eq!(reply.status, 400, "{said}");
    assert!(said.contains("there is no body"), "{said}");
}

#[test]
fn a_broken_edit_changes_nothing_but_readiness_and_a_metric() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let before = digest(&server);
    assert_eq!(ready(&server).0, 200);
    let (status, problem) = server.policy(BROKEN);
    assert_eq!(status, 422, "{problem}");
    assert!(
        problem["detail"].as_str().unwrap().contains("main.pano:2"),
        "{problem}"
    );
    assert_eq!(digest(&server), before);
    assert_eq!(allowed(&server, &path, &kid), 200);
    let (status, said) = ready(&server);
    assert_eq!(status, 503);
    assert!(said["policy"]["degraded"].as_str().is_some(), "{said}");
    assert!(
        server
            .metric("panopol_policy_reload_total{result=\"rejected\"}")
            .unwrap()
            >= 1.0
    );
    let (_, audit) = server.api("GET", "/audit?limit=1000", None);
    assert!(audit["items"].to_string().contains("rejected"), "{audit}");

    assert_eq!(server.policy(POLICY).0, 200);
    assert_eq!(ready(&server).0, 200);
    assert_eq!(digest(&server), before);
}

#[test]
fn a_start_with_a_broken_tree_serves_the_last_good_one_degraded() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let before = digest(&server);
    let keep = server.kill().unwrap();
    std::fs::write(keep.path().join("policy/main.pano"), BROKEN).unwrap();
    let server = Server::launch(keep.path(), &[]);
    assert_eq!(digest(&server), before);
    assert_eq!(allowed(&server, &path, &kid), 200);
    assert_eq!(ready(&server).0, 503);
    assert!(server.log().contains("DEGRADED"));

    let dir = directory(BROKEN);
    let (code, said) = refused(dir.path(), &["--dev"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no earlier policy is kept"), "{said}");
}

#[test]
fn a_hangup_and_an_edit_alone_each_reload() {
    let server = Server::start(POLICY);
    let before = digest(&server);
    std::fs::write(server.dir.join("policy/main.pano"), narrowed()).unwrap();
    wait_for("the watch reloads", || digest(&server) != before);
    std::fs::write(server.dir.join("policy/main.pano"), POLICY).unwrap();
    server.signal("HUP");
    wait_for("SIGHUP reloads", || digest(&server) == before);
}

#[test]
fn a_bypass_holds_only_where_the_start_allows_it() {
    let policy = format!(
        "{POLICY}\nbypass drill {{\n  on unlock where env == production\n  reason \"exercise\"\n  until 2027-06-30\n}}\n"
    );
    let ask = |flags: &[&str]| {
        let server = Server::start_with(&policy, flags);
        let tags = json!({"env": "production", "role": "database"});
        let device = server.enroll("db-1", tags, 1);
        let (path, _, kid) = binding(&server, &device, 0);
        (allowed(&server, &path, &kid), server.log())
    };
    let (status, log) = ask(&[]);
    assert_eq!(status, 503, "{log}");
    assert!(log.contains("ignored without --allow-bypass"), "{log}");
    let (status, log) = ask(&["--allow-bypass"]);
    assert_eq!(status, 200, "{log}");
    assert!(log.contains("BYPASS"), "{log}");
}

/// Allowing and refusing policies take turns while clients ask: each record
/// agrees with the policy it names, and no client sees anything but the two.
#[test]
fn a_reload_under_load_is_seen_whole_or_not_at_all() {
    const FLIPS: usize = 60;
    let server = Server::start_with(
        POLICY,
        &[
            "--rate-per-binding",
            "1000000",
            "--rate-per-source",
            "1000000",
        ],
    );
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let (allowing, refusing) = (digest(&server), {
        assert_eq!(server.policy(&narrowed()).0, 200);
        digest(&server)
    });
    let body = request_for(&random_point()).to_string();
    let request = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    let done = AtomicBool::new(false);
    let statuses: BTreeSet<u16> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = BTreeSet::new();
                    while !done.load(Ordering::Relaxed) {
                        seen.insert(send(&server.unlock, &request).map_or(0, |reply| reply.status));
                    }
                    seen
                })
            })
            .collect();
        for flip in 0..FLIPS {
            let text = if flip % 2 == 0 {
                POLICY.to_owned()
            } else {
                narrowed()
            };
            let (status, said) = server.policy(&text);
            assert_eq!(status, 200, "{said}");
        }
        done.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    });
    assert_eq!(statuses, BTreeSet::from([200, 403]));
    server.signal("TERM");
    let dir = server.dir.clone();
    let mut server = server;
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(dir.join("state/records/records.jsonl")).unwrap();
    let mut switches = 0;
    let mut last = String::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let policy = record["decision"]["policy"].as_str().unwrap();
        let expected = if policy == allowing { "allow" } else { "deny" };
        assert!(policy == allowing || policy == refusing, "{record}");
        assert_eq!(record["decision"]["outcome"], expected, "{record}");
        if policy != last {
            switches += 1;
            last = policy.to_owned();
        }
    }
    assert!(switches > 10, "both policies decided in turn: {switches}");
}

#[test]
fn dev_serves_the_starter_policies_where_none_is_named() {
    let keep = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_panopol"));
    command
        .args(["serve", "--dev", "--unlock-listen", "127.0.0.1:0"])
        .args(["--admin-listen", "127.0.0.1:0", "--ready-file"])
        .arg(keep.path().join("ready.json"));
    let server = Server::spawn(keep.path(), command);
    let (status, policy) = server.api("GET", "/policy", None);
    assert_eq!(status, 200);
    let files = policy["files"].as_array().unwrap();
    assert!(files.contains(&"unlock.pano".into()), "{policy}");
    server.signal("TERM");
}

#[test]
fn a_reload_stands_in_the_audit_with_what_it_changes() {
    let server = Server::start(POLICY);
    let wider = POLICY.replace("allow from loopback", "allow from [loopback, 192.0.2.0/24]");
    let (status, said) = server.policy(&wider);
    assert_eq!(status, 200, "{said}");
    let (_, audit) = server.api("GET", "/audit?limit=1000", None);
    let audit = audit["items"].to_string();
    assert!(audit.contains("widened unlock: deny → "), "{audit}");
    assert!(audit.contains("192.0.2.0/24"), "{audit}");
}

#[test]
fn a_policy_whose_invariant_does_not_hold_is_rejected() {
    let server = Server::start(POLICY);
    let before = digest(&server);
    let promise = format!("{POLICY}\ninvariant shut {{\n  never allow unlock\n}}\n");
    let (status, problem) = server.policy(&promise);
    assert_eq!(status, 422, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("invariant `shut` does not hold"),
        "{problem}"
    );
    assert_eq!(digest(&server), before);
}
