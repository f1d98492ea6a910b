//! What survives: kills at any moment, wrong keys, damaged directories, and an
//! orderly end.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::admin::master_key;
use super::harness::{
    POLICY, Reply, Server, binding, bytes_of, command, connect, directory, refusal, refused, run,
};
use crate::tang::{random_point, request_for};

const ROUNDS: u64 = 60;

/// What is known of a device: each answer that may be true. One where all was
/// acknowledged, two where a change was under way.
type Known = BTreeMap<String, Vec<Option<Value>>>;

/// A call that may find the server gone.
fn try_api(server: &Server, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let headers = format!(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\nConnection: close\r\n",
        server.token
    );
    let bytes = bytes_of(
        method,
        &format!("/api/v1{path}"),
        &headers,
        body.to_string().as_bytes(),
    );
    let mut stream = std::net::TcpStream::connect(server.admin.strip_prefix("http://")?).ok()?;
    stream.write_all(&bytes).ok()?;
    let reply = Reply::read(stream)?;
    Some((reply.status, serde_json::from_slice(&reply.body).ok()?))
}

/// What of a device the test compares: its state, tags and how many keys.
fn digest(device: &Value) -> Value {
    let keys = device["bindings"][0]["keys"].as_array().unwrap();
    json!({"state": device["state"], "tags": device["tags"], "keys": keys.len()})
}

/// Changes devices until the server is gone.
fn change(server: &Server, round: u64, known: &mut Known, acknowledged: &AtomicU64) {
    for number in 0.. {
        let name = format!("d-{round}-{number}");
        let device = format!("/devices/{name}");
        let tags = json!({"env": "production"});
        let both = json!({"env": "production", "role": "web"});
        let steps = [
            (
                "POST",
                "/devices".to_owned(),
                json!({"name": name, "tags": tags}),
                json!({"state": "active", "tags": tags, "keys": 2}),
            ),
            (
                "PATCH",
                device.clone(),
                json!({"tags": {"role": "web"}}),
                json!({"state": "active", "tags": both, "keys": 2}),
            ),
            (
                "POST",
                format!("{device}/rotate"),
                json!({}),
                json!({"state": "active", "tags": both, "keys": 4}),
            ),
            (
                "POST",
                format!("{device}/revoke"),
                json!({}),
                json!({"state": "revoked", "tags": both, "keys": 0}),
            ),
        ];
        // Some are left as they are after each step.
        let count = 1 + usize::try_from(number % 4).unwrap();
        let mut now = None;
        for (method, path, body, after) in steps.into_iter().take(count) {
            known.insert(name.clone(), vec![now, Some(after.clone())]);
            let Some((status, answer)) = try_api(server, method, &path, &body) else {
                return;
            };
            assert!(status < 300, "{method} {path}: {answer}");
            acknowledged.fetch_add(1, Ordering::Relaxed);
            now = Some(after);
            known.insert(name.clone(), vec![now.clone()]);
        }
    }
}

/// Every device that there is.
fn found(server: &Server) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut after = String::new();
    loop {
        let (_, page) = server.api("GET", &format!("/devices?limit=1000{after}"), None);
        for device in page["items"].as_array().unwrap() {
            found.insert(device["name"].as_str().unwrap().to_owned(), digest(device));
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

#[test]
fn killed_at_any_moment_the_server_keeps_what_it_acknowledged() {
    let dir = directory(POLICY);
    let mut known = Known::new();
    let acknowledged = AtomicU64::new(0);
    for round in 0..ROUNDS {
        let server = Server::launch(dir.path(), &[]);
        let found = found(&server);
        for (name, may_be) in &mut known {
            let is = found.get(name).cloned();
            assert!(
                may_be.contains(&is),
                "round {round}: {name} is {is:?}, not of {may_be:?}"
            );
            *may_be = vec![is];
        }
        let pid = server.child.id().to_string();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let began = Instant::now();
                let enough = acknowledged.load(Ordering::Relaxed) + round % 5;
                while acknowledged.load(Ordering::Relaxed) < enough
                    && began.elapsed() < Duration::from_secs(5)
                {
                    std::thread::sleep(Duration::from_millis(1));
                }
                // No two rounds alike, and no random number needed.
                std::thread::sleep(Duration::from_millis(round * 7 % 31));
                run(Command::new("kill").args(["-9", &pid]))
            });
            change(&server, round, &mut known, &acknowledged);
        });
        drop(server);
    }
    let server = Server::launch(dir.path(), &[]);
    let devices = found(&server);
    let acknowledged = acknowledged.into_inner();
    assert!(acknowledged > ROUNDS, "{acknowledged} changes");
    for (name, device) in &devices {
        let keys = device["keys"].as_u64().unwrap();
        assert!([0, 2, 4].contains(&keys), "{name}: {device}");
    }
    let device = server.enroll("last", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let body = request_for(&random_point()).to_string();
    assert_eq!(
        server
            .ask("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes())
            .status,
        200
    );
    let journal = dir.path().join("state/store/journal");
    let (code, out, said) = server.panopol(&["audit", "verify", journal.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{out}{said}");
}

fn copy(from: &Path, to: &Path) {
    let (done, said) = run(Command::new("cp").arg("-a").arg(from).arg(to));
    assert!(done, "{said}");
}

/// A directory in which a server has run, enrolled a device, and ended well.
fn used() -> tempfile::TempDir {
    let mut server = Server::start(POLICY);
    server.enroll("web-1", json!({"env": "production"}), 1);
    server.signal("TERM");
    assert!(server.child.wait().unwrap().success());
    server.kill().unwrap()
}

pub(super) fn expect_refusal(dir: &Path, flags: &[&str], cause: &str) {
    expect_refusal_of(command(dir, flags), cause);
}

/// The same of a command that ends in a server.
pub(super) fn expect_refusal_of(command: Command, cause: &str) {
    let (code, said) = refusal(command);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(cause), "{cause}: {said}");
    let errors = said.lines().filter(|line| line.contains("error")).count();
    assert_eq!(errors, 1, "one sentence: {said}");
}

#[test]
fn a_master_key_that_is_open_to_others_missing_or_wrong_is_refused() {
    let dir = directory(POLICY);
    let open = master_key(dir.path(), "a", 0o644);
    expect_refusal(
        dir.path(),
        &["--master-key", &open],
        "may be read by others",
    );
    expect_refusal(dir.path(), &[], "`master_key`: not set");
    expect_refusal(
        dir.path(),
        &["--master-key", "/nowhere/key"],
        "/nowhere/key",
    );
    let right = master_key(dir.path(), "b", 0o600);
    drop(Server::launch_plain(dir.path(), &["--master-key", &right]));
    let wrong = master_key(dir.path(), "c", 0o600);
    expect_refusal(dir.path(), &["--master-key", &wrong], "not the master key");
    drop(Server::launch_plain(dir.path(), &["--master-key", &right]));
}

#[test]
fn a_state_directory_that_cannot_be_used_is_named() {
    let dir = directory(POLICY);
    // Not even root can write there.
    expect_refusal(
        dir.path(),
        &["--dev", "--state", "/proc/panopol"],
        "`/proc/panopol`",
    );
    std::fs::write(dir.path().join("state"), "a file").unwrap();
    expect_refusal(dir.path(), &["--dev"], "state");
    let dir = directory(POLICY);
    let server = Server::launch(dir.path(), &[]);
    expect_refusal(dir.path(), &["--dev"], "in use");
    assert_eq!(
        server.api("GET", "/devices", None).0,
        200,
        "the first one goes on"
    );
}

#[test]
fn a_store_that_does_not_belong_together_or_is_damaged_is_refused() {
    let (one, two) = (used(), used());
    let journal = "state/store/journal";
    let bytes = std::fs::read(one.path().join(journal)).unwrap();
    std::fs::copy(two.path().join(journal), one.path().join(journal)).unwrap();
    expect_refusal(one.path(), &["--dev"], "different state directories");
    // A refused start has changed nothing: what the index has seen is still known.
    std::fs::write(one.path().join(journal), &bytes[..bytes.len() - 300]).unwrap();
    expect_refusal(one.path(), &["--dev"], "was truncated");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(one.path().join(journal), flipped).unwrap();
    expect_refusal(one.path(), &["--dev"], "it was changed");
    std::fs::remove_file(one.path().join(journal)).unwrap();
    expect_refusal(one.path(), &["--dev"], "no journal");
    std::fs::write(one.path().join(journal), &bytes).unwrap();
    let keys = one.path().join("state/store/keys");
    copy(&keys, &one.path().join("keys.kept"));
    copy(&two.path().join("state/store/keys"), &keys);
    let (code, said) = refused(one.path(), &["--dev"]);
    assert_eq!(code, Some(2), "{said}");
    copy(&one.path().join("keys.kept"), &keys);
    let server = Server::launch(one.path(), &[]);
    assert_eq!(
        server.api("GET", "/devices/web-1", None).0,
        200,
        "put back, it serves"
    );
}

#[test]
fn an_orderly_end_lets_a_request_finish() {
    let mut server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let body = request_for(&random_point()).to_string();
    let bytes = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    let (start, rest) = bytes.split_at(bytes.len() - 10);
    let _idle = connect(&server.unlock);
    let mut stream = connect(&server.unlock);
    stream.write_all(start).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(rest).unwrap();
    assert_eq!(Reply::read(stream).unwrap().status, 200);
    let began = Instant::now();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    let records = std::fs::read_to_string(server.dir.join("state/records/records.jsonl")).unwrap();
    assert_eq!(records.lines().count(), 1, "what was decided is recorded");
}

#[test]
fn the_master_key_is_changed_while_the_server_is_stopped() {
    let dir = directory(POLICY);
    let state = dir.path().join("state");
    let one = master_key(dir.path(), "a", 0o600);
    let two = master_key(dir.path(), "b", 0o600);
    let change = |from: &str, to: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panopol"));
        command.args(["keys", "master-change", "--from", from, "--to", to]);
        let output = command.arg("--state").arg(&state).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        (output.status.code(), said)
    };
    let (code, said) = change(&one, &two);
    assert_eq!(code, Some(2));
    assert!(said.contains("no state directory of a server"), "{said}");
    assert!(!state.exists(), "nothing is made by mistake");

    let server = Server::launch(dir.path(), &["--master-key", &one]);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let listen = server.unlock.strip_prefix("http://").unwrap().to_owned();
    let (code, said) = change(&one, &two);
    assert_eq!(code, Some(2));
    assert!(said.contains("in use by another process"), "{said}");
    drop(server);
    let (code, said) = change(&two, &one);
    assert_eq!(code, Some(2));
    assert!(said.contains("not the master key"), "{said}");
    let open = master_key(dir.path(), "c", 0o644);
    let (code, said) = change(&one, &open);
    assert_eq!((code, said.contains("others")), (Some(2), true), "{said}");

    // Whoever changes it, the state stays its owner's: a service's, say.
    let owner = if uid(Path::new("/proc/self")) == 0 {
        let (done, said) = run(Command::new("chown")
            .args(["-R", "65534:65534"])
            .arg(&state));
        assert!(done, "{said}");
        65534
    } else {
        uid(&state)
    };
    let (code, said) = change(&one, &two);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("backups made before"), "{said}");
    for file in ["", "keys", "journal", "journal.lock", "index", "index/db"] {
        let path = state.join("store").join(file);
        assert_eq!(uid(&path), owner, "{}", path.display());
    }

    expect_refusal(
        dir.path(),
        &["--dev", "--master-key", &one],
        "not the master key",
    );
    let flags = ["--master-key", &two, "--unlock-listen", &listen];
    let server = Server::launch(dir.path(), &flags);
    let (path, _, kid) = binding(&server, &device, 0);
    let body = request_for(&random_point()).to_string();
    let reply = server.ask("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    assert_eq!(reply.status, 200);
    let (_, audit) = server.api("GET", "/audit?limit=1000", None);
    let entries = audit["items"].as_array().unwrap().iter();
    let changed = entries.filter(|entry| entry["event"]["kind"] == "master-key-changed");
    assert_eq!(changed.count(), 1);
}

fn uid(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).unwrap().uid()
}
