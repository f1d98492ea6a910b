//! The extensions that the local CA writes. Source: RFC 5280, section 4.2.1.

use openssl::asn1::{Asn1Object, Asn1OctetString};
use openssl::x509::{X509Builder, X509Extension};
use x509_cert::der::Encode;
use x509_cert::der::asn1::{Ia5String, OctetString};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, crl::dp::DistributionPoint};

use super::CaError;
use crate::san::San;

pub(super) const SUBJECT_KEY_ID: &str = "2.5.29.14";
pub(super) const KEY_USAGE: &str = "2.5.29.15";
pub(super) const SUBJECT_ALT_NAME: &str = "2.5.29.17";
pub(super) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(super) const DISTRIBUTION_POINTS: &str = "2.5.29.31";
pub(super) const AUTHORITY_KEY_ID: &str = "2.5.29.35";
pub(super) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

/// Appends an extension whose value is `der`.
pub(super) fn append(
    builder: &mut X509Builder,
    oid: &str,
    critical: bool,
    der: &[u8],
) -> Result<(), CaError> {
    let oid = Asn1Object::from_str(oid)?;
    let value = Asn1OctetString::new_from_bytes(der)?;
    let extension = X509Extension::new_from_der(&oid, critical, &value)?;
    builder.append_extension2(&extension)?;
    Ok(())
}

/// A subjectAltName of these names, in their order.
pub(super) fn names(names: &[San]) -> Result<Vec<u8>, CaError> {
    let names: Vec<GeneralName> = names.iter().map(name).collect::<Result<_, _>>()?;
    Ok(names.to_der()?)
}

fn name(name: &San) -> Result<GeneralName, CaError> {
    let ia5 = || Ia5String::new(&name.text());
    Ok(match name {
        San::Dns(_) => GeneralName::DnsName(ia5()?),
        San::Ip(address) => GeneralName::from(*address),
        San::Email { .. } => GeneralName::Rfc822Name(ia5()?),
        San::Uri(_) => GeneralName::UniformResourceIdentifier(ia5()?),
    })
}

/// A key's identifier as a subjectKeyIdentifier.
pub(super) fn subject_key(id: &[u8]) -> Result<Vec<u8>, CaError> {
    Ok(OctetString::new(id)?.to_der()?)
}

/// A key's identifier as an authorityKeyIdentifier.
pub(super) fn authority_key(id: &[u8]) -> Result<Vec<u8>, CaError> {
    let id = AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(id)?),
        authority_cert_issuer: None,
        authority_cert_serial_number: None,
    };
    Ok(id.to_der()?)
}

/// Where the list of revoked certificates is found.
pub(super) fn distribution_point(url: &str) -> Result<Vec<u8>, CaError> {
    let name = GeneralName::UniformResourceIdentifier(Ia5String::new(url)?);
    let point = DistributionPoint {
        distribution_point: Some(DistributionPointName::FullName(vec![name])),
        reasons: None,
        crl_issuer: None,
    };
    Ok(vec![point].to_der()?)
}
