//! The local CA: a key, a certificate that it signed itself, and what it signs
//! for others.
//!
//! [`LocalCa::issue`] makes a certificate of exactly the names that were
//! approved and the key of the CSR, and reads it back before it gives it out;
//! [`LocalCa::crl`] lists what was revoked. Knows no policy, no clock and no
//! place for its key: the caller keeps that sealed.

mod crl;
mod error;
mod issue;
mod part;
mod read_back;
mod serial;
mod validity;

use base64ct::{Base64, Encoding};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::sha::sha1;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use zeroize::Zeroizing;

pub use crl::Revoked;
pub use error::CaError;
pub use issue::Order;
pub(super) use read_back::name_of;
pub use serial::Serial;
pub use validity::Validity;

/// The curve of a CA's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Signs with SHA-256.
    P256,
    /// Signs with SHA-384.
    P384,
}

impl Curve {
    const fn nid(self) -> Nid {
        match self {
            Curve::P256 => Nid::X9_62_PRIME256V1,
            Curve::P384 => Nid::SECP384R1,
        }
    }

    fn hash(self) -> MessageDigest {
        match self {
            Curve::P256 => MessageDigest::sha256(),
            Curve::P384 => MessageDigest::sha384(),
        }
    }
}

/// Generates a CA's key: PKCS#8 as DER, for the caller to seal.
///
/// # Errors
/// OpenSSL's.
pub fn generate_key(curve: Curve) -> Result<Zeroizing<Vec<u8>>, CaError> {
    let group = EcGroup::from_curve_name(curve.nid())?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    Ok(Zeroizing::new(key.private_key_to_pkcs8()?))
}

/// A CA that signs.
pub struct LocalCa {
    key: PKey<Private>,
    curve: Curve,
    certificate: X509,
    key_id: [u8; 20],
    validity: Validity,
}

impl LocalCa {
    /// Makes the certificate of a new CA, signed with its own key, as DER. No
    /// CA may stand below it.
    ///
    /// # Errors
    /// A key that is none, or a name that is empty, longer than 64 characters or
    /// not all of it to be seen.
    pub fn self_sign(
        key: &[u8],
        common_name: &str,
        validity: Validity,
        serial: Serial,
    ) -> Result<Vec<u8>, CaError> {
        let (key, curve) = read_key(key)?;
        if common_name.is_empty() || common_name.chars().count() > 64 {
            let message = "its name has no character, or more than 64".to_owned();
            return Err(CaError::Unusable(message));
        }
        if common_name.chars().any(char::is_control) {
            let message = "its name has a control character".to_owned();
            return Err(CaError::Unusable(message));
        }
        let mut name = X509Name::builder()?;
        name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
        let name = name.build();
        let mut builder = begin(serial, (&name, &name), &key, validity)?;
        let no_ca_below = BasicConstraints::new().critical().ca().pathlen(0).build()?;
        builder.append_extension2(&no_ca_below)?;
        let signs = KeyUsage::new()
            .critical()
            .key_cert_sign()
            .crl_sign()
            .build()?;
        builder.append_extension2(&signs)?;
        let id = part::subject_key(&key_id(&key)?)?;
        part::append(&mut builder, part::SUBJECT_KEY_ID, false, &id)?;
        builder.sign(&key, curve.hash())?;
        Ok(builder.build().to_der()?)
    }

    /// Opens a CA: its key, PKCS#8 as DER, and its certificate, as DER.
    ///
    /// # Errors
    /// What cannot be read, is no CA's, is not signed by itself, or does not
    /// belong together.
    pub fn open(key: &[u8], certificate: &[u8]) -> Result<LocalCa, CaError> {
        let unusable = |message: &str| CaError::Unusable(message.to_owned());
        let (key, curve) = read_key(key)?;
        let read = Certificate::from_der(certificate)
            .map_err(|_| unusable("its certificate is not one as DER"))?;
        let certificate =
            X509::from_der(certificate).map_err(|_| unusable("its certificate cannot be read"))?;
        if !certificate.public_key()?.public_eq(&key) {
            return Err(unusable("its certificate is for another key"));
        }
        if !certificate.verify(&key)? {
            return Err(unusable("its certificate is not signed with its own key"));
        }
        read_back::expect_ca(&certificate.to_der()?)?;
        let lifetime = read.tbs_certificate().validity();
        let second = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs())
                .map_err(|_| unusable("its certificate has no end"))
        };
        Ok(LocalCa {
            key_id: key_id(&key)?,
            validity: Validity::between(second(lifetime.not_before)?, second(lifetime.not_after)?),
            key,
            curve,
            certificate,
        })
    }

    /// Its own certificate, as DER.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn certificate(&self) -> Result<Vec<u8>, CaError> {
        Ok(self.certificate.to_der()?)
    }

    /// From when to when it may sign.
    pub const fn validity(&self) -> Validity {
        self.validity
    }
}

/// A certificate with all but its extensions; `names` are issuer and subject.
fn begin<T: HasPublic>(
    serial: Serial,
    names: (&X509NameRef, &X509NameRef),
    key: &PKeyRef<T>,
    validity: Validity,
) -> Result<X509Builder, CaError> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.integer()?)?;
    builder.set_issuer_name(names.0)?;
    builder.set_subject_name(names.1)?;
    builder.set_pubkey(key)?;
    let (start, end) = validity.ends()?;
    builder.set_not_before(&start)?;
    builder.set_not_after(&end)?;
    Ok(builder)
}

fn read_key(pkcs8: &[u8]) -> Result<(PKey<Private>, Curve), CaError> {
    let unusable = |message: &str| CaError::Unusable(message.to_owned());
    let key = PKey::private_key_from_pkcs8(pkcs8)
        .map_err(|_| unusable("its key is not PKCS#8 as DER"))?;
    let ec = key
        .ec_key()
        .map_err(|_| unusable("its key is none of ECDSA"))?;
    let curve = match ec.group().curve_name() {
        Some(Nid::X9_62_PRIME256V1) => Curve::P256,
        Some(Nid::SECP384R1) => Curve::P384,
        _ => return Err(unusable("its key is neither on P-256 nor on P-384")),
    };
    Ok((key, curve))
}

/// Source: RFC 5280, section 4.2.1.2, method 1.
fn key_id(key: &PKey<Private>) -> Result<[u8; 20], CaError> {
    let der = key.public_key_to_der()?;
    let info = x509_cert::SubjectPublicKeyInfo::from_der(&der)?;
    Ok(sha1(info.subject_public_key.raw_bytes()))
}

/// DER as PEM: `CERTIFICATE`, `X509 CRL`. Source: RFC 7468.
pub fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let whole = Base64::encode_string(der);
    let mut rest = whole.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// An item as DER.
fn der(item: &impl Encode) -> Result<Vec<u8>, CaError> {
    Ok(item.to_der()?)
}
