//! What is refused before the policy, and in which order.

use panopol::tang::recovery::MAX_BODY;
use panopol::tang::*;
use serde_json::{Value, json};

use super::{check, pair, random_point, request_for, texts};

#[test]
fn each_fault_of_a_request_has_its_status() {
    let good = request_for(&random_point());
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        check(&body).map_err(|error| (error.status(), error))
    };
    let point = RecError::Point;
    assert!(check(&good).is_ok());
    assert_eq!(
        with("key_ops", json!(["sign"])),
        Err((403, RecError::ClientUsage))
    );
    assert_eq!(
        with("key_ops", json!(null)),
        Err((403, RecError::ClientUsage))
    );
    assert_eq!(with("kty", json!("RSA")), Err((400, RecError::KeyType)));
    assert_eq!(with("alg", json!("ES512")), Err((400, RecError::Algorithm)));
    assert_eq!(with("alg", json!(null)), Err((400, RecError::Algorithm)));
    assert_eq!(with("d", json!("AA")), Err((400, RecError::PrivateKey)));
    assert_eq!(with("crv", json!("P-256")), Err((400, RecError::Curve)));
    assert_eq!(
        with("x", json!(5)),
        Err((400, point(PointError::Coordinate)))
    );
    assert_eq!(
        with("y", good["x"].clone()),
        Err((400, point(PointError::NotOnCurve)))
    );
    for text in ["", "x", "[]", "null", "{", r#"{"kty":"EC","kty":"EC"}"#] {
        assert_eq!(
            check_request(text.as_bytes(), || Ok(())).unwrap_err(),
            RecError::NotJson,
            "{text}"
        );
    }
    let (keys, signer, exchange) = pair();
    let ring = KeyRing::new(keys).unwrap();
    let find = |kid: &str| {
        let body = good.to_string();
        check_request(body.as_bytes(), || ring.exchange_key(kid))
            .map(|_| ())
            .map_err(RecError::status)
    };
    assert_eq!(find(&exchange), Ok(()));
    assert_eq!(find(&signer), Err(403));
    assert_eq!(find("unknown"), Err(404));
}

#[test]
fn the_key_is_looked_up_between_the_form_and_the_point() {
    let good = request_for(&random_point());
    let ask = |edits: &[(&str, Value)]| {
        let mut body = good.clone();
        for (name, value) in edits {
            body[*name] = value.clone();
        }
        check_request(body.to_string().as_bytes(), || {
            Err::<(), _>(RecError::UnknownKey)
        })
        .unwrap_err()
    };
    let (operations, kty, alg) = (
        ("key_ops", json!([])),
        ("kty", json!("oct")),
        ("alg", json!("HS256")),
    );
    let faults = [
        operations,
        kty,
        alg,
        ("d", json!("")),
        ("crv", json!("P-256")),
        ("x", json!("")),
    ];
    assert_eq!(ask(&faults), RecError::ClientUsage);
    assert_eq!(ask(&faults[1..]), RecError::KeyType);
    assert_eq!(ask(&faults[2..]), RecError::Algorithm);
    for last in 3..=faults.len() {
        assert_eq!(ask(&faults[last..]), RecError::UnknownKey);
    }
}

#[test]
fn a_body_is_bounded_by_its_length_and_by_nothing_else() {
    let (x, y) = texts(&random_point());
    let body =
        |junk: &str| format!(r#"{{"kty":"EC","crv":"P-521","junk":{junk},"x":"{x}","y":"{y}"}}"#);
    let ask = |body: &str| check_request(body.as_bytes(), || Ok(())).map(|_| ());
    for junk in [
        "1e999",
        "-0",
        "123456789012345678901234567890",
        r#""\u0000""#,
        r#"{"kty":"RSA","kty":1}"#,
    ] {
        assert_eq!(ask(&body(junk)), Ok(()), "{junk}");
    }
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    assert_eq!(ask(&body(&deep)), Ok(()));
    assert_eq!(ask(&deep), Err(RecError::NotJson));
    assert_eq!(ask(&body(&"[".repeat(60_000))), Err(RecError::NotJson));
    assert!(ask(&format!(r#"{{"key_ops":{deep}}}"#)).is_err());
    let fill = |len: usize| body(&format!("\"{}\"", "a".repeat(len - body("\"\"").len())));
    assert_eq!(ask(&fill(MAX_BODY)), Ok(()));
    assert_eq!(
        ask(&fill(MAX_BODY + 1)).map_err(|error| (error.status(), error)),
        Err((413, RecError::BodyTooLarge))
    );
}
