//! The list of revoked certificates. Source: RFC 5280, section 5.

use std::time::Duration;

use jiff::Timestamp;
use openssl::sign::Signer;
use openssl::x509::X509Crl;
use x509_cert::AlgorithmIdentifier;
use x509_cert::Version;
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::der::asn1::{BitString, GeneralizedTime, OctetString, UtcTime};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{DateTime, Decode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Time;

use super::{CaError, Curve, LocalCa, Serial, der, part};
use crate::vocabulary::RevocationReason;

const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
const REASON_CODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// A certificate that was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Its number.
    pub serial: Serial,
    /// Since when; a fraction of a second is dropped.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

impl LocalCa {
    /// Signs the list of all that is revoked, as DER: number `number`, which
    /// grows with each list, made at `this_update`, followed before `next_update`.
    ///
    /// # Errors
    /// A serial that comes twice, and times that cannot be.
    pub fn crl(
        &self,
        revoked: &[Revoked],
        number: u64,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<Vec<u8>, CaError> {
        if next_update.as_second() <= this_update.as_second() {
            let message = "the next list would not come after this one".to_owned();
            return Err(CaError::Time(message));
        }
        let algorithm = AlgorithmIdentifier {
            oid: match self.curve {
                Curve::P256 => ECDSA_WITH_SHA256,
                Curve::P384 => ECDSA_WITH_SHA384,
            },
            parameters: None,
        };
        let list = TbsCertList {
            version: Version::V2,
            signature: algorithm.clone(),
            issuer: Name::from_der(&self.certificate.subject_name().to_der()?)?,
            this_update: time(this_update)?,
            next_update: Some(time(next_update)?),
            revoked_certificates: entries(revoked)?,
            crl_extensions: Some(vec![
                plain(AUTHORITY_KEY_ID, part::authority_key(&self.key_id)?)?,
                plain(CRL_NUMBER, der(&number)?)?,
            ]),
        };
        let mut signer = Signer::new(self.curve.hash(), &self.key)?;
        let signature = signer.sign_oneshot_to_vec(&der(&list)?)?;
        let signed = der(&CertificateList {
            tbs_cert_list: list,
            signature_algorithm: algorithm,
            signature: BitString::from_bytes(&signature)?,
        })?;
        // Another library must read and verify it before anyone else does.
        match X509Crl::from_der(&signed)?.verify(&self.key)? {
            true => Ok(signed),
            false => Err(CaError::ReadBack("the list's signature".to_owned())),
        }
    }
}

/// The entries by serial; none at all is no empty list. Source: RFC 5280, 5.1.2.6.
fn entries(revoked: &[Revoked]) -> Result<Option<Vec<RevokedCert>>, CaError> {
    let mut sorted = revoked.to_vec();
    sorted.sort_by_key(|one| one.serial);
    let twice = sorted.iter().zip(sorted.iter().skip(1));
    if let Some((one, _)) = twice.into_iter().find(|(a, b)| a.serial == b.serial) {
        return Err(CaError::List(format!("{} is revoked twice", one.serial)));
    }
    let entries: Vec<_> = sorted.iter().map(entry).collect::<Result<_, _>>()?;
    Ok((!entries.is_empty()).then_some(entries))
}

fn entry(revoked: &Revoked) -> Result<RevokedCert, CaError> {
    // The reason is left out where there is none. Source: RFC 5280, 5.3.1.
    let extensions = match code(revoked.reason) {
        None => None,
        Some(code) => Some(vec![plain(REASON_CODE, der(&code)?)?]),
    };
    Ok(RevokedCert {
        serial_number: SerialNumber::new(revoked.serial.bytes())?,
        revocation_date: time(revoked.at)?,
        crl_entry_extensions: extensions,
    })
}

const fn code(reason: RevocationReason) -> Option<CrlReason> {
    match reason {
        RevocationReason::Unspecified => None,
        RevocationReason::KeyCompromise => Some(CrlReason::KeyCompromise),
        RevocationReason::AffiliationChanged => Some(CrlReason::AffiliationChanged),
        RevocationReason::Superseded => Some(CrlReason::Superseded),
        RevocationReason::CessationOfOperation => Some(CrlReason::CessationOfOperation),
        RevocationReason::PrivilegeWithdrawn => Some(CrlReason::PrivilegeWithdrawn),
    }
}

fn plain(oid: ObjectIdentifier, value: Vec<u8>) -> Result<Extension, CaError> {
    Ok(Extension {
        extn_id: oid,
        critical: false,
        extn_value: OctetString::new(value)?,
    })
}

/// UTCTime to the end of 2049, GeneralizedTime from then on. Source: RFC 5280, 5.1.2.4.
fn time(at: Timestamp) -> Result<Time, CaError> {
    let second = u64::try_from(at.as_second())
        .map_err(|_| CaError::Time(format!("{at} lies before 1970")))?;
    let date = DateTime::from_unix_duration(Duration::from_secs(second))?;
    Ok(match date.year() {
        ..=2049 => Time::UtcTime(UtcTime::from_date_time(date)?),
        _ => Time::GeneralTime(GeneralizedTime::from_date_time(date)),
    })
}
