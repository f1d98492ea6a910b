//! What is asked of the certificate side that makes no sense, and what becomes
//! of a good request while its requester, or the server's clock, changes.

use serde_json::{Value, json};

use super::approval_terms::with_clock;
use super::harness::{Server, command, directory, wait_for};
use super::issuance::{POLICY, World, csr, good, key};

/// A request of erin's in the lab, which waits for nobody.
fn lab(world: &World) -> Value {
    let path = world.server.dir.join("web.key");
    let web = match path.exists() {
        true => path,
        false => key(&world.server.dir, "web", "P-256"),
    };
    let mut body = good(&web);
    body["project"] = json!("lab");
    body
}

fn serial(world: &World) -> Value {
    let (status, made) = world.submit(&world.erin, &lab(world));
    assert_eq!(status, 201, "{made}");
    world.job(&made["job"])["result"]["serial"].clone()
}

fn certificates(world: &World) -> usize {
    let (_, list) = world.server.api("GET", "/certificates", None);
    list["items"].as_array().unwrap().len()
}

#[test]
fn a_request_has_no_member_that_its_action_does_not_take() {
    let world = World::start();
    let known = serial(&world);
    let with = |mut body: Value, member: &str, value: &Value| {
        body[member] = value.clone();
        body
    };
    let revoke = || json!({"action": "revoke", "certificate": known});
    // Nobody draws the number of their own certificate, nor takes another's.
    let drawn = json!("40000000000000000000000000000001");
    for (body, fault) in [
        (
            with(lab(&world), "certificate", &known),
            "name a `certificate`",
        ),
        (
            with(lab(&world), "certificate", &drawn),
            "name a `certificate`",
        ),
        (
            with(lab(&world), "revocation", &json!("superseded")),
            "has a `revocation`",
        ),
        (
            with(lab(&world), "lifetime_s", &json!(0)),
            "for a second or longer",
        ),
        (with(revoke(), "csr", &lab(&world)["csr"]), "have a `csr`"),
        (with(revoke(), "predecessor", &known), "or a `predecessor`"),
    ] {
        for path in ["/issuance", "/issuance/dry-run"] {
            let body = Some(body.clone());
            let (status, said) = world.server.api_as(&world.erin, "POST", path, body);
            assert_eq!(status, 422, "{said}");
            let detail = said["detail"].as_str().unwrap();
            assert!(detail.contains(fault), "{fault}: {detail}");
        }
    }
    assert_eq!(certificates(&world), 1);
}

#[test]
fn nobody_is_asked_for_what_a_revocation_would_end() {
    let world = World::start();
    let known = serial(&world);
    let revoke = json!({"action": "revoke", "certificate": known});
    assert_eq!(world.submit(&world.erin, &revoke).0, 201);
    let mut renew = lab(&world);
    renew["action"] = json!("renew");
    renew["predecessor"] = known.clone();
    renew["acknowledge"] = json!(["days-left"]);
    let distribute = json!({"action": "distribute", "certificate": known});
    for body in [revoke, renew, distribute] {
        let (status, said) = world.submit(&world.erin, &body);
        assert_eq!(status, 409, "{said}");
        let detail = said["detail"].as_str().unwrap();
        assert!(detail.contains("is revoked already"), "{detail}");
    }
}

#[test]
fn nobody_is_asked_for_what_would_outlive_its_authority() {
    let world = World::start();
    let authority = json!({"id": "corp", "common_name": "Ten days", "days": 10});
    assert_eq!(
        world.server.api("POST", "/authorities", Some(authority)).0,
        201
    );
    let mut body = good(&key(&world.server.dir, "web", "P-256"));
    body["issuer_id"] = json!("corp");
    let (status, said) = world.submit(&world.carol, &body);
    assert_eq!(status, 422, "{said}");
    assert!(said.to_string().contains("would outlive"), "{said}");
    let (_, list) = world.server.api("GET", "/approvals", None);
    assert_eq!(list["items"], json!([]));
    body["lifetime_s"] = json!(86_400 * 9);
    assert_eq!(world.submit(&world.carol, &body).0, 202);
}

#[test]
fn only_what_somebody_was_warned_of_is_kept_as_acknowledged() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    let first = world.certificate(&web);
    let mut renew = good(&web);
    renew["action"] = json!("renew");
    renew["predecessor"] = first["serial"].clone();
    renew["acknowledge"] = json!(["key-changes", "whatever", "days-left"]);
    let (status, waits) = world.submit(&world.carol, &renew);
    assert_eq!(status, 202, "{waits}");
    let path = format!("/approvals/{}", waits["approval"].as_str().unwrap());
    let (_, shown) = world.server.api("GET", &path, None);
    assert_eq!(shown["request"]["acknowledged"], json!(["days-left"]));
}

#[test]
fn a_requester_who_lost_their_role_meanwhile_gets_nothing() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    let (_, waits) = world.submit(&world.carol, &good(&web));
    let less = POLICY.replace(
        "person carol { role operator in project web }",
        "person carol { role viewer in project web }",
    );
    assert_eq!(world.server.policy(&less).0, 200);
    let id = waits["approval"].as_str().unwrap();
    assert_eq!(world.approve(&world.bob, id).0, 200);
    let job = world.job(&waits["job"]);
    assert_eq!(job["state"], "ended", "{job:#}");
    let cause = job["cause"].as_str().unwrap();
    assert!(cause.contains("not operator or above"), "{cause}");
    let (_, request) = world.server.api("GET", &format!("/approvals/{id}"), None);
    assert_eq!(request["state"], "superseded");
    assert_eq!(certificates(&world), 0);
}

#[test]
fn a_clock_that_jumped_issues_nothing_and_revokes_all_the_same() {
    let dir = directory(POLICY);
    let offset = dir.path().join("offset");
    let faked = with_clock(command(dir.path(), &["--dev"]), &offset);
    let world = World::of(Server::spawn(dir.path(), faked));
    let known = serial(&world);
    // A year ahead.
    std::fs::write(&offset, "+31536000").unwrap();
    wait_for("the jump is seen", || {
        world.server.metric("panopol_clock_frozen") == Some(1.0)
    });
    let (status, made) = world.submit(&world.erin, &lab(&world));
    assert_eq!(status, 201, "{made}");
    assert_eq!(world.job(&made["job"])["state"], "queued");
    // What waits for people does not wait a year longer for that.
    let web = world.server.dir.join("web.key");
    let asked = json!({"csr": csr(&web, "b.example.com", "DNS:b.example.com")});
    let mut body = good(&web);
    body["csr"] = asked["csr"].clone();
    let (status, waits) = world.submit(&world.carol, &body);
    assert_eq!(status, 202, "{waits}");
    let path = format!("/approvals/{}", waits["approval"].as_str().unwrap());
    let (_, request) = world.server.api("GET", &path, None);
    let expires: jiff::Timestamp = request["expires"].as_str().unwrap().parse().unwrap();
    let week = jiff::SignedDuration::from_hours(24 * 7);
    assert!(expires <= jiff::Timestamp::now() + week, "{request:#}");
    let revoke = json!({"action": "revoke", "certificate": known});
    let (_, revoked) = world.submit(&world.erin, &revoke);
    assert_eq!(world.job(&revoked["job"])["state"], "executed");
    // Back where it should be, by itself: what waited for that is done.
    std::fs::write(&offset, "+0").unwrap();
    wait_for("it is issued", || {
        world.job(&made["job"])["state"] == "executed"
    });
    let begins = world.job(&made["job"])["result"]["not_before"].clone();
    let begins: jiff::Timestamp = begins.as_str().unwrap().parse().unwrap();
    assert!(begins <= jiff::Timestamp::now(), "{begins}");
}

#[test]
fn a_bypass_of_renewals_is_counted_and_names_its_decider() {
    let policy = format!(
        "{POLICY}\napproval lab-renewals {{\n  on        renew where project == lab\n  approvers team security\n}}\n\nbypass ci-renewals {{\n  on     renew where project == lab\n  reason \"CI has no approver\"\n  until  2099-01-01\n}}\n"
    );
    let metric = "panopol_approval_decisions_total{outcome=\"bypassed\",group=\"lab-renewals\"}";
    for (flags, expected) in [
        (&[][..], (202, None)),
        (&["--allow-bypass"], (201, Some(1.0))),
    ] {
        let world = World::start_with(&policy, flags);
        let mut renew = lab(&world);
        renew["action"] = json!("renew");
        renew["predecessor"] = serial(&world);
        renew["acknowledge"] = json!(["days-left"]);
        let (status, said) = world.submit(&world.erin, &renew);
        let found = (status, world.server.metric(metric));
        assert_eq!(found, expected, "{said}");
        let (_, audit, _) = world.server.panopol(&["audit", "export"]);
        let decided = "\"approval_bypassed\":\"ci-renewals\",\"decider\":\"system-bypass\"";
        assert_eq!(audit.contains(decided), status == 201, "{audit}");
    }
}
