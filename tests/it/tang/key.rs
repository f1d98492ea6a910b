//! Private JWKs and thumbprints.

use panopol::tang::*;
use serde_json::{Value, json};

use super::{b64, number, padded, pair, run};

#[test]
fn a_key_survives_being_written_and_read() {
    for _ in 0..8 {
        let (signing, exchange) = (
            SigningKey::generate().unwrap(),
            ExchangeKey::generate().unwrap(),
        );
        let Key::Signing(signing_again) = Key::from_jwk(signing.to_jwk().as_bytes()).unwrap()
        else {
            panic!()
        };
        let Key::Exchange(exchange_again) = Key::from_jwk(exchange.to_jwk().as_bytes()).unwrap()
        else {
            panic!()
        };
        assert_eq!(*signing_again.to_jwk(), *signing.to_jwk());
        assert_eq!(*exchange_again.to_jwk(), *exchange.to_jwk());
        assert_eq!(exchange_again.public(), exchange.public());
    }
}

#[test]
fn thumbprints_equal_those_of_jose() {
    for jwk in [
        SigningKey::generate().unwrap().to_jwk(),
        ExchangeKey::generate().unwrap().to_jwk(),
    ] {
        let key = Key::from_jwk(jwk.as_bytes()).unwrap();
        for hash in Hash::ALL {
            let (ok, theirs) = run(
                "jose",
                &["jwk", "thp", "-i-", "-a", hash.word()],
                jwk.as_bytes(),
            );
            let ours = key.public().thumbprints().text(hash);
            assert!(ok);
            assert_eq!(String::from_utf8(theirs).unwrap().trim(), ours);
            assert_eq!(key.public().thumbprints().hash_of(&ours), Some(hash));
            assert_eq!(
                key.public().thumbprints().hash_of(&format!("{ours}=")),
                None
            );
            assert_eq!(key.public().thumbprints().hash_of(&ours[1..]), None);
        }
    }
}

#[test]
fn the_thumbprint_of_a_known_key_never_changes() {
    let key = Key::from_jwk(&std::fs::read("tests/data/tang/signing.jwk").unwrap()).unwrap();
    let all: Vec<String> = Hash::ALL
        .iter()
        .map(|hash| format!("{hash} {}", key.public().thumbprints().text(*hash)))
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    S1 x7DbBWMedEvhGK3saCNMSqpD1j8
    S224 R9IzL30p_RJcCgf0okBakWEQCu3kgZGS4mKGbw
    S256 aBKEL4wYbQVELx0Zs1_tpHwovk8cfG1UIzvk3GwPgcQ
    S384 URYobNj8okhuYiNGiKpt97yOSBi6BLXigC4Z4ObbCNir7s_SJchNT-q3yyv5xnNM
    S512 iBngVPYW6_2x1IkfDkwlA8n0njW7AdjtjpunNg9P7Qc2ZJkbGSwQFK9Q-0Sc_6ltvZ_UpcZd6r8ghk8C42GtJQ
    ");
}

#[test]
fn a_faulty_key_is_refused_by_its_first_fault() {
    let exchange = ExchangeKey::generate().unwrap();
    let good: Value = serde_json::from_str(&exchange.to_jwk()).unwrap();
    let other: Value = serde_json::from_str(&ExchangeKey::generate().unwrap().to_jwk()).unwrap();
    let order = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    let without = |name: &str| {
        let mut jwk = good.clone();
        jwk.as_object_mut().unwrap().remove(name);
        jwk
    };
    let cases = [
        (with("kty", json!("RSA")), JwkError::KeyType),
        (without("kty"), JwkError::KeyType),
        (with("crv", json!("P-256")), JwkError::Curve),
        (with("alg", json!("ES256")), JwkError::Algorithm),
        (with("alg", json!(7)), JwkError::Algorithm),
        (with("alg", json!("ES512")), JwkError::Usage),
        (with("key_ops", json!(["sign", "verify"])), JwkError::Usage),
        (with("key_ops", json!("deriveKey")), JwkError::Usage),
        (without("key_ops"), JwkError::Usage),
        (without("x"), JwkError::Missing("x")),
        (with("y", json!(1)), JwkError::Missing("y")),
        (
            with("x", json!("AA")),
            JwkError::Point(PointError::Coordinate),
        ),
        (
            with("x", good["y"].clone()),
            JwkError::Point(PointError::NotOnCurve),
        ),
        (without("d"), JwkError::Missing("d")),
        (with("d", json!(b64(&[0; 66]))), JwkError::Scalar),
        (with("d", json!(b64(&[1; 65]))), JwkError::Scalar),
        (
            with("d", json!(b64(&padded(&number(order))))),
            JwkError::Scalar,
        ),
        (with("d", other["d"].clone()), JwkError::Mismatch),
    ];
    for (jwk, fault) in cases {
        assert_eq!(
            Key::from_jwk(jwk.to_string().as_bytes()).unwrap_err(),
            KeyError::Jwk(fault.clone()),
            "{fault}"
        );
    }
    for text in [
        "",
        "[]",
        "null",
        "{",
        "{} x",
        "\u{feff}{}",
        r#"{"d":"a","d":"b"}"#,
    ] {
        assert!(
            matches!(
                Key::from_jwk(text.as_bytes()),
                Err(KeyError::Jwk(JwkError::Json(_)))
            ),
            "{text}"
        );
    }
    assert!(matches!(
        Key::from_jwk(b"{\"a\":\"\xff\"}"),
        Err(KeyError::Jwk(JwkError::Json(_)))
    ));
}

#[test]
fn a_key_says_what_it_is_for_by_alg_or_by_operations() {
    let good: Value = serde_json::from_str(&SigningKey::generate().unwrap().to_jwk()).unwrap();
    let usage = |edit: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut jwk = good.clone();
        edit(jwk.as_object_mut().unwrap());
        Key::from_jwk(jwk.to_string().as_bytes()).map(|key| key.public().usage())
    };
    let set = |alg: Option<&str>, operations: Option<Value>, purpose: Option<&str>| {
        usage(&|jwk| {
            jwk.remove("alg");
            jwk.remove("key_ops");
            alg.map(|alg| jwk.insert("alg".into(), json!(alg)));
            operations
                .clone()
                .map(|operations| jwk.insert("key_ops".into(), operations));
            purpose.map(|purpose| jwk.insert("use".into(), json!(purpose)));
        })
        .ok()
    };
    assert_eq!(set(Some("ES512"), None, None), Some(Usage::Sign));
    assert_eq!(set(Some("ES512"), None, Some("sig")), Some(Usage::Sign));
    assert_eq!(set(None, None, Some("sig")), Some(Usage::Sign));
    assert_eq!(
        set(None, Some(json!(["sign", "verify"])), None),
        Some(Usage::Sign)
    );
    assert_eq!(
        set(None, Some(json!(["deriveKey"])), None),
        Some(Usage::Exchange)
    );
    assert_eq!(set(None, Some(json!(["sign"])), None), None);
    assert_eq!(
        set(None, Some(json!(["sign", "verify", "deriveKey"])), None),
        None
    );
    assert_eq!(set(None, None, None), None);
    assert_eq!(set(Some("ECMR"), None, None), None);
    assert_eq!(set(Some("ECMR"), None, Some("enc")), None);
}

#[test]
fn no_secret_shows_in_debug_output_or_in_a_fault() {
    let key = ExchangeKey::generate().unwrap();
    let jwk: Value = serde_json::from_str(&key.to_jwk()).unwrap();
    let d = jwk["d"].as_str().unwrap();
    assert!(!format!("{key:?}").contains(d));
    assert!(!format!("{:?}", Key::from_jwk(key.to_jwk().as_bytes())).contains(d));
    let ring = KeyRing::new(pair().0).unwrap();
    assert!(!format!("{ring:?}").contains("\"d\""));
    for broken in [
        key.to_jwk().replace("P-521", "P-256"),
        key.to_jwk()[..200].to_owned(),
        format!("{}x", *key.to_jwk()),
    ] {
        let error = Key::from_jwk(broken.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&d[..16]));
    }
}
