//! Points that are none, and the multiplication of those that are.

use openssl::bn::{BigNum, BigNumContext};
use p521::ProjectivePoint;
use panopol::tang::*;
use serde_json::{Value, json};

use super::{
    affine, b64, check, number, padded, prime, private, random_point, random_scalar, request,
    request_for, run, texts, unb64,
};

/// `x³ - 3x + b`, with `b` as given.
fn right_side(x: &BigNum, b: &BigNum) -> BigNum {
    let (mut context, p) = (BigNumContext::new().unwrap(), prime());
    let mut value = BigNum::new().unwrap();
    value.mod_sqr(x, &p, &mut context).unwrap();
    let mut shifted = BigNum::new().unwrap();
    shifted
        .mod_sub(&value, &BigNum::from_u32(3).unwrap(), &p, &mut context)
        .unwrap();
    value.mod_mul(&shifted, x, &p, &mut context).unwrap();
    shifted.mod_add(&value, b, &p, &mut context).unwrap();
    shifted
}

/// A square root modulo the prime, which is 3 modulo 4.
fn root(square: &BigNum) -> Option<BigNum> {
    let (mut context, p) = (BigNumContext::new().unwrap(), prime());
    let mut exponent = prime();
    exponent.add_word(1).unwrap();
    let mut quarter = BigNum::new().unwrap();
    quarter.rshift(&exponent, 2).unwrap();
    let mut value = BigNum::new().unwrap();
    value.mod_exp(square, &quarter, &p, &mut context).unwrap();
    let mut again = BigNum::new().unwrap();
    again.mod_sqr(&value, &p, &mut context).unwrap();
    let mut reduced = BigNum::new().unwrap();
    reduced.nnmod(square, &p, &mut context).unwrap();
    (again == reduced).then_some(value)
}

fn curve_b() -> BigNum {
    number(
        "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
    )
}

/// Points with coordinates at the edges of the field: the first few of each side that are on the curve.
fn edge_points() -> Vec<(BigNum, BigNum)> {
    let mut points = Vec::new();
    for small in 0..12_u32 {
        let low = BigNum::from_u32(small).unwrap();
        let mut high = prime();
        high.sub_word(small + 1).unwrap();
        for x in [low, high] {
            if let Some(y) = root(&right_side(&x, &curve_b())) {
                let mut negative = prime();
                negative = &negative - &y;
                points.push((x.to_owned().unwrap(), y));
                points.push((x, negative));
            }
        }
    }
    points
}

#[test]
fn points_at_the_edges_of_the_field_are_multiplied_alike_by_both_backends() {
    let (openssl, key) = (OpenSsl::new().unwrap(), ExchangeKey::generate().unwrap());
    let points = edge_points();
    assert!(points.len() >= 12, "half of all abscissas are on the curve");
    for (x, y) in points {
        let point = check(&request(&b64(&padded(&x)), &b64(&padded(&y)))).unwrap();
        assert_eq!(
            openssl.multiply(&key, &point).unwrap(),
            P521.multiply(&key, &point).unwrap()
        );
    }
}

#[test]
fn no_text_is_a_point_that_is_not_one() {
    let refused = |x: &[u8], y: &[u8], why: PointError| {
        assert_eq!(check(&request(&b64(x), &b64(y))), Err(RecError::Point(why)));
    };
    let (zero, one) = (vec![0; 66], padded(&BigNum::from_u32(1).unwrap()));
    let p = padded(&prime());
    let mut top = prime();
    top.sub_word(1).unwrap();
    let coordinates = [zero, one, p.clone(), padded(&top), vec![0xff; 66]];
    for x in &coordinates {
        for y in &coordinates {
            refused(x, y, PointError::NotOnCurve);
        }
    }
    // The same point with a coordinate one prime further: it fits into 66 bytes.
    let (x, y) = edge_points().swap_remove(0);
    refused(
        &padded(&(&x + &prime())),
        &padded(&y),
        PointError::NotOnCurve,
    );
    refused(
        &padded(&x),
        &padded(&(&y + &prime())),
        PointError::NotOnCurve,
    );
    for length in [0, 1, 65, 67, 132] {
        refused(&vec![0; length], &padded(&y), PointError::Coordinate);
    }
    let good = random_point();
    let (x, y) = texts(&good);
    for bad in [
        format!("{x}="),
        format!(" {x}"),
        format!("{x}\n"),
        x.replacen(&x[..1], "+", 1),
        x[..87].to_owned(),
        format!("{x}AA"),
    ] {
        assert_eq!(
            check(&request(&bad, &y)),
            Err(RecError::Point(PointError::Coordinate)),
            "{bad}"
        );
    }
}

#[test]
fn a_point_of_the_twist_is_refused() {
    // -1 is no square modulo this prime, so y² = x³ - 3x - b is the quadratic twist.
    let (negative, mut found) = (&prime() - &curve_b(), 0);
    for x in 0..40_u32 {
        let x = BigNum::from_u32(x).unwrap();
        let Some(y) = root(&right_side(&x, &negative)) else {
            continue;
        };
        found += 1;
        let answer = check(&request(&b64(&padded(&x)), &b64(&padded(&y))));
        assert_eq!(answer, Err(RecError::Point(PointError::NotOnCurve)));
    }
    assert!(found > 5);
}

#[test]
fn a_point_of_another_curve_is_refused() {
    let (ok, p256) = run("jose", &["jwk", "gen", "-i", r#"{"alg":"ES256"}"#], b"");
    assert!(ok);
    let p256: Value = serde_json::from_slice(&p256).unwrap();
    let widen = |name: &str| {
        let mut wide = vec![0; 34];
        wide.extend(unb64(p256[name].as_str().unwrap()));
        b64(&wide)
    };
    let as_it_is = json!({"kty": "EC", "crv": "P-256", "x": p256["x"], "y": p256["y"]});
    assert_eq!(check(&as_it_is), Err(RecError::Curve));
    let mislabelled = json!({"kty": "EC", "crv": "P-521", "x": p256["x"], "y": p256["y"]});
    assert_eq!(
        check(&mislabelled),
        Err(RecError::Point(PointError::Coordinate))
    );
    let widened = request(&widen("x"), &widen("y"));
    assert_eq!(
        check(&widened),
        Err(RecError::Point(PointError::NotOnCurve))
    );
}

#[test]
fn a_client_recovers_its_key_through_either_backend() {
    let openssl = OpenSsl::new().unwrap();
    let backends: [&dyn Exchange; 2] = [&openssl, &P521];
    for _ in 0..4 {
        let server = ExchangeKey::generate().unwrap();
        let server_point = ProjectivePoint::from(*private(&server).public_key().as_affine());
        // Binding: c is thrown away after K = cS; C = cG is kept.
        let secret = random_scalar();
        let (kept, bound) = (ProjectivePoint::GENERATOR * secret, server_point * secret);
        // Recovery: X = C + eG is sent, Y = sX comes back, K = Y - eS.
        let ephemeral = random_scalar();
        let sent = (kept + ProjectivePoint::GENERATOR * ephemeral).to_affine();
        let point = check(&request_for(&sent)).unwrap();
        for backend in backends {
            let reply = backend.multiply(&server, &point).unwrap().to_reply();
            let recovered = ProjectivePoint::from(affine(&reply)) - server_point * ephemeral;
            assert_eq!(recovered, bound);
        }
    }
}

#[test]
fn a_reply_is_compact_sorted_and_of_one_length() {
    let (openssl, key) = (OpenSsl::new().unwrap(), ExchangeKey::generate().unwrap());
    for _ in 0..8 {
        let point = check(&request_for(&random_point())).unwrap();
        let reply = openssl.multiply(&key, &point).unwrap().to_reply();
        assert_eq!(reply.len(), 253);
        assert!(reply.starts_with(
            r#"{"alg":"ECMR","crv":"P-521","key_ops":["deriveKey"],"kty":"EC","x":""#
        ));
    }
}
