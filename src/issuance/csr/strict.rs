//! The first parser: RustCrypto's, which takes nothing but DER.

use x509_cert::der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader, Tag, Tagged};
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::request::{CertReq, ExtensionReq};

use super::CsrError;
use super::reading::{
    BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, EXTENSION_REQUEST, Extension, JUDGED_NAMES, KEY_USAGE,
    Meaning, Part, Reading, SUBJECT_ALT_NAME, SUBJECT_KEY_ID,
};

/// The CSR itself, and what it says.
pub(super) fn read(bytes: &[u8]) -> Result<(CertReq, Reading), CsrError> {
    let csr = CertReq::from_der(bytes).map_err(unreadable)?;
    if csr.to_der().map_err(unreadable)? != bytes {
        return Err(CsrError::NotCanonical { part: "a part" });
    }
    let reading = Reading {
        key: csr.info.public_key.to_der().map_err(unreadable)?,
        subject: csr.info.subject.to_der().map_err(unreadable)?,
        parts: parts(&csr),
        attributes: csr.info.attributes.iter().map(|one| one.oid).collect(),
        extensions: extensions(&csr)?,
        algorithm: (
            csr.algorithm.oid,
            csr.algorithm
                .parameters
                .as_ref()
                .map(|any| any.value().to_vec()),
        ),
    };
    Ok((csr, reading))
}

fn unreadable(error: der::Error) -> CsrError {
    CsrError::Der {
        at: error.position().map(u32::from),
        problem: error.kind().to_string(),
    }
}

fn parts(csr: &CertReq) -> Vec<Part> {
    let sets = csr.info.subject.as_ref().iter();
    sets.flat_map(|set| set.as_ref().iter())
        .map(|part| Part {
            oid: part.oid,
            tag: number(part.value.tag()),
            value: part.value.value().to_vec(),
        })
        .collect()
}

/// A universal tag's number.
fn number(tag: Tag) -> u32 {
    tag.number().value()
}

fn extensions(csr: &CertReq) -> Result<Vec<Extension>, CsrError> {
    let mut found = Vec::new();
    let attributes = csr.info.attributes.iter();
    for attribute in attributes.filter(|one| one.oid == EXTENSION_REQUEST) {
        for value in attribute.values.iter() {
            let bytes = value.to_der().map_err(unreadable)?;
            let request = ExtensionReq::from_der(&bytes).map_err(unreadable)?;
            if request.0.to_der().map_err(unreadable)? != bytes {
                let part = "the list of extensions";
                return Err(CsrError::NotCanonical { part });
            }
            found.extend(request.0.into_iter().map(|one| Extension {
                oid: one.extn_id,
                critical: one.critical,
                meaning: meaning(one.extn_id, one.extn_value.as_bytes()),
                value: one.extn_value.into_bytes().into_vec(),
            }));
        }
    }
    Ok(found)
}

fn meaning(oid: ObjectIdentifier, bytes: &[u8]) -> Option<Meaning> {
    match oid {
        SUBJECT_ALT_NAME => names(bytes).map(Meaning::Names),
        BASIC_CONSTRAINTS => {
            let read = BasicConstraints::from_der(bytes).ok()?;
            // `CA:FALSE` is left out in DER.
            (read.to_der().ok()? == bytes).then_some(())?;
            let length = read.path_len_constraint.map(u32::from);
            Some(Meaning::Constraints(read.ca, length))
        }
        KEY_USAGE => key_usage(bytes).map(Meaning::KeyUsage),
        EXTENDED_KEY_USAGE => purposes(bytes).map(Meaning::ExtendedKeyUsage),
        SUBJECT_KEY_ID => {
            let id = <&OctetStringRef>::from_der(bytes).ok()?;
            Some(Meaning::KeyId(id.as_bytes().to_vec()))
        }
        _ => Some(Meaning::Unknown),
    }
}

/// Each name by its number and content, so that one of a kind that is not
/// judged hides none of the others.
fn names(bytes: &[u8]) -> Option<Vec<(u32, Vec<u8>)>> {
    let mut found = Vec::new();
    each(bytes, |name| {
        let Tag::ContextSpecific {
            constructed,
            number,
        } = name.tag()
        else {
            return None;
        };
        let number = number.value();
        let judged = JUDGED_NAMES.contains(&number);
        // These are strings, which have no parts.
        if judged && constructed {
            return None;
        }
        let content = if judged { name.value() } else { &[] };
        found.push((number, content.to_vec()));
        Some(())
    })?;
    Some(found)
}

/// The items of a SEQUENCE that is all of `bytes`.
fn each(bytes: &[u8], mut item: impl FnMut(AnyRef<'_>) -> Option<()>) -> Option<()> {
    let all = AnyRef::from_der(bytes).ok()?;
    if all.tag() != Tag::Sequence {
        return None;
    }
    let mut reader = SliceReader::new(all.value()).ok()?;
    while !reader.is_finished() {
        item(AnyRef::decode(&mut reader).ok()?)?;
    }
    Some(())
}

/// A named bit list, whose last bit is set. Source: X.690, 11.2.2.
fn key_usage(bytes: &[u8]) -> Option<u16> {
    let bits = BitStringRef::from_der(bytes).ok()?;
    let raw = bits.raw_bytes();
    let last = raw.last()?;
    let minimal = u32::from(bits.unused_bits()) == last.trailing_zeros();
    let mut found = 0;
    for (index, byte) in raw.iter().enumerate() {
        let shift = u32::try_from(index * 8).ok()?;
        found |= u16::from(byte.reverse_bits()).checked_shl(shift)?;
    }
    minimal.then_some(found)
}

fn purposes(bytes: &[u8]) -> Option<Vec<ObjectIdentifier>> {
    let mut found = Vec::new();
    each(bytes, |purpose| {
        found.push(purpose.decode_as::<ObjectIdentifier>().ok()?);
        Some(())
    })?;
    found.sort_unstable();
    found.dedup();
    Some(found)
}
