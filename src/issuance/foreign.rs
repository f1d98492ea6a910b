//! A certificate that another CA made, held against what was approved.
//!
//! What may differ is little: a shorter life, a start up to an hour earlier,
//! and what a CA adds without giving anybody more (where its CRL is, who made
//! it). Anything else is not what was approved. Source: RFC 5280, section 4.

use std::collections::BTreeSet;

use jiff::Timestamp;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509StoreContext};
use x509_cert::der::Decode;
use x509_cert::ext::pkix;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

use super::ca::name_of;
use super::csr::Csr;
use crate::durable::HexBytes;
use crate::san::{San, parse_name, parse_name_of};

/// How much earlier than it was asked for a certificate may begin, in seconds:
/// CAs date back, for clocks that are behind.
const DATED_BACK: i64 = 3600;
/// The longest serial number, in bytes. Source: RFC 5280, section 4.1.2.2.
const LONGEST_SERIAL: usize = 20;
/// The extensions that may be critical: those that are looked at here.
const LOOKED_AT: &[&str] = &["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"];
/// `keyCertSign` and `cRLSign`, from the lowest bit on.
const SIGNS: u16 = 0b110_0000;

/// Why it is not the certificate that was approved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// It cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Unreadable(String),
    /// It is another one than was approved.
    #[error("the certificate with the serial number {serial} is not what was approved: {what}")]
    Other {
        /// Its serial number.
        serial: String,
        /// What differs.
        what: String,
    },
}

/// What was approved.
#[derive(Clone, Copy)]
pub struct Approved<'a> {
    /// Whose key.
    pub csr: &'a Csr,
    /// The names.
    pub names: &'a [String],
    /// From when on.
    pub not_before: Timestamp,
    /// Until when at most.
    pub not_after: Timestamp,
    /// The CAs, one of which must have signed it, itself or through others.
    pub anchors: &'a [X509],
}

/// A certificate that is what was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// It, and of the CAs that were given with it those that it stands under.
    pub pem: String,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// The serial number of a certificate, in hexadecimal, and the names that
/// policies know of it: what a renewal may ask for again.
///
/// # Errors
/// It cannot be read.
pub fn names(pem: &[u8]) -> Result<(String, Vec<String>), ForeignError> {
    let unreadable = |error: &dyn ToString| ForeignError::Unreadable(error.to_string());
    let certificate = X509::from_pem(pem).map_err(|error| unreadable(&error))?;
    let der = certificate.to_der().map_err(|error| unreadable(&error))?;
    let (_, read) = X509Certificate::from_der(&der).map_err(|error| unreadable(&error))?;
    let number = read.tbs_certificate.raw_serial();
    let shown = number.strip_prefix(&[0]).unwrap_or(number);
    let mut names = Vec::new();
    for extension in read.extensions() {
        if let ParsedExtension::SubjectAlternativeName(san) = extension.parsed_extension() {
            let known = san.general_names.iter().filter_map(name_of);
            names.extend(known.map(|(kind, text)| format!("{kind}:{text}")));
        }
    }
    Ok((HexBytes(shown.to_vec()).to_string(), names))
}

/// Reads certificates, PEM, the first of which must be what was approved.
///
/// # Errors
/// The first thing that differs.
pub fn read(pem: &str, approved: &Approved<'_>, now: Timestamp) -> Result<Foreign, ForeignError> {
    let unreadable = |error: &dyn ToString| ForeignError::Unreadable(error.to_string());
    let chain = X509::stack_from_pem(pem.as_bytes()).map_err(|error| unreadable(&error))?;
    let (leaf, above) = chain
        .split_first()
        .ok_or_else(|| unreadable(&"there is none in the answer"))?;
    let der = leaf.to_der().map_err(|error| unreadable(&error))?;
    let (rest, read) = X509Certificate::from_der(&der).map_err(|error| unreadable(&error))?;
    if !rest.is_empty() {
        return Err(unreadable(&"there are bytes after its end"));
    }
    let number = read.tbs_certificate.raw_serial();
    // Without the byte that DER writes before a number that would look negative.
    let shown = number.strip_prefix(&[0]).unwrap_or(number);
    let serial = HexBytes(shown.to_vec()).to_string();
    let held = Held {
        read: &read,
        approved,
    };
    let other = |what: String| ForeignError::Other {
        serial: serial.clone(),
        what,
    };
    held.all(number).map_err(other)?;
    let verified = verify(leaf, above, approved.anchors, now.as_second()).map_err(other)?;
    let at = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let mut text = String::new();
    // What signed nothing of it is nobody's to give out.
    let above = verified.iter().skip(1).filter(|one| above.contains(one));
    for one in std::iter::once(leaf).chain(above) {
        let pem = one.to_pem().map_err(|error| unreadable(&error))?;
        text.push_str(&String::from_utf8_lossy(&pem));
    }
    Ok(Foreign {
        not_before: at(read.validity().not_before.timestamp()),
        not_after: at(read.validity().not_after.timestamp()),
        pem: text,
        serial,
    })
}

fn expect(holds: bool, what: impl Into<String>) -> Result<(), String> {
    match holds {
        true => Ok(()),
        false => Err(what.into()),
    }
}

/// A certificate beside what was approved.
struct Held<'a> {
    read: &'a X509Certificate<'a>,
    approved: &'a Approved<'a>,
}

impl Held<'_> {
    fn all(&self, number: &[u8]) -> Result<(), String> {
        let positive = number.first().is_some_and(|first| first & 0x80 == 0)
            && number.iter().any(|&byte| byte != 0);
        expect(
            positive && number.len() <= LONGEST_SERIAL,
            "its serial number is none",
        )?;
        self.written()?;
        let key = self.read.public_key().raw == self.approved.csr.public_key_der();
        expect(key, "it is for another key than the CSR's")?;
        self.lifetime()?;
        let approved = self.approved_names()?;
        self.names(&approved)?;
        self.subject(&approved)?;
        self.uses()
    }

    /// Each extension that is looked at has one reading: one that only some can
    /// read would be passed over here, and not by them.
    fn written(&self) -> Result<(), String> {
        let version = self.read.version() == X509Version::V3;
        expect(version, "it has extensions that its version does not")?;
        for extension in self.read.extensions() {
            let oid = extension.oid.to_id_string();
            let read = !LOOKED_AT.contains(&oid.as_str()) || is_read(extension);
            expect(read, format!("its extension {oid} cannot be read"))?;
        }
        Ok(())
    }

    fn lifetime(&self) -> Result<(), String> {
        let (from, until) = (
            self.read.validity().not_before.timestamp(),
            self.read.validity().not_after.timestamp(),
        );
        let (earliest, latest) = (
            self.approved.not_before.as_second() - DATED_BACK,
            self.approved.not_after.as_second(),
        );
        expect(
            from >= earliest,
            "it begins more than an hour before it was asked for",
        )?;
        expect(until <= latest, "it lives longer than was approved")?;
        expect(from < until, "it has no life")
    }

    fn approved_names(&self) -> Result<BTreeSet<San>, String> {
        let names = self.approved.names.iter();
        names
            .map(|name| parse_name(name).map_err(|error| error.to_string()))
            .collect()
    }

    fn names(&self, approved: &BTreeSet<San>) -> Result<(), String> {
        let mut found = BTreeSet::new();
        for extension in self.read.extensions() {
            if let ParsedExtension::SubjectAlternativeName(san) = extension.parsed_extension() {
                for name in &san.general_names {
                    let read =
                        name_of(name).and_then(|(kind, text)| parse_name_of(kind, &text).ok());
                    found.insert(read.ok_or("it has a name of a kind that is not judged")?);
                }
            }
        }
        let list = |names: Vec<&San>| {
            let names: Vec<String> = names.into_iter().map(San::to_string).collect();
            names.join(", ")
        };
        let more: Vec<&San> = found.difference(approved).collect();
        expect(
            more.is_empty(),
            format!("it has names that were not approved: {}", list(more)),
        )?;
        let less: Vec<&San> = approved.difference(&found).collect();
        expect(
            less.is_empty(),
            format!("it lacks names that were approved: {}", list(less)),
        )
    }

    /// A common name that is one of the names, or none; and nothing beside it.
    fn subject(&self, approved: &BTreeSet<San>) -> Result<(), String> {
        let subject = self.read.subject();
        let all = subject.iter_attributes().count();
        let mut common = subject.iter_common_name();
        let (first, more) = (common.next(), common.next());
        let Some(first) = first else {
            return expect(all == 0, "its subject has more than a common name");
        };
        expect(
            more.is_none() && all == 1,
            "its subject has more than a common name",
        )?;
        let text = first
            .as_str()
            .map_err(|_| "its common name is no plain text")?;
        let is = |name: &San| parse_name_of(name.kind(), text).is_ok_and(|read| read == *name);
        // Beyond ASCII, only as it was approved: there are letters that nobody sees.
        let plain = text.is_ascii() || Some(text) == self.approved.csr.common_name();
        expect(
            plain && approved.iter().any(is),
            format!(
                "its common name `{}` is none of its names",
                text.escape_debug()
            ),
        )
    }

    fn uses(&self) -> Result<(), String> {
        let twice = |_| "it has an extension twice".to_owned();
        let constraints = self.read.basic_constraints().map_err(twice)?;
        expect(
            constraints.is_none_or(|found| !found.value.ca),
            "it is a CA's",
        )?;
        let usage = self.read.key_usage().map_err(twice)?;
        expect(
            usage.is_none_or(|found| found.value.flags & SIGNS == 0),
            "its key may sign certificates or CRLs",
        )?;
        let purposes = self.read.extended_key_usage().map_err(twice)?;
        let purposes = purposes.ok_or("it does not say what it is for")?.value;
        let others = purposes.any
            || purposes.code_signing
            || purposes.email_protection
            || purposes.time_stamping
            || purposes.ocsp_signing
            || !purposes.other.is_empty();
        expect(!others, "it is for more than serverAuth and clientAuth")?;
        let some = purposes.server_auth || purposes.client_auth;
        expect(some, "it does not say what it is for")?;
        let unknown = self.read.extensions().iter().find(|extension| {
            extension.critical && !LOOKED_AT.contains(&extension.oid.to_id_string().as_str())
        });
        match unknown {
            Some(found) => Err(format!(
                "its critical extension {} is not judged",
                found.oid.to_id_string()
            )),
            None => Ok(()),
        }
    }
}

/// Whether both parsers read an extension.
fn is_read(extension: &X509Extension<'_>) -> bool {
    let value = extension.value;
    match extension.parsed_extension() {
        ParsedExtension::KeyUsage(_) => pkix::KeyUsage::from_der(value).is_ok(),
        ParsedExtension::SubjectAlternativeName(_) => pkix::SubjectAltName::from_der(value).is_ok(),
        ParsedExtension::BasicConstraints(_) => pkix::BasicConstraints::from_der(value).is_ok(),
        ParsedExtension::ExtendedKeyUsage(_) => pkix::ExtendedKeyUsage::from_der(value).is_ok(),
        _ => false,
    }
}

/// The certificate and those above it, up to the CA that is trusted.
fn verify(leaf: &X509, above: &[X509], anchors: &[X509], now: i64) -> Result<Vec<X509>, String> {
    let library = |error: openssl::error::ErrorStack| format!("OpenSSL failed: {error}");
    let verify = || {
        let mut store = X509StoreBuilder::new()?;
        for anchor in anchors {
            store.add_cert(anchor.clone())?;
        }
        let mut param = X509VerifyParam::new()?;
        param.set_time(now);
        // A CA of the middle may be the one that is trusted.
        param.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        store.set_param(&param)?;
        let mut chain = Stack::new()?;
        for one in above {
            chain.push(one.clone())?;
        }
        let mut context = X509StoreContext::new()?;
        context.init(&store.build(), leaf, &chain, |context| {
            let good = context.verify_cert()?;
            let chain = context.chain().into_iter().flatten();
            let chain: Vec<X509> = chain.map(|one| one.to_owned()).collect();
            Ok((good.then_some(chain), context.error()))
        })
    };
    match verify().map_err(library)? {
        (Some(chain), _) => Ok(chain),
        (None, error) => Err(format!("no CA of `ca` signed it: {}", error.error_string())),
    }
}
