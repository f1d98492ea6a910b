//! The same bytes to Debian's tangd and to this: the same status and the same
//! reply, but where a row says why not.
//!
//! `tangd` takes a request on its standard input and answers on its output, so
//! no port is needed. Debian 12 has Tang 11, Debian 13 Tang 15; the rules that
//! are compared here are the same in both (`src/http.c`, `rec` in `src/tangd.c`).

use std::path::Path;
use std::sync::OnceLock;

use panopol::tang::*;
use serde_json::{Value, json};

use crate::tang::{random_point, request_for, run, unb64};

mod bodies;

const TANGD: &str = "/usr/libexec/tangd";
const KEYGEN: &str = "/usr/libexec/tangd-keygen";
const ROTATE: &str = "/usr/libexec/tangd-rotate-keys";

/// A status and a body; `None` where the connection is closed without an answer.
type Answer = Option<(u16, Vec<u8>)>;

/// Where the answers differ: the status here, and tangd's, `None` for none at all.
type Difference = Option<(u16, Option<u16>)>;

/// The whole answer, headers and all.
fn raw(directory: &Path, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes =
        format!("{method} {target} HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    bytes.extend_from_slice(body);
    run(TANGD, &[directory.to_str().unwrap()], &bytes).1
}

fn tangd(directory: &Path, method: &str, target: &str, body: &[u8]) -> Answer {
    let answer = raw(directory, method, target, body);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(&answer[9..12])
        .unwrap()
        .parse()
        .unwrap();
    Some((status, answer[end + 4..].to_vec()))
}

/// What the HTTP layer makes of the module.
fn panopol(ring: &KeyRing, method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
    match route(&Prefix::default(), method, target) {
        Err(refused) => (refused.status(), Vec::new()),
        Ok(Route::Advertise(thumbprint)) => match ring.advertise(thumbprint).unwrap() {
            Some(advertisement) => (200, advertisement.body.to_vec()),
            None => (404, Vec::new()),
        },
        Ok(Route::Recover(kid)) => match check_request(body, || ring.exchange_key(kid)) {
            Err(refused) => (refused.status(), Vec::new()),
            Ok((key, point)) => (
                200,
                OpenSsl::new()
                    .unwrap()
                    .multiply(key, &point)
                    .unwrap()
                    .to_reply()
                    .into_bytes(),
            ),
        },
    }
}

/// A directory rotated once by Tang's own tools, and this over the same files.
struct Peers {
    directory: tempfile::TempDir,
    ring: KeyRing,
    signing: Thumbprints,
    exchange: Thumbprints,
    hidden_signing: Thumbprints,
    hidden_exchange: Thumbprints,
}

fn peers() -> &'static Peers {
    static PEERS: OnceLock<Peers> = OnceLock::new();
    PEERS.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        assert!(run(KEYGEN, &[&path], b"").0);
        assert!(run(ROTATE, &["-d", &path], b"").0);
        let read = KeyDirectory::read(directory.path()).unwrap();
        assert!(read.skipped.is_empty());
        let find = |usage, standing| {
            let file = read
                .keys
                .iter()
                .find(|file| file.key.public().usage() == usage && file.standing == standing);
            file.unwrap().key.public().thumbprints().clone()
        };
        let (signing, exchange) = (
            find(Usage::Sign, Standing::Current),
            find(Usage::Exchange, Standing::Current),
        );
        let hidden_signing = find(Usage::Sign, Standing::Hidden);
        let hidden_exchange = find(Usage::Exchange, Standing::Hidden);
        let ring = read.into_ring().unwrap();
        Peers {
            directory,
            ring,
            signing,
            exchange,
            hidden_signing,
            hidden_exchange,
        }
    })
}

/// Panics unless both answer alike, or as the row says.
fn compare(
    name: &str,
    method: &str,
    target: &str,
    body: &[u8],
    differs: Difference,
) -> Option<String> {
    let peers = peers();
    let ours = panopol(&peers.ring, method, target, body);
    let theirs = tangd(peers.directory.path(), method, target, body);
    let statuses = (ours.0, theirs.as_ref().map(|answer| answer.0));
    let expected = differs.unwrap_or((ours.0, Some(ours.0)));
    if statuses != expected {
        return Some(format!(
            "{name}: {method} {target:.60}: panopol {}, tangd {:?}",
            statuses.0, statuses.1
        ));
    }
    match theirs {
        Some((200, reply)) if ours.0 == 200 && method == "POST" => {
            (reply != ours.1).then(|| format!("{name}: the replies differ"))
        }
        Some(_) | None => None,
    }
}

fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_form_of_a_path_is_answered_as_tangd_answers_it() {
    let peers = peers();
    let (sig, exc) = (
        peers.signing.text(Hash::S256),
        peers.exchange.text(Hash::S256),
    );
    let (old_sig, old_exc) = (
        peers.hidden_signing.text(Hash::S1),
        peers.hidden_exchange.text(Hash::S512),
    );
    let mut targets: Vec<String> = [
        "/",
        "//",
        "/adv",
        "/adv/",
        "/adv//",
        "//adv",
        "///adv///",
        "/ADV",
        "/advx",
        "/adv.",
        "/adv?x=1",
        "/adv/?x",
        "/%61dv",
        "/adv%2F",
        "/adv/adv",
        "/adv/unknown",
        "/adv/a.b",
        "/adv/a=",
        "/adv/a/b",
        "/x/adv",
        "/rec",
        "/rec/",
        "/rec//",
        "/rec/rec",
        "/rec/unknown",
        "/rec/a.b",
        "/rec/a/b",
        "/Rec/a",
        "/recover/a",
        "http://h/adv",
        "/adv#x",
        "/./adv",
        "/adv/../adv",
    ]
    .map(str::to_owned)
    .to_vec();
    for kid in [&sig, &exc, &old_sig, &old_exc] {
        for form in [
            "/adv/K",
            "/adv//K",
            "//adv/K",
            "/adv/K/",
            "/adv/K?x",
            "/adv/K=",
            "/rec/K",
            "/rec//K",
            "//rec///K",
            "/rec/K/",
            "/rec/K?x",
            "/K",
            "/u/adv/K",
        ] {
            targets.push(form.replace('K', kid));
        }
    }
    for hash in Hash::ALL {
        for thumbprints in [
            &peers.signing,
            &peers.exchange,
            &peers.hidden_signing,
            &peers.hidden_exchange,
        ] {
            targets.push(format!("/adv/{}", thumbprints.text(hash)));
            targets.push(format!("/rec/{}", thumbprints.text(hash)));
        }
    }
    let body = request_for(&random_point()).to_string();
    let mut faults = Vec::new();
    for target in &targets {
        for method in ["GET", "POST"] {
            faults.extend(compare("path", method, target, body.as_bytes(), None));
        }
    }
    for target in [
        "/",
        "/adv",
        "/adv/",
        &format!("/adv/{sig}"),
        &format!("/rec/{exc}"),
        "/rec/",
    ] {
        for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            faults.extend(compare("method", method, target, b"", None));
        }
    }
    assert_none(faults);
}

#[test]
fn lengths_are_limited_where_tangd_limits_them_but_for_the_last_byte() {
    let exc = peers().exchange.text(Hash::S256);
    let target = |len: usize| format!("/{}", "a".repeat(len - 1));
    let adv = |len: usize| format!("/adv{}", "/".repeat(len - 4));
    // A body that is not JSON, so that only its length is at stake.
    let body = |len: usize| vec![b' '; len];
    let rec = format!("/rec/{exc}");
    let rows = [
        compare("target", "GET", &target(4095), b"", None),
        compare("target", "GET", &adv(4095), b"", None),
        // CONTRACT: 4 KiB is allowed. Tang's buffer of 4 KiB has to end in a NUL.
        compare("target", "GET", &target(4096), b"", Some((404, Some(414)))),
        compare("target", "GET", &adv(4096), b"", Some((200, Some(414)))),
        compare("target", "GET", &target(4097), b"", None),
        compare("target", "PUT", &adv(4097), b"", None),
        compare("body", "POST", &rec, &body(65_535), None),
        // CONTRACT: 64 KiB is allowed, for the same reason.
        compare("body", "POST", &rec, &body(65_536), Some((400, Some(413)))),
        compare("body", "POST", &rec, &body(65_537), None),
        // Here the path is known before the body is read; Tang reads all of it first.
        compare(
            "order",
            "POST",
            "/nothing",
            &body(65_537),
            Some((404, Some(413))),
        ),
    ];
    assert_none(rows.into_iter().flatten().collect());
}

#[test]
fn the_first_fault_decides_as_it_does_in_tangd() {
    let peers = peers();
    let kids = [
        "unknown".to_owned(),
        peers.signing.text(Hash::S256),
        peers.hidden_signing.text(Hash::S1),
    ];
    let edits: [&[(&str, Value)]; 6] = [
        &[],
        &[("key_ops", json!(["sign"])), ("kty", json!("RSA"))],
        &[("kty", json!("RSA")), ("x", json!(""))],
        &[("alg", json!("ES512")), ("crv", json!("P-256"))],
        &[("crv", json!("P-256"))],
        &[("x", json!("")), ("d", json!(""))],
    ];
    let mut faults = Vec::new();
    for kid in &kids {
        for edit in edits {
            let mut body = request_for(&random_point());
            for (name, value) in edit {
                body[*name] = value.clone();
            }
            faults.extend(compare(
                "order",
                "POST",
                &format!("/rec/{kid}"),
                body.to_string().as_bytes(),
                None,
            ));
        }
        faults.extend(compare("order", "POST", &format!("/rec/{kid}"), b"{", None));
    }
    assert_none(faults);
}

fn parse(body: &[u8]) -> (Vec<String>, usize, Value) {
    let jws: Value = serde_json::from_slice(body).unwrap();
    let payload = String::from_utf8(unb64(jws["payload"].as_str().unwrap())).unwrap();
    let keys = payload
        .strip_prefix("{\"keys\": [{")
        .unwrap()
        .strip_suffix("}]}")
        .unwrap();
    let mut keys: Vec<String> = keys.split("}, {").map(str::to_owned).collect();
    // Tang lists keys as the directory does, this by file name.
    keys.sort();
    let signatures = jws
        .get("signatures")
        .map_or(1, |list| list.as_array().unwrap().len());
    let first = jws.get("signatures").map_or(&jws, |list| &list[0]);
    (keys, signatures, first["protected"].clone())
}

#[test]
fn an_advertisement_is_that_of_tangd_but_for_the_order_of_keys() {
    let peers = peers();
    let named = [&peers.signing, &peers.hidden_signing];
    let targets = named
        .iter()
        .flat_map(|prints| Hash::ALL.map(|hash| format!("/adv/{}", prints.text(hash))));
    for target in targets.chain(["/adv".to_owned(), "/adv/".to_owned()]) {
        let (_, ours) = panopol(&peers.ring, "GET", &target, b"");
        let (_, theirs) = tangd(peers.directory.path(), "GET", &target, b"").unwrap();
        // The bytes of each key, the header, and the number of signatures.
        assert_eq!(parse(&ours), parse(&theirs), "{target}");
        assert_eq!(ours.len(), theirs.len(), "{target}");
    }
}

#[test]
fn several_current_pairs_are_advertised_as_tangd_does() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        assert!(run(KEYGEN, &[directory.path().to_str().unwrap()], b"").0);
    }
    let ring = KeyDirectory::read(directory.path())
        .unwrap()
        .into_ring()
        .unwrap();
    let (_, theirs) = tangd(directory.path(), "GET", "/adv", b"").unwrap();
    let (_, ours) = panopol(&ring, "GET", "/adv", b"");
    assert_eq!(parse(&ours), parse(&theirs));
    assert_eq!(parse(&ours).1, 3);
}

#[test]
fn a_directory_that_tangd_filled_is_read_and_one_filled_here_is_read_by_tangd() {
    let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(tangd(theirs.path(), "GET", "/adv", b"").unwrap().0, 200);
    let made = KeyDirectory::read_or_create(ours.path()).unwrap();
    let found = KeyDirectory::read(theirs.path()).unwrap();
    assert!(found.skipped.is_empty());
    assert_eq!((made.keys.len(), found.keys.len()), (2, 2));
    for (directory, read) in [(theirs.path(), found), (ours.path(), made)] {
        assert!(
            read.keys
                .iter()
                .all(|file| file.named_by == Some(Hash::S256))
        );
        let exchange = read
            .keys
            .iter()
            .find(|file| file.key.public().usage() == Usage::Exchange)
            .unwrap();
        let target = format!(
            "/rec/{}",
            exchange.key.public().thumbprints().text(Hash::S224)
        );
        let ring = read.into_ring().unwrap();
        let body = request_for(&random_point()).to_string();
        let reply = tangd(directory, "POST", &target, body.as_bytes()).unwrap();
        assert_eq!(reply.0, 200);
        assert_eq!(panopol(&ring, "POST", &target, body.as_bytes()), reply);
    }
}

#[test]
fn a_directory_without_a_current_signer_is_broken_to_both() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("e.jwk"),
        &*ExchangeKey::generate().unwrap().to_jwk(),
    )
    .unwrap();
    assert_eq!(tangd(directory.path(), "GET", "/adv", b"").unwrap().0, 500);
    let read = KeyDirectory::read_or_create(directory.path()).unwrap();
    assert_eq!(read.into_ring().unwrap_err(), RingError::NoSigningKey);
}

#[test]
fn a_method_that_is_none_is_405_here_and_closes_the_connection_there() {
    assert_none(
        compare("method", "FETCH", "/adv", b"", Some((405, None)))
            .into_iter()
            .collect(),
    );
}

#[test]
fn replies_have_the_content_types_of_tangd() {
    let peers = peers();
    let target = format!("/rec/{}", peers.exchange.text(Hash::S256));
    let body = request_for(&random_point()).to_string();
    for (method, target, content_type) in [
        ("GET", "/adv", Advertisement::CONTENT_TYPE),
        ("POST", target.as_str(), ServerPoint::CONTENT_TYPE),
    ] {
        let answer = raw(peers.directory.path(), method, target, body.as_bytes());
        let header = format!("\r\nContent-Type: {content_type}\r\n");
        assert!(
            String::from_utf8(answer).unwrap().contains(&header),
            "{header}"
        );
    }
}
