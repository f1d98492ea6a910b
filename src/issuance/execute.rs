//! Who carries a job out: one trait, and the issuers behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::ca::{self, CaError, Curve, LocalCa, Order, Revoked, Serial, Validity};
use super::csr::{Csr, CsrError};
use crate::journal::{JobClaim, JobResult};
use crate::keyring::SecretBytes;
use crate::request::IssuanceRequest;
use crate::store::{Authority, Context, Job, Store, StoreError};
use crate::vocabulary::{Action, IssuerType, RevocationReason};

/// How long a CRL holds before the next one is due.
const CRL_HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// Why something could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// No authority of that id.
    #[error("there is no certification authority `{0}`")]
    NoAuthority(String),
    /// Nobody carries such jobs out here.
    #[error("no connector of this server issues for `{issuer_type}` `{issuer_id}`")]
    NoConnector {
        /// The type asked for.
        issuer_type: String,
        /// The issuer asked for.
        issuer_id: String,
    },
    /// The CSR.
    #[error("the CSR: {0}")]
    Csr(#[from] CsrError),
    /// The authority.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The job does not hold what its action takes.
    #[error("the job has no {0}")]
    Lacks(&'static str),
}

/// One who carries jobs out.
pub trait Connector: Send + Sync {
    /// Carries out a job as it was claimed. Called again after a crash with
    /// the same job and claim, it must come to the same and do nothing twice.
    ///
    /// # Errors
    /// Why it could not be.
    fn carry_out(
        &self,
        store: &Store,
        job: &Job,
        claim: &JobClaim,
    ) -> Result<JobResult, ExecuteError>;
}

/// The connectors that a server has, by issuer.
#[derive(Default)]
pub struct Connectors {
    others: BTreeMap<(String, String), Arc<dyn Connector>>,
}

impl Connectors {
    /// Has `connector` carry out what is asked of this issuer.
    pub fn add(&mut self, issuer_type: &str, issuer_id: &str, connector: Arc<dyn Connector>) {
        let key = (issuer_type.to_owned(), issuer_id.to_owned());
        self.others.insert(key, connector);
    }

    /// Whether somebody would carry this out; asked before people are.
    ///
    /// # Errors
    /// Who is missing.
    pub fn expect_served(
        &self,
        store: &Store,
        request: &IssuanceRequest,
    ) -> Result<(), ExecuteError> {
        self.find(request)?;
        let id = request.issuer_id.as_deref().unwrap_or_default();
        let local = request.issuer_type.as_deref() == Some(IssuerType::LocalCa.word());
        match local && store.read(|rows| rows.authority(id)).is_none() {
            true => Err(ExecuteError::NoAuthority(id.to_owned())),
            false => Ok(()),
        }
    }

    fn find(&self, request: &IssuanceRequest) -> Result<&dyn Connector, ExecuteError> {
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        let key = (word(&request.issuer_type), word(&request.issuer_id));
        if let Some(other) = self.others.get(&key) {
            return Ok(other.as_ref());
        }
        match IssuerType::from_word(&key.0) {
            Some(IssuerType::LocalCa) => Ok(&BuiltIn),
            Some(IssuerType::Acme | IssuerType::Msca | IssuerType::Webhook) | None => {
                Err(ExecuteError::NoConnector {
                    issuer_type: key.0,
                    issuer_id: key.1,
                })
            }
        }
    }
}

/// Carries out a claimed job.
///
/// # Errors
/// It is to be tried again later: the store could not be read. Whatever else
/// goes wrong is the job's result.
pub fn carry_out(
    store: &Store,
    connectors: &Connectors,
    job: &Job,
    claim: &JobClaim,
) -> Result<JobResult, StoreError> {
    let done = connectors
        .find(&job.new.request)
        .and_then(|connector| connector.carry_out(store, job, claim));
    match done {
        Ok(result) => Ok(result),
        Err(ExecuteError::Store(error)) => Err(error),
        Err(error) => Ok(JobResult::Failed {
            cause: error.to_string(),
        }),
    }
}

/// The certification authorities whose keys are in the store.
struct BuiltIn;

impl Connector for BuiltIn {
    fn carry_out(
        &self,
        store: &Store,
        job: &Job,
        claim: &JobClaim,
    ) -> Result<JobResult, ExecuteError> {
        let serial = claim.serial.clone();
        match job.new.request.action {
            Action::Issue | Action::Renew | Action::Reissue => issue(store, job, claim),
            Action::Revoke => Ok(JobResult::Revoked { serial }),
            Action::Export | Action::Distribute => Ok(JobResult::Handed { serial }),
        }
    }
}

fn open(store: &Store, id: &str) -> Result<(Arc<Authority>, LocalCa), ExecuteError> {
    let authority = store.read(|rows| rows.authority(id));
    let authority = authority.ok_or_else(|| ExecuteError::NoAuthority(id.to_owned()))?;
    let key = store.open_authority_key(&authority)?;
    let certificate = der_of(&authority.new.certificate)?;
    let ca = LocalCa::open(key.expose(), &certificate)?;
    Ok((authority, ca))
}

/// The DER of a certificate that we wrote as PEM.
fn der_of(pem: &str) -> Result<Vec<u8>, ExecuteError> {
    let read = openssl::x509::X509::from_pem(pem.as_bytes()).and_then(|read| read.to_der());
    read.map_err(|_| ExecuteError::Lacks("readable certificate"))
}

/// The key of a certificate in PEM, as the DER of its SubjectPublicKeyInfo.
///
/// # Errors
/// It cannot be read.
pub fn public_key_der(pem: &str) -> Result<Vec<u8>, ExecuteError> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let der = der_of(pem)?;
    let (_, read) =
        X509Certificate::from_der(&der).map_err(|_| ExecuteError::Lacks("readable certificate"))?;
    Ok(read.public_key().raw.to_vec())
}

fn serial(hex: &str) -> Result<Serial, ExecuteError> {
    Serial::from_hex(hex).ok_or(ExecuteError::Lacks("serial number"))
}

/// Draws the serial number of a certificate, in hexadecimal.
///
/// # Errors
/// The random generator failed.
pub fn draw_serial() -> Result<String, ExecuteError> {
    let bytes: [u8; 16] = crate::keyring::random().map_err(StoreError::from)?;
    Ok(Serial::from_random(bytes).to_string())
}

fn issue(store: &Store, job: &Job, claim: &JobClaim) -> Result<JobResult, ExecuteError> {
    let request = &job.new.request;
    let (_, ca) = open(store, request.issuer_id.as_deref().unwrap_or_default())?;
    let csr = job.new.csr.as_deref().ok_or(ExecuteError::Lacks("CSR"))?;
    // The bytes that were approved, by digest; read again as they were then.
    let csr = Csr::read(csr.as_bytes())?;
    let seconds = claim.not_after.duration_since(claim.not_before).as_secs();
    let validity = Validity::lasting(claim.not_before, seconds.unsigned_abs())?;
    let order = Order {
        csr: &csr,
        names: &request.san,
        validity,
        serial: serial(&claim.serial)?,
        crl_url: None,
    };
    let der = ca.issue(&order, claim.not_before)?;
    let at = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    Ok(JobResult::Issued {
        serial: claim.serial.clone(),
        certificate: ca::pem("CERTIFICATE", &der),
        not_before: at(validity.not_before()),
        not_after: at(validity.not_after()),
    })
}

/// Makes a certification authority and returns its certificate, PEM.
///
/// # Errors
/// There is one of that id, or it cannot be made or written.
pub fn make_authority(
    store: &Store,
    context: Context,
    id: &str,
    common_name: &str,
    days: u32,
) -> Result<String, ExecuteError> {
    let validity = Validity::lasting(context.time, 24 * 3600 * u64::from(days))?;
    let key = ca::generate_key(Curve::P256)?;
    let number = serial(&draw_serial()?)?;
    let der = LocalCa::self_sign(&key, common_name, validity, number)?;
    let certificate = ca::pem("CERTIFICATE", &der);
    let key = SecretBytes::new(key.to_vec());
    store.create_authority(context, id, certificate.clone(), &key)?;
    Ok(certificate)
}

/// The CRL of an authority as of `now`, PEM. Its number grows with everything
/// that becomes of the authority's certificates.
///
/// # Errors
/// There is no such authority, or the list cannot be made.
pub fn revocation_list(store: &Store, id: &str, now: Timestamp) -> Result<String, ExecuteError> {
    let (authority, ca) = open(store, id)?;
    let mut revoked = Vec::new();
    for one in store.certificates(None, usize::MAX) {
        let ours = one.request.issuer_id.as_deref() == Some(id);
        if let (true, Some(at)) = (ours, one.revoked) {
            revoked.push(Revoked {
                serial: serial(&one.serial)?,
                at,
                reason: RevocationReason::Unspecified,
            });
        }
    }
    let next = now.checked_add(CRL_HOLDS).unwrap_or(Timestamp::MAX);
    let der = ca.crl(&revoked, authority.version, now, next)?;
    Ok(ca::pem("X509 CRL", &der))
}
