//! The admin plane: who may do what, what is refused and how that is said.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::harness::{POLICY, Reply, Server, bytes_of, directory, http, refused, send, wait_for};

/// A token for `person`, minted by the server's first owner.
fn mint(server: &Server, person: &str) -> (String, String) {
    let (status, token) = server.api("POST", "/tokens", Some(json!({"person": person})));
    assert_eq!(status, 201, "{token}");
    let word = |name: &str| token[name].as_str().unwrap().to_owned();
    (word("id"), word("token"))
}

fn status(server: &Server, token: &str, method: &str, path: &str, body: Value) -> u16 {
    let body = (method != "GET" && method != "DELETE").then_some(body);
    server.api_as(token, method, path, body).0
}

pub(super) fn master_key(dir: &Path, digit: &str, mode: u32) -> String {
    let path = dir.join(format!("master-{digit}.key"));
    std::fs::write(&path, digit.repeat(64)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_first_start_offers_one_claim_to_the_owner() {
    let dir = directory(POLICY);
    let key = master_key(dir.path(), "a", 0o600);
    let server = Server::launch_plain(dir.path(), &["--master-key", &key]);
    assert_eq!(server.token, "", "without --dev no token is told");
    let file = dir.path().join("state/claim");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let claim = std::fs::read_to_string(&file).unwrap();
    let claim = json!({"claim": claim.trim()});
    assert_eq!(
        server
            .api("POST", "/claim", Some(json!({"claim": "guess"})))
            .0,
        403
    );
    let (code, said, _) =
        server.panopol(&["token", "claim", file.to_str().unwrap(), "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let token: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(token["person"], "alice");
    let secret = token["token"].as_str().unwrap();
    assert_eq!(status(&server, secret, "GET", "/devices", Value::Null), 200);
    assert_eq!(
        server.api("POST", "/claim", Some(claim.clone())).0,
        403,
        "once"
    );
    assert!(!file.exists(), "used, it is taken away");
    drop(server);
    std::fs::write(&file, "left by a crash").unwrap();
    let server = Server::launch_plain(dir.path(), &["--master-key", &key]);
    assert_eq!(
        server.api("POST", "/claim", Some(claim)).0,
        403,
        "and not after a restart"
    );
    assert_eq!(server.log().matches("first start").count(), 1);
    wait_for("a claim that is over is taken away", || !file.exists());
    assert_eq!(status(&server, secret, "GET", "/devices", Value::Null), 200);
}

#[test]
fn roles_say_who_may_do_what() {
    let server = Server::start(POLICY);
    server.enroll("web-1", json!({"env": "production"}), 1);
    let [(_, bob), (_, carol), (_, robot)] =
        ["bob", "carol", "robot"].map(|who| mint(&server, who));
    let owner = server.token.clone();
    let enroll = |name: &str| json!({"name": name, "tags": {"env": "dev"}});
    for (who, token, method, path, body, expected) in [
        ("carol", &carol, "GET", "/devices", json!({}), 200),
        (
            "carol",
            &carol,
            "GET",
            "/devices/web-1/why?from=127.0.0.1",
            json!({}),
            200,
        ),
        ("carol", &carol, "GET", "/records", json!({}), 200),
        ("carol", &carol, "GET", "/audit", json!({}), 403),
        ("carol", &carol, "POST", "/devices", enroll("c"), 403),
        (
            "carol",
            &carol,
            "PATCH",
            "/devices/web-1",
            json!({"tags": {"env": "dev"}}),
            403,
        ),
        (
            "carol",
            &carol,
            "POST",
            "/devices/web-1/disable",
            json!({}),
            403,
        ),
        ("carol", &carol, "POST", "/policy/reload", json!({}), 403),
        ("carol", &carol, "GET", "/devices/unknown", json!({}), 404),
        ("bob", &bob, "POST", "/devices", enroll("b"), 201),
        (
            "bob",
            &bob,
            "POST",
            "/devices/web-1/disable",
            json!({}),
            200,
        ),
        ("bob", &bob, "POST", "/devices/web-1/enable", json!({}), 200),
        ("bob", &bob, "POST", "/devices/web-1/revoke", json!({}), 403),
        (
            "bob",
            &bob,
            "POST",
            "/devices/unknown/revoke",
            json!({}),
            403,
        ),
        ("bob", &bob, "POST", "/devices/web-1/rotate", json!({}), 403),
        (
            "bob",
            &bob,
            "POST",
            "/enrollment-keys",
            json!({"tags": {"env": "dev"}, "expires_s": 60, "uses": 1}),
            403,
        ),
        ("bob", &bob, "POST", "/backup", json!({}), 403),
        ("robot", &robot, "POST", "/devices", enroll("r"), 201),
        (
            "robot",
            &robot,
            "POST",
            "/devices/web-1/revoke",
            json!({}),
            403,
        ),
        ("alice", &owner, "POST", "/backup", json!({}), 200),
        (
            "alice",
            &owner,
            "POST",
            "/devices/web-1/revoke",
            json!({}),
            200,
        ),
        (
            "nobody",
            &"pano_x".to_owned(),
            "GET",
            "/devices",
            json!({}),
            401,
        ),
    ] {
        let got = status(&server, token, method, path, body);
        assert_eq!(got, expected, "{who}: {method} {path}");
    }
}

#[test]
fn a_token_knows_its_minter_and_gives_no_more_standing_than_the_minter_has() {
    let server = Server::start(POLICY);
    server.enroll("web-1", json!({"env": "production"}), 1);
    let (bobs, bob) = mint(&server, "bob");
    let (_, robot) = mint(&server, "robot");
    for (token, person, expected) in [
        (&bob, "bob", 201),
        (&bob, "carol", 403),
        (&bob, "alice", 403),
        (&robot, "robot", 201),
        (&robot, "alice", 403),
        (&server.token, "mallory", 422),
    ] {
        let got = status(&server, token, "POST", "/tokens", json!({"person": person}));
        assert_eq!(got, expected, "{person}");
    }
    assert_eq!(
        status(&server, &bob, "POST", "/devices/web-1/disable", json!({})),
        200
    );
    let (_, audit) = server.api("GET", "/audit?limit=1000", None);
    let entries = audit["items"].as_array().unwrap();
    let entry = entries
        .iter()
        .find(|entry| entry["event"].to_string().contains("disabled"))
        .unwrap();
    assert_eq!(entry["actor"]["person"], "bob");
    assert_eq!(entry["actor"]["minter"], "alice");
    assert_eq!(entry["actor"]["credential"], bobs.as_str());

    let (_, own) = server.api_as(&bob, "GET", "/tokens", None);
    let own = own["items"].as_array().unwrap();
    assert!(!own.is_empty());
    assert!(own.iter().all(|token| token["person"] == "bob"), "{own:?}");
    assert_eq!(
        status(
            &server,
            &server.token,
            "DELETE",
            &format!("/tokens/{bobs}"),
            Value::Null
        ),
        200
    );
    assert_eq!(status(&server, &bob, "GET", "/devices", Value::Null), 401);
    // Who is declared no more has no say, whatever token is left.
    let without = POLICY.replace("service robot { owner alice  role operator in org }\n", "");
    assert_eq!(server.policy(&without).0, 200);
    assert_eq!(status(&server, &robot, "GET", "/devices", Value::Null), 401);
}

#[test]
fn an_access_policy_of_ones_own_holds_or_the_server_does_not_start() {
    let dir = directory(POLICY);
    let path = dir.path().join("access.cedar");
    let flags = ["--dev", "--access-policy", path.to_str().unwrap()];
    for (text, cause) in [
        ("permit (principal", "does not parse"),
        (
            "permit (principal, action, resource) when { principal.nonsense };",
            "does not fit the schema",
        ),
        (
            "permit (principal, action == Action::\"fly\", resource);",
            "does not fit the schema",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let (code, said) = refused(dir.path(), &flags);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(cause), "{said}");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        refused(dir.path(), &flags).0,
        Some(2),
        "a file that is not there"
    );

    std::fs::write(
        &path,
        "permit (principal, action in Action::\"read\", resource);",
    )
    .unwrap();
    let server = Server::launch(dir.path(), &flags[1..]);
    assert_eq!(server.api("GET", "/devices", None).0, 200);
    assert_eq!(server.api("POST", "/policy/reload", Some(json!({}))).0, 403);
    drop(server);

    let failing = "permit (principal, action, resource);
permit (principal, action, resource) when { principal.tier + 9223372036854775807 > 0 };";
    std::fs::write(&path, failing).unwrap();
    let server = Server::launch(dir.path(), &flags[1..]);
    let (status, problem) = server.api("GET", "/devices", None);
    assert_eq!(status, 403, "an error denies, whatever else permits");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("could not be decided"),
        "{problem}"
    );
}

#[test]
fn each_refusal_is_a_problem_document() {
    let server = Server::start(POLICY);
    server.enroll("web-1", json!({"env": "production"}), 1);
    let (_, carol) = mint(&server, "carol");
    let owner = format!(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
        server.token
    );
    let viewer = format!("Authorization: Bearer {carol}\r\nContent-Type: application/json\r\n");
    let device = json!({"name": "web-1", "tags": {"env": "production"}}).to_string();
    let undeclared =
        json!({"name": "web-2", "tags": {"env": "production", "colour": "red"}}).to_string();
    let patch = json!({"tags": {"colour": "red"}}).to_string();
    let huge = " ".repeat((1 << 20) + 1);
    for (status, method, path, headers, body) in [
        (400, "POST", "/api/v1/devices", &owner, "{"),
        (
            400,
            "POST",
            "/api/v1/devices",
            &owner,
            "{\"name\": \"x\", \"unknown\": 1}",
        ),
        (400, "GET", "/api/v1/devices?limit=many", &owner, ""),
        (
            400,
            "GET",
            "/api/v1/devices/web-1/why?from=nowhere",
            &owner,
            "",
        ),
        (401, "GET", "/api/v1/devices", &String::new(), ""),
        (
            401,
            "GET",
            "/api/v1/devices",
            &"Authorization: Basic eDp5\r\n".to_owned(),
            "",
        ),
        (403, "POST", "/api/v1/devices", &viewer, device.as_str()),
        (404, "GET", "/api/v1/devices/unknown", &owner, ""),
        (404, "GET", "/api/v1/unknown", &owner, ""),
        (404, "GET", "/unknown", &owner, ""),
        (405, "PUT", "/api/v1/devices", &owner, ""),
        (405, "POST", "/healthz", &owner, ""),
        (409, "POST", "/api/v1/devices", &owner, device.as_str()),
        (413, "POST", "/api/v1/devices", &owner, huge.as_str()),
        (422, "POST", "/api/v1/devices", &owner, undeclared.as_str()),
        (
            422,
            "POST",
            "/api/v1/devices",
            &owner,
            "{\"name\": \"a/b\", \"tags\": {\"env\": \"dev\"}}",
        ),
        (
            422,
            "POST",
            "/api/v1/devices",
            &owner,
            "{\"name\": \"x\", \"tags\": {}}",
        ),
        (
            422,
            "PATCH",
            "/api/v1/devices/web-1",
            &owner,
            patch.as_str(),
        ),
        (
            422,
            "PATCH",
            "/api/v1/devices/web-1",
            &owner,
            "{\"tags\": {\"env\": null}}",
        ),
    ] {
        let bytes = bytes_of(method, path, headers, body.as_bytes());
        let reply: Reply = send(&server.admin, &bytes).unwrap();
        let said = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, status, "{method} {path}: {said}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json"),
            "{method} {path}"
        );
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(problem["status"], status, "{said}");
        for member in ["type", "title", "detail"] {
            assert!(
                problem[member]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{said}"
            );
        }
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
    }
    assert_eq!(
        server.api("GET", "/devices/web-1", None).1["tags"],
        json!({"env": "production"})
    );
}

#[test]
fn an_idempotency_key_enrolls_once() {
    let server = Server::start(POLICY);
    let (_, bob) = mint(&server, "bob");
    let enroll = |token: &str, name: &str, tags: Value| {
        let url = format!("{}/api/v1/devices", server.admin);
        let headers = [
            ("authorization", format!("Bearer {token}")),
            ("idempotency-key", "k1".to_owned()),
        ];
        let body = json!({"name": name, "tags": tags}).to_string();
        let (status, text) = http("POST", &url, &headers, Some(body));
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let dev = json!({"env": "dev"});
    let first = enroll(&server.token, "web-1", dev.clone());
    assert_eq!(first.0, 201);
    assert_eq!(enroll(&server.token, "web-1", dev.clone()), first);
    assert_eq!(enroll(&server.token, "web-2", dev.clone()).0, 409);
    assert_eq!(
        enroll(&server.token, "web-1", json!({"env": "production"})).0,
        409,
        "another request"
    );
    assert_eq!(
        enroll(&bob, "web-2", dev).0,
        201,
        "another caller's key is another key"
    );
}

#[test]
fn an_enrollment_is_answered_alike_after_a_restart_and_by_a_key_that_it_used_up() {
    let server = Server::start(POLICY);
    let listen = server.unlock.strip_prefix("http://").unwrap().to_owned();
    let key = json!({"tags": {"env": "dev"}, "expires_s": 600, "uses": 1});
    let (status, key) = server.api("POST", "/enrollment-keys", Some(key));
    assert_eq!(status, 201, "{key}");
    let enroll = |server: &Server, token: &str, body: &Value| {
        let url = format!("{}/api/v1/devices", server.admin);
        let headers = [
            ("authorization", format!("Bearer {token}")),
            ("idempotency-key", "k1".to_owned()),
        ];
        let (status, text) = http("POST", &url, &headers, Some(body.to_string()));
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let key = key["key"].as_str().unwrap().to_owned();
    let of_key = json!({"name": "web-1", "tags": {"env": "dev"}});
    let of_alice = json!({"name": "web-2", "tags": {"env": "production"}, "bindings": 2});
    let by_key = enroll(&server, &key, &of_key);
    assert_eq!(by_key.0, 201, "{}", by_key.1);
    let (_, alice) = mint(&server, "alice");
    let by_alice = enroll(&server, &alice, &of_alice);
    assert_eq!(by_alice.0, 201, "{}", by_alice.1);

    let dir = server.dir.clone();
    let keep = server.kill();
    let server = Server::launch(&dir, &["--unlock-listen", &listen]);
    assert_eq!(enroll(&server, &key, &of_key), by_key);
    assert_eq!(enroll(&server, &alice, &of_alice), by_alice);
    // It is the answer to that call alone, and enrolls nobody else.
    let other = json!({"name": "web-2", "tags": {"env": "dev"}, "bindings": 2});
    assert_eq!(enroll(&server, &alice, &other).0, 409);
    let (_, bob) = mint(&server, "bob");
    assert_eq!(enroll(&server, &bob, &of_alice).0, 409);
    let another = json!({"name": "web-3", "tags": {"env": "dev"}});
    let refused = server.api_as(&key, "POST", "/devices", Some(another));
    assert_eq!(refused.0, 401, "it is used up: {}", refused.1);
    // Nor does it outlive its keys.
    let rotated = server.api("POST", "/devices/web-2/rotate", Some(json!({})));
    assert_eq!(rotated.0, 200, "{}", rotated.1);
    assert_eq!(enroll(&server, &alice, &of_alice), by_alice);
    server.api(
        "POST",
        "/devices/web-2/rotate",
        Some(json!({"retire": true})),
    );
    let (status, said) = enroll(&server, &alice, &of_alice);
    assert_eq!(status, 201, "this run remembers: {said}");
    let keep = (keep, server.kill());
    let server = Server::launch(&dir, &["--unlock-listen", &listen]);
    assert_eq!(enroll(&server, &alice, &of_alice).0, 409);
    drop((server, keep));
}

#[test]
fn lists_are_read_page_by_page() {
    let server = Server::start(POLICY);
    for number in 0..5 {
        server.enroll(&format!("web-{number}"), json!({"env": "dev"}), 1);
        mint(&server, "bob");
    }
    for (path, key, least) in [
        ("/devices", "name", 5),
        ("/tokens", "id", 6),
        ("/audit", "seq", 12),
    ] {
        let mut seen: Vec<String> = Vec::new();
        let mut after = String::new();
        loop {
            let (status, page) = server.api("GET", &format!("{path}?limit=2{after}"), None);
            assert_eq!(status, 200, "{page}");
            let items = page["items"].as_array().unwrap();
            assert!((1..=2).contains(&items.len()), "{path}: {page}");
            seen.extend(items.iter().map(|item| item[key].to_string()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert!(seen.len() >= least, "{path}: {seen:?}");
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "{path}: none twice");
    }
}

#[test]
fn the_description_has_exactly_the_routes_that_are_served() {
    let server = Server::start(POLICY);
    let (status, text) = http(
        "GET",
        &format!("{}/api/v1/openapi.json", server.admin),
        &[],
        None,
    );
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&text).unwrap();
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
    let headers = format!("Authorization: Bearer {}\r\n", server.token);
    let all = ["get", "post", "patch", "put", "delete"];
    for (path, methods) in document["paths"].as_object().unwrap() {
        let target = path
            .replace("{name}", "unknown")
            .replace("{id}", "unknown")
            .replace("{thumbprint}", "unknown");
        for method in all {
            let bytes = bytes_of(&method.to_uppercase(), &target, &headers, b"");
            let reply = send(&server.admin, &bytes).unwrap();
            let said = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(
                !said.contains("no such path"),
                "{method} {path} is described and not served"
            );
            let served = reply.status != 405;
            assert_eq!(
                served,
                methods.get(method).is_some(),
                "{method} {path}: {}",
                reply.status
            );
        }
    }
    // Every path of the router's table is described; its methods were just asked.
    let table = include_str!("../../../src/server/admin/mod.rs");
    let table = table
        .split_once("let api =")
        .unwrap()
        .1
        .split_once(".fallback")
        .unwrap()
        .0;
    let paths: Vec<&str> = table
        .split('"')
        .filter(|part| part.starts_with('/'))
        .collect();
    assert!(paths.len() > 10);
    for path in paths {
        assert!(
            document["paths"][format!("/api/v1{path}")].is_object(),
            "{path} is served and not described"
        );
    }
}

#[test]
fn an_enrollment_key_gives_its_tags_so_often_and_so_long() {
    let server = Server::start(POLICY);
    let make = |expires: i64, uses: u32| -> (String, String) {
        let body = json!({"tags": {"env": "production"}, "expires_s": expires, "uses": uses});
        let (status, key) = server.api("POST", "/enrollment-keys", Some(body));
        assert_eq!(status, 201, "{key}");
        let word = |name: &str| key[name].as_str().unwrap().to_owned();
        (word("id"), word("key"))
    };
    let enroll = |key: &str, body: Value| server.api_as(key, "POST", "/devices", Some(body));
    let (_, key) = make(600, 2);
    let (status, device) = enroll(&key, json!({"name": "web-1"}));
    assert_eq!(
        (status, &device["tags"]),
        (201, &json!({"env": "production"}))
    );
    assert_eq!(
        enroll(&key, json!({"name": "web-2", "tags": {"env": "dev"}})).0,
        403
    );
    assert_eq!(
        enroll(&key, json!({"name": "web-2", "tags": {"role": "web"}})).0,
        403
    );
    assert_eq!(
        enroll(&key, json!({"name": "web-1"})).0,
        409,
        "and that is no use"
    );
    assert_eq!(server.api_as(&key, "GET", "/devices", None).0, 401);
    assert_eq!(enroll(&key, json!({"name": "web-2"})).0, 201);
    assert_eq!(enroll(&key, json!({"name": "web-3"})).0, 401, "used up");

    let (id, key) = make(600, 5);
    assert_eq!(
        server
            .api("DELETE", &format!("/enrollment-keys/{id}"), None)
            .0,
        200
    );
    assert_eq!(enroll(&key, json!({"name": "web-3"})).0, 401, "revoked");
    let (_, key) = make(1, 5);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(enroll(&key, json!({"name": "web-3"})).0, 401, "expired");
    for body in [
        json!({"tags": {"colour": "red"}, "expires_s": 60, "uses": 1}),
        json!({"tags": {"env": "dev"}, "expires_s": 0, "uses": 1}),
        json!({"tags": {"env": "dev"}, "expires_s": 60, "uses": 0}),
    ] {
        assert_eq!(server.api("POST", "/enrollment-keys", Some(body)).0, 422);
    }
}

#[test]
fn health_readiness_and_metrics_need_no_token() {
    let server = Server::start(POLICY);
    for path in ["/healthz", "/readyz", "/metrics"] {
        let (status, text) = http("GET", &format!("{}{path}", server.admin), &[], None);
        assert_eq!(status, 200, "{text}");
    }
    assert!(server.metric("panopol_audit_entries_total").unwrap() >= 1.0);
    assert!(
        server
            .metric("panopol_policy_reload_total{result=\"loaded\"}")
            .unwrap()
            >= 1.0
    );
}
