//! A step-ca that asks before it signs: bodies as its webhooks send them,
//! signed as it signs them.

use openssl::base64::{decode_block, encode_block};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::x509::X509Req;
use serde_json::{Value, json};

use super::foreign_ca::private_file;
use super::harness::{Server, directory, http};
use super::issuance::{POLICY, World, csr, good, key};

const WEBHOOK: &str = "4f2d9c1e-6c7a-4c58-9d0b-0f6a0a7f0d11";
const SECRET: &str = "c2VjcmV0IG9mIGEgd2ViaG9vayBvZiBzdGVwLWNh";

/// In project web a service asks whom carol owns.
fn start_with(policy: &str) -> World {
    let keep = directory(policy);
    private_file(&keep.path().join("step.secret"), SECRET);
    let file = keep.path().join("issuers.toml");
    let text = format!(
        "[[step-ca]]\nid = \"step\"\nwebhook = \"{WEBHOOK}\"\nsecret = \"{}/step.secret\"\nrequester = \"renewals\"\nproject = \"web\"\nreason = \"asked of step-ca\"\nlifetime_s = 86400\n",
        keep.path().display()
    );
    std::fs::write(&file, text).unwrap();
    let mut server = Server::launch(keep.path(), &["--issuers", file.to_str().unwrap()]);
    server.own(keep);
    World::of(server)
}

fn start() -> World {
    start_with(&policy())
}

/// step-ca knows no name of a certificate but those in it.
fn policy() -> String {
    POLICY.replace("  naming       /^prod-[a-z0-9-]+$/\n", "")
}

fn signature(secret: &str, body: &str) -> String {
    let key = PKey::hmac(&decode_block(secret).unwrap()).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.update(body.as_bytes()).unwrap();
    let mac = signer.sign_to_vec().unwrap();
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn post(server: &Server, id: &str, signature: &str, body: &str) -> (u16, Value) {
    let url = format!("{}/api/v1/step-ca", server.admin);
    let headers = [
        ("x-smallstep-webhook-id", id.to_owned()),
        ("x-smallstep-signature", signature.to_owned()),
    ];
    let (status, text) = http("POST", &url, &headers, Some(body.to_owned()));
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn ask(world: &World, body: &Value) -> Value {
    let body = body.to_string();
    let (status, answer) = post(&world.server, WEBHOOK, &signature(SECRET, &body), &body);
    assert_eq!(status, 200, "{answer}");
    answer
}

fn after(seconds: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    time.to_string()
}

/// What an authorizing webhook is sent: the certificate that is about to be
/// signed, dated back by a minute.
fn authorizing(world: &World, name: &str, san: &str) -> Value {
    let path = world.server.dir.join(format!("{name}.key"));
    let path = match path.exists() {
        true => path,
        false => key(&world.server.dir, name, "P-256"),
    };
    let pem = csr(&path, san, &format!("DNS:{san}"));
    let request = X509Req::from_pem(pem.as_bytes()).unwrap();
    let public = request.public_key().unwrap().public_key_to_der().unwrap();
    json!({
        "timestamp": after(0),
        "provisionerName": "web",
        "x509Certificate": {
            "version": 0,
            "subject": {"commonName": san},
            "rawSubject": null,
            "issuer": {},
            "serialNumber": null,
            "dnsNames": null, "emailAddresses": null, "ipAddresses": null, "uris": null,
            "sans": [{"type": "dns", "value": san}],
            "notBefore": after(-60), "notAfter": after(86_400),
            "extensions": null,
            "keyUsage": ["digitalSignature"],
            "extKeyUsage": ["serverAuth", "clientAuth"],
            "unknownExtKeyUsage": null,
            "subjectKeyId": null, "authorityKeyId": null, "ocspServer": null,
            "issuingCertificateURL": null, "crlDistributionPoints": null,
            "policyIdentifiers": null, "basicConstraints": null, "nameConstraints": null,
            "signatureAlgorithm": "",
            "publicKey": encode_block(&public),
            "publicKeyAlgorithm": "ECDSA",
            "raw": null,
        },
    })
}

/// What an enriching webhook is sent: the CSR.
fn enriching(pem: &str) -> Value {
    let der = X509Req::from_pem(pem.as_bytes()).unwrap().to_der().unwrap();
    json!({
        "timestamp": after(0),
        "x509CertificateRequest": {
            "version": 0, "subject": {}, "publicKey": "", "publicKeyAlgorithm": "ECDSA",
            "raw": encode_block(&der),
        },
    })
}

fn code(answer: &Value) -> &str {
    assert_eq!(answer["allow"], false, "{answer}");
    answer["error"]["code"].as_str().unwrap()
}

/// The one approval request that waits.
fn waiting(world: &World) -> Value {
    let (_, list) = world.server.api("GET", "/approvals?state=pending", None);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list:#}");
    list["items"][0].clone()
}

#[test]
fn what_is_about_to_be_signed_waits_for_a_person_and_passes_once() {
    let world = start();
    let body = || authorizing(&world, "api", "api.example.com");
    assert_eq!(code(&ask(&world, &body())), "panopol.approval-required");
    // However often it asks, one request waits; its owner never decides on it.
    assert_eq!(code(&ask(&world, &body())), "panopol.approval-required");
    let request = waiting(&world);
    assert_eq!(
        request["request"]["request"]["san"],
        json!(["dns:api.example.com"])
    );
    assert_eq!(request["request"]["key"].as_str().unwrap().len(), 64);
    let id = request["id"].as_str().unwrap();
    let (status, refused) = world.approve(&world.carol, id);
    assert_eq!(status, 403, "{refused}");
    assert_eq!(world.approve(&world.bob, id).0, 200);
    // Another key, another name, a longer life: not what was approved.
    let other = authorizing(&world, "other", "api.example.com");
    assert_eq!(code(&ask(&world, &other)), "panopol.approval-required");
    let mut longer = body();
    longer["x509Certificate"]["notAfter"] = json!(after(86_400 * 30));
    assert_eq!(code(&ask(&world, &longer)), "panopol.approval-required");
    assert_eq!(ask(&world, &body()), json!({"allow": true}));
    let job = world.job(&request["request"]["job"]);
    assert_eq!(job["state"], "executed", "{job:#}");
    // It is spent.
    assert_eq!(code(&ask(&world, &body())), "panopol.approval-required");
    let (_, audit, _) = world.server.panopol(&["audit", "export"]);
    for part in [
        "\"credential\":\"step-ca:step\"",
        "\"person\":\"renewals\"",
        "\"admitted\"",
    ] {
        assert!(audit.contains(part), "{part}");
    }
}

#[test]
fn a_csr_is_gated_alike_and_a_restart_spends_nothing_twice() {
    let world = start();
    let pem = csr(
        &key(&world.server.dir, "api", "P-256"),
        "api.example.com",
        "DNS:api.example.com",
    );
    assert_eq!(
        code(&ask(&world, &enriching(&pem))),
        "panopol.approval-required"
    );
    let request = waiting(&world);
    assert_eq!(request["request"]["csr"].as_str().unwrap().len(), 64);
    assert_eq!(
        world.approve(&world.bob, request["id"].as_str().unwrap()).0,
        200
    );
    // Approved, and nothing runs by itself: the CA has to come back.
    assert_eq!(world.job(&request["request"]["job"])["state"], "queued");
    let issuers = world.server.dir.join("issuers.toml");
    let keep = world.server.kill().unwrap();
    let mut server = Server::launch(keep.path(), &["--issuers", issuers.to_str().unwrap()]);
    server.own(keep);
    let ask = |server: &Server| {
        let body = enriching(&pem).to_string();
        post(server, WEBHOOK, &signature(SECRET, &body), &body).1
    };
    assert_eq!(ask(&server), json!({"allow": true}));
    let keep = server.kill().unwrap();
    let server = Server::launch(keep.path(), &["--issuers", issuers.to_str().unwrap()]);
    assert_eq!(code(&ask(&server)), "panopol.approval-required");
}

#[test]
fn what_the_policy_denies_or_does_not_judge_never_reaches_a_person() {
    let world = start();
    let change = |member: &str, value: Value| {
        let mut body = authorizing(&world, "api", "api.example.com");
        body["x509Certificate"][member] = value;
        body
    };
    for (body, fault) in [
        (authorizing(&world, "api", "admin.example.com"), "denies"),
        (
            change("basicConstraints", json!({"isCA": true, "maxPathLen": 0})),
            "CA:TRUE",
        ),
        (
            change("keyUsage", json!(["certSign"])),
            "the key usage certSign",
        ),
        (
            change("extKeyUsage", json!(["serverAuth", "codeSigning"])),
            "codeSigning",
        ),
        (change("extKeyUsage", Value::Null), "all of them"),
        (change("unknownExtKeyUsage", json!(["1.2.3"])), "1.2.3"),
        (
            change(
                "extensions",
                json!([{"id": "2.5.29.17", "critical": false, "value": ""}]),
            ),
            "2.5.29.17",
        ),
        (
            change("nameConstraints", json!({"permittedDNSDomains": ["x"]})),
            "name constraints",
        ),
        (
            change(
                "subject",
                json!({"commonName": "api.example.com", "organization": ["X"]}),
            ),
            "organization",
        ),
        (
            change("subject", json!({"commonName": "other.example.com"})),
            "none of the names",
        ),
        (
            change("subject", json!({"commonName": ["api.example.com"]})),
            "`commonName` in the subject",
        ),
        (
            change("subject", json!(["api.example.com"])),
            "`commonName` in the subject",
        ),
        (
            change("rawSubject", json!("MAA=")),
            "a subject given as bytes",
        ),
        (
            change(
                "sans",
                json!([{"type": "auto", "value": "api.example.com"}]),
            ),
            "no stated type",
        ),
        (
            change(
                "sans",
                json!([{"type": "userPrincipalName", "value": "root"}]),
            ),
            "userprincipalname",
        ),
        (change("dnsNames", json!(["x.example.org"])), "lies in none"),
        (
            change("notAfter", json!(after(86_400 * 91))),
            "longer than 90d",
        ),
        (
            change("notBefore", json!(after(-86_400 * 100))),
            "longer than 90d",
        ),
        // A day of life, after a year in which nobody looks at it again.
        (
            {
                let mut body = change("notBefore", json!(after(86_400 * 365)));
                body["x509Certificate"]["notAfter"] = json!(after(86_400 * 366));
                body
            },
            "longer than 90d",
        ),
        (
            change("policyIdentifiers", json!(["1.2.3"])),
            "`policyIdentifiers` in the certificate",
        ),
        (
            change("inventedLater", json!({"may": ["sign"]})),
            "`inventedLater` in the certificate",
        ),
    ] {
        let answer = ask(&world, &body);
        assert_eq!(code(&answer), "panopol.denied", "{fault}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(fault), "{fault}: {message}");
    }
    let ssh = json!({"timestamp": after(0), "sshCertificate": {"keyID": "root"}});
    assert_eq!(code(&ask(&world, &ssh)), "panopol.not-judged");
    let mut broken = enriching(&csr(
        &key(&world.server.dir, "b", "P-256"),
        "x.example.com",
        "DNS:x.example.com",
    ));
    let raw = broken["x509CertificateRequest"]["raw"]
        .as_str()
        .unwrap()
        .replace("M", "N");
    broken["x509CertificateRequest"]["raw"] = json!(raw);
    assert_eq!(code(&ask(&world, &broken)), "panopol.not-judged");
    let (_, list) = world.server.api("GET", "/approvals", None);
    assert_eq!(list["items"], json!([]));
}

#[test]
fn nobody_else_is_answered_and_nothing_old() {
    let world = start();
    let body = authorizing(&world, "api", "api.example.com").to_string();
    let right = signature(SECRET, &body);
    let other = signature("b3RoZXIgc2VjcmV0IG9mIGEgd2ViaG9vaw==", &body);
    for (id, signature, body) in [
        (WEBHOOK, "", body.as_str()),
        (WEBHOOK, &other, &body),
        ("another", &right, &body),
        ("", &right, &body),
        (
            WEBHOOK,
            &right,
            &body.replace("api.example.com", "web.example.com"),
        ),
    ] {
        let (status, said) = post(&world.server, id, signature, body);
        assert_eq!(status, 401, "{said}");
        // One answer to all of them.
        assert_eq!(
            said["detail"],
            "no webhook of that id and signature is known"
        );
    }
    for seconds in [-600, 600] {
        let mut old = authorizing(&world, "api", "api.example.com");
        old["timestamp"] = json!(after(seconds));
        let old = old.to_string();
        let (status, said) = post(&world.server, WEBHOOK, &signature(SECRET, &old), &old);
        assert_eq!(status, 401, "{said}");
    }
    for broken in [
        "",
        "{}",
        "[]",
        "{\"timestamp\": \"now\"}",
        &format!("{{\"timestamp\": \"{}\"}}", after(0)),
    ] {
        let (status, said) = post(&world.server, WEBHOOK, &signature(SECRET, broken), broken);
        assert_eq!(status, 400, "{broken}: {said}");
    }
    // And nobody has it carried out from here.
    let mut own = good(&world.server.dir.join("api.key"));
    own["issuer_type"] = json!("webhook");
    own["issuer_id"] = json!("step");
    let (status, said) = world.submit(&world.carol, &own);
    assert_eq!(status, 422, "{said}");
    assert!(said.to_string().contains("asks here by itself"), "{said}");
}

#[test]
fn a_service_that_lost_its_role_asks_in_vain_and_a_tighter_policy_supersedes() {
    let world = start();
    let body = || authorizing(&world, "api", "api.example.com");
    assert_eq!(code(&ask(&world, &body())), "panopol.approval-required");
    let request = waiting(&world);
    assert_eq!(
        world.approve(&world.bob, request["id"].as_str().unwrap()).0,
        200
    );
    let less = policy().replace(
        "service renewals { owner carol  role operator",
        "service renewals { owner carol  role viewer",
    );
    assert_eq!(world.server.policy(&less).0, 200);
    assert_eq!(code(&ask(&world, &body())), "panopol.not-entitled");
    let tighter = policy().replace("lifetime     max 90d", "lifetime     max 1h");
    assert_eq!(world.server.policy(&tighter).0, 200);
    let answer = ask(&world, &body());
    assert_eq!(code(&answer), "panopol.denied", "{answer}");
    assert!(answer.to_string().contains("longer than 1h"), "{answer}");
}
