//! Certificates: asked for, refused with every reason, approved by a second
//! person, made, verified by OpenSSL, revoked.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::approvals::mint;
use super::harness::{Server, http, run};

pub(super) const POLICY: &str = r#"edition 2026

tag env = production | dev

project web { tags { env = production } }
project lab { tags { env = dev } }

person alice { role owner in org }
person bob   { role admin in project web }
person carol { role operator in project web }
person erin  { role operator in project lab }
service renewals { owner carol  role operator in project web }
team security = [alice, bob]

issuance certificates {
  where        project in [web, lab]
  key-types    [ECDSA-P256, ECDSA-P384]
  issuer-types [local-ca, webhook]
  issuer-ids   ["inside", "corp", "step"]
  san dns      allow "*.example.com" deny "admin.example.com"
  san max      3
  naming       /^prod-[a-z0-9-]+$/
  lifetime     max 90d
}

approval prod-certs {
  on        [issue, renew, reissue, revoke] where project == web
  approvers team security
  reason    required
}
"#;

pub(super) struct World {
    pub(super) server: Server,
    pub(super) bob: String,
    pub(super) carol: String,
    pub(super) erin: String,
    pub(super) renewals: String,
}

impl World {
    pub(super) fn start() -> World {
        World::start_with(POLICY, &[])
    }

    pub(super) fn start_with(policy: &str, flags: &[&str]) -> World {
        World::of(Server::start_with(policy, flags))
    }

    /// The people and the authority of a server that just started.
    pub(super) fn of(server: Server) -> World {
        let authority = json!({"id": "inside", "common_name": "panopol test CA"});
        let (status, made) = server.api("POST", "/authorities", Some(authority));
        assert_eq!(status, 201, "{made}");
        let own = |person: &str| mint(&server, &mint(&server, &server.token, person), person);
        let carol = own("carol");
        World {
            bob: own("bob"),
            erin: own("erin"),
            renewals: mint(&server, &server.token, "renewals"),
            carol,
            server,
        }
    }

    pub(super) fn submit(&self, token: &str, body: &Value) -> (u16, Value) {
        self.server
            .api_as(token, "POST", "/issuance", Some(body.clone()))
    }

    pub(super) fn approve(&self, token: &str, id: &str) -> (u16, Value) {
        let (_, request) = self.server.api("GET", &format!("/approvals/{id}"), None);
        let body = json!({"digest": request["digest"], "note": "looked at"});
        self.server.api_as(
            token,
            "POST",
            &format!("/approvals/{id}/approve"),
            Some(body),
        )
    }

    pub(super) fn job(&self, id: &Value) -> Value {
        let path = format!("/jobs/{}", id.as_str().unwrap());
        let (status, job) = self.server.api("GET", &path, None);
        assert_eq!(status, 200, "{job}");
        job
    }

    /// A certificate of project web, asked for by carol and approved by bob.
    pub(super) fn certificate(&self, key: &Path) -> Value {
        let (status, answer) = self.submit(&self.carol, &good(key));
        assert_eq!(status, 202, "{answer:#}");
        let approval = answer["approval"].as_str().unwrap();
        assert_eq!(self.approve(&self.bob, approval).0, 200);
        let job = self.job(&answer["job"]);
        assert_eq!(job["state"], "executed", "{job:#}");
        job["result"].clone()
    }
}

pub(super) fn openssl(args: &[&str]) -> String {
    let (done, said) = run(Command::new("openssl").args(args));
    assert!(done, "{args:?}: {said}");
    said
}

/// A new key and its path.
pub(super) fn key(dir: &Path, name: &str, curve: &str) -> PathBuf {
    let path = dir.join(format!("{name}.key"));
    let curve = format!("ec_paramgen_curve:{curve}");
    openssl(&[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        &curve,
        "-out",
        path.to_str().unwrap(),
    ]);
    path
}

pub(super) fn csr(key: &Path, common_name: &str, san: &str) -> String {
    let subject = format!("/CN={common_name}");
    let san = format!("subjectAltName={san}");
    openssl(&[
        "req",
        "-new",
        "-key",
        key.to_str().unwrap(),
        "-subj",
        &subject,
        "-addext",
        &san,
    ])
}

pub(super) fn good(key: &Path) -> Value {
    json!({
        "action": "issue", "project": "web", "name": "prod-api",
        "issuer_type": "local-ca", "issuer_id": "inside", "lifetime_s": 86400 * 30,
        "reason": "a new front", "csr": csr(key, "api.example.com", "DNS:api.example.com"),
    })
}

#[test]
fn from_refused_to_revoked_with_openssl_alone() {
    let world = World::start();
    let dir = world.server.dir.clone();
    let web = key(&dir, "web", "P-256");
    // Everything that is wrong is said at once, in order.
    let mut wrong = good(&web);
    wrong["csr"] = json!(csr(
        &key(&dir, "odd", "P-521"),
        "api.example.com",
        "DNS:admin.example.com,DNS:api.example.com"
    ));
    wrong["name"] = json!("api");
    wrong["lifetime_s"] = json!(86400 * 365);
    let (status, refused) = world.submit(&world.carol, &wrong);
    assert_eq!(status, 422, "{refused:#}");
    let codes: Vec<&str> = refused["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["key-type", "san-denied", "naming", "lifetime"]);
    assert!(refused["violations"][0]["rule"]["line"].is_u64());
    // Mended, it waits for another person; who asks never decides.
    let (status, waits) = world.submit(&world.carol, &good(&web));
    assert_eq!(status, 202, "{waits:#}");
    let approval = waits["approval"].as_str().unwrap().to_owned();
    assert_eq!(world.job(&waits["job"])["state"], "waiting");
    assert_eq!(world.approve(&world.carol, &approval).0, 403);
    let (status, done) = world.approve(&world.bob, &approval);
    assert_eq!(status, 200, "{done:#}");
    let job = world.job(&waits["job"]);
    assert_eq!(job["state"], "executed", "{job:#}");
    let certificate = dir.join("api.pem");
    std::fs::write(&certificate, job["result"]["certificate"].as_str().unwrap()).unwrap();
    let ca = dir.join("ca.pem");
    let (_, root) = http(
        "GET",
        &format!("{}/api/v1/authorities/inside", world.server.admin),
        &[],
        None,
    );
    std::fs::write(&ca, root).unwrap();
    let (ca, certificate) = (ca.to_str().unwrap(), certificate.to_str().unwrap());
    openssl(&["verify", "-CAfile", ca, certificate]);
    let shown = openssl(&["x509", "-in", certificate, "-noout", "-text"]);
    assert!(
        shown.contains("DNS:api.example.com") && shown.contains("CA:FALSE"),
        "{shown}"
    );
    // Whoever asks for the CRL has no signature made for that alone.
    let list = || {
        let url = format!("{}/api/v1/authorities/inside/crl", world.server.admin);
        http("GET", &url, &[], None).1
    };
    let before = list();
    assert_eq!(list(), before);
    // Revoked after an approval of its own, and the CRL says so.
    let serial = job["result"]["serial"].as_str().unwrap();
    let revoke = json!({
        "action": "revoke", "certificate": serial, "reason": "the key leaked",
        "revocation": "key-compromise",
    });
    let (status, waits) = world.submit(&world.carol, &revoke);
    assert_eq!(status, 202, "{waits:#}");
    let shown = format!("/approvals/{}", waits["approval"].as_str().unwrap());
    let (_, shown) = world.server.api("GET", &shown, None);
    assert_eq!(shown["request"]["revocation"], "key-compromise");
    assert_eq!(
        world
            .approve(&world.bob, waits["approval"].as_str().unwrap())
            .0,
        200
    );
    assert_eq!(world.job(&waits["job"])["state"], "executed");
    let after = list();
    assert_ne!(after, before);
    let crl = dir.join("crl.pem");
    std::fs::write(&crl, after).unwrap();
    let crl = crl.to_str().unwrap();
    let (good, said) = run(Command::new("openssl").args([
        "verify",
        "-crl_check",
        "-CRLfile",
        crl,
        "-CAfile",
        ca,
        certificate,
    ]));
    assert!(!good && said.contains("certificate revoked"), "{said}");
    let listed = openssl(&["crl", "-in", crl, "-noout", "-text"]);
    assert!(listed.contains("Key Compromise"), "{listed}");
    // The audit has both persons, the digest that was shown and the policy.
    let (_, audit, _) = world.server.panopol(&["audit", "export"]);
    let decided = audit
        .lines()
        .find(|line| line.contains("\"verdict\":\"approve\""))
        .unwrap();
    for part in [
        "\"person\":\"bob\"",
        "\"shown\":\"sha256:",
        "\"policy\":\"sha256:",
    ] {
        assert!(decided.contains(part), "{decided}");
    }
    let asked = audit
        .lines()
        .find(|line| line.contains("job-submitted"))
        .unwrap();
    assert!(asked.contains("\"person\":\"carol\""), "{asked}");
}

#[test]
fn nobody_is_their_own_second_person_by_any_credential() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    // Bob is an approver, and asks himself.
    let (status, own) = world.submit(&world.bob, &good(&web));
    assert_eq!(status, 202, "{own:#}");
    let approval = own["approval"].as_str().unwrap();
    let expect_refused = |token: &str, what: &str| {
        let (status, answer) = world.approve(token, approval);
        assert_eq!(status, 403, "{what}: {answer}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(
            detail.contains("two-person integrity") || detail.contains("service"),
            "{what}: {detail}"
        );
    };
    expect_refused(&world.bob, "himself");
    expect_refused(&mint(&world.server, &world.bob, "bob"), "by a second token");
    // A token of alice that bob had a hand in minting.
    let minted = world.server.api_as(
        &world.bob,
        "POST",
        "/tokens",
        Some(json!({"person": "alice"})),
    );
    assert_eq!(
        minted.0, 403,
        "nobody mints for who may do more: {}",
        minted.1
    );
    // A service that carol owns asks; carol's word, and the service's, are its own.
    let with_carol = |team: &str| {
        let text = POLICY;
        text.replace("team security = [alice, bob]", team)
    };
    // Alice minted the service's token and carol owns it: nobody would be left.
    let few = with_carol("team security = [alice, carol]");
    assert_eq!(world.server.policy(&few).0, 200);
    let (status, nobody) = world.submit(&world.renewals, &good(&web));
    assert_eq!(status, 422, "{nobody:#}");
    assert!(
        nobody.to_string().contains("no-eligible-approver"),
        "{nobody:#}"
    );
    let enough = with_carol("team security = [alice, bob, carol]");
    assert_eq!(world.server.policy(&enough).0, 200);
    let (status, asked) = world.submit(&world.renewals, &good(&web));
    assert_eq!(status, 202, "{asked:#}");
    let approval = asked["approval"].as_str().unwrap();
    for (token, what) in [(&world.carol, "its owner"), (&world.renewals, "itself")] {
        let (status, answer) = world.approve(token, approval);
        assert_eq!(status, 403, "{what}: {answer}");
    }
}

#[test]
fn a_requester_acts_only_where_their_role_lets_them() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    assert_eq!(world.submit(&world.erin, &good(&web)).0, 403);
    let mut lab = good(&web);
    lab["project"] = json!("lab");
    // No group covers the lab: it is made at once.
    let (status, answer) = world.submit(&world.erin, &lab);
    assert_eq!(status, 201, "{answer:#}");
    assert_eq!(world.job(&answer["job"])["state"], "executed");
    assert_eq!(world.submit(&world.carol, &lab).0, 403);
}

#[test]
fn a_policy_that_is_tightened_meanwhile_supersedes() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    let (_, waits) = world.submit(&world.carol, &good(&web));
    let tighter = POLICY
        .replace("issuer-ids   inside", "issuer-ids   \"inside\"")
        .replace("lifetime     max 90d", "lifetime     max 7d");
    assert_eq!(world.server.policy(&tighter).0, 200);
    let approval = waits["approval"].as_str().unwrap();
    assert_eq!(world.approve(&world.bob, approval).0, 200);
    let job = world.job(&waits["job"]);
    assert_eq!(job["state"], "ended", "{job:#}");
    let (_, request) = world
        .server
        .api("GET", &format!("/approvals/{approval}"), None);
    assert_eq!(request["state"], "superseded");
    let (_, certificates) = world.server.api("GET", "/certificates", None);
    assert_eq!(certificates["items"], json!([]));
}

#[test]
fn a_rejected_or_cancelled_request_never_runs() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    for (token, verdict, state) in [
        (&world.bob, "reject", "rejected"),
        (&world.carol, "cancel", "cancelled"),
    ] {
        let (_, waits) = world.submit(&world.carol, &good(&web));
        let id = waits["approval"].as_str().unwrap();
        let path = format!("/approvals/{id}/{verdict}");
        let body = json!({"note": "no"});
        assert_eq!(world.server.api_as(token, "POST", &path, Some(body)).0, 200);
        assert_eq!(world.approve(&world.bob, id).0, 409);
        let job = world.job(&waits["job"]);
        assert_eq!(
            (&job["state"], &job["cause"]),
            (&json!("ended"), &json!(state))
        );
    }
}

#[test]
fn a_renewal_goes_through_the_same_gate_and_asks_for_no_more() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    let first = world.certificate(&web);
    let mut renew = good(&web);
    renew["action"] = json!("renew");
    renew["predecessor"] = first["serial"].clone();
    // It has most of its life before it: that is to be acknowledged.
    let (status, warned) = world.submit(&world.carol, &renew);
    assert_eq!(status, 422, "{warned}");
    assert!(
        warned["detail"].as_str().unwrap().contains("days left"),
        "{warned}"
    );
    renew["acknowledge"] = json!(["days-left"]);
    let (status, waits) = world.submit(&world.carol, &renew);
    assert_eq!(status, 202, "{waits:#}");
    assert_eq!(
        world
            .approve(&world.bob, waits["approval"].as_str().unwrap())
            .0,
        200
    );
    assert_eq!(world.job(&waits["job"])["state"], "executed");
    // One more name, and it is judged as an issue.
    renew["csr"] = json!(csr(
        &web,
        "api.example.com",
        "DNS:api.example.com,DNS:more.example.com"
    ));
    let (_, request) = world.submit(&world.carol, &renew);
    let id = request["approval"].as_str().unwrap();
    let (_, shown) = world.server.api("GET", &format!("/approvals/{id}"), None);
    assert_eq!(shown["request"]["acknowledged"], json!(["days-left"]));
}

#[test]
fn a_killed_server_carries_its_jobs_on_and_makes_nothing_twice() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    let (_, waits) = world.submit(&world.carol, &good(&web));
    assert_eq!(
        world
            .approve(&world.bob, waits["approval"].as_str().unwrap())
            .0,
        200
    );
    let job = world.job(&waits["job"]);
    let keep = world.server.kill().unwrap();
    let mut server = Server::launch(keep.path(), &[]);
    server.own(keep);
    let (_, again) = server.api(
        "GET",
        &format!("/jobs/{}", job["id"].as_str().unwrap()),
        None,
    );
    assert_eq!(again["result"], job["result"]);
    let (_, certificates) = server.api("GET", "/certificates", None);
    assert_eq!(certificates["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_command_line_asks_and_shows() {
    let world = World::start();
    let dir = world.server.dir.clone();
    let web = key(&dir, "web", "P-256");
    let file = dir.join("api.csr");
    std::fs::write(&file, csr(&web, "api.example.com", "DNS:api.example.com")).unwrap();
    let file = file.to_str().unwrap();
    let args = [
        "issuance",
        "submit",
        "--action",
        "issue",
        "--project",
        "lab",
        "--csr",
        file,
        "--issuer-type",
        "local-ca",
        "--issuer-id",
        "inside",
        "--lifetime",
        "30d",
    ];
    let (code, said, _) = world
        .server
        .panopol(&[&args[..], &["--name", "api"]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("naming") && said.contains("main.pano:"),
        "{said}"
    );
    let (code, said, _) = world
        .server
        .panopol(&[&args[..], &["--name", "prod-api"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let job = said.split("job ").nth(1).unwrap().trim().to_owned();
    let (code, pem, _) = world.server.panopol(&["issuance", "show", &job, "--pem"]);
    assert_eq!(code, Some(0));
    let file = dir.join("shown.pem");
    std::fs::write(&file, pem).unwrap();
    let read = ["x509", "-noout", "-subject", "-in", file.to_str().unwrap()];
    assert!(openssl(&read).contains("api.example.com"));
    // For a person too it is a certificate that can be copied.
    for args in [
        &["issuance", "show", &job][..],
        &[
            "issuance",
            "create-authority",
            "other",
            "--common-name",
            "other",
        ],
    ] {
        let (code, said, _) = world.server.panopol(args);
        assert_eq!(code, Some(0), "{said}");
        let at = said.find("-----BEGIN CERTIFICATE-----\n").expect(&said);
        std::fs::write(&file, &said[at..]).unwrap();
        openssl(&read);
    }
}

#[test]
fn the_command_line_shows_all_that_an_approver_decides_on() {
    let world = World::start();
    let web = key(&world.server.dir, "web", "P-256");
    let mut body = good(&web);
    // What a requester writes moves nobody's cursor.
    body["reason"] = json!("a new\u{1b}[2K front");
    let (status, waits) = world.submit(&world.carol, &body);
    assert_eq!(status, 202, "{waits}");
    let id = waits["approval"].as_str().unwrap();
    let expected = [
        "issue web prod-api",
        "names      dns:api.example.com",
        "common     api.example.com",
        "key type   ECDSA-P256",
        "issuer     local-ca",
        "issuer id  inside",
        "lifetime   30d",
        "requester  carol",
        "asked by   carol",
        "reason     a new\\u{1b}[2K front",
        "csr sha256",
        waits["job"].as_str().unwrap(),
    ];
    let (_, shown, _) = world.server.panopol(&["approvals", "show", id]);
    // On a terminal it is shown before it is approved, and a no is a no.
    let asked = format!("{} approvals approve {id}", env!("CARGO_BIN_EXE_panopol"));
    let mut terminal = Command::new("script");
    terminal
        .args(["-qec", &asked, "/dev/null"])
        .env("PANOPOL_URL", &world.server.admin)
        .env("PANOPOL_TOKEN", &world.bob)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut terminal = terminal.spawn().expect("script, of bsdutils, is there");
    terminal.stdin.take().unwrap().write_all(b"n\n").unwrap();
    let said = terminal.wait_with_output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("approve? [y/N]"), "{said}");
    for part in expected {
        assert!(shown.contains(part), "{part}: {shown}");
        assert!(said.contains(part), "{part}: {said}");
    }
    let (_, list, _) = world
        .server
        .panopol(&["approvals", "list", "--kind", "issuance"]);
    assert!(list.contains("issue web prod-api"), "{list}");
    assert_eq!(world.job(&waits["job"])["state"], "waiting");
    // A certificate is printed as one, not on one line.
    assert_eq!(world.approve(&world.bob, id).0, 200);
    let job = waits["job"].as_str().unwrap();
    let (_, shown, _) = world.server.panopol(&["issuance", "show", job]);
    assert!(shown.contains("\n-----END CERTIFICATE-----\n"), "{shown}");
}
