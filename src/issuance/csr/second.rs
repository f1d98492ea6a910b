//! The second parser: rusticata's, written by others on another library.
//!
//! It is laxer than the first and reads the same bytes. Where it sees
//! something else, a CA might too, and the CSR is refused.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::der_parser::Oid;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;

use x509_cert::der::oid::ObjectIdentifier;

use super::CsrError;
use super::reading::{Extension, JUDGED_EXTENSIONS, JUDGED_NAMES, Meaning, Part, Reading};

/// What the CSR says.
pub(super) fn read(bytes: &[u8]) -> Result<Reading, CsrError> {
    let (rest, csr) =
        X509CertificationRequest::from_der(bytes).map_err(|_| CsrError::Unconfirmed)?;
    let info = &csr.certification_request_info;
    if !rest.is_empty() || info.version.0 != 0 {
        return Err(CsrError::Unconfirmed);
    }
    let parts = info.subject.iter_attributes().map(|part| {
        Ok(Part {
            oid: oid(part.attr_type())?,
            tag: part.attr_value().tag().0,
            value: part.attr_value().data.to_vec(),
        })
    });
    let mut extensions = Vec::new();
    for attribute in info.iter_attributes() {
        match attribute.parsed_attribute() {
            ParsedCriAttribute::ExtensionRequest(request) => {
                for one in &request.extensions {
                    extensions.push(extension(one)?);
                }
            }
            ParsedCriAttribute::ChallengePassword(_) | ParsedCriAttribute::UnsupportedAttribute => {
            }
        }
    }
    let algorithm = &csr.signature_algorithm;
    let parameters = algorithm.parameters.as_ref();
    Ok(Reading {
        key: info.subject_pki.raw.to_vec(),
        subject: info.subject.as_raw().to_vec(),
        parts: parts.collect::<Result<_, CsrError>>()?,
        attributes: info
            .iter_attributes()
            .map(|attribute| oid(&attribute.oid))
            .collect::<Result<_, _>>()?,
        extensions,
        algorithm: (
            oid(&algorithm.algorithm)?,
            parameters.map(|any| any.data.to_vec()),
        ),
    })
}

fn oid(oid: &Oid<'_>) -> Result<ObjectIdentifier, CsrError> {
    ObjectIdentifier::from_bytes(oid.as_bytes()).map_err(|_| CsrError::Unconfirmed)
}

fn extension(one: &X509Extension<'_>) -> Result<Extension, CsrError> {
    let oid = oid(&one.oid)?;
    Ok(Extension {
        oid,
        critical: one.critical,
        value: one.value.to_vec(),
        meaning: match JUDGED_EXTENSIONS.contains(&oid) {
            true => meaning(one.parsed_extension())?,
            false => Some(Meaning::Unknown),
        },
    })
}

fn meaning(parsed: &ParsedExtension<'_>) -> Result<Option<Meaning>, CsrError> {
    Ok(match parsed {
        ParsedExtension::SubjectAlternativeName(san) => {
            Some(Meaning::Names(san.general_names.iter().map(name).collect()))
        }
        ParsedExtension::BasicConstraints(read) => {
            Some(Meaning::Constraints(read.ca, read.path_len_constraint))
        }
        ParsedExtension::KeyUsage(usage) => Some(Meaning::KeyUsage(usage.flags)),
        ParsedExtension::ExtendedKeyUsage(usage) => {
            Some(Meaning::ExtendedKeyUsage(purposes(usage)?))
        }
        ParsedExtension::SubjectKeyIdentifier(id) => Some(Meaning::KeyId(id.0.to_vec())),
        // The caller knows whether it is one that is judged.
        _ => None,
    })
}

fn name(name: &GeneralName<'_>) -> (u32, Vec<u8>) {
    let (number, content): (u32, &[u8]) = match name {
        GeneralName::OtherName(..) => (0, &[]),
        GeneralName::RFC822Name(text) => (1, text.as_bytes()),
        GeneralName::DNSName(text) => (2, text.as_bytes()),
        GeneralName::X400Address(_) => (3, &[]),
        GeneralName::DirectoryName(_) => (4, &[]),
        GeneralName::EDIPartyName(_) => (5, &[]),
        GeneralName::URI(text) => (6, text.as_bytes()),
        GeneralName::IPAddress(bytes) => (7, bytes),
        GeneralName::RegisteredID(_) => (8, &[]),
        GeneralName::Invalid(tag, bytes) if JUDGED_NAMES.contains(&tag.0) => (tag.0, bytes),
        GeneralName::Invalid(tag, _) => (tag.0, &[]),
    };
    (number, content.to_vec())
}

fn purposes(usage: &ExtendedKeyUsage<'_>) -> Result<Vec<ObjectIdentifier>, CsrError> {
    let known = [
        (usage.any, "2.5.29.37.0"),
        (usage.server_auth, "1.3.6.1.5.5.7.3.1"),
        (usage.client_auth, "1.3.6.1.5.5.7.3.2"),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let mut found = Vec::new();
    for (_, text) in known.iter().filter(|(is_set, _)| *is_set) {
        found.push(ObjectIdentifier::new(text).map_err(|_| CsrError::Unconfirmed)?);
    }
    for other in &usage.other {
        found.push(oid(other)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
