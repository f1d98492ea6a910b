//! Whatever is sent, nothing panics.

use openssl::bn::BigNumContext;
use p521::AffinePoint;
use p521::elliptic_curve::sec1::FromSec1Point;
use panopol::tang::*;
use proptest::prelude::*;
use serde_json::Value;

use super::{b64, check, request_for};

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop_oneof![
            Just("EC"),
            Just("P-521"),
            Just("ECMR"),
            Just("ES512"),
            Just("deriveKey"),
            Just("sign"),
            Just("sig")
        ]
        .prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 64..68).prop_map(|bytes| Value::from(b64(&bytes))),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let name = prop_oneof![
            Just("alg"),
            Just("crv"),
            Just("d"),
            Just("key_ops"),
            Just("kty"),
            Just("use"),
            Just("x"),
            Just("y"),
            Just("z")
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name.prop_map(str::to_owned), inner), 0..9)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(check_request(&bytes, || Ok(())).is_err());
        prop_assert!(Key::from_jwk(&bytes).is_err());
    }

    #[test]
    fn any_json_is_answered(value in tree()) {
        let text = value.to_string();
        if let Err(error) = check_request(text.as_bytes(), || Ok(())) {
            prop_assert!([400, 403].contains(&error.status()));
        }
        prop_assert!(Key::from_jwk(text.as_bytes()).is_err());
    }

    #[test]
    fn any_target_is_routed(method in "GET|POST|[A-Z]{1,4}", target in "[/a-z?%.]{0,12}|(/{1,2}(adv|rec|u|[a-z]{1,3})){1,4}/{0,2}|.{0,20}") {
        let _ = route(&Prefix::default(), &method, &target);
        if let Ok((token, found)) = route_binding(&method, &target) {
            prop_assert!(target.contains(token));
            let after = token.as_ptr() as usize - target.as_ptr() as usize + token.len();
            let rest = &target[after..];
            prop_assert_eq!(route(&Prefix::default(), &method, rest), Ok(found));
        }
    }

    #[test]
    fn a_point_is_taken_exactly_when_openssl_takes_it(bytes in proptest::collection::vec(any::<u8>(), 65), high in 0_u8..4, flip in any::<bool>()) {
        let mut x = vec![high];
        x.extend(&bytes);
        let mut compressed = vec![2 + u8::from(flip)];
        compressed.extend(&x);
        let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::SECP521R1).unwrap();
        let mut context = BigNumContext::new().unwrap();
        let theirs = openssl::ec::EcPoint::from_bytes(&group, &compressed, &mut context).is_ok();
        let point = p521::Sec1Point::from_bytes(&compressed).ok().and_then(|point| AffinePoint::from_sec1_point(&point).into_option());
        prop_assert_eq!(theirs, point.is_some());
        if let Some(point) = point {
            prop_assert!(check(&request_for(&point)).is_ok());
        }
    }
}
