//! The recorded requests, read page by page while more are recorded.

use serde_json::{Value, json};

use crate::server::harness::{POLICY, Server, binding, bytes_of, send, wait_for};
use crate::tang::{random_point, request_for};

const FLAGS: [&str; 8] = [
    "--records-max-bytes",
    "20000",
    "--records-keep",
    "50",
    "--rate-per-source",
    "10000",
    "--rate-per-binding",
    "10000",
];

/// How many lines the record files have.
fn recorded(server: &Server) -> usize {
    let directory = server.dir.join("state/records");
    let files = std::fs::read_dir(directory).unwrap();
    files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .map(|text| text.lines().count())
        .sum()
}

/// Has `count` exchanges of a device decided and recorded.
fn exchanges(server: &Server, device: &Value, count: usize, expected: u16) {
    let before = recorded(server);
    let (path, _, kid) = binding(server, device, 0);
    for _ in 0..count {
        let body = request_for(&random_point()).to_string();
        let bytes = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
        assert_eq!(send(&server.unlock, &bytes).unwrap().status, expected);
    }
    // Of equal denials the first is written at once, and the others folded.
    let written = if expected == 200 { count } else { 1 };
    wait_for("they are recorded", || recorded(server) >= before + written);
}

fn page(server: &Server, query: &str, after: Option<&str>) -> (Vec<Value>, Option<String>) {
    let after = after.map_or(String::new(), |after| format!("&after={after}"));
    let (status, page) = server.api("GET", &format!("/records?{query}{after}"), None);
    assert_eq!(status, 200, "{page}");
    let next = page["next"].as_str().map(str::to_owned);
    (page["items"].as_array().unwrap().clone(), next)
}

fn rest(server: &Server, query: &str, mut after: Option<String>) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let (items, next) = page(server, query, after.as_deref());
        all.extend(items);
        match next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

fn word<'a>(record: &'a Value, pointer: &str) -> &'a str {
    record.pointer(pointer).and_then(Value::as_str).unwrap()
}

#[test]
fn every_record_is_reached_backwards_through_the_files_while_they_rotate() {
    let server = Server::start_with(POLICY, &FLAGS);
    let one = server.enroll("web-1", json!({"env": "production"}), 1);
    let two = server.enroll("web-2", json!({"env": "dev"}), 1);
    exchanges(&server, &one, 70, 200);
    exchanges(&server, &two, 3, 403);
    exchanges(&server, &one, 30, 200);
    let files = std::fs::read_dir(server.dir.join("state/records")).unwrap();
    assert!(files.count() > 2, "they rotate");

    let (first, next) = page(&server, "limit=7", None);
    assert_eq!(first.len(), 7);
    exchanges(&server, &one, 60, 200);
    let all = [first, rest(&server, "limit=7", next)].concat();
    let mut ids: Vec<&str> = all.iter().map(|record| word(record, "/id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((all.len(), ids.len()), (101, 101), "each once, none missed");
    let times: Vec<&str> = all.iter().map(|record| word(record, "/time")).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");

    let denied = rest(&server, "limit=7&outcome=deny", None);
    assert_eq!(denied.len(), 1);
    assert_eq!(word(&denied[0], "/request/device"), "web-2");
    assert_eq!(rest(&server, "limit=9&device=web-1", None).len(), 160);
    assert_eq!(rest(&server, "device=web-1&outcome=deny", None).len(), 0);
    let since = word(&all[50], "/time");
    let recent = rest(&server, &format!("limit=20&since={since}"), None);
    assert_eq!(recent.len(), 60 + 51, "{since}");
}

#[test]
fn a_query_that_cannot_be_is_said_and_a_place_that_is_gone_too() {
    let server = Server::start_with(POLICY, &FLAGS);
    let (items, next) = page(&server, "limit=5", None);
    assert_eq!((items.len(), next), (0, None));
    for query in [
        "after=x",
        "after=.5",
        "after=0123456789abcdef.x",
        "after=0123456789abcdef.-1",
        "outcome=maybe",
        "since=yesterday",
        "limit=many",
    ] {
        let (status, problem) = server.api("GET", &format!("/records?{query}"), None);
        assert_eq!(status, 400, "{query}: {problem}");
    }
    let gone = server.api("GET", "/records?after=0123456789abcdef.5", None);
    assert_eq!(gone.0, 404, "{}", gone.1);
}
