//! Hosts that were bound to Debian's tangd open through panopol, live from
//! its directory and after taking its keys over.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::harness::{POLICY, Reply, Server, Volume, bytes_of, directory, run, wait_for};
use crate::tang::{random_point, request_for, unb64};

const TANGD: &str = "/usr/libexec/tangd";
const KEYGEN: &str = "/usr/libexec/tangd-keygen";
const TAGS: [&str; 2] = ["--tang-tags", "env=production,role=web"];

/// Debian's tangd behind socat, on a port that was free.
struct Tangd {
    child: Child,
    port: u16,
}

impl Tangd {
    fn start(keys: &Path) -> Tangd {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let child = Command::new("socat")
            .arg(format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr"))
            .arg(format!("EXEC:{TANGD} {}", keys.display()))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("socat listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Tangd { child, port }
    }
}

impl Drop for Tangd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keygen(keys: &Path) {
    let (done, said) = run(Command::new(KEYGEN).arg(keys));
    assert!(done, "{said}");
}

/// The keys that an advertisement carries.
fn advertised(reply: &Reply) -> Vec<Value> {
    let jws: Value = serde_json::from_slice(&reply.body).unwrap();
    let payload = unb64(jws["payload"].as_str().unwrap());
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    payload["keys"].as_array().unwrap().clone()
}

/// What `keys list` says of the keys that were used.
fn used(server: &Server) -> Vec<Value> {
    let (_, list) = server.api("GET", "/keys", None);
    let items = list["items"].as_array().unwrap().iter();
    items
        .filter(|key| key["uses"] != json!([]))
        .cloned()
        .collect()
}

#[test]
fn a_disk_of_tangd_opens_live_and_after_its_keys_were_taken_over() {
    let dir = directory(POLICY);
    let keys = dir.path().join("tang");
    std::fs::create_dir(&keys).unwrap();
    keygen(&keys);
    let tangd = Tangd::start(&keys);
    let volume = Volume::create(dir.path(), "disk");
    let url = format!("http://127.0.0.1:{}", tangd.port);
    let advertisement = dir.path().join("adv.json");
    let (done, said) = run(Command::new("curl")
        .args(["-sfo"])
        .arg(&advertisement)
        .arg(format!("{url}/adv")));
    assert!(done, "{said}");
    volume.bind("tang", &json!({"url": url, "adv": advertisement}));
    let listen = format!("127.0.0.1:{}", tangd.port);
    drop(tangd);
    assert!(!volume.opens(1), "nobody answers");

    let listen = ["--unlock-listen", listen.as_str()];
    let live = ["--tang-keys", keys.to_str().unwrap()];
    let server = Server::launch(dir.path(), &[&listen[..], &live, &TAGS].concat());
    assert!(volume.opens(1), "{}", server.log());
    let uses = used(&server);
    assert_eq!(uses.len(), 1, "{uses:?}");
    assert_eq!(uses[0]["uses"][0]["source"], "127.0.0.1");
    let narrowed = POLICY.replace("allow from loopback", "allow from 192.0.2.0/24");
    assert_eq!(server.policy(&narrowed).0, 200);
    assert!(!volume.opens(1), "judged by policy");
    assert_eq!(server.policy(POLICY).0, 200);

    assert_eq!(advertised(&server.ask("GET", "/adv", "", b"")).len(), 2);
    keygen(&keys);
    wait_for("keys added to the directory are served", || {
        advertised(&server.ask("GET", "/adv", "", b"")).len() == 4
    });
    std::fs::write(keys.join("broken.jwk"), "{}").unwrap();
    wait_for("a bad file is named", || {
        server.log().contains("broken.jwk")
    });
    assert!(volume.opens(1), "and does no harm");
    drop(server);

    let server = Server::launch(
        dir.path(),
        &[&listen[..], &["--tang-endpoint", "/"], &TAGS].concat(),
    );
    assert!(!volume.opens(1), "nothing was taken over yet");
    let (code, _, said) = server.panopol(&["keys", "import", keys.to_str().unwrap(), "--strict"]);
    assert_ne!(code, Some(0));
    assert!(said.contains("broken.jwk"), "{said}");
    let (code, out, said) = server.panopol(&["keys", "import", keys.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{out}{said}");
    assert!(out.contains("skipped broken.jwk"), "{out}");
    assert_eq!(out.matches("took over").count(), 4, "{out}");
    assert!(volume.opens(1), "{}", server.log());
    let (_, listed, _) = server.panopol(&["keys", "list"]);
    assert!(listed.contains("times from 127.0.0.1"), "{listed}");
}

#[test]
fn keys_that_were_taken_over_answer_only_where_asked() {
    let dir = directory(POLICY);
    let keys = dir.path().join("tang");
    std::fs::create_dir(&keys).unwrap();
    keygen(&keys);
    let server = Server::launch(dir.path(), &[]);
    let (code, out, _) = server.panopol(&["keys", "import", keys.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("not served yet"), "{out}");
    assert_eq!(server.ask("GET", "/adv", "", b"").status, 404);
    drop(server);
    let server = Server::launch(dir.path(), &["--tang-endpoint", "old/tang"]);
    assert_eq!(server.ask("GET", "/adv", "", b"").status, 404);
    assert_eq!(server.ask("GET", "/old/tang/adv", "", b"").status, 200);
    // Without tags these hosts are no device that the policy knows: denied.
    let (_, list) = server.api("GET", "/keys", None);
    let exchange = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["role"] == "exchange")
        .unwrap();
    let target = format!("/old/tang/rec/{}", exchange["thumbprint"].as_str().unwrap());
    let body = request_for(&random_point()).to_string();
    assert_eq!(server.ask("POST", &target, "", body.as_bytes()).status, 403);
}

#[test]
fn live_keys_and_those_taken_over_are_served_together() {
    let dir = directory(POLICY);
    let (taken, live) = (dir.path().join("taken"), dir.path().join("live"));
    for keys in [&taken, &live] {
        std::fs::create_dir(keys).unwrap();
        keygen(keys);
    }
    let flags = [&["--tang-keys", live.to_str().unwrap()][..], &TAGS].concat();
    let server = Server::launch(dir.path(), &flags);
    assert_eq!(advertised(&server.ask("GET", "/adv", "", b"")).len(), 2);
    let (code, out, said) = server.panopol(&["keys", "import", taken.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{out}{said}");
    assert!(!out.contains("not served yet"), "{out}");
    let exchange = |server: &Server| {
        let (_, list) = server.api("GET", "/keys", None);
        let items = list["items"].as_array().unwrap().clone();
        let keys = items.iter().filter(|key| key["role"] == "exchange");
        let mut kids: Vec<(String, String)> = keys
            .map(|key| (text(key, "source"), text(key, "thumbprint")))
            .collect();
        kids.sort();
        kids
    };
    let rec = |server: &Server, kid: &str| {
        let body = request_for(&random_point()).to_string();
        let target = format!("/rec/{kid}");
        server.ask("POST", &target, "", body.as_bytes()).status
    };
    let serves_all = |server: &Server| {
        assert_eq!(advertised(&server.ask("GET", "/adv", "", b"")).len(), 4);
        let kids = exchange(server);
        assert_eq!(kids.len(), 2, "{kids:?}");
        for (source, kid) in &kids {
            assert_eq!(rec(server, kid), 200, "{source}");
        }
        kids
    };
    serves_all(&server);
    drop(server);
    let server = Server::launch(dir.path(), &flags);
    let kids = serves_all(&server);
    // Taken over and live, a key is one key.
    let (code, out, said) = server.panopol(&["keys", "import", live.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{out}{said}");
    assert_eq!(advertised(&server.ask("GET", "/adv", "", b"")).len(), 4);
    let (_, gone) = kids.iter().find(|(source, _)| source != "live").unwrap();
    assert_eq!(server.panopol(&["keys", "delete", gone]).0, Some(0));
    assert_eq!(rec(&server, gone), 404, "destroyed");
    let (_, kept) = kids.iter().find(|(source, _)| source == "live").unwrap();
    assert_eq!(rec(&server, kept), 200);
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

#[test]
fn an_answer_is_that_of_tangd_headers_and_all() {
    let dir = directory(POLICY);
    let keys = dir.path().join("tang");
    std::fs::create_dir(&keys).unwrap();
    keygen(&keys);
    let server = Server::launch(
        dir.path(),
        &[&["--tang-keys", keys.to_str().unwrap()][..], &TAGS].concat(),
    );
    let (_, list) = server.api("GET", "/keys", None);
    let thumbprint = |role: &str| {
        let items = list["items"].as_array().unwrap();
        let key = items.iter().find(|key| key["role"] == role).unwrap();
        key["thumbprint"].as_str().unwrap().to_owned()
    };
    let body = request_for(&random_point()).to_string();
    for (method, target, body) in [
        ("GET", "/adv".to_owned(), ""),
        ("GET", "//adv/".to_owned(), ""),
        ("GET", format!("/adv/{}", thumbprint("signing")), ""),
        ("GET", "/adv/unknown".to_owned(), ""),
        (
            "POST",
            format!("/rec/{}", thumbprint("exchange")),
            body.as_str(),
        ),
        (
            "POST",
            format!("/rec/{}", thumbprint("signing")),
            body.as_str(),
        ),
        ("POST", "/rec/unknown".to_owned(), body.as_str()),
        ("POST", "/adv".to_owned(), body.as_str()),
        ("POST", format!("/rec/{}", thumbprint("exchange")), "{}"),
    ] {
        let bytes = bytes_of(method, &target, "", body.as_bytes());
        let (_, theirs) = crate::tang::run(TANGD, &[keys.to_str().unwrap()], &bytes);
        let theirs = Reply::read(theirs.as_slice()).unwrap();
        let ours = server.ask(method, &target, "", body.as_bytes());
        assert_eq!(ours.status, theirs.status, "{method} {target}");
        for header in ["content-type", "content-length"] {
            assert_eq!(
                ours.header(header),
                theirs.header(header),
                "{method} {target}"
            );
        }
        if target.contains("rec") {
            assert_eq!(ours.body, theirs.body, "{method} {target}");
        } else if ours.status == 200 {
            let sorted = |reply: &Reply| {
                let mut keys: Vec<String> =
                    advertised(reply).iter().map(Value::to_string).collect();
                keys.sort();
                keys
            };
            assert_eq!(sorted(&ours), sorted(&theirs), "{method} {target}");
        }
    }
}
