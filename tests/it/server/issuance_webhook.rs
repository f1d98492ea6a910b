//! Certificates by somebody else's CA: asked with a permit, once a job, and
//! read back before it is believed.

use std::path::Path;

use serde_json::{Value, json};

use super::foreign_ca::{ForeignCa, Mood, private_file};
use super::harness::{Server, directory, http, refused, wait_for};
use super::issuance::{POLICY, World, good, key};

/// A server with a CA behind a webhook; and that CA.
fn start() -> (World, ForeignCa) {
    let keep = directory(POLICY);
    let ca = ForeignCa::start(keep.path());
    let file = ca.issuers(keep.path());
    let mut server = Server::launch(keep.path(), &["--issuers", file.to_str().unwrap()]);
    server.own(keep);
    ca.know(&server.admin);
    (World::of(server), ca)
}

fn corp(key: &Path) -> Value {
    let mut body = good(key);
    body["issuer_type"] = json!("webhook");
    body["issuer_id"] = json!("corp");
    body
}

/// Asks and approves; the job's id.
fn approved(world: &World, body: &Value) -> Value {
    let (status, waits) = world.submit(&world.carol, body);
    assert_eq!(status, 202, "{waits:#}");
    let (status, done) = world.approve(&world.bob, waits["approval"].as_str().unwrap());
    assert_eq!(status, 200, "{done:#}");
    waits["job"].clone()
}

fn wait_until(world: &World, job: &Value, state: &str) -> Value {
    wait_for(&format!("the job is {state}"), || {
        world.job(job)["state"] == state
    });
    world.job(job)
}

#[test]
fn another_ca_issues_by_permit_and_what_it_made_is_read_back() {
    let (world, ca) = start();
    let web = key(&world.server.dir, "web", "P-256");
    let job = approved(&world, &corp(&web));
    let done = wait_until(&world, &job, "executed");
    let serial = done["result"]["serial"].as_str().unwrap();
    assert!(serial.starts_with("corp:"), "{serial}");
    assert_eq!(
        done["result"]["certificate"].as_str().unwrap(),
        ca.made()[0].1
    );
    // Nobody asks without a permit, and a revocation goes the same way.
    let revoke = json!({"action": "revoke", "certificate": serial, "reason": "the key leaked"});
    let job = approved(&world, &revoke);
    wait_until(&world, &job, "executed");
    let last = ca.asked().pop().unwrap();
    assert_eq!(last.body["action"], "revoke");
    assert_eq!(
        Some(last.body["certificate"].as_str().unwrap()),
        serial.strip_prefix("corp:")
    );
    let (_, certificates) = world.server.api("GET", "/certificates", None);
    assert_eq!(certificates["items"][0]["state"], "revoked");
}

#[test]
fn a_lost_answer_a_busy_ca_and_one_that_is_down_make_no_second_certificate() {
    for mood in [Mood::LosesAnswer, Mood::Down, Mood::Busy] {
        let (world, ca) = start();
        let web = key(&world.server.dir, "web", "P-256");
        ca.set(mood);
        let job = approved(&world, &corp(&web));
        wait_for("it is asked", || !ca.asked().is_empty());
        wait_for("the fault is told", || {
            world.job(&job)["last_fault"].is_string()
        });
        assert_eq!(world.job(&job)["state"], "executing");
        ca.set(Mood::Good);
        let done = wait_until(&world, &job, "executed");
        assert_eq!(ca.made().len(), 1, "{mood:?}");
        assert_eq!(done["result"]["certificate"], ca.made()[0].1);
        let ids: std::collections::BTreeSet<String> = ca
            .asked()
            .iter()
            .map(|one| one.header("idempotency-key").to_owned())
            .collect();
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), [job.as_str().unwrap()]);
    }
}

#[test]
fn what_was_not_approved_fails_the_job_and_is_no_certificate() {
    let (world, ca) = start();
    let web = key(&world.server.dir, "web", "P-256");
    let first = approved(&world, &corp(&web));
    wait_until(&world, &first, "executed");
    for (mood, fault) in [
        (
            Mood::MoreNames,
            "names that were not approved: dns:admin.example.com",
        ),
        (Mood::LessNames, "lacks names that were approved"),
        (Mood::OtherKey, "another key"),
        (Mood::LongLife, "lives longer"),
        (Mood::MakesCa, "a CA's"),
        (Mood::Stranger, "no CA of `ca` signed it"),
        (Mood::AnyPurpose, "more than serverAuth"),
        (Mood::MoreSubject, "more than a common name"),
        (Mood::Repeats, "is that of job"),
        (Mood::Nonsense, "none in the answer"),
        (Mood::Refuses, "answered 422: the name is taken"),
    ] {
        ca.set(mood);
        let job = approved(&world, &corp(&web));
        let failed = wait_until(&world, &job, "failed");
        let cause = failed["result"]["cause"].as_str().unwrap();
        assert!(cause.contains(fault), "{mood:?}: {cause}");
    }
    let (_, certificates) = world.server.api("GET", "/certificates", None);
    assert_eq!(certificates["items"].as_array().unwrap().len(), 1);
    assert!(world.server.log().contains("a job failed"));
}

#[test]
fn a_permit_of_another_server_is_none() {
    let (world, ca) = start();
    let other = World::start();
    // The CA trusts another server's permits: this one's are refused.
    ca.know(&other.server.admin);
    let web = key(&world.server.dir, "web", "P-256");
    let job = approved(&world, &corp(&web));
    let failed = wait_until(&world, &job, "failed");
    assert!(failed.to_string().contains("the permit"), "{failed:#}");
    assert!(ca.made().is_empty());
    let keys = |world: &World| {
        http(
            "GET",
            &format!("{}/api/v1/permit-keys", world.server.admin),
            &[],
            None,
        )
        .1
    };
    let own: Value = serde_json::from_str(&keys(&world)).unwrap();
    assert_eq!(own["keys"][0]["kty"], "EC");
    assert!(own["keys"][0].get("d").is_none(), "{own}");
    assert_ne!(keys(&world), keys(&other));
}

#[test]
fn a_file_of_issuers_that_makes_no_sense_stops_the_start_with_its_line() {
    let keep = directory(POLICY);
    let dir = keep.path();
    ForeignCa::start(dir);
    private_file(&dir.join("short"), "short");
    std::fs::write(dir.join("open"), "correct horse battery staple").unwrap();
    let file = dir.join("issuers.toml");
    let whole = "[[webhook]]\nid = \"corp\"\nurl = \"https://ca.example.com/sign\"\nsecret = \"DIR/corp.secret\"\nca = \"DIR/corp-ca.pem\"\n";
    let step = "[[step-ca]]\nid = \"step\"\nwebhook = \"7c2f\"\nsecret = \"DIR/step.secret\"\nrequester = \"renewals\"\n";
    private_file(&dir.join("step.secret"), "c2VjcmV0IG9mIHN0ZXAtY2EgaGVyZQ==");
    for (text, fault) in [
        (String::new(), "no `[[webhook]]` and no `[[step-ca]]`"),
        (whole.replace("url", "ulr"), "unknown field `ulr`"),
        (
            whole.replace("https://ca", "http://ca"),
            "line 3: `url` is `http://` to another host",
        ),
        (whole.replace("https://ca", "ftp://ca"), "line 3: `ftp://"),
        (
            whole.replace("\"corp\"", "\"Corp\""),
            "line 2: an issuer's `id`",
        ),
        (whole.replace("corp.secret", "gone"), "line 4: `secret`:"),
        (whole.replace("corp.secret", "open"), "line 4: `secret`:"),
        (
            whole.replace("corp.secret", "short"),
            "line 4: `secret`: the secret has fewer",
        ),
        (whole.replace("corp-ca.pem", "corp.secret"), "line 5: `ca`:"),
        (
            format!("{whole}timeout_s = 0\n"),
            "line 6: `timeout_s` is 1 to",
        ),
        (
            format!("{whole}type = \"local-ca\"\n"),
            "line 6: `local-ca` is this server's own",
        ),
        (format!("{whole}type = \"acmee\"\n"), "do you mean `acme`?"),
        (
            format!("{whole}{whole}"),
            "line 7: a second issuer has the id `corp`",
        ),
        (step.replace("step.secret", "open"), "line 4: `secret`:"),
        (
            step.replace("step.secret", "corp.secret"),
            "line 4: `secret`: it is not the base64",
        ),
        (step.replace("7c2f", ""), "line 3: `webhook` is the id"),
        (
            format!("{step}{step}").replacen("\"step\"", "\"other\"", 1),
            "line 8: a second step-ca has the webhook",
        ),
    ] {
        std::fs::write(&file, text.replace("DIR", dir.to_str().unwrap())).unwrap();
        let (code, said) = refused(dir, &["--dev", "--issuers", file.to_str().unwrap()]);
        assert_eq!(code, Some(2), "{fault}: {said}");
        assert!(said.contains(fault), "{fault}: {said}");
    }
}
