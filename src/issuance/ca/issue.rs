//! A certificate for what was approved.

use std::collections::BTreeSet;

use jiff::Timestamp;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use openssl::x509::{X509Builder, X509Name};

use super::{CaError, LocalCa, Serial, Validity, begin, part};
use crate::issuance::csr::Csr;
use crate::san::{San, parse_name, parse_name_of};
use crate::vocabulary::KeyType;

/// The longest common name. Source: RFC 5280, `ub-common-name`.
const LONGEST_COMMON_NAME: usize = 64;

/// What is to be signed.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Whose key, and who asked.
    pub csr: &'a Csr,
    /// The names that were approved: `dns:…`, `ip:…`, `email:…`, `uri:…`.
    pub names: &'a [String],
    /// From when to when.
    pub validity: Validity,
    /// Its number, used for no other certificate.
    pub serial: Serial,
    /// Where the CA's list of revoked certificates is found.
    pub crl_url: Option<&'a str>,
}

impl Order<'_> {
    /// The names, normalised, in their order and each once.
    pub(super) fn judged(&self) -> Result<Vec<San>, CaError> {
        if let Some(what) = self.csr.unsupported().first() {
            return Err(CaError::NotJudged(what.clone()));
        }
        if KeyType::from_word(self.csr.key_type()).is_none() {
            let what = format!("a key of the type {}", self.csr.key_type());
            return Err(CaError::NotJudged(what));
        }
        let approved = read(self.names)?;
        let asked = read(self.csr.san())?;
        let set = |names: &[San]| names.iter().cloned().collect::<BTreeSet<_>>();
        if approved.is_empty() || set(&approved) != set(&asked) {
            let message = "the CSR does not ask for exactly the names that were approved";
            return Err(CaError::NotApproved(message.to_owned()));
        }
        Ok(approved)
    }

    /// The subject: the common name as the name that it is, normalised like
    /// that; letters that cannot be seen, or only look alike, are none of it.
    pub(super) fn subject(&self) -> Result<X509Name, CaError> {
        let refused = |message: &str| CaError::NotApproved(message.to_owned());
        let mut subject = X509Name::builder()?;
        if let Some(common) = self.csr.common_name() {
            let names = read(self.names)?.into_iter();
            let mut same = names.filter(|name| {
                parse_name_of(name.kind(), common).is_ok_and(|common| common == *name)
            });
            let name = same.next().ok_or_else(|| {
                refused("the common name is none of the names that were approved")
            })?;
            let text = name.text();
            if text.len() > LONGEST_COMMON_NAME {
                return Err(refused("the common name, normalised, is too long"));
            }
            subject.append_entry_by_nid(Nid::COMMONNAME, &text)?;
        }
        Ok(subject.build())
    }
}

fn read(texts: &[String]) -> Result<Vec<San>, CaError> {
    let mut names = Vec::new();
    for text in texts {
        let name = parse_name(text).map_err(|error| CaError::NotApproved(error.to_string()))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

impl LocalCa {
    /// Signs a certificate of exactly what was approved, as DER, and reads it back.
    ///
    /// # Errors
    /// What was not approved or not judged, a lifetime beyond the CA's own, or
    /// a certificate that does not read back.
    pub fn issue(&self, order: &Order<'_>, now: Timestamp) -> Result<Vec<u8>, CaError> {
        let names = order.judged()?;
        self.expect_in_time(order, now)?;
        let subject = order.subject()?;
        let issued = (self.certificate.subject_name(), &*subject);
        let key = PKey::public_key_from_der(order.csr.public_key_der())?;
        let mut builder = begin(order.serial, issued, &key, order.validity)?;
        self.extend(&mut builder, order, &names)?;
        builder.sign(&self.key, self.curve.hash())?;
        let der = builder.build().to_der()?;
        self.read_back(&der, order)?;
        Ok(der)
    }

    fn expect_in_time(&self, order: &Order<'_>, now: Timestamp) -> Result<(), CaError> {
        if !self.validity.has(now) {
            let message = "the local CA's own certificate is not valid now".to_owned();
            return Err(CaError::Time(message));
        }
        if !self.validity.covers(&order.validity) {
            return Err(CaError::outlived());
        }
        if order.validity.not_after() <= now.as_second() {
            let message = "the certificate would have ended already".to_owned();
            return Err(CaError::Time(message));
        }
        Ok(())
    }

    fn extend(
        &self,
        builder: &mut X509Builder,
        order: &Order<'_>,
        names: &[San],
    ) -> Result<(), CaError> {
        builder.append_extension2(&*BasicConstraints::new().critical().build()?)?;
        let mut usage = KeyUsage::new();
        usage.critical().digital_signature();
        if order.csr.key_type().starts_with("RSA-") {
            usage.key_encipherment();
        }
        builder.append_extension2(&*usage.build()?)?;
        let purposes = ExtendedKeyUsage::new()
            .server_auth()
            .client_auth()
            .build()?;
        builder.append_extension2(&purposes)?;
        let id = part::subject_key(order.csr.key_id())?;
        part::append(builder, part::SUBJECT_KEY_ID, false, &id)?;
        let id = part::authority_key(&self.key_id)?;
        part::append(builder, part::AUTHORITY_KEY_ID, false, &id)?;
        // Without a subject the names are all there is. Source: RFC 5280, 4.2.1.6.
        let alone = order.csr.common_name().is_none();
        part::append(builder, part::SUBJECT_ALT_NAME, alone, &part::names(names)?)?;
        if let Some(url) = order.crl_url {
            let point = part::distribution_point(url)?;
            part::append(builder, part::DISTRIBUTION_POINTS, false, &point)?;
        }
        Ok(())
    }
}
