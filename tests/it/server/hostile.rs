//! Clients that mean harm, and proxies that say who the client is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use panopol::server::connection::Peers;
use serde_json::json;

use super::harness::{
    POLICY, Reply, Server, binding, bytes_of, command, connect, directory, run, send, wait_for,
};
use crate::scarcity::limit_descriptors;
use crate::tang::{random_point, request_for};

/// Whether the server closes the connection within `limit`, whatever it says first.
fn closes_within(stream: &mut TcpStream, limit: Duration) -> bool {
    let began = Instant::now();
    stream.set_read_timeout(Some(limit)).unwrap();
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) if began.elapsed() < limit => {}
            Ok(_) => return false,
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn a_slow_head_and_an_idle_connection_are_closed() {
    let server = Server::start_with(POLICY, &["--head-timeout-s", "1"]);
    for url in [&server.unlock, &server.admin] {
        let mut slow = connect(url);
        let mut bytes = b"GET /adv HTTP/1.1\r\nHost: ".to_vec();
        bytes.resize(200, b'a');
        let began = Instant::now();
        let mut sent = 0;
        while sent < bytes.len() && slow.write_all(&bytes[sent..=sent]).is_ok() {
            sent += 1;
            std::thread::sleep(Duration::from_millis(100));
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "a byte at a time goes on"
            );
        }
        let mut idle = connect(url);
        idle.write_all(&bytes_of("GET", "/healthz", "", b""))
            .unwrap();
        assert!(Reply::read(&idle).is_some());
        assert!(
            closes_within(&mut idle, Duration::from_secs(10)),
            "idle after an answer"
        );
        let mut silent = connect(url);
        assert!(
            closes_within(&mut silent, Duration::from_secs(10)),
            "silent"
        );
    }
}

#[test]
fn a_client_that_never_reads_its_answers_is_let_go() {
    let server = Server::start_with(POLICY, &["--head-timeout-s", "1"]);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, _) = binding(&server, &device, 0);
    for (url, target) in [
        (&server.unlock, format!("{path}/adv")),
        (&server.admin, "/metrics".to_owned()),
    ] {
        let mut deaf = connect(url);
        let many = bytes_of("GET", &target, "", b"").repeat(1000);
        deaf.set_write_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        // Goes on until the system holds no more, and then until it is let go.
        let ended = loop {
            if let Err(error) = deaf.write_all(&many) {
                break error.kind();
            }
        };
        assert!(
            matches!(
                ended,
                std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
            ),
            "{target}: {ended:?}"
        );
    }
}

#[test]
fn what_clients_bring_about_at_will_is_logged_once_in_a_while() {
    let server = Server::start(POLICY);
    for _ in 0..200 {
        let reply = server.ask("GET", "/adv", "X-Forwarded-For: 192.0.2.1\r\n", b"");
        assert_eq!(reply.status, 400);
    }
    let lines = server.log().matches("forwarding header").count();
    // Two hundred take less than the ten seconds of a line, or not much more.
    assert!((1..20).contains(&lines), "{lines} lines");
}

#[test]
fn an_ipv6_host_has_one_share_of_the_connections_whatever_its_address() {
    let peers = Arc::new(Peers::default());
    let enter = |address: &str| peers.enter(address.parse().unwrap(), 2);
    let held = [enter("2001:db8::1"), enter("2001:db8::ffff:1")];
    assert!(held.iter().all(Option::is_some));
    assert!(enter("2001:db8:0:0:8000::").is_none());
    assert!(enter("2001:db8:0:1::1").is_some());
    drop(held);
    assert!(enter("2001:db8:0:0:8000::").is_some());
    let neighbours = [enter("192.0.2.1"), enter("192.0.2.1"), enter("192.0.2.2")];
    assert!(neighbours.iter().all(Option::is_some));
    assert!(enter("192.0.2.1").is_none());
}

#[test]
fn a_body_that_stops_and_garbage_in_line_harm_nobody() {
    let server = Server::start(POLICY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let adv = bytes_of("GET", &format!("{path}/adv"), "", b"");
    let mut half = connect(&server.unlock);
    let body = request_for(&random_point()).to_string();
    let post = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    half.write_all(&post[..post.len() - 20]).unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    assert!(
        closes_within(&mut half, Duration::from_secs(5)),
        "half a body"
    );

    let two = send_all(&server, &[&adv[..], &post].concat());
    assert_eq!(two.matches("HTTP/1.1 200").count(), 2, "{two}");
    let garbage = send_all(
        &server,
        &[&adv[..], b"\x16\x03\x01garbage\r\n\r\n", &adv].concat(),
    );
    assert_eq!(garbage.matches("HTTP/1.1 200").count(), 1, "{garbage}");
    for nonsense in [
        &b"POST /rec/x HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
            [..],
        b"POST /rec/x HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        b"GET /adv HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        assert_eq!(
            send(&server.unlock, nonsense).map(|reply| reply.status),
            Some(400)
        );
    }
    let many = format!("GET /adv HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(2000));
    assert!(matches!(
        send(&server.unlock, many.as_bytes()),
        Some(Reply { status: 431, .. })
    ));
    assert_eq!(send(&server.unlock, &adv).unwrap().status, 200);
}

/// Sends bytes and half-closes; all that is answered.
fn send_all(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(&server.unlock);
    stream.write_all(bytes).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let mut said = Vec::new();
    // It keeps the connection for more requests: reading ends by time.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.child.id()))
        .unwrap()
        .count()
}

/// A server that may hold so many connections, all of them from one peer.
fn roomy_server(connections: usize) -> Server {
    let dir = directory(POLICY);
    let most = (2 * connections).to_string();
    let flags = [
        "--dev",
        "--max-connections",
        &most,
        "--max-connections-per-peer",
        &most,
        "--head-timeout-s",
        "60",
    ];
    let descriptors = u64::try_from(connections + 500).unwrap();
    limit_descriptors(std::process::id(), descriptors);
    let mut server = Server::spawn(dir.path(), command(dir.path(), &flags));
    limit_descriptors(server.child.id(), descriptors);
    server.own(dir);
    server
}

#[test]
fn ten_thousand_connections_of_nonsense_are_held_and_let_go() {
    const MANY: usize = 10_000;
    let server = roomy_server(MANY);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let body = request_for(&random_point()).to_string();
    let good = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    assert_eq!(send(&server.unlock, &good).unwrap().status, 200);
    let (before, open) = (resident_kib(&server), descriptors(&server));

    let long = vec![b'x'; 15_000];
    let mut held = Vec::with_capacity(MANY);
    for number in 0..MANY {
        let mut stream = connect(&server.unlock);
        let nonsense: &[u8] = match number % 5 {
            0 => b"",
            1 => b"GET /adv HTTP/1.1\r\nHos",
            2 => b"GET /u/x/adv HTTP/1.1\r\nHost: t\r\n\r\nGET /u/x/adv HT",
            3 => &long,
            _ => b"POST /rec/x HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n",
        };
        let _ = stream.write_all(nonsense);
        held.push(stream);
        if number % 1000 == 0 {
            let began = Instant::now();
            assert_eq!(send(&server.unlock, &good).unwrap().status, 200);
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "a good request is answered beside {number}"
            );
        }
    }
    wait_for("all are accepted", || {
        descriptors(&server) >= open + MANY - 20
    });
    assert!(descriptors(&server) <= open + MANY + 50);
    let began = Instant::now();
    assert_eq!(send(&server.unlock, &good).unwrap().status, 200);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "a good request is answered beside all"
    );
    let grown = resident_kib(&server).saturating_sub(before);
    assert!(
        grown < 256 * 1024,
        "{grown} KiB more for {MANY} connections"
    );
    drop(held);
    wait_for("descriptors are given back", || {
        descriptors(&server) <= open + 20
    });
    assert_eq!(send(&server.unlock, &good).unwrap().status, 200);
}

#[test]
fn without_a_descriptor_left_the_server_waits_and_serves_again() {
    let server = roomy_server(1000);
    let open = descriptors(&server);
    limit_descriptors(server.child.id(), u64::try_from(open + 100).unwrap());
    // The system completes what the server cannot accept yet.
    let held: Vec<TcpStream> = (0..300).map(|_| connect(&server.unlock)).collect();
    wait_for("the log says so", || {
        server.log().contains("cannot accept a connection")
    });
    drop(held);
    assert_eq!(server.ask("GET", "/adv", "", b"").status, 404);
    assert!(server.log().len() < 1 << 20, "and does not fill the disk");
}

#[test]
fn one_peer_cannot_take_every_place() {
    let server = Server::start_with(
        POLICY,
        &[
            "--max-connections",
            "60",
            "--max-connections-per-peer",
            "40",
        ],
    );
    let held: Vec<TcpStream> = (0..100).map(|_| connect(&server.unlock)).collect();
    let url = format!("{}/adv", server.unlock);
    let curl = [
        "-s",
        "-m",
        "5",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--interface",
        "127.0.0.2",
        &url,
    ];
    assert_eq!(run(Command::new("curl").args(curl)).1, "404");
    // Those beyond its share were closed at once.
    let closed = held.into_iter().filter(|stream| {
        let mut stream = stream;
        stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        matches!(stream.read(&mut [0]), Ok(0)) || matches!(stream.read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset)
    });
    assert_eq!(closed.count(), 60);
    // The one that looks after it is told, once.
    let refused = server.metric("panopol_connections_refused_total{plane=\"unlock\"}");
    assert_eq!(refused, Some(60.0));
    assert_eq!(server.log().matches("max_connections_per_peer").count(), 1);
}

/// Version 2 with `command` (0 local, 1 proxy), a family and addresses.
fn version2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    bytes.extend([0x20 | command, family]);
    bytes.extend((addresses.len() as u16).to_be_bytes());
    bytes.extend(addresses);
    bytes
}

fn version2_v4(source: [u8; 4]) -> Vec<u8> {
    version2(
        1,
        0x11,
        &[&source[..], &[127, 0, 0, 1, 0, 9, 0, 9]].concat(),
    )
}

#[test]
fn a_listed_proxy_says_who_the_client_is_and_nobody_else_does() {
    let policy = POLICY.replace(
        "allow from loopback",
        "allow from [192.0.2.0/24, 2001:db8::/32]",
    );
    let server = Server::start_with(&policy, &["--trusted-proxies", "127.0.0.0/8"]);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let body = request_for(&random_point()).to_string();
    let request = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    let ask = |header: &[u8]| {
        send(&server.unlock, &[header, &request].concat()).map(|reply| reply.status)
    };
    let v6 = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets();
    let version2_v6 = |source: &str| {
        version2(
            1,
            0x21,
            &[&v6(source)[..], &v6("::1"), &[0, 9, 0, 9]].concat(),
        )
    };
    for (name, header, expected) in [
        (
            "v1",
            b"PROXY TCP4 192.0.2.7 127.0.0.1 9 9\r\n".to_vec(),
            Some(200),
        ),
        (
            "v1, v6",
            b"PROXY TCP6 2001:db8::7 ::1 9 9\r\n".to_vec(),
            Some(200),
        ),
        (
            "v1 from elsewhere",
            b"PROXY TCP4 198.51.100.7 127.0.0.1 9 9\r\n".to_vec(),
            Some(403),
        ),
        ("v2", version2_v4([192, 0, 2, 7]), Some(200)),
        (
            "v2 from elsewhere",
            version2_v4([198, 51, 100, 7]),
            Some(403),
        ),
        ("v2, v6", version2_v6("2001:db8::7"), Some(200)),
        ("v2, mapped", version2_v6("::ffff:192.0.2.7"), Some(200)),
        ("v2, the proxy itself", version2(0, 0, &[]), Some(403)),
        ("none", Vec::new(), None),
        ("v1 without an address", b"PROXY UNKNOWN\r\n".to_vec(), None),
        (
            "v1 with a bad one",
            b"PROXY TCP4 192.0.2.777 127.0.0.1 9 9\r\n".to_vec(),
            None,
        ),
        (
            "v1 without an end",
            [&b"PROXY TCP4 192.0.2.7 "[..], &[b' '; 200]].concat(),
            None,
        ),
        ("v2 without an address", version2(1, 0, &[]), None),
        ("v2 too short", version2(1, 0x11, &[192, 0, 2, 7]), None),
    ] {
        assert_eq!(ask(&header), expected, "{name}");
    }
    let (_, why) = server.api("GET", "/devices/web-1/why", None);
    let sources: Vec<&str> = why["recent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["request"]["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources[0], "127.0.0.1", "{sources:?}");
    assert!(
        sources.contains(&"198.51.100.7") && sources.contains(&"2001:db8::7"),
        "{sources:?}"
    );
    assert!(server.log().contains("no valid PROXY header"));

    let server = Server::start(&policy);
    let device = server.enroll("web-1", json!({"env": "production"}), 1);
    let (path, _, kid) = binding(&server, &device, 0);
    let request = bytes_of("POST", &format!("{path}/rec/{kid}"), "", body.as_bytes());
    for header in [
        b"PROXY TCP4 192.0.2.7 127.0.0.1 9 9\r\n".to_vec(),
        version2_v4([192, 0, 2, 7]),
    ] {
        let reply = send(&server.unlock, &[&header[..], &request].concat());
        assert!(
            reply.is_none_or(|reply| reply.status == 400),
            "of no listed proxy"
        );
    }
}
