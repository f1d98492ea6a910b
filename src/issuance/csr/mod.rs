//! A certificate signing request: what it says, byte for byte as a CA would
//! read it, and never what is said about it.
//!
//! [`Csr::read`] takes hostile bytes. Two parsers that have no author in common
//! read them and must agree on everything that is judged; OpenSSL then holds the
//! signature against the key. What can be read but is not judged is no error:
//! it stands in [`Csr::unsupported`], and no policy lets it pass. Knows no
//! policy. Source: RFC 2986, RFC 5280, RFC 7468.

mod envelope;
mod error;
mod fields;
mod judge;
mod key;
mod reading;
mod second;
mod signature;
mod strict;

use std::fmt::Write;

use openssl::sha::{sha1, sha256};
use x509_cert::SubjectPublicKeyInfo;
use x509_cert::der::Decode;

pub use error::CsrError;
pub use fields::Contradiction;

/// Longer files are refused before any work is done on them.
pub const MAX_BYTES: usize = 64 * 1024;

/// A CSR that was read, and whose signature fits its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csr {
    der: Vec<u8>,
    public_key: Vec<u8>,
    key_id: [u8; 20],
    key_type: String,
    subject: String,
    san: Vec<String>,
    common_name: Option<String>,
    unsupported: Vec<String>,
    key_usage: Vec<&'static str>,
    extended_key_usage: Vec<String>,
}

/// The type of a key that stands alone as `der`, and what of it is not judged.
///
/// # Errors
/// It is none.
pub fn read_key(der: &[u8]) -> Result<(String, Vec<String>), CsrError> {
    let unreadable = |_| CsrError::Key {
        problem: "it is no SubjectPublicKeyInfo as DER".to_owned(),
    };
    let info = SubjectPublicKeyInfo::from_der(der).map_err(unreadable)?;
    let key = key::read(&info, der)?;
    Ok((key.word, key.defects))
}

impl Csr {
    /// Reads the one CSR in `bytes`, as PEM or DER.
    ///
    /// # Errors
    /// What cannot be read, is read in two ways, or is not signed by its own key.
    pub fn read(bytes: &[u8]) -> Result<Csr, CsrError> {
        let der = envelope::unwrap(bytes)?;
        let (csr, reading) = strict::read(&der)?;
        reading.expect_same(&second::read(&der)?)?;
        let key = key::read(&csr.info.public_key, &reading.key)?;
        signature::expect_own(&der, &csr.algorithm, &key.public)?;
        let key_id = sha1(csr.info.public_key.subject_public_key.raw_bytes());
        let judged = judge::judge(&csr, &reading, &key_id);
        let mut unsupported = key.defects;
        unsupported.extend(judged.unsupported);
        let mut subject = String::new();
        // A name that cannot be shown is shown as nothing: it decides nothing.
        if write!(subject, "{}", csr.info.subject).is_err() {
            subject.clear();
        }
        Ok(Csr {
            public_key: reading.key,
            key_id,
            key_type: key.word,
            subject,
            san: judged.san,
            common_name: judged.common_name,
            unsupported,
            key_usage: judged.key_usage,
            extended_key_usage: judged.extended_key_usage,
            der,
        })
    }

    /// The CSR itself, as DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The SHA-256 of its DER.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.der)
    }

    /// The key to certify: a SubjectPublicKeyInfo, as DER.
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key
    }

    /// The key's identifier. Source: RFC 5280, section 4.2.1.2, method 1.
    pub fn key_id(&self) -> &[u8; 20] {
        &self.key_id
    }

    /// A word of [`crate::vocabulary::KeyType`], or another one, which never passes.
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// The whole subject as text (RFC 4514), for people. Only its common name
    /// is judged, and nothing else of it comes to stand in a certificate.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The names asked for, in order: `dns:…`, `ip:…`, `email:…`, `uri:…`, as written.
    pub fn san(&self) -> &[String] {
        &self.san
    }

    /// The subject's common name; of several, the first.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// What the CSR asks for that is not judged; with anything here it never passes.
    pub fn unsupported(&self) -> &[String] {
        &self.unsupported
    }

    /// The uses asked for that are taken, by their names in RFC 5280.
    pub fn key_usage(&self) -> &[&'static str] {
        &self.key_usage
    }

    /// The purposes asked for that are taken: `serverAuth`, `clientAuth`.
    pub fn extended_key_usage(&self) -> &[String] {
        &self.extended_key_usage
    }
}
