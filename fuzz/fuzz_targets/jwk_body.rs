//! Any bytes as the body of a recovery request: refused with a status, or
//! answered alike by both backends. An input that begins as a point of SEC 1 does
//! (2, 3, 4) is one: it is taken exactly where OpenSSL takes it.
#![no_main]

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use libfuzzer_sys::fuzz_target;
use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcPoint, PointConversionForm};
use openssl::nid::Nid;
use panopol::tang::{
    ClientPoint, Exchange, ExchangeKey, Key, OpenSsl, P521, RecError, check_request,
};
use serde_json::Value;

const WIDTH: usize = 66;

static KEY: LazyLock<ExchangeKey> =
    LazyLock::new(
        || match Key::from_jwk(include_bytes!("../seeds/tang_key_file/exchange")) {
            Ok(Key::Exchange(key)) => key,
            other => panic!("an exchange key: {other:?}"),
        },
    );
static GROUP: LazyLock<EcGroup> =
    LazyLock::new(|| EcGroup::from_curve_name(Nid::SECP521R1).expect("P-521"));

/// The point that OpenSSL reads from the bytes, uncompressed.
fn openssl_reads(sec1: &[u8]) -> Option<Vec<u8>> {
    let mut context = BigNumContext::new().expect("memory");
    let point = EcPoint::from_bytes(&GROUP, sec1, &mut context).ok()?;
    let form = PointConversionForm::UNCOMPRESSED;
    let bytes = point.to_bytes(&GROUP, form, &mut context);
    bytes.ok().filter(|bytes| bytes.len() == 1 + 2 * WIDTH)
}

fn request(coordinates: &[u8]) -> String {
    let (x, y) = coordinates.split_at(WIDTH);
    let (x, y) = (
        Base64UrlUnpadded::encode_string(x),
        Base64UrlUnpadded::encode_string(y),
    );
    format!(r#"{{"crv":"P-521","kty":"EC","x":"{x}","y":"{y}"}}"#)
}

fn ask(body: &[u8]) -> Result<ClientPoint, RecError> {
    check_request(body, || Ok(())).map(|((), point)| point)
}

fn multiply(point: &ClientPoint) {
    let openssl = OpenSsl::new().expect("P-521").multiply(&KEY, point);
    let p521 = P521.multiply(&KEY, point);
    assert_eq!(openssl, p521, "the backends disagree");
    let reply = openssl.expect("a product").to_reply();
    assert!(
        ask(reply.as_bytes()).is_ok(),
        "a reply that is no point: {reply}"
    );
}

fn point(sec1: &[u8]) {
    let read = openssl_reads(sec1);
    let body = match &read {
        Some(point) => request(&point[1..]),
        None if sec1.len() > 2 * WIDTH => request(&sec1[1..]),
        None => return,
    };
    match ask(body.as_bytes()) {
        Ok(point) => {
            assert!(read.is_some(), "taken, and OpenSSL takes it not: {body}");
            multiply(&point);
        }
        Err(error) => assert!(read.is_none(), "{error}, and OpenSSL takes it: {body}"),
    }
}

/// What an accepted body must say, read a second time and simply.
fn holds(body: &[u8]) {
    // Numbers and nesting that serde_json's own values cannot hold are skipped there.
    let Ok(jwk) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let coordinate = |name: &str| {
        let text = jwk[name].as_str().expect("a string");
        Base64UrlUnpadded::decode_vec(text).expect("base64url")
    };
    assert_eq!((&jwk["kty"], &jwk["crv"]), (&"EC".into(), &"P-521".into()));
    assert!(jwk.get("d").is_none(), "a private key was taken");
    assert!(jwk.get("alg").is_none_or(|alg| alg == "ECMR"));
    let sec1 = [vec![4], coordinate("x"), coordinate("y")].concat();
    assert_eq!(openssl_reads(&sec1), Some(sec1));
}

fn body(bytes: &[u8]) {
    let answer = ask(bytes);
    let unknown = check_request(bytes, || Err::<(), _>(RecError::UnknownKey)).map(|_| ());
    match answer {
        Ok(point) => {
            assert_eq!(unknown, Err(RecError::UnknownKey));
            holds(bytes);
            multiply(&point);
        }
        Err(error) => {
            assert!([400, 403, 413].contains(&error.status()));
            let after = matches!(
                error,
                RecError::PrivateKey | RecError::Curve | RecError::Point(_)
            );
            let first = if after { RecError::UnknownKey } else { error };
            assert_eq!(unknown, Err(first), "the order of the checks");
        }
    }
}

/// The bytes, cut or filled up to a length.
fn exactly<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut exact = [0; N];
    exact
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    exact
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.first() {
        Some(2 | 3) => point(&exactly::<{ 1 + WIDTH }>(bytes)),
        Some(4) => point(&exactly::<{ 1 + 2 * WIDTH }>(bytes)),
        Some(_) | None => body(bytes),
    }
});
