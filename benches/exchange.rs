//! One recovery without sockets: what the bytes cost, what the multiplication
//! costs in either library, and what is left beside a bare multiplication of
//! OpenSSL that checks its input and its product.
//!
//! All take turns in one run; the figure of each is the median of its turns.
//! `scripts/load` measures a running server.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and fails by panicking"
)]

use std::hint::black_box;
use std::time::Instant;

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::{EcGroup, EcGroupRef, EcKey, EcPoint};
use openssl::nid::Nid;
use p521::elliptic_curve::sec1::{FromSec1Point as _, ToSec1Point as _};
use panopol::tang::{Exchange, ExchangeKey, OpenSsl, P521, check_request};

const TURNS: usize = 400;

/// A client's request, as Clevis makes one.
fn body() -> Vec<u8> {
    let key = ExchangeKey::generate().unwrap();
    let jwk: serde_json::Value = serde_json::from_str(&key.public().to_jwk()).unwrap();
    serde_json::json!({
        "alg": "ECMR", "crv": "P-521", "kty": "EC", "key_ops": ["deriveKey"],
        "x": jwk["x"], "y": jwk["y"],
    })
    .to_string()
    .into_bytes()
}

/// OpenSSL alone: the point is checked, multiplied, and the product checked.
fn bare_openssl(group: &EcGroupRef, scalar: &BigNumRef, point: &[u8]) {
    let mut context = BigNumContext::new_secure().unwrap();
    let client = EcPoint::from_bytes(group, point, &mut context).unwrap();
    let mut product = EcPoint::new(group).unwrap();
    product.mul2(group, &client, scalar, &mut context).unwrap();
    assert!(product.is_on_curve(group, &mut context).unwrap());
    let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    product
        .affine_coordinates(group, &mut x, &mut y, &mut context)
        .unwrap();
    black_box((x.to_vec_padded(66).unwrap(), y.to_vec_padded(66).unwrap()));
}

/// The p521 crate alone.
fn bare_p521(scalar: &p521::NonZeroScalar, point: &[u8]) {
    let point = p521::Sec1Point::from_bytes(point).unwrap();
    let client = p521::AffinePoint::from_sec1_point(&point).unwrap();
    let product = (p521::ProjectivePoint::from(client) * **scalar).to_affine();
    black_box(product.to_sec1_point(false));
}

type Work<'a> = (&'static str, Box<dyn Fn() + 'a>);

fn medians(works: &[Work<'_>]) -> Vec<f64> {
    let mut nanos = vec![Vec::with_capacity(TURNS); works.len()];
    for _ in 0..TURNS {
        for ((_, work), nanos) in works.iter().zip(&mut nanos) {
            let began = Instant::now();
            work();
            nanos.push(began.elapsed().as_nanos() as f64);
        }
    }
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    nanos.into_iter().map(median).collect()
}

fn main() {
    let key = ExchangeKey::generate().unwrap();
    let body = body();
    let check = || check_request(&body, || Ok(())).unwrap().1;
    let point = check();
    let group = EcGroup::from_curve_name(Nid::SECP521R1).unwrap();
    let other = EcKey::generate(&group).unwrap();
    let mut context = BigNumContext::new().unwrap();
    let form = openssl::ec::PointConversionForm::UNCOMPRESSED;
    let bytes = other.public_key().to_bytes(&group, form, &mut context);
    let bytes = bytes.unwrap();
    let padded = other.private_key().to_vec_padded(66).unwrap();
    let scalar = p521::NonZeroScalar::try_from(padded.as_slice()).unwrap();
    let backend = OpenSsl::new().unwrap();
    let exchange = |backend: &dyn Exchange| {
        let product = backend.multiply(&key, &check()).unwrap();
        black_box(product.to_reply());
    };
    let works: [Work<'_>; 6] = [
        (
            "OpenSSL alone: check, multiply, check",
            Box::new(|| bare_openssl(&group, other.private_key(), &bytes)),
        ),
        (
            "the whole exchange, bytes to bytes, by OpenSSL",
            Box::new(|| exchange(&backend)),
        ),
        (
            "its multiplication",
            Box::new(|| {
                black_box(backend.multiply(&key, &point).unwrap());
            }),
        ),
        (
            "its request read and checked",
            Box::new(|| {
                black_box(check());
            }),
        ),
        (
            "p521 alone: check and multiply",
            Box::new(|| bare_p521(&scalar, &bytes)),
        ),
        (
            "the whole exchange, bytes to bytes, by p521",
            Box::new(|| exchange(&P521)),
        ),
    ];
    let medians = medians(&works);
    println!("| an exchange | time | times OpenSSL alone |\n|---|---|---|");
    for ((name, _), nanos) in works.iter().zip(&medians) {
        let ratio = nanos / medians[0];
        println!("| {name} | {:.1} µs | {ratio:.2} |", nanos / 1e3);
    }
}
