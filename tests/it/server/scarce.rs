//! A disk that is full or may not be written, before a start and under a
//! running server: said clearly, and nothing that was acknowledged is lost.

use std::path::Path;

use serde_json::{Value, json};

use super::harness::{POLICY, Server, binding, bytes_of, command, directory, send};
use super::state::expect_refusal_of;
use crate::scarcity::{bound_by_modes, limit_files, set_writable};
use crate::tang::{random_point, request_for};

/// Whether an exchange with the first binding of `device` is answered.
fn unlocks(server: &Server, device: &Value) -> bool {
    let (path, _, kid) = binding(server, device, 0);
    let body = request_for(&random_point()).to_string();
    let bytes = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    send(&server.unlock, &bytes).unwrap().status == 200
}

fn expect_store_problem(answer: &(u16, Value), said: &str) {
    let (status, problem) = answer;
    assert_eq!(*status, 503, "{problem}");
    assert_eq!(problem["type"], "urn:panopol:problem:store", "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(said), "{said}: {detail}");
}

fn states(server: &Server) -> Vec<(String, String)> {
    let (_, page) = server.api("GET", "/devices?limit=1000", None);
    let word = |device: &Value, name: &str| device[name].as_str().unwrap().to_owned();
    let devices = page["items"].as_array().unwrap().iter();
    devices
        .map(|device| (word(device, "name"), word(device, "state")))
        .collect()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// The policy on disk is read again, and decides: by this reload, or by the
/// server's own watch where that was faster.
fn expect_reloaded(server: &Server, before: &str) {
    let (status, answer) = server.api("POST", "/policy/reload", Some(json!({})));
    assert_eq!(status, 200, "{answer}");
    assert_ne!(digest(server), before);
}

fn digest(server: &Server) -> String {
    let (_, policy) = server.api("GET", "/policy", None);
    policy["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_disk_that_fills_refuses_changes_and_goes_on_deciding() {
    let mut server = Server::start(POLICY);
    let dir = server.dir.clone();
    let tags = json!({"env": "production"});
    let device = server.enroll("web-1", tags.clone(), 1);
    let body = |name: &str| Some(json!({"name": name, "tags": tags}));
    let journal = dir.join("state/store/journal");
    // Not one byte more in the journal; what is shorter may grow as long.
    limit_files(server.child.id(), Some(length(&journal)));
    for number in 0..20 {
        let name = format!("lost-{number}");
        let answer = server.api("POST", "/devices", body(&name));
        expect_store_problem(&answer, "nothing was changed");
    }
    let disabled = server.api("POST", "/devices/web-1/disable", Some(json!({})));
    expect_store_problem(&disabled, "nothing was changed");
    for _ in 0..5 {
        assert!(unlocks(&server, &device), "{}", server.log());
    }
    assert_eq!(server.api("GET", "/devices/web-1/why", None).0, 200);
    assert_eq!(server.child.try_wait().unwrap(), None);

    limit_files(server.child.id(), None);
    server.enroll("web-2", json!({"env": "production"}), 1);
    let disabled = server.api("POST", "/devices/web-2/disable", Some(json!({})));
    assert_eq!(disabled.0, 200, "{}", disabled.1);
    let known = states(&server);
    assert_eq!(known.len(), 2, "{known:?}");
    let listen = server.unlock.strip_prefix("http://").unwrap().to_owned();
    let keep = server.kill();
    let server = Server::launch(&dir, &["--unlock-listen", &listen]);
    assert_eq!(states(&server), known);
    assert!(unlocks(&server, &device));
    assert!(!server.log().contains("panicked"), "{}", server.log());
    drop((server, keep));
}

#[test]
fn a_disk_with_no_room_at_all_loses_records_and_says_how_many() {
    let mut server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let dir = server.dir.clone();
    limit_files(server.child.id(), Some(0));
    assert!(unlocks(&server, &device));
    let changed = POLICY.replace("role = database | web", "role = database | web | cache");
    let before = digest(&server);
    std::fs::write(dir.join("policy/main.pano"), changed).unwrap();
    let answer = server.api("POST", "/policy/reload", Some(json!({})));
    expect_store_problem(&answer, "last-good");
    let backup = server.api("POST", "/backup", Some(json!({})));
    expect_store_problem(&backup, "backup");
    super::harness::wait_for("the record is counted as lost", || {
        server.metric("panopol_records_lost_total") > Some(0.0)
    });
    assert!(unlocks(&server, &device));
    limit_files(server.child.id(), None);
    expect_reloaded(&server, &before);
    let (status, answer) = server.api("POST", "/backup", Some(json!({})));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(server.child.try_wait().unwrap(), None);
}

#[test]
fn a_state_that_may_not_be_written_is_refused_at_start_and_whole_afterwards() {
    let dir = directory(POLICY);
    let server = Server::launch(dir.path(), &[]);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let port = server.unlock.rsplit(':').next().unwrap().to_owned();
    drop(server);
    let state = dir.path().join("state");
    set_writable(&state, false);
    let serve = bound_by_modes(&command(dir.path(), &["--dev"]));
    expect_refusal_of(serve, "Permission denied");
    let serve = bound_by_modes(&command(dir.path(), &["--dev"]));
    expect_refusal_of(serve, state.to_str().unwrap());
    set_writable(&state, true);
    let listen = format!("127.0.0.1:{port}");
    let server = Server::launch(dir.path(), &["--unlock-listen", &listen]);
    assert!(unlocks(&server, &device));
}

#[test]
fn a_state_that_becomes_read_only_refuses_what_needs_a_new_file_and_heals() {
    let dir = directory(POLICY);
    let serve = bound_by_modes(&command(dir.path(), &["--dev"]));
    let server = Server::spawn(dir.path(), serve);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let state = dir.path().join("state");
    set_writable(&state, false);
    assert!(unlocks(&server, &device));
    let backup = server.api("POST", "/backup", Some(json!({})));
    assert_eq!(backup.0, 503, "{}", backup.1);
    let changed = POLICY.replace("role = database | web", "role = database | web | cache");
    let before = digest(&server);
    let answer = server.policy(&changed);
    expect_store_problem(&answer, "Permission denied");
    let tagged = json!({"tags": {"role": "cache"}});
    let refused = server.api("PATCH", "/devices/web-1", Some(tagged.clone()));
    assert_eq!(refused.0, 422, "the policy before still decides");
    // The open journal can still be written, so this one is kept.
    let answer = server.api("POST", "/devices/web-1/disable", Some(json!({})));
    assert_eq!(answer.0, 200, "{}", answer.1);
    assert!(!unlocks(&server, &device));
    set_writable(&state, true);
    expect_reloaded(&server, &before);
    assert_eq!(server.api("PATCH", "/devices/web-1", Some(tagged)).0, 200);
    server.kill();
    let server = Server::launch(dir.path(), &[]);
    assert_eq!(
        states(&server),
        [("web-1".to_owned(), "disabled".to_owned())]
    );
}
