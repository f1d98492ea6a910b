//! The operator's commands where something is wrong: said where, and how it is
//! mended; and over TLS with a CA of one's own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::harness::{POLICY, Server, directory, run};

/// Exit code, standard output and standard error of a command with this URL.
fn panopol(url: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_panopol"))
        .args(args)
        .env("PANOPOL_URL", url)
        .env_remove("PANOPOL_TOKEN")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Runs `openssl` in `dir`.
fn openssl(dir: &Path, args: &str) {
    let mut command = Command::new("openssl");
    command.args(args.split(' ')).current_dir(dir);
    let (done, said) = run(&mut command);
    assert!(done, "openssl {args}: {said}");
}

/// A CA's certificate, and a certificate of 127.0.0.1 that it signed with its key.
fn authority(dir: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(
        dir,
        &format!("req -x509 {key} -days 2 -subj /CN=ca -keyout ca.key -out ca.crt"),
    );
    openssl(
        dir,
        &format!(
            "req {key} -subj /CN=panopol -addext subjectAltName=IP:127.0.0.1 -keyout own.key -out own.csr"
        ),
    );
    openssl(
        dir,
        "x509 -req -in own.csr -copy_extensions copy -CA ca.crt -CAkey ca.key -days 2 -out own.crt",
    );
    let file = |name: &str| dir.join(name);
    (file("ca.crt"), file("own.crt"), file("own.key"))
}

#[test]
fn a_server_with_a_certificate_of_ones_own_ca_is_asked_by_naming_the_ca() {
    let dir = directory(POLICY);
    let (ca, certificate, key) = authority(dir.path());
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (ca, key) = (text(&ca), text(&key));
    let server = Server::launch(
        dir.path(),
        &["--tls-certificate", &text(&certificate), "--tls-key", &key],
    );
    let list = ["device", "list", "--token", &server.token];
    let (code, said, fault) = panopol(&server.admin, &list);
    assert_eq!((code, said.as_str()), (Some(2), ""), "{fault}");
    assert!(fault.contains("UnknownIssuer"), "{fault}");
    assert!(
        fault.contains("help:") && fault.contains("--ca-file"),
        "{fault}"
    );

    let named = [&list[..], &["--ca-file", &ca]].concat();
    let (code, said, fault) = panopol(&server.admin, &named);
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "no device is enrolled\n"),
        "{fault}"
    );
    let by_variable = Command::new(env!("CARGO_BIN_EXE_panopol"))
        .args(list)
        .env("PANOPOL_URL", &server.admin)
        .env("PANOPOL_CA_FILE", &ca)
        .output()
        .unwrap();
    assert!(by_variable.status.success(), "{by_variable:?}");

    for (file, cause) in [("nowhere", "No such file"), (&*key, "no certificate")] {
        let named = [&list[..], &["--ca-file", file]].concat();
        let (code, _, fault) = panopol(&server.admin, &named);
        assert_eq!(code, Some(2), "{fault}");
        assert!(fault.contains(file) && fault.contains(cause), "{fault}");
    }
    // What needs no server needs no CA.
    let journal = text(&dir.path().join("state/store/journal"));
    let offline = ["audit", "verify", &journal, "--ca-file", "nowhere"];
    let (code, said, fault) = panopol(&server.admin, &offline);
    assert_eq!(code, Some(0), "{said}{fault}");
    // Each scheme where the other is spoken is told apart.
    let plain = server.admin.replace("https://", "http://");
    let (code, _, fault) = panopol(&plain, &list);
    assert_eq!(code, Some(2), "{fault}");
    assert!(fault.contains("speaks TLS: use an https URL"), "{fault}");
}

#[test]
fn a_url_that_is_no_admin_plane_s_is_told_apart_from_a_refusal() {
    let server = Server::start(POLICY);
    let list = ["device", "list", "--token", &server.token];
    let secure = server.admin.replace("http://", "https://");
    let bare = server.admin.replace("http://", "");
    let below = format!("{}/api", server.admin);
    for (url, cause) in [
        (&*bare, "is no URL of `https://` or `http://`"),
        (&secure, "where it does not, write `http://`"),
        (
            &server.unlock,
            "404 Not Found, and not as an admin plane does",
        ),
        ("http://127.0.0.1:1", "Connection refused"),
    ] {
        let (code, said, fault) = panopol(url, &list);
        assert_eq!((code, said.as_str()), (Some(2), ""), "{url}: {fault}");
        assert!(fault.contains(cause), "{url}: {fault}");
    }
    // A path of the plane that is none is the plane's own answer.
    let (code, said, _) = panopol(&below, &list);
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn a_page_of_somebody_else_is_not_taken_for_an_empty_list() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let page = "<html>\u{1b}[31mhello</html>";
        let length = page.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        )
        .unwrap();
    });
    let (code, said, fault) = panopol(&url, &["device", "list", "--token", "x"]);
    page.join().unwrap();
    assert_eq!((code, said.as_str()), (Some(2), ""), "{fault}");
    assert!(fault.contains("not as an admin plane does"), "{fault}");
    assert!(!fault.contains('\u{1b}'), "{fault}");
}

#[test]
fn a_token_that_is_missing_or_wrong_says_where_it_is_named() {
    let server = Server::start(POLICY);
    for (args, cause) in [
        (&["device", "list"][..], "`--token` or PANOPOL_TOKEN"),
        (&["device", "list", "--token", "guess"], "unknown here"),
    ] {
        let (code, said, fault) = panopol(&server.admin, args);
        assert_eq!(code, Some(1), "{said}{fault}");
        assert!(
            said.starts_with("refused:") && said.contains(cause),
            "{said}"
        );
    }
    let padded = format!("{}\n", server.token);
    let (code, said, fault) = panopol(&server.admin, &["device", "list", "--token", &padded]);
    assert_eq!(code, Some(0), "{said}{fault}");
}

#[test]
fn a_revoked_token_is_listed_as_such() {
    let server = Server::start(POLICY);
    let (_, minted, _) = server.panopol(&["token", "create", "bob", "--format", "json"]);
    let minted: Value = serde_json::from_str(&minted).unwrap();
    let id = minted["id"].as_str().unwrap();
    let listed = || {
        let (_, list, _) = server.panopol(&["token", "list"]);
        list.lines()
            .find(|line| line.starts_with(id))
            .unwrap()
            .to_owned()
    };
    assert!(listed().contains("  live "), "{}", listed());
    assert_eq!(server.panopol(&["token", "revoke", id]).0, Some(0));
    assert!(listed().contains("  revoked "), "{}", listed());
}

#[test]
fn a_misspelled_or_repeated_tag_enrolls_nothing() {
    let server = Server::start(POLICY);
    let enroll = |tags: &[&str]| {
        let mut args = vec!["device", "enroll", "web-1"];
        for tag in tags {
            args.extend(["--tag", tag]);
        }
        server.panopol(&args)
    };
    let (code, said, _) = enroll(&["env=producton"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("did you mean `production`?"), "{said}");
    let (code, said, _) = enroll(&["evn=production"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("did you mean `env`?"), "{said}");
    let (code, _, fault) = enroll(&["env=production", "env=dev"]);
    assert_eq!(code, Some(2), "{fault}");
    assert!(fault.contains("tag `env` is given twice"), "{fault}");
    let (_, devices) = server.api("GET", "/devices", None);
    assert_eq!(devices["items"], json!([]));
}

#[test]
fn why_a_device_was_disabled_enabled_and_revoked_is_in_the_audit() {
    let server = Server::start(POLICY);
    server.enroll("web-1", json!({"env": "production"}), 1);
    for verb in ["disable", "enable", "revoke"] {
        let note = format!("{verb}: rack 7 moves");
        let (code, said, fault) = server.panopol(&["device", verb, "web-1", "--note", &note]);
        assert_eq!(code, Some(0), "{said}{fault}");
    }
    let (_, audit, _) = server.panopol(&["audit", "export"]);
    let entries = audit
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let notes: Vec<String> = entries
        .filter_map(|entry: Value| Some(entry["event"]["note"].as_str()?.to_owned()))
        .collect();
    assert_eq!(
        notes,
        [
            "disable: rack 7 moves",
            "enable: rack 7 moves",
            "revoke: rack 7 moves"
        ]
    );
}

#[test]
fn earlier_keys_are_retired_where_there_are_some_and_else_it_is_said() {
    let server = Server::start(POLICY);
    server.enroll("web-1", json!({"env": "production"}), 2);
    let keys = |args: &[&str]| {
        let (code, said, fault) = server.panopol(&[&["keys"], args].concat());
        (code, format!("{said}{fault}"))
    };
    // The first binding alone has earlier keys then.
    let one = ["rotate", "web-1", "--binding", "1"];
    assert_eq!(keys(&one).0, Some(0));
    let retire = ["rotate", "web-1", "--retire"];
    assert_eq!(
        keys(&retire),
        (Some(0), "retired earlier keys of web-1\n".to_owned())
    );
    let (code, said) = keys(&retire);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("has no earlier keys"), "{said}");
    let (code, said) = keys(&["rotate", "web-1", "--binding", "7"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no such binding"), "{said}");
}

#[test]
fn a_directory_in_place_of_a_journal_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let (code, _, fault) = panopol("http://127.0.0.1:1", &["audit", "verify", path]);
    assert_eq!(code, Some(2), "{fault}");
    assert!(
        fault.contains(path) && fault.contains("store/journal"),
        "{fault}"
    );
}
