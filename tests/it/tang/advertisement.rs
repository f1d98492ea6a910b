//! Signed key sets and who signs them.

use panopol::tang::*;
use serde_json::{Value, json};

use super::{b64, pair, run, unb64};

fn signatures(jws: &Value) -> Vec<&Value> {
    jws.get("signatures").map_or_else(
        || vec![jws],
        |list| list.as_array().unwrap().iter().collect(),
    )
}

#[test]
fn an_advertisement_is_verified_by_jose_and_by_josekit() {
    for _ in 0..8 {
        let (keys, signer, _) = pair();
        let public = keys[0].0.public().to_jwk();
        let ring = KeyRing::new(keys).unwrap();
        for thumbprint in [None, Some(signer.as_str())] {
            let body = ring.advertise(thumbprint).unwrap().unwrap().body;
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &public).unwrap();
            let (ok, payload) = run(
                "jose",
                &[
                    "jws",
                    "ver",
                    "-i-",
                    "-k",
                    file.path().to_str().unwrap(),
                    "-O-",
                ],
                &body,
            );
            assert!(ok, "jose refuses {}", String::from_utf8_lossy(&body));
            let jwk = josekit::jwk::Jwk::from_bytes(public.as_bytes()).unwrap();
            let verifier = josekit::jws::ES512.verifier_from_jwk(&jwk).unwrap();
            let (theirs, header) = josekit::jws::deserialize_json(&*body, &verifier).unwrap();
            assert_eq!(theirs, payload);
            assert_eq!(header.algorithm(), Some("ES512"));
            assert_eq!(header.content_type(), Some("jwk-set+json"));
        }
    }
}

#[test]
fn an_advertisement_holds_current_public_keys_and_nothing_private() {
    let (mut keys, ..) = pair();
    keys.push((
        Key::Exchange(ExchangeKey::generate().unwrap()),
        Standing::Hidden,
    ));
    let ring = KeyRing::new(keys).unwrap();
    let jws: Value = serde_json::from_slice(&ring.advertise(None).unwrap().unwrap().body).unwrap();
    assert_eq!(
        jws["protected"],
        b64(br#"{"alg":"ES512","cty":"jwk-set+json"}"#)
    );
    let payload: Value = serde_json::from_slice(&unb64(jws["payload"].as_str().unwrap())).unwrap();
    let listed = payload["keys"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["alg"], &listed[0]["key_ops"]),
        (&json!("ES512"), &json!(["verify"]))
    );
    assert_eq!(
        (&listed[1]["alg"], &listed[1]["key_ops"]),
        (&json!("ECMR"), &json!(["deriveKey"]))
    );
    assert!(listed.iter().all(|key| key.get("d").is_none()));
}

#[test]
fn an_advertisement_is_signed_by_all_current_signers_and_by_the_one_named() {
    let (mut keys, first, exchange) = pair();
    let (second, hidden) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    let old = hidden.public().thumbprints().clone();
    let public = hidden.public().to_jwk();
    // A hidden key given first signs after the current ones all the same.
    keys.insert(0, (Key::Signing(hidden), Standing::Hidden));
    keys.push((Key::Signing(second), Standing::Current));
    let ring = KeyRing::new(keys).unwrap();
    let signed = |thumbprint: Option<&str>| {
        let body = ring.advertise(thumbprint).unwrap()?.body;
        Some(signatures(&serde_json::from_slice(&body).unwrap()).len())
    };
    assert_eq!(signed(None), Some(2));
    assert_eq!(signed(Some(&first)), Some(3));
    for hash in Hash::ALL {
        assert_eq!(signed(Some(&old.text(hash))), Some(3));
    }
    assert_eq!(signed(Some(&exchange)), None);
    assert_eq!(signed(Some("unknown")), None);
    let body = ring
        .advertise(Some(&old.text(Hash::S1)))
        .unwrap()
        .unwrap()
        .body;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), public).unwrap();
    assert!(
        run(
            "jose",
            &["jws", "ver", "-i-", "-k", file.path().to_str().unwrap()],
            &body
        )
        .0
    );
}

#[test]
fn an_advertisement_is_signed_once() {
    let (keys, signer, _) = pair();
    let ring = KeyRing::new(keys).unwrap();
    let ask = |thumbprint| ring.advertise(thumbprint).unwrap().unwrap().body;
    assert!(std::sync::Arc::ptr_eq(&ask(None), &ask(None)));
    assert!(std::sync::Arc::ptr_eq(
        &ask(Some(&signer)),
        &ask(Some(&signer))
    ));
    let general: Value = serde_json::from_slice(&ask(Some(&signer))).unwrap();
    let flattened: Value = serde_json::from_slice(&ask(None)).unwrap();
    assert!(
        signatures(&general)
            .iter()
            .all(|one| one["signature"] == flattened["signature"])
    );
}

#[test]
fn keys_without_a_current_signer_make_no_endpoint() {
    let exchange = || {
        (
            Key::Exchange(ExchangeKey::generate().unwrap()),
            Standing::Current,
        )
    };
    assert_eq!(KeyRing::new([]).unwrap_err(), RingError::NoSigningKey);
    assert_eq!(
        KeyRing::new([exchange()]).unwrap_err(),
        RingError::NoSigningKey
    );
    let hidden = (
        Key::Signing(SigningKey::generate().unwrap()),
        Standing::Hidden,
    );
    assert_eq!(
        KeyRing::new([exchange(), hidden]).unwrap_err(),
        RingError::NoSigningKey
    );
}
