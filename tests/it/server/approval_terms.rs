//! The terms of an approval and what surrounds it: other addresses, bypasses,
//! escalations, legacy hosts, a clock that jumps, a backup that comes back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::approvals::{FLAGS, POLICY, World, exchange};
use super::harness::{Server, binding, bytes_of, command, send, wait_for};
use crate::tang::{random_point, request_for};

/// One exchange as if it came from another address; the server takes loopback for a proxy.
fn exchange_from(server: &Server, device: &Value, source: &str) -> u16 {
    let (path, _, kid) = binding(server, device, 0);
    let body = request_for(&random_point()).to_string();
    let request = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    let mut bytes = format!("PROXY TCP4 {source} 127.0.0.1 9 9\r\n").into_bytes();
    bytes.extend(request);
    send(&server.unlock, &bytes).unwrap().status
}

fn anywhere(policy: &str) -> String {
    policy.replace("allow from loopback", "allow from [0.0.0.0/0, ::/0]")
}

fn behind_proxy(policy: &str) -> World {
    let flags = [&FLAGS[..], &["--trusted-proxies", "127.0.0.0/8"]].concat();
    World::start_with(policy, &flags)
}

#[test]
fn an_approval_and_a_denial_are_for_the_address_that_asked() {
    let world = behind_proxy(&anywhere(POLICY));
    let device = world.database("db-1", 1);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.1"), 503);
    let first = world.request("pending");
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.2"), 503);
    assert_eq!(world.count("pending"), 2);
    assert_eq!(world.say(&world.bob, &first, "deny").0, 200);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.1"), 403);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.2"), 503);
    let second = world.request("pending");
    assert_eq!(world.say(&world.bob, &second, "approve").0, 200);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.3"), 503);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.2"), 200);
}

#[test]
fn binds_says_how_far_an_approval_reaches() {
    let network =
        anywhere(POLICY).replace("  claim     10s", "  binds     network\n  claim     10s");
    let world = behind_proxy(&network);
    let device = world.database("db-1", 1);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.1"), 503);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.200"), 503);
    let request = world.request("pending");
    assert_eq!(request["seen"], 2);
    assert_eq!(world.say(&world.bob, &request, "approve").0, 200);
    assert_eq!(exchange_from(&world.server, &device, "192.0.3.1"), 503);
    assert_eq!(exchange_from(&world.server, &device, "192.0.2.77"), 200);
}

#[test]
fn a_device_has_at_most_eight_open_requests() {
    let world = behind_proxy(&anywhere(POLICY));
    let device = world.database("db-1", 1);
    for last in 1..=20 {
        let source = format!("192.0.2.{last}");
        assert_eq!(exchange_from(&world.server, &device, &source), 503);
    }
    assert_eq!(world.count("pending"), 8);
}

#[test]
fn a_source_that_is_not_allowed_asks_nobody() {
    let world = World::start(&POLICY.replace("allow from loopback", "allow from 192.0.2.0/24"));
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 403);
    assert_eq!(world.count("pending"), 0);
}

#[test]
fn a_bypass_holds_only_where_the_server_was_told_so_and_is_in_the_audit() {
    let policy = format!(
        "{POLICY}\nbypass drills {{\n  on     unlock where role == database\n  reason \"a drill\"\n  until  2099-01-01\n}}\n"
    );
    let world = World::start(&policy);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let flags = [&FLAGS[..], &["--allow-bypass"]].concat();
    let world = World::start_with(&policy, &flags);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 200);
    assert!(world.server.log().contains("BYPASS"));
    let (_, audit, _) = world.server.panopol(&["audit", "export"]);
    assert!(
        audit.contains("\"approval_bypassed\":\"drills\""),
        "{audit}"
    );
    assert!(audit.contains("\"decider\":\"system-bypass\""), "{audit}");
    let metric = "panopol_approval_decisions_total{outcome=\"bypassed\",group=\"databases\"}";
    assert_eq!(world.server.metric(metric), Some(1.0));
}

#[test]
fn an_escalation_adds_who_may_decide() {
    let policy = POLICY.replace(
        "  claim     10s",
        "  escalate  after 3s to person dave\n  claim     10s",
    );
    let world = World::start(&policy);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.dave, &request, "approve").0, 403);
    std::thread::sleep(Duration::from_secs(3));
    let request = world.request("pending");
    assert_eq!(request["approvers"], json!(["bob", "carol", "dave"]));
    assert_eq!(world.say(&world.dave, &request, "approve").0, 200);
    assert_eq!(exchange(&world.server, &device, 0), 200);
}

#[test]
fn who_stands_in_decides_while_it_lasts() {
    let policy = POLICY.replace(
        "person bob   { role operator in org }",
        "person bob   { role operator in org  delegate dave from 2026-01-01 until 2099-01-01 }",
    );
    let world = World::start(&policy);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.dave, &request, "approve").0, 200);
    // The delegation is taken back before the exchange.
    assert_eq!(world.server.policy(POLICY).0, 200);
    assert_eq!(exchange(&world.server, &device, 0), 503);
}

#[test]
fn tags_that_change_while_it_waits_supersede_it() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let waiting = world.request("pending");
    let web = json!({"tags": {"role": "web"}});
    let (_, change) = world
        .server
        .api_as(&world.bob, "PATCH", "/devices/db-1", Some(web));
    assert_eq!(world.say(&world.carol, &change, "approve").0, 200);
    let (status, late) = world.say(&world.bob, &waiting, "approve");
    assert_eq!(status, 409, "{late}");
    assert_eq!(world.request("superseded")["id"], waiting["id"]);
    assert_eq!(exchange(&world.server, &device, 0), 200);
}

#[test]
fn hosts_of_a_legacy_tang_server_wait_like_any_other() {
    let policy = POLICY.to_owned();
    let keys = tempfile::tempdir().unwrap();
    let keys = keys.path().join("db");
    std::fs::create_dir(&keys).unwrap();
    let keys = keys.to_str().unwrap().to_owned();
    let tags = [
        "--tang-keys",
        &keys,
        "--tang-tags",
        "env=production,role=database",
    ];
    let world = World::start_with(&policy, &[&FLAGS[..], &tags[..]].concat());
    let (_, listed) = world.server.api("GET", "/keys", None);
    let kid = listed["items"].as_array().unwrap().iter();
    let mut kid = kid
        .filter(|key| key["role"] == "exchange")
        .map(|key| &key["thumbprint"]);
    let kid = kid.next_back().unwrap().as_str().unwrap().to_owned();
    let exchange = || {
        let body = request_for(&random_point()).to_string();
        let target = format!("/rec/{kid}");
        world
            .server
            .ask("POST", &target, "", body.as_bytes())
            .status
    };
    assert_eq!(exchange(), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.bob, &request, "approve").0, 200);
    assert_eq!(exchange(), 200);
    assert_eq!(exchange(), 503);
}

#[test]
fn what_a_backup_brings_back_is_no_longer_granted() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.bob, &request, "approve").0, 200);
    let body = json!({"overrides": ["disabled"]});
    let path = "/devices/db-1/allow-once";
    assert_eq!(
        world.server.api_as(&world.bob, "POST", path, Some(body)).0,
        201
    );
    let (status, backup) = world.server.api("POST", "/backup", Some(json!({})));
    assert_eq!(status, 200, "{backup}");
    let file = backup["path"].as_str().unwrap().to_owned();
    let port = world.server.unlock.rsplit(':').next().unwrap().to_owned();
    let url = format!("127.0.0.1:{port}");
    let keep = world.server.kill().unwrap();
    let dir = keep.path();
    let restored = dir.join("restored");
    std::fs::create_dir(&restored).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_panopol"))
        .args(["keys", "restore", &file, "--state"])
        .arg(&restored)
        .arg("--master-key")
        .arg(dir.join("state/master.key"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::copy(dir.join("state/master.key"), restored.join("master.key")).unwrap();
    let restored = restored.to_str().unwrap();
    let flags = [&FLAGS[..], &["--state", restored, "--unlock-listen", &url]].concat();
    let server = Server::launch(dir, &flags);
    assert_eq!(exchange(&server, &device, 0), 503);
    let (_, why) = server.api("GET", "/devices/db-1/why", None);
    assert_eq!(why["allow_once"][0]["state"], "withdrawn", "{why:#}");
    assert_eq!(why["approvals"][1]["state"], "superseded", "{why:#}");
}

/// `command` under Debian's libfaketime: by a wall clock that is off by what
/// stands in the file `offset`, as `+7200`.
pub(super) fn with_clock(mut command: Command, offset: &Path) -> Command {
    let library = std::fs::read_dir("/usr/lib").unwrap();
    let library = library
        .map(|entry| entry.unwrap().path().join("faketime/libfaketime.so.1"))
        .find(|path| path.exists())
        .expect("faketime is to be installed");
    std::fs::write(offset, "+0").unwrap();
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", offset)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
    command
}

#[test]
fn a_clock_that_jumps_freezes_what_ends_by_it() {
    let dir = super::harness::directory(&POLICY.replace("deny-for  5s", "deny-for  30m"));
    let offset = dir.path().join("offset");
    let faked = command(dir.path(), &[&["--dev"], &FLAGS[..]].concat());
    let faked = with_clock(faked, &offset);
    let server = Server::spawn(dir.path(), faked);
    let world = World::of(server);
    let (denied, approved) = (world.database("db-1", 1), world.database("db-2", 1));
    let server = &world.server;
    assert_eq!(exchange(server, &denied, 0), 503);
    assert_eq!(
        world.say(&world.bob, &world.request("pending"), "deny").0,
        200
    );
    assert_eq!(exchange(server, &approved, 0), 503);
    let request = world.request("pending");
    // Two hours ahead: the denial would be over, and the request near its end.
    std::fs::write(&offset, "+7200").unwrap();
    wait_for("the jump is seen", || {
        server.metric("panopol_clock_frozen") == Some(1.0)
    });
    assert_eq!(exchange(server, &denied, 0), 403);
    assert_eq!(world.say(&world.bob, &request, "approve").0, 503);
    // What is asked meanwhile waits no longer than if the clock had been right.
    let late = world.database("db-3", 1);
    assert_eq!(exchange(server, &late, 0), 503);
    let (_, asked) = server.api("GET", "/approvals?device=db-3", None);
    let expires = |one: &Value| one["expires"].as_str().unwrap().parse::<jiff::Timestamp>();
    let apart = expires(&asked["items"][0]).unwrap() - expires(&request).unwrap();
    assert!(apart.get_seconds() < 600, "{asked:#}");
    // Nothing expires, also where one device is asked about.
    std::fs::write(&offset, "+172800").unwrap();
    let (_, why) = server.api("GET", "/devices/db-2/why", None);
    assert_eq!(why["approvals"][0]["state"], "pending", "{why:#}");
    std::fs::write(&offset, "+7200").unwrap();
    // A denial holds, and so it may be lifted.
    let (_, denials, _) = server.panopol(&["denials", "list"]);
    assert!(denials.contains("until"), "{denials}");
    let id = denials.split(' ').next().unwrap();
    assert_eq!(server.panopol(&["denials", "lift", id]).0, Some(0));
    assert_eq!(exchange(server, &denied, 0), 503);
    assert!(server.log().contains("CLOCK"), "{}", server.log());
    // Back where it should be, by itself.
    std::fs::write(&offset, "+0").unwrap();
    wait_for("it recovers", || {
        server.metric("panopol_clock_frozen") == Some(0.0)
    });
    assert_eq!(world.say(&world.bob, &request, "approve").0, 200);
    // An hour back, after the approval: it does not live an hour longer.
    std::fs::write(&offset, "-3600").unwrap();
    wait_for("the jump is seen", || {
        server.metric("panopol_clock_frozen") == Some(1.0)
    });
    assert_eq!(exchange(server, &approved, 0), 503);
    let (code, said, _) = server.panopol(&["audit", "accept-clock", "--note", "NTP was wrong"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(server.metric("panopol_clock_frozen"), Some(0.0));
    let (_, audit, _) = server.panopol(&["audit", "export"]);
    assert!(audit.contains("clock-jumped") && audit.contains("NTP was wrong"));
}
