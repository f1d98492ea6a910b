//! The planes under TLS: what Clevis and curl get, what plain HTTP gets, and
//! certificates that keep the server from starting.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::harness::{POLICY, Server, binding, bytes_of, directory, run, send, tang_config};
use super::state::expect_refusal;
use crate::tang::{random_point, request_for, unb64};

/// A certificate of 127.0.0.1 that signs itself, and its key.
fn certificate(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (certificate, key) = (
        dir.join(format!("{name}.crt")),
        dir.join(format!("{name}.key")),
    );
    let (done, said) = run(Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=panopol"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate));
    assert!(done, "{said}");
    (certificate, key)
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The flags that name a certificate and its key.
fn flags<'a>(certificate: &'a Path, key: &'a Path) -> [&'a str; 4] {
    [
        "--tls-certificate",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ]
}

/// Status and body that curl gets, trusting `ca` alone; none where it gets no answer.
fn curl(ca: &Path, url: &str, body: Option<&str>) -> Option<(String, Vec<u8>)> {
    let mut command = Command::new("curl");
    command
        .args(["-s", "-m", "20", "-w", "\n%{http_code}", "--cacert"])
        .arg(ca);
    if let Some(body) = body {
        command.args(["-H", "Content-Type: application/jwk+json", "-d", body]);
    }
    let output = command.arg(url).output().unwrap();
    let end = output.stdout.iter().rposition(|&byte| byte == b'\n')?;
    let status = String::from_utf8_lossy(&output.stdout[end + 1..]).into_owned();
    output
        .status
        .success()
        .then(|| (status, output.stdout[..end].to_vec()))
}

#[test]
fn the_unlock_plane_speaks_tls_and_clevis_opens_through_it() {
    let dir = directory(POLICY);
    let (certificate, key) = certificate(dir.path(), "own");
    let (other, _) = self::certificate(dir.path(), "other");
    let given = [&flags(&certificate, &key)[..], &["--tls-planes", "unlock"]].concat();
    let server = Server::launch(dir.path(), &given);
    assert!(
        server.unlock.starts_with("https://127.0.0.1:"),
        "{}",
        server.unlock
    );
    assert!(
        server.admin.starts_with("http://127.0.0.1:"),
        "{}",
        server.admin
    );
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, signing, kid) = binding(&server, &device, 0);

    let adv = format!("{}{path}/adv/{signing}", server.unlock);
    let (status, body) = curl(&certificate, &adv, None).unwrap();
    assert_eq!(status, "200");
    let jws: Value = serde_json::from_slice(&body).unwrap();
    let payload: Value = serde_json::from_slice(&unb64(jws["payload"].as_str().unwrap())).unwrap();
    assert_eq!(payload["keys"].as_array().unwrap().len(), 2);
    assert!(
        curl(&other, &adv, None).is_none(),
        "curl trusts another certificate"
    );

    let body = request_for(&random_point()).to_string();
    let rec = format!("{}{path}/rec/{kid}", server.unlock);
    let (status, product) = curl(&certificate, &rec, Some(&body)).unwrap();
    assert_eq!(status, "200");
    let product: Value = serde_json::from_slice(&product).unwrap();
    assert_eq!(
        (&product["kty"], &product["crv"]),
        (&json!("EC"), &json!("P-521"))
    );
    let (status, said) = curl(&certificate, &rec, Some("{}")).unwrap();
    assert_eq!((status.as_str(), said.len()), ("400", 0));

    let config = tang_config(&device["bindings"][0]).to_string();
    let sealed = clevis(&certificate, &["encrypt", "tang", &config], b"secret");
    assert_eq!(clevis(&certificate, &["decrypt"], &sealed), b"secret");
}

/// What `clevis` makes of `input`, its curl trusting `ca` alone.
fn clevis(ca: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("clevis")
        .args(args)
        .env("CURL_CA_BUNDLE", ca)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn both_planes_speak_tls_where_none_is_named_and_say_so_to_plain_http() {
    let dir = directory(POLICY);
    let (certificate, key) = certificate(dir.path(), "own");
    mode(&key, 0o640);
    let given = [&flags(&certificate, &key)[..], &["--head-timeout-s", "2"]].concat();
    let server = Server::launch(dir.path(), &given);
    let health = curl(&certificate, &format!("{}/healthz", server.admin), None);
    assert_eq!(health, Some(("200".to_owned(), b"ok\n".to_vec())));
    for url in [&server.unlock, &server.admin] {
        let at = url.strip_prefix("https://").unwrap();
        let long = vec![b'x'; 40_000];
        for (method, body) in [("GET", &b""[..]), ("POST", &long)] {
            let reply = send(at, &bytes_of(method, "/adv", "", body)).unwrap();
            let said = String::from_utf8(reply.body).unwrap();
            assert_eq!((reply.status, said.contains("TLS")), (400, true), "{said}");
        }
        // A handshake that stops, one of nonsense, and none at all are let go.
        for nonsense in [
            &b"\x16\x03\x01\x02\0\x01\0"[..],
            b"\x16garbage garbage",
            b"\0\0",
            b"",
        ] {
            let mut stream = std::net::TcpStream::connect(at).unwrap();
            stream.write_all(nonsense).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(15)))
                .unwrap();
            let began = Instant::now();
            let mut said = Vec::new();
            let read = stream.read_to_end(&mut said);
            let reset = std::io::ErrorKind::ConnectionReset;
            assert!(read.is_ok() || read.is_err_and(|error| error.kind() == reset));
            assert!(began.elapsed() < Duration::from_secs(10), "{nonsense:?}");
        }
    }
    let health = curl(&certificate, &format!("{}/healthz", server.admin), None);
    assert_eq!(health.unwrap().0, "200");
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_is_named_at_start() {
    let dir = directory(POLICY);
    let (certificate, key) = certificate(dir.path(), "own");
    let (_, strange) = self::certificate(dir.path(), "other");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        mode(&path, 0o600);
        path
    };
    let broken = file(
        "broken",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    );
    let empty = file("empty", "");
    let nowhere = dir.path().join("nowhere");
    let locked = dir.path().join("locked");
    let (done, said) = run(Command::new("openssl")
        .args(["pkcs8", "-topk8", "-passout", "pass:x", "-in"])
        .arg(&key)
        .arg("-out")
        .arg(&locked));
    assert!(done, "{said}");
    mode(&locked, 0o600);
    for (certificate, key, cause) in [
        (
            &certificate,
            &strange,
            "other.key` is not the key of the certificate",
        ),
        (
            &certificate,
            &nowhere,
            "nowhere` cannot be read: No such file",
        ),
        (&certificate, &empty, "empty` holds no private key"),
        (
            &certificate,
            &locked,
            "locked` holds no private key in PEM without a passphrase",
        ),
        (&nowhere, &key, "nowhere` cannot be read: No such file"),
        (&empty, &key, "empty` holds no certificate"),
        (&key, &key, "own.key` holds no certificate"),
        (&broken, &key, "broken` is not PEM"),
    ] {
        let given = [&["--dev"], &flags(certificate, key)[..]].concat();
        expect_refusal(dir.path(), &given, cause);
    }
    let given = flags(&certificate, &key);
    let half = |part: &[&'static str], path: &str| {
        let flags = [&["--dev"], part, &[path]].concat();
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        flags
    };
    for (given, cause) in [
        (
            half(&["--tls-certificate"], given[1]),
            "`tls_key` is not set",
        ),
        (
            half(&["--tls-key"], given[3]),
            "`tls_certificate` is not set",
        ),
        (
            half(&["--tls-planes"], "admin"),
            "`tls_certificate` is not set",
        ),
    ] {
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        expect_refusal(dir.path(), &given, cause);
    }
    mode(&key, 0o644);
    let given = [&["--dev"], &flags(&certificate, &key)[..]].concat();
    expect_refusal(dir.path(), &given, "may be read by others (mode 0644)");
    assert!(
        !dir.path().join("state").exists(),
        "a refused start leaves nothing"
    );
}
