//! An unmodified Clevis opens a real LUKS volume because a policy says so,
//! and does not where it does not.

use std::process::Command;

use serde_json::json;

use super::harness::{POLICY, Server, Volume, run, tang_config};

#[test]
fn clevis_opens_a_volume_exactly_while_the_policy_allows() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production", "role": "web"}), 1);
    let volume = Volume::create(&server.dir, "disk");
    volume.bind("tang", &tang_config(&device["bindings"][0]));
    assert!(volume.opens(1), "{}", server.log());

    let narrowed = POLICY.replace("allow from loopback", "allow from 192.0.2.0/24");
    assert_eq!(server.policy(&narrowed).0, 200);
    assert!(!volume.opens(1));
    let (_, why) = server.api("GET", "/devices/web-1/why?from=127.0.0.1", None);
    assert_eq!(why["decision"]["reasons"][0]["code"], "source-not-allowed");
    assert_eq!(
        why["recent"][0]["decision"]["reasons"][0]["code"],
        "source-not-allowed"
    );
    assert_eq!(server.policy(POLICY).0, 200);
    assert!(volume.opens(1));

    let dev = json!({"tags": {"env": "dev"}});
    assert_eq!(server.api("PATCH", "/devices/web-1", Some(dev)).0, 200);
    assert!(!volume.opens(1));
    let production = json!({"tags": {"env": "production"}});
    assert_eq!(
        server.api("PATCH", "/devices/web-1", Some(production)).0,
        200
    );
    assert!(volume.opens(1));

    assert_eq!(
        server
            .api("POST", "/devices/web-1/disable", Some(json!({})))
            .0,
        200
    );
    assert!(!volume.opens(1));
    let (_, why) = server.api("GET", "/devices/web-1/why", None);
    assert_eq!(
        why["recent"][0]["decision"]["reasons"][0]["code"],
        "device-disabled"
    );
    assert_eq!(
        server
            .api("POST", "/devices/web-1/enable", Some(json!({})))
            .0,
        200
    );
    assert!(volume.opens(1));

    assert_eq!(
        server
            .api("POST", "/devices/web-1/revoke", Some(json!({})))
            .0,
        200
    );
    assert!(!volume.opens(1));
}

#[test]
fn a_device_that_an_approval_group_covers_waits() {
    let server = Server::start(POLICY);
    let device = server.enroll("db-1", json!({"env": "production", "role": "database"}), 1);
    let volume = Volume::create(&server.dir, "disk");
    volume.bind("tang", &tang_config(&device["bindings"][0]));
    assert!(!volume.opens(1));
    let (_, why) = server.api("GET", "/devices/db-1/why", None);
    assert_eq!(why["recent"][0]["decision"]["outcome"], "pending");
}

#[test]
fn an_sss_pin_takes_two_bindings() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-2", json!({"env": "production"}), 2);
    let pins = json!([
        tang_config(&device["bindings"][0]),
        tang_config(&device["bindings"][1])
    ]);
    let volume = Volume::create(&server.dir, "disk");
    volume.bind("sss", &json!({"t": 2, "pins": {"tang": pins}}));
    assert!(volume.opens(1), "{}", server.log());
}

#[test]
fn clevis_regenerates_and_reports_a_binding() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-3", json!({"env": "production"}), 1);
    let volume = Volume::create(&server.dir, "disk");
    volume.bind("tang", &tang_config(&device["bindings"][0]));
    let clevis = |verb: &str, more: &[&str]| {
        run(Command::new("clevis")
            .args(["luks", verb, "-d"])
            .arg(&volume.image)
            .args(["-s", "1"])
            .args(more))
    };
    let (done, said) = clevis("report", &[]);
    assert!(done, "{said}");
    let (done, said) = clevis("regen", &["-q"]);
    assert!(done, "{said}\n{}", server.log());
    assert!(volume.opens(1));
}
