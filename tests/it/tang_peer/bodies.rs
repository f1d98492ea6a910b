//! The body of a recovery request, good and bad, a row each.

use openssl::bn::BigNum;
use p521::elliptic_curve::point::AffineCoordinates;
use p521::elliptic_curve::sec1::FromSec1Point;
use panopol::tang::*;
use serde_json::{Value, json};

use super::{Difference, assert_none, compare, peers};
use crate::tang::{b64, number, padded, prime, random_point, request, request_for, run, texts};

/// The answers that differ, `(ours, theirs)`, and why.
const STRICTER_THAN_TANG: Difference = Some((400, Some(200)));
const LAXER_THAN_JANSSON: Difference = Some((200, Some(400)));

#[test]
fn every_body_is_answered_as_tangd_answers_it_but_where_the_row_says_why() {
    let good = request_for(&random_point());
    let (x, y) = texts(&random_point());
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string().into_bytes()
    };
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body.to_string().into_bytes()
    };
    let text = |text: &str| text.as_bytes().to_vec();
    let plus = |member: &str| {
        format!(r#"{{"kty":"EC","crv":"P-521","x":"{x}","y":"{y}",{member}}}"#).into_bytes()
    };
    let nested = |depth: usize| {
        plus(&format!(
            r#""z":{}{}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        ))
    };
    let small = small_point();
    let coordinates = |x: &[u8], y: &[u8]| request(&b64(x), &b64(y)).to_string().into_bytes();
    let (small_x, small_y) = (padded(&small.0), padded(&small.1));
    let stripped: Vec<u8> = small_x
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    let widened = [&[0][..], &small_x].concat();
    let mut top = prime();
    top.sub_word(1).unwrap();
    let (zero, p, top, all) = (vec![0; 66], padded(&prime()), padded(&top), vec![0xff; 66]);
    let client = ExchangeKey::generate().unwrap().to_jwk();
    let p256 = String::from_utf8(
        run(
            "jose",
            &["jwk", "gen", "-i", r#"{"alg":"ECMR","crv":"P-256"}"#],
            b"",
        )
        .1,
    )
    .unwrap();
    let p256_public = run("jose", &["jwk", "pub", "-i-"], p256.as_bytes()).1;

    let rows: Vec<(&str, Vec<u8>, Difference)> = vec![
        ("good", good.to_string().into_bytes(), None),
        (
            "good, spaced",
            format!(" \r\n\t{good}\n ").into_bytes(),
            None,
        ),
        ("empty", text(""), None),
        ("cut", text("{"), None),
        ("array", text("[]"), None),
        ("array of objects", format!("[{good}]").into_bytes(), None),
        ("null", text("null"), None),
        ("number", text("1"), None),
        ("string", text("\"EC\""), None),
        ("empty object", text("{}"), None),
        ("trailing text", format!("{good}x").into_bytes(), None),
        ("two objects", format!("{good}{good}").into_bytes(), None),
        ("trailing comma", text(r#"{"kty":"EC",}"#), None),
        ("single quotes", text("{'kty':'EC'}"), None),
        ("comment", format!("/**/{good}").into_bytes(), None),
        (
            "byte-order mark",
            format!("\u{feff}{good}").into_bytes(),
            None,
        ),
        (
            "not UTF-8",
            [&b"{\"z\":\"\xff\","[..], &good.to_string().as_bytes()[1..]].concat(),
            None,
        ),
        // Tang reads the body as a C string, so it never sees what follows.
        (
            "NUL after",
            format!("{good}\0x").into_bytes(),
            STRICTER_THAN_TANG,
        ),
        ("key_ops empty", with("key_ops", json!([])), None),
        ("key_ops sign", with("key_ops", json!(["sign"])), None),
        (
            "key_ops deriveBits",
            with("key_ops", json!(["deriveBits"])),
            None,
        ),
        ("key_ops string", with("key_ops", json!("deriveKey")), None),
        ("key_ops null", with("key_ops", json!(null)), None),
        (
            "key_ops object",
            with("key_ops", json!({"deriveKey": true})),
            None,
        ),
        (
            "key_ops mixed",
            with("key_ops", json!([1, null, ["deriveKey"], "deriveKey"])),
            None,
        ),
        (
            "key_ops nested only",
            with("key_ops", json!([["deriveKey"]])),
            None,
        ),
        ("key_ops absent", without("key_ops"), None),
        ("use enc", plus(r#""use":"enc""#), None),
        ("use sig", plus(r#""use":"sig""#), None),
        ("use null", plus(r#""use":null"#), None),
        ("use enc beside key_ops", with("use", json!("enc")), None),
        ("use null beside key_ops", with("use", json!(null)), None),
        ("use number beside key_ops", with("use", json!(5)), None),
        ("kty absent", without("kty"), None),
        ("kty RSA", with("kty", json!("RSA")), None),
        ("kty lower", with("kty", json!("ec")), None),
        ("kty number", with("kty", json!(1)), None),
        ("alg absent", without("alg"), None),
        ("alg ES512", with("alg", json!("ES512")), None),
        ("alg null", with("alg", json!(null)), None),
        ("alg number", with("alg", json!(3)), None),
        ("crv absent", without("crv"), None),
        ("crv P-256", with("crv", json!("P-256")), None),
        ("crv number", with("crv", json!(521)), None),
        ("crv unknown", with("crv", json!("P-522")), None),
        ("a point of P-256", p256_public, None),
        ("x absent", without("x"), None),
        ("y absent", without("y"), None),
        ("x number", with("x", json!(1)), None),
        ("x null", with("x", json!(null)), None),
        ("x empty", with("x", json!("")), None),
        ("x padded", with("x", json!(format!("{x}="))), None),
        ("x spaced", with("x", json!(format!(" {x}"))), None),
        (
            "x of plain base64",
            with("x", json!(x.replacen(&x[..1], "+", 1))),
            None,
        ),
        ("x and y swapped", with("x", good["y"].clone()), None),
        ("identity", coordinates(&zero, &zero), None),
        ("off the curve", coordinates(&zero, &top), None),
        ("the prime", coordinates(&p, &p), None),
        ("all ones", coordinates(&all, &all), None),
        ("a small abscissa", coordinates(&small_x, &small_y), None),
        // RFC 7518 6.2.1.2: the full length of a coordinate; SP 800-56A: below the prime.
        (
            "leading zeros left out",
            coordinates(&stripped, &small_y),
            STRICTER_THAN_TANG,
        ),
        (
            "a zero too many",
            coordinates(&widened, &small_y),
            STRICTER_THAN_TANG,
        ),
        (
            "x beyond the prime",
            coordinates(&padded(&(&small.0 + &prime())), &small_y),
            STRICTER_THAN_TANG,
        ),
        (
            "y beyond the prime",
            coordinates(&small_x, &padded(&(&small.1 + &prime()))),
            STRICTER_THAN_TANG,
        ),
        // CONTRACT: a client's private key is refused, lest one be sent by mistake.
        (
            "a private key",
            client.as_bytes().to_vec(),
            STRICTER_THAN_TANG,
        ),
        (
            "a private key of another",
            with("d", json!(b64(&[1; 66]))),
            None,
        ),
        ("d number", with("d", json!(1)), None),
        // RFC 7517 section 4 lets a repeated name be refused; jansson takes the last.
        (
            "x twice",
            plus(&format!(r#""x":"{x}""#)),
            STRICTER_THAN_TANG,
        ),
        ("an unknown name twice", plus(r#""z":1,"z":2"#), None),
        ("a deep member", nested(100), None),
        ("a deeper member", nested(2000), None),
        // jansson stops at 2048; here the length of the body is the limit.
        ("a very deep member", nested(3000), LAXER_THAN_JANSSON),
        (
            "a large integer",
            plus(r#""z":123456789012345678901234567890"#),
            LAXER_THAN_JANSSON,
        ),
        ("a large real", plus(r#""z":1e999"#), LAXER_THAN_JANSSON),
        (
            "an escaped NUL",
            plus(r#""z":"\u0000""#),
            LAXER_THAN_JANSSON,
        ),
        (
            "half a surrogate pair",
            plus(r#""z":"\ud800""#),
            LAXER_THAN_JANSSON,
        ),
        (
            "an escaped name",
            format!(r#"{{"kt\u0079":"EC","crv":"P-521","x":"{x}","y":"{y}"}}"#).into_bytes(),
            None,
        ),
    ];
    let target = format!("/rec/{}", peers().exchange.text(Hash::S256));
    assert_none(
        rows.iter()
            .filter_map(|(name, body, differs)| compare(name, "POST", &target, body, *differs))
            .collect(),
    );
}

/// A point whose abscissa has leading zero bytes.
fn small_point() -> (BigNum, BigNum) {
    (1_u8..)
        .find_map(|x| {
            let mut bytes = vec![0; 67];
            (bytes[0], bytes[66]) = (2, x);
            let point = p521::Sec1Point::from_bytes(&bytes).unwrap();
            let point = p521::AffinePoint::from_sec1_point(&point).into_option()?;
            Some((
                number(&format!("{x:02x}")),
                BigNum::from_slice(&point.y()).unwrap(),
            ))
        })
        .unwrap()
}
