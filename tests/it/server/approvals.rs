//! People in the loop: a covered device waits, and opens once somebody
//! entitled has said so, once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::harness::{Server, Volume, binding, tang_config, wait_for};
use crate::tang::{random_point, request_for};

/// Databases wait for a DBA; short times, so that a test sees them end.
pub(super) const POLICY: &str = r#"edition 2026

tag env  = production | dev required
tag role = database | web
tag site = text

network loopback = [127.0.0.0/8, ::1]

person alice { role owner in org }
person bob   { role operator in org }
person carol { role viewer in org }
person dave  { email "dave@example.com" }
team dba = [bob, carol]

unlock servers {
  where env == production
  allow from loopback
}

approval databases {
  on        unlock where env == production and role == database
  approvers team dba
  claim     10s
  collect   20s up to 1
  deny-for  5s
}

allow-once reboots {
  where     env == production
  overrides [source, disabled]
  by        team dba
  max       1h
}
"#;

/// Clients may ask as often as a test does.
pub(super) const FLAGS: [&str; 4] = [
    "--rate-per-binding",
    "100000",
    "--rate-per-source",
    "100000",
];

/// A server, its people's tokens, and a database.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) bob: String,
    pub(super) carol: String,
    pub(super) dave: String,
}

impl World {
    pub(super) fn start(policy: &str) -> World {
        Self::start_with(policy, &FLAGS)
    }

    pub(super) fn start_with(policy: &str, flags: &[&str]) -> World {
        Self::of(Server::start_with(policy, flags))
    }

    /// Mints everyone's tokens.
    pub(super) fn of(server: Server) -> World {
        // Handed out by alice, and then one of their own, in which she has no hand.
        let token = |person: &str| mint(&server, &mint(&server, &server.token, person), person);
        World {
            bob: token("bob"),
            carol: token("carol"),
            dave: token("dave"),
            server,
        }
    }

    pub(super) fn database(&self, name: &str, bindings: u32) -> Value {
        let tags = json!({"env": "production", "role": "database"});
        self.server.enroll(name, tags, bindings)
    }

    /// The one request in that state.
    pub(super) fn request(&self, state: &str) -> Value {
        let path = format!("/approvals?state={state}");
        let (status, list) = self.server.api("GET", &path, None);
        assert_eq!(status, 200, "{list}");
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{state}: {list:#}");
        items[0].clone()
    }

    /// How many requests are in that state.
    pub(super) fn count(&self, state: &str) -> usize {
        let path = format!("/approvals?state={state}");
        let (_, list) = self.server.api("GET", &path, None);
        list["items"].as_array().unwrap().len()
    }

    pub(super) fn say(&self, token: &str, request: &Value, verdict: &str) -> (u16, Value) {
        let path = format!("/approvals/{}/{verdict}", request["id"].as_str().unwrap());
        let body = json!({"digest": request["digest"], "note": "by a test"});
        self.server.api_as(token, "POST", &path, Some(body))
    }
}

/// A token of `person`, minted with `token`.
pub(super) fn mint(server: &Server, token: &str, person: &str) -> String {
    let body = json!({"person": person});
    let (status, answer) = server.api_as(token, "POST", "/tokens", Some(body));
    assert_eq!(status, 201, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

/// One exchange with a binding, without Clevis; the status.
pub(super) fn exchange(server: &Server, device: &Value, number: usize) -> u16 {
    let (path, _, kid) = binding(server, device, number);
    let body = request_for(&random_point()).to_string();
    let target = format!("{path}/rec/{kid}");
    server.ask("POST", &target, "", body.as_bytes()).status
}

/// Retries as the initramfs does until it opens; how long that took.
fn retry_until_open(volume: &Volume, every: Duration, most: Duration) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < most {
        if volume.opens(1) {
            return Some(began.elapsed());
        }
        std::thread::sleep(every);
    }
    None
}

#[test]
fn a_database_opens_once_a_person_says_so_and_only_once() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 2);
    let first = Volume::create(&world.server.dir, "root");
    let second = Volume::create(&world.server.dir, "data");
    first.bind("tang", &tang_config(&device["bindings"][0]));
    second.bind("tang", &tang_config(&device["bindings"][1]));
    // Every second, as dracut does, and nothing opens while nobody decides.
    for _ in 0..3 {
        assert!(!first.opens(1));
        std::thread::sleep(Duration::from_secs(1));
    }
    let request = world.request("pending");
    assert_eq!(request["device"], "db-1");
    assert_eq!(request["approvers"], json!(["bob", "carol"]));
    assert!(request["seen"].as_u64().unwrap() >= 3, "{request:#}");
    let (status, answer) = world.say(&world.bob, &request, "approve");
    assert_eq!(
        (status, &answer["state"]),
        (200, &json!("approved")),
        "{answer:#}"
    );
    assert!(first.opens(1), "{}", world.server.log());
    // The first has had its one; the second of the same host is let in meanwhile.
    assert!(!first.opens(1));
    assert!(second.opens(1), "{}", world.server.log());
    assert!(!second.opens(1));
    let spent = world.request("spent");
    assert_eq!(spent["exchanges"].as_array().unwrap().len(), 2, "{spent:#}");
    // Afterwards it waits anew.
    world.request("pending");
    let (_, why, _) = world.server.panopol(&["device", "why", "db-1"]);
    assert!(why.contains("spent for binding 1 from 127.0.0.1"), "{why}");
}

#[test]
fn a_slow_retry_loop_opens_on_the_next_try_after_approval() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    let volume = Volume::create(&world.server.dir, "root");
    volume.bind("tang", &tang_config(&device["bindings"][0]));
    assert!(!volume.opens(1));
    let opened = std::thread::scope(|scope| {
        let retries = scope.spawn(|| {
            // Every 5 to 6 seconds, as initramfs-tools does.
            retry_until_open(
                &volume,
                Duration::from_millis(5500),
                Duration::from_secs(40),
            )
        });
        std::thread::sleep(Duration::from_secs(2));
        let request = world.request("pending");
        assert_eq!(world.say(&world.carol, &request, "approve").0, 200);
        retries.join().unwrap()
    });
    assert!(opened.is_some(), "{}", world.server.log());
}

#[test]
fn a_denial_blocks_the_device_from_that_address_and_no_other() {
    let world = World::start(POLICY);
    let (one, other) = (world.database("db-1", 1), world.database("db-2", 1));
    assert_eq!(exchange(&world.server, &one, 0), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.bob, &request, "deny").0, 200);
    assert_eq!(exchange(&world.server, &one, 0), 403);
    assert_eq!(exchange(&world.server, &other, 0), 503);
    let (_, listed, _) = world.server.panopol(&["denials", "list"]);
    assert!(
        listed.contains("db-1") && listed.contains("127.0.0.1"),
        "{listed}"
    );
    // It ends by itself, and the device waits for people again.
    wait_for("the denial ends", || {
        exchange(&world.server, &one, 0) == 503
    });
    let again = world
        .server
        .api("GET", "/approvals?state=pending&device=db-1", None)
        .1;
    let again = again["items"][0].clone();
    assert_ne!(again["id"], request["id"]);
    assert_eq!(world.say(&world.bob, &again, "deny").0, 200);
    assert_eq!(exchange(&world.server, &one, 0), 403);
    let id = again["id"].as_str().unwrap();
    let (code, said, _) = world
        .server
        .panopol(&["denials", "lift", id, "--note", "ours"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(exchange(&world.server, &one, 0), 503);
}

#[test]
fn who_defers_leaves_it_to_another_and_who_comes_late_is_told() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.bob, &request, "defer").0, 200);
    assert_eq!(world.request("pending")["id"], request["id"]);
    assert_eq!(world.say(&world.dave, &request, "approve").0, 403);
    assert_eq!(world.say(&world.carol, &request, "approve").0, 200);
    // The same word again is no error; another's comes late, and says whose word it was.
    assert_eq!(world.say(&world.carol, &request, "approve").0, 200);
    let (status, late) = world.say(&world.bob, &request, "approve");
    assert_eq!(status, 409);
    assert!(late["detail"].as_str().unwrap().contains("carol"), "{late}");
    // A denial wins over what is approved and not spent.
    assert_eq!(world.say(&world.bob, &request, "deny").0, 200);
    assert_eq!(exchange(&world.server, &device, 0), 403);
    let (status, late) = world.say(&world.carol, &request, "approve");
    assert_eq!(status, 409);
    assert!(late["detail"].as_str().unwrap().contains("bob"), "{late}");
    let approved = world
        .server
        .metric("panopol_approval_decisions_total{outcome=\"approved\",group=\"databases\"}");
    assert_eq!(approved, Some(1.0));
}

#[test]
fn what_was_shown_is_what_is_decided_on() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    exchange(&world.server, &device, 0);
    let request = world.request("pending");
    let tagged = json!({"tags": {"site": "berlin"}});
    assert_eq!(
        world.server.api("PATCH", "/devices/db-1", Some(tagged)).0,
        200
    );
    let (status, stale) = world.say(&world.bob, &request, "approve");
    assert_eq!(status, 409, "{stale}");
    let request = world.request("pending");
    assert_eq!(world.say(&world.bob, &request, "approve").0, 200);
    let without = json!({"note": "no digest"});
    let path = format!("/approvals/{}/approve", request["id"].as_str().unwrap());
    assert_eq!(
        world
            .server
            .api_as(&world.carol, "POST", &path, Some(without))
            .0,
        422
    );
}

#[test]
fn nobody_who_left_the_team_decides_nor_counts() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    exchange(&world.server, &device, 0);
    let request = world.request("pending");
    let without_bob = POLICY.replace("team dba = [bob, carol]", "team dba = [carol, dave]");
    assert_eq!(world.server.policy(&without_bob).0, 200);
    assert_eq!(world.say(&world.bob, &request, "approve").0, 403);
    // Nor one who came after it was made.
    assert_eq!(world.say(&world.dave, &request, "approve").0, 403);
    assert_eq!(world.say(&world.carol, &request, "approve").0, 200);
    // Between approval and exchange carol leaves as well.
    let without_carol = POLICY.replace("team dba = [bob, carol]", "team dba = [dave]");
    assert_eq!(world.server.policy(&without_carol).0, 200);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    wait_for("it ends", || world.count("superseded") > 0);
}

#[test]
fn a_change_of_what_is_required_supersedes() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    exchange(&world.server, &device, 0);
    let request = world.request("pending");
    let two = POLICY.replace("  claim     10s", "  need      2\n  claim     10s");
    assert_eq!(world.server.policy(&two).0, 200);
    let (status, answer) = world.say(&world.bob, &request, "approve");
    assert_eq!(status, 409, "{answer}");
    assert_eq!(world.request("superseded")["id"], request["id"]);
    exchange(&world.server, &device, 0);
    let anew = world.request("pending");
    assert_eq!(
        world.say(&world.bob, &anew, "approve").1["state"],
        "pending"
    );
    assert_eq!(exchange(&world.server, &device, 0), 503);
    assert_eq!(
        world.say(&world.carol, &anew, "approve").1["state"],
        "approved"
    );
    assert_eq!(exchange(&world.server, &device, 0), 200);
}

#[test]
fn whoever_minted_two_tokens_may_be_behind_both() {
    let two = POLICY.replace("  claim     10s", "  need      2\n  claim     10s");
    let world = World::start(&two);
    let device = world.database("db-1", 1);
    exchange(&world.server, &device, 0);
    let request = world.request("pending");
    for person in ["bob", "carol"] {
        let handed = mint(&world.server, &world.server.token, person);
        let (status, answer) = world.say(&handed, &request, "approve");
        assert_eq!((status, &answer["state"]), (200, &json!("pending")));
    }
    assert_eq!(exchange(&world.server, &device, 0), 503);
}

#[test]
fn nothing_waits_or_holds_for_ever() {
    let short = POLICY
        .replace("  claim     10s", "  expires   2s\n  claim     1s")
        .replace("collect   20s", "collect   1s");
    let world = World::start(&short);
    let device = world.database("db-1", 2);
    exchange(&world.server, &device, 0);
    let request = world.request("pending");
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(world.say(&world.bob, &request, "approve").0, 409);
    assert_eq!(world.request("expired")["id"], request["id"]);
    // Approved, and not claimed in time.
    exchange(&world.server, &device, 0);
    assert_eq!(
        world
            .say(&world.bob, &world.request("pending"), "approve")
            .0,
        200
    );
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(exchange(&world.server, &device, 0), 503);
    // Claimed, and the window is over before the second binding comes.
    assert_eq!(
        world
            .say(&world.bob, &world.request("pending"), "approve")
            .0,
        200
    );
    assert_eq!(exchange(&world.server, &device, 0), 200);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(exchange(&world.server, &device, 1), 503);
}

#[test]
fn a_one_time_unlock_is_armed_within_the_policy_and_used_once() {
    let world = World::start(&POLICY.replace("allow from loopback", "allow from 192.0.2.0/24"));
    let device = world
        .server
        .enroll("web-1", json!({"env": "production"}), 1);
    assert_eq!(exchange(&world.server, &device, 0), 403);
    let path = "/devices/web-1/allow-once";
    let arm = |token: &str, body: Value| world.server.api_as(token, "POST", path, Some(body));
    let good = json!({"overrides": ["source"], "addresses": ["127.0.0.1"], "for_s": 600});
    assert_eq!(arm(&world.dave, good.clone()).0, 403);
    assert_eq!(arm(&world.bob, json!({"overrides": ["source"]})).0, 422);
    assert_eq!(arm(&world.bob, json!({"overrides": ["approval"]})).0, 403);
    assert_eq!(
        arm(
            &world.bob,
            json!({"overrides": ["disabled"], "for_s": 3601})
        )
        .0,
        422
    );
    let elsewhere = json!({"overrides": ["source"], "addresses": ["198.51.100.0/24"]});
    assert_eq!(arm(&world.bob, elsewhere).0, 201);
    assert_eq!(exchange(&world.server, &device, 0), 403);
    let (status, armed) = arm(&world.bob, good);
    assert_eq!(
        (status, &armed["state"]),
        (201, &json!("armed")),
        "{armed:#}"
    );
    assert_eq!(exchange(&world.server, &device, 0), 200);
    assert_eq!(exchange(&world.server, &device, 0), 403);
    let (_, list) = world.server.api("GET", path, None);
    assert_eq!(list["items"][0]["state"], "spent", "{list:#}");
    assert_eq!(list["items"][0]["spent"]["source"], "127.0.0.1");
    let other = list["items"][1]["id"].as_str().unwrap();
    let path = format!("{path}/{other}");
    assert_eq!(
        world.server.api_as(&world.bob, "DELETE", &path, None).0,
        200
    );
    assert_eq!(
        world.server.api_as(&world.bob, "DELETE", &path, None).0,
        409
    );
}

#[test]
fn overriding_an_approval_takes_as_many_persons_as_it_needs() {
    let policy = POLICY
        .replace("overrides [source, disabled]", "overrides approval")
        .replace("  claim     10s", "  need      2\n  claim     10s");
    let world = World::start(&policy);
    let device = world.database("db-1", 1);
    let body = json!({"overrides": ["approval"]});
    let path = "/devices/db-1/allow-once";
    let (status, armed) = world.server.api_as(&world.bob, "POST", path, Some(body));
    assert_eq!(
        (status, &armed["state"]),
        (201, &json!("waiting")),
        "{armed:#}"
    );
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let join = format!("{path}/{}/arm", armed["id"].as_str().unwrap());
    assert_eq!(world.server.api_as(&world.bob, "POST", &join, None).0, 403);
    let (status, armed) = world.server.api_as(&world.carol, "POST", &join, None);
    assert_eq!(
        (status, &armed["state"]),
        (200, &json!("armed")),
        "{armed:#}"
    );
    assert_eq!(exchange(&world.server, &device, 0), 200);
    assert_eq!(exchange(&world.server, &device, 0), 503);
}

#[test]
fn a_change_of_tags_that_sheds_an_approval_waits_for_a_second_person() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 1);
    let web = json!({"tags": {"role": "web"}});
    let (status, request) = world
        .server
        .api_as(&world.bob, "PATCH", "/devices/db-1", Some(web));
    assert_eq!(status, 202, "{request:#}");
    assert_eq!(request["kind"], "tags");
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let (status, own) = world.say(&world.bob, &request, "approve");
    assert_eq!(status, 403);
    assert!(
        own["detail"]
            .as_str()
            .unwrap()
            .contains("two-person integrity"),
        "{own}"
    );
    let (status, done) = world.say(&world.carol, &request, "approve");
    assert_eq!(
        (status, &done["state"]),
        (200, &json!("executed")),
        "{done:#}"
    );
    let (_, device_now) = world.server.api("GET", "/devices/db-1", None);
    assert_eq!(device_now["tags"]["role"], "web");
    assert_eq!(exchange(&world.server, &device, 0), 200);
}

#[test]
fn state_that_was_restored_from_a_kill_is_what_was_answered() {
    let world = World::start(POLICY);
    let device = world.database("db-1", 2);
    assert_eq!(exchange(&world.server, &device, 0), 503);
    let request = world.request("pending");
    assert_eq!(world.say(&world.bob, &request, "approve").0, 200);
    assert_eq!(exchange(&world.server, &device, 0), 200);
    let url = world.server.unlock.clone();
    let keep = world.server.kill().unwrap();
    let port = url.rsplit(':').next().unwrap().to_owned();
    let listen = format!("127.0.0.1:{port}");
    let flags = [&FLAGS[..], &["--unlock-listen", &listen]].concat();
    let mut server = Server::launch(keep.path(), &flags);
    server.own(keep);
    // The use is spent, the second binding's is not, and nothing waits.
    assert_eq!(exchange(&server, &device, 0), 503);
    assert_eq!(exchange(&server, &device, 1), 200);
    assert_eq!(exchange(&server, &device, 1), 503);
}
