//! The power fails at any point of a job: one certificate comes of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::foreign_ca::{ForeignCa, Mood};
use super::harness::{Server, directory, wait_for};
use super::issuance::{POLICY, World, good, key};

/// Approves, and kills the server after `pause`, wherever it is then.
fn approve_and_kill(server: Server, bob: &str, id: &str, pause: Duration) -> tempfile::TempDir {
    let (_, request) = server.api("GET", &format!("/approvals/{id}"), None);
    let url = format!("{}/api/v1/approvals/{id}/approve", server.admin);
    let body = json!({"digest": request["digest"], "note": "looked at"}).to_string();
    let headers = [("authorization", format!("Bearer {bob}"))];
    let call = std::thread::spawn(move || {
        // The server may be gone in the middle of it.
        let agent = ureq::Agent::new_with_defaults();
        let mut request =
            ureq::http::Request::post(&url).header("content-type", "application/json");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let _ = agent.run(request.body(body.into_bytes()).unwrap());
    });
    std::thread::sleep(pause);
    let keep = server.kill().unwrap();
    call.join().unwrap();
    keep
}

/// Runs jobs of `body`, one for each pause, through a kill each; how many were
/// approved before the kill.
fn through_kills(
    mut world: World,
    body: &dyn Fn() -> Value,
    flags: &[&str],
    pauses: &[u64],
) -> (World, usize) {
    let mut cut = 0;
    for &pause in pauses {
        let (status, waits) = world.submit(&world.carol, &body());
        assert_eq!(status, 202, "{waits:#}");
        let id = waits["approval"].as_str().unwrap();
        let bob = world.bob.clone();
        let pause = Duration::from_micros(pause);
        let keep = approve_and_kill(world.server, &bob, id, pause);
        let mut server = Server::launch(keep.path(), flags);
        server.own(keep);
        world.server = server;
        let job = &waits["job"];
        if world.job(job)["state"] == "waiting" {
            // The word itself did not come through: it is said again.
            assert_eq!(world.approve(&world.bob, id).0, 200);
        } else {
            cut += 1;
        }
        wait_for("the job is done", || world.job(job)["state"] == "executed");
    }
    (world, cut)
}

fn certificates(world: &World) -> Vec<Value> {
    let (_, list) = world.server.api("GET", "/certificates", None);
    list["items"].as_array().unwrap().clone()
}

/// From before the word arrives to after everything is done.
const PAUSES: [u64; 14] = [
    0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 13_000, 17_000, 25_000, 40_000,
    80_000,
];

#[test]
fn a_kill_at_any_point_makes_one_certificate_by_the_local_ca() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    let body = good(&web);
    let (world, cut) = through_kills(world, &|| body.clone(), &[], &PAUSES);
    assert!(cut > 0, "no kill came after the word");
    let made = certificates(&world);
    assert_eq!(made.len(), PAUSES.len());
    let jobs: std::collections::BTreeSet<String> =
        made.iter().map(|one| one["job"].to_string()).collect();
    assert_eq!(jobs.len(), PAUSES.len());
}

#[test]
fn a_kill_at_any_point_has_another_ca_make_one_certificate() {
    let keep = directory(POLICY);
    let ca = ForeignCa::start(keep.path());
    let file = ca.issuers(keep.path());
    let flags = ["--issuers", file.to_str().unwrap()];
    let mut server = Server::launch(keep.path(), &flags);
    server.own(keep);
    ca.know(&server.admin);
    let world = World::of(server);
    let web = key(&world.server.dir, "web", "P-256");
    let mut body = good(&web);
    body["issuer_type"] = json!("webhook");
    body["issuer_id"] = json!("corp");
    let (world, cut) = through_kills(world, &|| body.clone(), &flags, &PAUSES);
    assert!(cut > 0, "no kill came after the word");
    // Answers that are lost on top of it.
    ca.set(Mood::LosesAnswer);
    let (_, waits) = world.submit(&world.carol, &body);
    let keep = approve_and_kill(
        world.server,
        &world.bob,
        waits["approval"].as_str().unwrap(),
        Duration::from_millis(500),
    );
    let server = Server::launch(keep.path(), &flags);
    wait_for("it is asked again", || {
        let asked = ca.asked();
        let own = asked.iter().filter(|one| one.body["job"] == waits["job"]);
        own.count() > 1
    });
    ca.set(Mood::Good);
    wait_for("the job is done", || {
        let path = format!("/jobs/{}", waits["job"].as_str().unwrap());
        server.api("GET", &path, None).1["state"] == "executed"
    });
    let (_, list) = server.api("GET", "/certificates", None);
    assert_eq!(list["items"].as_array().unwrap().len(), PAUSES.len() + 1);
    assert_eq!(ca.made().len(), PAUSES.len() + 1);
}
