//! Each row of the unlock plane's status table, asked over HTTP.

use std::time::Instant;

use panopol::tang::ExchangeKey;
use serde_json::{Value, json};

use super::harness::{POLICY, Reply, Server, binding, send};
use crate::tang::{b64, padded, prime, random_point, request, request_for};

/// Limits far above what a test asks.
const UNLIMITED: [&str; 4] = [
    "--rate-per-binding",
    "100000",
    "--rate-per-source",
    "100000",
];

fn good() -> Vec<u8> {
    request_for(&random_point()).to_string().into_bytes()
}

fn with(name: &str, value: Value) -> Vec<u8> {
    let mut body = request_for(&random_point());
    body[name] = value;
    body.to_string().into_bytes()
}

fn coordinates(x: &[u8], y: &[u8]) -> Vec<u8> {
    request(&b64(x), &b64(y)).to_string().into_bytes()
}

/// Bodies and their statuses, for a kid that answers.
fn bodies() -> Vec<(&'static str, Vec<u8>, u16)> {
    let private: Value = serde_json::from_str(&ExchangeKey::generate().unwrap().to_jwk()).unwrap();
    let (p, zero) = (padded(&prime()), vec![0; 66]);
    let mut off = vec![0; 66];
    off[65] = 5;
    vec![
        ("good", good(), 200),
        ("no `alg`", b"{\"kty\":\"EC\"}".to_vec(), 400),
        ("no JSON", b"{".to_vec(), 400),
        ("no object", b"[]".to_vec(), 400),
        ("nothing", Vec::new(), 400),
        ("key_ops", with("key_ops", json!(["sign"])), 403),
        (
            "use",
            {
                let mut body = request_for(&random_point());
                body.as_object_mut().unwrap().remove("key_ops");
                body["use"] = json!("sig");
                body.to_string().into_bytes()
            },
            403,
        ),
        ("kty", with("kty", json!("RSA")), 400),
        ("alg", with("alg", json!("ES512")), 400),
        ("crv", with("crv", json!("P-256")), 400),
        ("identity", coordinates(&zero, &zero), 400),
        ("x is p", coordinates(&p, &zero), 400),
        ("off the curve", coordinates(&off, &off), 400),
        ("d", with("d", private["d"].clone()), 400),
    ]
}

#[test]
fn each_fault_of_a_body_has_its_status() {
    let server = Server::start_with(POLICY, &UNLIMITED);
    let device = server.enroll("web-1", json!({"env": "production"}), 2);
    let (path, signing, exchange) = binding(&server, &device, 0);
    let (_, _, foreign) = binding(&server, &device, 1);
    for (name, body, status) in bodies() {
        let reply = server.ask("POST", &format!("{path}/rec/{exchange}"), "", &body);
        assert_eq!(reply.status, status, "{name}");
        assert_eq!(reply.body.is_empty(), status != 200, "{name}");
    }
    for (name, kid, status) in [
        ("unknown kid", "AAAA", 404),
        ("another binding's kid", foreign.as_str(), 404),
        ("signing kid", signing.as_str(), 403),
    ] {
        let reply = server.ask("POST", &format!("{path}/rec/{kid}"), "", &good());
        assert_eq!(reply.status, status, "{name}");
    }
    // The form of the request comes before the key, the key before the point.
    let first = |kid: &str, body: &[u8]| {
        let target = format!("{path}/rec/{kid}");
        server.ask("POST", &target, "", body).status
    };
    assert_eq!(first("AAAA", &with("kty", json!("RSA"))), 400);
    assert_eq!(first("AAAA", &with("crv", json!("P-256"))), 404);
}

#[test]
fn an_unknown_token_looks_like_an_unknown_kid() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, exchange) = binding(&server, &device, 0);
    let nobody = format!("/u/{}", "A".repeat(27));
    for (method, known, unknown) in [
        (
            "POST",
            format!("{path}/rec/AAAA"),
            format!("{nobody}/rec/AAAA"),
        ),
        (
            "POST",
            format!("{path}/rec/AAAA"),
            format!("{nobody}/rec/{exchange}"),
        ),
        (
            "GET",
            format!("{path}/adv/AAAA"),
            format!("{nobody}/adv/AAAA"),
        ),
        ("GET", format!("{path}/adv/AAAA"), format!("{nobody}/adv")),
    ] {
        let (known, unknown) = (
            server.ask(method, &known, "", &good()),
            server.ask(method, &unknown, "", &good()),
        );
        assert_eq!(known.status, 404);
        assert_eq!(known, unknown);
    }
    // A fault that comes before the key shows no difference either.
    let bad = with("kty", json!("RSA"));
    let known = server.ask("POST", &format!("{path}/rec/{exchange}"), "", &bad);
    assert_eq!(
        known,
        server.ask("POST", &format!("{nobody}/rec/{exchange}"), "", &bad)
    );
}

#[test]
fn sizes_are_limited_to_the_byte() {
    let server = Server::start_with(POLICY, &UNLIMITED);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, exchange) = binding(&server, &device, 0);
    let rec = format!("{path}/rec/{exchange}");
    let mut body = good();
    body.resize(64 * 1024, b' ');
    assert_eq!(server.ask("POST", &rec, "", &body).status, 200);
    let chunked = |body: &[u8]| {
        let mut bytes = format!(
            "POST {rec} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"\r\n0\r\n\r\n");
        send(&server.unlock, &bytes).unwrap()
    };
    assert_eq!(chunked(&body).status, 200);
    body.push(b' ');
    assert_eq!(server.ask("POST", &rec, "", &body).status, 413);
    assert_eq!(chunked(&body).status, 413);

    let long = |length: usize| {
        let start = format!("{path}/adv/");
        let target = format!("{start}{}", "a".repeat(length - start.len()));
        server.ask("GET", &target, "", b"").status
    };
    assert_eq!(long(4096), 404);
    assert_eq!(long(4097), 414);
    assert_eq!(long(12_000), 414);
}

#[test]
fn paths_and_methods_are_taken_as_tang_takes_them() {
    let server = Server::start_with(POLICY, &UNLIMITED);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, signing, exchange) = binding(&server, &device, 0);
    for (method, target, status) in [
        ("GET", format!("{path}/adv"), 200),
        ("GET", format!("{path}/adv/"), 200),
        ("GET", format!("{path}//adv//"), 200),
        ("GET", format!("/{path}/adv/{signing}"), 200),
        ("GET", format!("{path}//adv//{signing}"), 200),
        ("GET", format!("{path}/adv/{signing}/"), 404),
        ("GET", format!("{path}/adv/{exchange}"), 404),
        ("GET", format!("{path}/adv?x"), 404),
        ("GET", format!("{path}/"), 404),
        ("GET", "/adv".to_owned(), 404),
        ("GET", "/".to_owned(), 404),
        ("POST", format!("{path}//rec//{exchange}"), 200),
        ("POST", format!("{path}/rec/{exchange}/"), 404),
        ("POST", format!("{path}/rec/"), 404),
        ("POST", format!("/rec/{exchange}"), 404),
        ("POST", format!("{path}/adv"), 405),
        ("HEAD", format!("{path}/adv"), 405),
        ("GET", format!("{path}/rec/{exchange}"), 405),
        ("PUT", format!("{path}/rec/{exchange}"), 405),
        ("DELETE", format!("{path}/adv/{signing}"), 405),
    ] {
        // What answers HEAD has no body, and names its length.
        let reply = server.ask(method, &target, "", &good());
        assert_eq!(reply.status, status, "{method} {target}");
    }
}

#[test]
fn a_refusal_is_one_constant_answer_and_waiting_is_told_at_once() {
    let server = Server::start_with(POLICY, &UNLIMITED);
    let web = server.enroll("web-1", json!({"env": "production"}), 1);
    let dev = server.enroll("dev-1", json!({"env": "dev"}), 1);
    let database = server.enroll("db-1", json!({"env": "production", "role": "database"}), 1);
    let ask = |device: &Value| -> Reply {
        let (path, _, exchange) = binding(&server, device, 0);
        server.ask("POST", &format!("{path}/rec/{exchange}"), "", &good())
    };
    let denied = ask(&dev);
    assert_eq!((denied.status, denied.body.len()), (403, 0));
    server.api("POST", "/devices/web-1/disable", Some(json!({})));
    assert_eq!(ask(&web), denied);
    let (path, _, exchange) = binding(&server, &web, 0);
    server.api("POST", "/devices/web-1/revoke", Some(json!({})));
    let rec = format!("{path}/rec/{exchange}");
    assert_eq!(server.ask("POST", &rec, "", &good()), denied);
    assert_eq!(
        server.ask("GET", &format!("{path}/adv"), "", b"").status,
        404
    );

    let began = Instant::now();
    let pending = ask(&database);
    assert!(began.elapsed().as_secs() < 5);
    assert_eq!((pending.status, pending.body.len()), (503, 0));
    let after: u64 = pending.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&after));
}

#[test]
fn too_many_exchanges_with_one_binding_are_told_to_come_again() {
    let server = Server::start_with(POLICY, &["--rate-per-binding", "1"]);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, exchange) = binding(&server, &device, 0);
    let answers: Vec<Reply> = (0..6)
        .map(|_| server.ask("POST", &format!("{path}/rec/{exchange}"), "", &good()))
        .collect();
    assert_eq!(answers[0].status, 200);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        server.ask("GET", &format!("{path}/adv"), "", b"").status,
        200
    );
}

#[test]
fn too_many_exchanges_from_one_address_are_told_to_come_again() {
    let limits = ["--rate-per-source", "1", "--rate-per-binding", "100000"];
    let server = Server::start_with(POLICY, &limits);
    let devices = [1, 2]
        .map(|number| server.enroll(&format!("web-{number}"), json!({"env": "production"}), 1));
    let paths = devices.map(|device| binding(&server, &device, 0));
    // In turns: it is the address that asks too often, not a binding.
    let ask = |number: usize| {
        let (path, _, exchange) = &paths[number % 2];
        server.ask("POST", &format!("{path}/rec/{exchange}"), "", &good())
    };
    let answers: Vec<Reply> = (0..12).map(ask).collect();
    assert_eq!(answers[0].status, 200);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(refused.header("retry-after").is_some());
}

#[test]
fn a_flood_of_exchanges_is_turned_away_and_starves_nothing_else() {
    let server = Server::start_with(
        POLICY,
        &[&UNLIMITED[..], &["--exchange-queue", "1"]].concat(),
    );
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, exchange) = binding(&server, &device, 0);
    let allowed = format!("{path}/rec/{exchange}");
    let device = server.enroll("web-2", json!({"env": "production"}), 1);
    let (denied, _, exchange) = binding(&server, &device, 0);
    let (status, answer) = server.api("POST", "/devices/web-2/disable", Some(json!({})));
    assert_eq!(status, 200, "{answer}");
    let denied = format!("{denied}/rec/{exchange}");
    // Many more than have a core or a place in the queue.
    let cores = std::thread::available_parallelism().unwrap().get();
    let clients = 4 * cores + 8;
    let statuses = std::thread::scope(|scope| {
        let flood: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let ask = |_| server.ask("POST", &allowed, "", &good());
                    (0..20).map(ask).collect::<Vec<Reply>>()
                })
            })
            .collect();
        for _ in 0..20 {
            assert_eq!(server.ask("POST", &denied, "", &good()).status, 403);
            assert_eq!(
                server.ask("GET", &format!("{path}/adv"), "", b"").status,
                200
            );
            assert_eq!(server.api("GET", "/devices/web-1", None).0, 200);
        }
        let answers = flood.into_iter().flat_map(|one| one.join().unwrap());
        answers
            .map(|answer| (answer.status, answer.header("retry-after").is_some()))
            .collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(statuses, [(200, false), (503, true)].into());
}

#[test]
fn a_forwarding_header_is_refused_unless_it_is_to_be_ignored() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, exchange) = binding(&server, &device, 0);
    for header in [
        "Forwarded: for=192.0.2.1\r\n",
        "X-Forwarded-For: 192.0.2.1\r\n",
        "x-forwarded-proto: https\r\n",
    ] {
        let adv = server.ask("GET", &format!("{path}/adv"), header, b"");
        assert_eq!(adv.status, 400, "{header}");
        let rec = server.ask("POST", &format!("{path}/rec/{exchange}"), header, &good());
        assert_eq!(rec.status, 400, "{header}");
    }
    assert!(server.log().contains("forwarding header"));

    let server = Server::start_with(POLICY, &["--ignore-forwarded"]);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, exchange) = binding(&server, &device, 0);
    let header = "X-Forwarded-For: 192.0.2.1\r\n";
    let rec = server.ask("POST", &format!("{path}/rec/{exchange}"), header, &good());
    assert_eq!(rec.status, 200, "and the source is still the peer");
}
