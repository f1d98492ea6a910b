//! Keys, advertisement, recovery and the key directory, by themselves and
//! against `jose` and josekit; `tang_peer` holds them against Debian's tangd.

mod advertisement;
mod arbitrary;
mod directory;
mod key;
mod point;
mod recovery;
mod route;

use std::io::Write;
use std::process::{Command, Stdio};

use base64ct::{Base64UrlUnpadded, Encoding};
use openssl::bn::BigNum;
use p521::elliptic_curve::point::AffineCoordinates;
use p521::{AffinePoint, FieldBytes, ProjectivePoint, Scalar, SecretKey};
use panopol::tang::*;
use serde_json::{Value, json};

pub(crate) fn b64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(crate) fn unb64(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}

pub(crate) fn number(hex: &str) -> BigNum {
    BigNum::from_hex_str(hex).unwrap()
}

/// 2^521 - 1
pub(crate) fn prime() -> BigNum {
    number(&format!("1{}", "F".repeat(130))) // 0x1FF…F: 521 ones
}

pub(crate) fn padded(number: &BigNum) -> Vec<u8> {
    number.to_vec_padded(66).unwrap()
}

/// A point's coordinates as JWK text.
pub(crate) fn texts(point: &AffinePoint) -> (String, String) {
    (b64(&point.x()), b64(&point.y()))
}

pub(crate) fn request(x: &str, y: &str) -> Value {
    json!({"alg": "ECMR", "crv": "P-521", "key_ops": ["deriveKey"], "kty": "EC", "x": x, "y": y})
}

pub(crate) fn request_for(point: &AffinePoint) -> Value {
    let (x, y) = texts(point);
    request(&x, &y)
}

pub(crate) fn private(key: &ExchangeKey) -> SecretKey {
    let jwk: Value = serde_json::from_str(&key.to_jwk()).unwrap();
    SecretKey::from_slice(&unb64(jwk["d"].as_str().unwrap())).unwrap()
}

pub(crate) fn random_scalar() -> Scalar {
    *private(&ExchangeKey::generate().unwrap()).to_nonzero_scalar()
}

pub(crate) fn random_point() -> AffinePoint {
    (ProjectivePoint::GENERATOR * random_scalar()).to_affine()
}

fn check(body: &Value) -> Result<ClientPoint, RecError> {
    check_request(body.to_string().as_bytes(), || Ok(())).map(|((), point)| point)
}

fn affine(reply: &str) -> AffinePoint {
    let jwk: Value = serde_json::from_str(reply).unwrap();
    let coordinate =
        |name: &str| FieldBytes::try_from(unb64(jwk[name].as_str().unwrap()).as_slice()).unwrap();
    AffinePoint::from_coordinates(&coordinate("x"), &coordinate("y")).unwrap()
}

pub(crate) fn run(program: &str, arguments: &[&str], input: &[u8]) -> (bool, Vec<u8>) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("`{program}` (Debian packages `jose` and `tang`): {error}"));
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that has heard enough closes its end; that is its affair.
        let _ = pipe.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    (output.status.success(), output.stdout)
}

pub(crate) fn pair() -> (Vec<(Key, Standing)>, String, String) {
    let (signing, exchange) = (
        SigningKey::generate().unwrap(),
        ExchangeKey::generate().unwrap(),
    );
    let signer = signing.public().thumbprints().text(Hash::S256);
    let exchanger = exchange.public().thumbprints().text(Hash::S256);
    (
        vec![
            (Key::Signing(signing), Standing::Current),
            (Key::Exchange(exchange), Standing::Current),
        ],
        signer,
        exchanger,
    )
}
