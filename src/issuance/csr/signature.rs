//! Whether a CSR is signed by its own key, in a way that still proves it.

use openssl::pkey::{PKey, Public};
use openssl::x509::X509Req;
use x509_cert::AlgorithmIdentifier;
use x509_cert::der::asn1::{Any, AnyRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::DB;
use x509_cert::der::{Decode, Reader, SliceReader, Tag, Tagged};

use super::CsrError;

const MGF1: &str = "1.2.840.113549.1.1.8";
/// SHA-256, SHA-384, SHA-512.
const HASHES: &[&str] = &[
    "2.16.840.1.101.3.4.2.1",
    "2.16.840.1.101.3.4.2.2",
    "2.16.840.1.101.3.4.2.3",
];

/// Holds the signature against the key, over the very bytes.
pub(super) fn expect_own(
    bytes: &[u8],
    algorithm: &AlgorithmIdentifier,
    key: &PKey<Public>,
) -> Result<(), CsrError> {
    expect_accepted(algorithm)?;
    let csr = X509Req::from_der(bytes).map_err(|_| CsrError::Unconfirmed)?;
    // A key that cannot verify such a signature fails too.
    match csr.verify(key) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(CsrError::Signature),
    }
}

fn expect_accepted(algorithm: &AlgorithmIdentifier) -> Result<(), CsrError> {
    let parameters = algorithm.parameters.as_ref();
    let accepted = match algorithm.oid.to_string().as_str() {
        // RSA with SHA-256, SHA-384, SHA-512; an absent NULL is to be taken too.
        // Source: RFC 4055, section 5.
        "1.2.840.113549.1.1.11" | "1.2.840.113549.1.1.12" | "1.2.840.113549.1.1.13" => {
            parameters.is_none_or(Any::is_null)
        }
        // RSASSA-PSS
        "1.2.840.113549.1.1.10" => parameters.is_some_and(|any| pss(any).is_some()),
        // ECDSA with SHA-256, SHA-384, SHA-512; Ed25519
        "1.2.840.10045.4.3.2" | "1.2.840.10045.4.3.3" | "1.2.840.10045.4.3.4" | "1.3.101.112" => {
            parameters.is_none()
        }
        _ => false,
    };
    match accepted {
        true => Ok(()),
        false => Err(CsrError::SignatureAlgorithm {
            found: shown(&algorithm.oid),
        }),
    }
}

/// An OID, with the name that it has.
pub(super) fn shown(oid: &ObjectIdentifier) -> String {
    match DB.by_oid(oid) {
        Some(name) => format!("{oid} ({name})"),
        None => oid.to_string(),
    }
}

/// Whether both hashes of RSASSA-PSS are named, and are of SHA-2: left out,
/// they are SHA-1. Source: RFC 4055, section 3.1. OpenSSL reads the rest.
fn pss(parameters: &Any) -> Option<()> {
    let mut named = 0;
    let mut reader = SliceReader::new(parameters.value()).ok()?;
    while !reader.is_finished() {
        let field = AnyRef::decode(&mut reader).ok()?;
        let Tag::ContextSpecific { number, .. } = field.tag() else {
            return None;
        };
        let hash = match number.value() {
            0 => AlgorithmIdentifier::from_der(field.value()).ok()?,
            1 => {
                let mask = AlgorithmIdentifier::from_der(field.value()).ok()?;
                (mask.oid.to_string() == MGF1).then_some(())?;
                mask.parameters?.decode_as().ok()?
            }
            _ => continue,
        };
        HASHES
            .contains(&hash.oid.to_string().as_str())
            .then_some(())?;
        named += 1;
    }
    (parameters.tag() == Tag::Sequence && named == 2).then_some(())
}
