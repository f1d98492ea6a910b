//! What key a CSR asks to certify, by its own bytes.

use openssl::bn::BigNumRef;
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Public};
use x509_cert::SubjectPublicKeyInfo;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Tag, Tagged};

use super::CsrError;
use crate::vocabulary::KeyType;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// A key, and what is wrong with it short of being none.
pub(super) struct Key {
    /// A word of [`KeyType`], or another one, which never passes.
    pub(super) word: String,
    /// What is not judged, and so never passes.
    pub(super) defects: Vec<String>,
    /// For checking the signature.
    pub(super) public: PKey<Public>,
}

/// Reads the key that stands as `bytes`.
pub(super) fn read(info: &SubjectPublicKeyInfo, bytes: &[u8]) -> Result<Key, CsrError> {
    let public = PKey::public_key_from_der(bytes).map_err(|_| CsrError::Key {
        problem: "it is cut off, not on its curve, or of no kind that OpenSSL knows".to_owned(),
    })?;
    let (word, mut defects) = match info.algorithm.oid {
        RSA => rsa(info, &public)?,
        EC => ec(info, &public)?,
        ED25519 => ed25519(info),
        RSA_PSS => ("RSASSA-PSS".to_owned(), Vec::new()),
        _ => (other(&public), Vec::new()),
    };
    // OpenSSL writes each key in one way.
    if KeyType::from_word(&word).is_some() && public.public_key_to_der()? != bytes {
        defects.push("a public key that is not written as DER".to_owned());
    }
    Ok(Key {
        word,
        defects,
        public,
    })
}

fn other(public: &PKey<Public>) -> String {
    match public.id() {
        Id::DSA => "DSA".to_owned(),
        Id::ED448 => "Ed448".to_owned(),
        _ => "another".to_owned(),
    }
}

fn rsa(
    info: &SubjectPublicKeyInfo,
    public: &PKey<Public>,
) -> Result<(String, Vec<String>), CsrError> {
    let mut defects = Vec::new();
    let parameters = info.algorithm.parameters.as_ref();
    if !parameters.is_some_and(|any| any.is_null()) {
        defects.push("an RSA key without the parameter NULL".to_owned());
    }
    let key = public.rsa()?;
    let (modulus, exponent) = (key.n(), key.e());
    if is_even(modulus) {
        defects.push("an even RSA modulus".to_owned());
    }
    // Source: CA/Browser Forum Baseline Requirements, 6.1.6.
    if is_even(exponent) || exponent.num_bits() < 17 || exponent.num_bits() > 256 {
        let shown = exponent.to_dec_str()?;
        let shown = match shown.len() {
            0..=20 => shown.to_string(),
            _ => format!("of {} bits", exponent.num_bits()),
        };
        defects.push(format!(
            "the RSA exponent {shown}; odd ones from 65537 to 256 bits are taken"
        ));
    }
    Ok((format!("RSA-{}", modulus.num_bits()), defects))
}

fn is_even(number: &BigNumRef) -> bool {
    !number.is_bit_set(0)
}

fn ec(
    info: &SubjectPublicKeyInfo,
    public: &PKey<Public>,
) -> Result<(String, Vec<String>), CsrError> {
    let unusable = |_: ErrorStack| CsrError::Key {
        problem: "its point is not on its curve".to_owned(),
    };
    // The point at infinity stops here, any other in the check.
    let key = public.ec_key().map_err(unusable)?;
    key.check_key().map_err(unusable)?;
    let parameters = info.algorithm.parameters.as_ref();
    let curve = parameters
        .filter(|any| any.tag() == Tag::ObjectIdentifier)
        .and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let mut defects = Vec::new();
    let word = match curve {
        None => {
            defects.push("explicit curve parameters".to_owned());
            "ECDSA-explicit".to_owned()
        }
        Some(P256) => KeyType::EcdsaP256.word().to_owned(),
        Some(P384) => KeyType::EcdsaP384.word().to_owned(),
        Some(P521) => KeyType::EcdsaP521.word().to_owned(),
        Some(_) => {
            let name = key.group().curve_name().map(|nid| nid.short_name());
            let name = name.and_then(Result::ok).unwrap_or("other");
            format!("ECDSA-{name}")
        }
    };
    if info.subject_public_key.raw_bytes().first() != Some(&4) {
        defects.push("a public key whose point is compressed".to_owned());
    }
    Ok((word, defects))
}

fn ed25519(info: &SubjectPublicKeyInfo) -> (String, Vec<String>) {
    let mut defects = Vec::new();
    if info.algorithm.parameters.is_some() {
        defects.push("an Ed25519 key with parameters".to_owned());
    }
    (KeyType::Ed25519.word().to_owned(), defects)
}
