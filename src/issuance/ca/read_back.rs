//! What was signed, read by another parser and held against what was approved.

use std::net::IpAddr;

use openssl::x509::X509;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use super::{CaError, LocalCa, Order, part};
use crate::san::{San, parse_name_of};
use crate::vocabulary::SanType;

/// What a certificate by the local CA has, and no other may be in it.
const EXPECTED: &[&str] = &[
    part::BASIC_CONSTRAINTS,
    part::KEY_USAGE,
    part::EXTENDED_KEY_USAGE,
    part::SUBJECT_KEY_ID,
    part::AUTHORITY_KEY_ID,
    part::SUBJECT_ALT_NAME,
];

fn expect(holds: bool, what: &str) -> Result<(), CaError> {
    match holds {
        true => Ok(()),
        false => Err(CaError::ReadBack(what.to_owned())),
    }
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CaError> {
    let unreadable = || CaError::ReadBack("it cannot be read".to_owned());
    let (rest, read) = X509Certificate::from_der(der).map_err(|_| unreadable())?;
    expect(rest.is_empty(), "there are bytes after its end")?;
    Ok(read)
}

/// Holds that a certificate is one of a CA that signs for ends alone.
pub(super) fn expect_ca(der: &[u8]) -> Result<(), CaError> {
    let read = parse(der)?;
    let unusable = |message: &str| CaError::Unusable(message.to_owned());
    let constraints = read.basic_constraints().ok().flatten();
    let is_ca = constraints.is_some_and(|found| found.critical && found.value.ca);
    let usage = read.key_usage().ok().flatten();
    let signs = usage.is_some_and(|found| found.value.key_cert_sign() && found.value.crl_sign());
    if !is_ca || !signs {
        return Err(unusable("its certificate is not one of a CA"));
    }
    if read.subject().as_raw() != read.issuer().as_raw() {
        return Err(unusable("its certificate has another issuer"));
    }
    Ok(())
}

impl LocalCa {
    /// Holds a certificate against what was approved: names, key, lifetime,
    /// issuer, serial, uses, that it is no CA's, and the signature.
    ///
    /// # Errors
    /// The first of these that differs.
    pub fn read_back(&self, der: &[u8], order: &Order<'_>) -> Result<(), CaError> {
        let read = parse(der)?;
        let serial = read.tbs_certificate.raw_serial();
        expect(serial == order.serial.bytes(), "its serial number")?;
        let issuer = self.certificate.subject_name().to_der()?;
        expect(read.issuer().as_raw() == issuer, "its issuer")?;
        let subject = order.subject()?.to_der()?;
        expect(read.subject().as_raw() == subject, "its subject")?;
        let lifetime = read.validity();
        let same = lifetime.not_before.timestamp() == order.validity.not_before()
            && lifetime.not_after.timestamp() == order.validity.not_after();
        expect(same, "its lifetime")?;
        let key = read.public_key().raw;
        expect(key == order.csr.public_key_der(), "its key")?;
        expect_extensions(&read, order)?;
        expect_names(&read, order)?;
        expect(X509::from_der(der)?.verify(&self.key)?, "its signature")
    }
}

fn expect_extensions(read: &X509Certificate<'_>, order: &Order<'_>) -> Result<(), CaError> {
    let mut found: Vec<String> = read
        .extensions()
        .iter()
        .map(|extension| extension.oid.to_id_string())
        .collect();
    let mut expected: Vec<&str> = EXPECTED.to_vec();
    if order.crl_url.is_some() {
        expected.push(part::DISTRIBUTION_POINTS);
    }
    found.sort_unstable();
    expected.sort_unstable();
    expect(found == expected, "its list of extensions")?;
    let constraints = read.basic_constraints().ok().flatten();
    let is_end = constraints.is_some_and(|found| found.critical && !found.value.ca);
    expect(is_end, "that it is no CA's")?;
    let usage = read.key_usage().ok().flatten();
    // digitalSignature, and for RSA keyEncipherment.
    let bits = match order.csr.key_type().starts_with("RSA-") {
        true => 0b101,
        false => 0b001,
    };
    let same = usage.is_some_and(|found| found.critical && found.value.flags == bits);
    expect(same, "what its key may be used for")?;
    let purposes = read.extended_key_usage().ok().flatten();
    let same = purposes.is_some_and(|found| {
        let value = found.value;
        let others = value.any
            || value.code_signing
            || value.email_protection
            || value.time_stamping
            || value.ocsp_signing
            || !value.other.is_empty();
        value.server_auth && value.client_auth && !others
    });
    expect(same, "its purposes")
}

fn expect_names(read: &X509Certificate<'_>, order: &Order<'_>) -> Result<(), CaError> {
    let mut found = Vec::new();
    for extension in read.extensions() {
        if let ParsedExtension::SubjectAlternativeName(san) = extension.parsed_extension() {
            for name in &san.general_names {
                found.push(san_of(name));
            }
        }
    }
    let approved: Vec<Option<San>> = order.judged()?.into_iter().map(Some).collect();
    expect(found == approved, "its names")
}

/// A name as policies know it, if its very text is the normalised one.
fn san_of(name: &GeneralName<'_>) -> Option<San> {
    let (kind, text) = name_of(name)?;
    let read = parse_name_of(kind, &text).ok()?;
    (read.to_string() == format!("{kind}:{text}")).then_some(read)
}

/// A name's type and text; none for a type that is not judged.
pub(in crate::issuance) fn name_of(name: &GeneralName<'_>) -> Option<(SanType, String)> {
    match name {
        GeneralName::DNSName(text) => Some((SanType::Dns, (*text).to_owned())),
        GeneralName::RFC822Name(text) => Some((SanType::Email, (*text).to_owned())),
        GeneralName::URI(text) => Some((SanType::Uri, (*text).to_owned())),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            Some((SanType::Ip, address.ok()?.to_string()))
        }
        GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => None,
    }
}
