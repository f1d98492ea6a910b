//! Who carries a job out: one trait, and the issuers behind it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ca::{self, CaError, Curve, LocalCa, Order, Revoked, Serial, Validity};
use super::csr::{Csr, CsrError};
use super::flow;
use super::permit::{Permit, PermitError};
use crate::durable::Hex;
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
    /// The issuer is a CA that asks here.
    #[error("the CA `{0}` asks here by itself: give it the CSR")]
    Asks(String),
    /// The CSR.
    #[error("the CSR: {0}")]
    Csr(#[from] CsrError),
    /// The authority.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The permit.
    #[error(transparent)]
    Permit(#[from] PermitError),
    /// The job does not hold what its action takes.
    #[error("the job has no {0}")]
    Lacks(&'static str),
    /// Another CA refused, or made something else than what was approved.
    #[error("{0}")]
    Issuer(String),
    /// It is not known yet whether it is done, and may be asked again.
    #[error("{cause}")]
    Later {
        /// Why.
        cause: String,
        /// When the other side would be asked again.
        after: Option<Duration>,
    },
}

/// A job to be carried out, with all that may be needed.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Where keys and certificates are.
    pub store: &'a Store,
    /// The job.
    pub job: &'a Job,
    /// What was fixed when it was claimed.
    pub claim: &'a JobClaim,
    /// The permit, without which nobody does anything.
    pub permit: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// What came of trying.
#[derive(Debug)]
pub enum Tried {
    /// The job is over.
    Over(JobResult),
    /// It is to be tried again.
    Later {
        /// Why it is not over.
        cause: String,
        /// When the other side would be asked again.
        after: Option<Duration>,
    },
}

/// One who carries jobs out.
pub trait Connector: Send + Sync {
    /// Carries out a job as it was claimed. Called again after a crash with
    /// the same job and claim, it must come to the same and do nothing twice.
    ///
    /// # Errors
    /// Why it could not be.
    fn carry_out(&self, call: &Call<'_>) -> Result<JobResult, ExecuteError>;

    /// Whether this is a CA that asks, and is not to be asked.
    fn asks(&self) -> bool {
        false
    }

    /// Whether the serial number is drawn by whoever issues, and not here.
    fn draws_serial(&self) -> bool {
        true
    }
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

    /// Whether somebody would carry this out at `now`; asked before people are.
    ///
    /// # Errors
    /// Who is missing, or lives too short for that.
    pub fn expect_served(
        &self,
        store: &Store,
        request: &IssuanceRequest,
        now: Timestamp,
    ) -> Result<(), ExecuteError> {
        let id = request.issuer_id.as_deref().unwrap_or_default();
        if self.find(request)?.asks() {
            return Err(ExecuteError::Asks(id.to_owned()));
        }
        if request.issuer_type.as_deref() != Some(IssuerType::LocalCa.word()) {
            return Ok(());
        }
        let authority = store.read(|rows| rows.authority(id));
        let authority = authority.ok_or_else(|| ExecuteError::NoAuthority(id.to_owned()))?;
        match request.action {
            Action::Issue | Action::Renew | Action::Reissue => {
                expect_outlived(&authority, flow::lifetime(request, now))
            }
            Action::Revoke | Action::Export | Action::Distribute => Ok(()),
        }
    }

    /// Whether the issuer of a request asks here by itself, so that its jobs
    /// wait for that.
    pub fn asks(&self, request: &IssuanceRequest) -> bool {
        self.find(request).is_ok_and(Connector::asks)
    }

    /// Whether the issuer of a request draws the serial numbers itself.
    pub fn draws_serial(&self, request: &IssuanceRequest) -> bool {
        let found = self.find(request);
        found.is_ok_and(Connector::draws_serial)
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

/// How long another CA is asked again and again.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// Carries out a claimed job.
///
/// # Errors
/// The store could not be read: it is to be tried again later. Whatever else
/// goes wrong is the job's result.
pub fn carry_out(
    store: &Store,
    connectors: &Connectors,
    job: &Job,
    claim: &JobClaim,
    now: Timestamp,
) -> Result<Tried, StoreError> {
    match try_once(store, connectors, job, claim, now) {
        Ok(result) => Ok(Tried::Over(result)),
        Err(ExecuteError::Store(error) | ExecuteError::Permit(PermitError::Store(error))) => {
            Err(error)
        }
        Err(ExecuteError::Later { cause, after }) => {
            match now.duration_since(claim.not_before) < PATIENCE {
                true => Ok(Tried::Later { cause, after }),
                false => Ok(failed(format!(
                    "given up after {} hours, and not known whether it was done: {cause}",
                    PATIENCE.as_hours()
                ))),
            }
        }
        Err(error) => Ok(failed(error.to_string())),
    }
}

fn failed(cause: String) -> Tried {
    Tried::Over(JobResult::Failed { cause })
}

fn try_once(
    store: &Store,
    connectors: &Connectors,
    job: &Job,
    claim: &JobClaim,
    now: Timestamp,
) -> Result<JobResult, ExecuteError> {
    let connector = connectors.find(&job.new.request)?;
    let permit = Permit::of(store, job, csr_digest(job)?, now).sign(store)?;
    connector.carry_out(&Call {
        store,
        job,
        claim,
        permit: &permit,
        now,
    })
}

/// The digest of a job's CSR, from its bytes.
fn csr_digest(job: &Job) -> Result<Option<String>, ExecuteError> {
    let Some(csr) = &job.new.csr else {
        return Ok(None);
    };
    let csr = Csr::read(csr.as_bytes())?;
    Ok(Some(Hex(csr.digest()).to_string()))
}

/// The certification authorities whose keys are in the store.
struct BuiltIn;

impl Connector for BuiltIn {
    fn carry_out(&self, call: &Call<'_>) -> Result<JobResult, ExecuteError> {
        let Call { store, job, .. } = *call;
        // Its own word, asked for like everybody else's: what is signed is what
        // the permit names, and nothing is signed after its end.
        let permit = Permit::verify(store, call.permit, call.now)?;
        permit.expect_for(job, csr_digest(job)?.as_deref())?;
        let serial = call.claim.serial.clone();
        let serial = serial.ok_or(ExecuteError::Lacks("serial number"))?;
        match job.new.request.action {
            Action::Issue | Action::Renew | Action::Reissue => {
                issue(store, job, call.claim, serial)
            }
            Action::Revoke => Ok(JobResult::Revoked { serial }),
            Action::Export | Action::Distribute => Ok(JobResult::Handed { serial }),
        }
    }

    fn draws_serial(&self) -> bool {
        false
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

/// Holds that an authority lives until `end`.
fn expect_outlived(authority: &Authority, end: Timestamp) -> Result<(), ExecuteError> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let der = der_of(&authority.new.certificate)?;
    let (_, read) =
        X509Certificate::from_der(&der).map_err(|_| ExecuteError::Lacks("readable certificate"))?;
    // Both ends are in it, and the end of what it signs is a second before `end`.
    match end.as_second() - 1 <= read.validity().not_after.timestamp() {
        true => Ok(()),
        false => Err(CaError::outlived().into()),
    }
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

fn issue(
    store: &Store,
    job: &Job,
    claim: &JobClaim,
    number: String,
) -> Result<JobResult, ExecuteError> {
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
        serial: serial(&number)?,
        crl_url: None,
    };
    let der = ca.issue(&order, claim.not_before)?;
    let at = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    Ok(JobResult::Issued {
        serial: number,
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

/// The CRL of an authority as of `now`, PEM, and its number, which grows with
/// everything that becomes of the authority's certificates.
///
/// # Errors
/// There is no such authority, or the list cannot be made.
pub fn revocation_list(
    store: &Store,
    id: &str,
    now: Timestamp,
) -> Result<(u64, String), ExecuteError> {
    let (authority, ca) = open(store, id)?;
    let mut revoked = Vec::new();
    for one in store.certificates(None, usize::MAX) {
        let local = one.request.issuer_type.as_deref() == Some(IssuerType::LocalCa.word());
        let ours = local && one.request.issuer_id.as_deref() == Some(id);
        if let (true, Some(at)) = (ours, one.revoked) {
            revoked.push(Revoked {
                serial: serial(&one.serial)?,
                at,
                reason: one.reason.unwrap_or(RevocationReason::Unspecified),
            });
        }
    }
    let next = now.checked_add(CRL_HOLDS).unwrap_or(Timestamp::MAX);
    let der = ca.crl(&revoked, authority.version, now, next)?;
    Ok((authority.version, ca::pem("X509 CRL", &der)))
}
