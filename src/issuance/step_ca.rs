//! What step-ca asks by its webhooks, as a request that a policy can judge.
//!
//! An authorizing webhook is sent the certificate that is about to be signed,
//! an enriching one the CSR. Either is judged whole: what panopol does not
//! judge stands in `unsupported` and never passes. Knows no policy and no state.
//! Source: Smallstep's page on webhooks, and `webhook/types.go` of step-ca.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use jiff::{SignedDuration, Timestamp};
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Signer;
use serde::Deserialize;
use serde_json::Value;

use super::csr::{Csr, CsrError, read_key};
use super::execute::{Call, Connector, ExecuteError};
use super::issuers::StepCa;
use crate::durable::{Hex, HexBytes};
use crate::journal::JobResult;
use crate::request::IssuanceRequest;
use crate::vocabulary::Action;

/// How far the body's time may be from ours.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How much earlier than now a certificate may begin without that being life
/// that it has.
const DATED_BACK: SignedDuration = SignedDuration::from_hours(1);
/// Uses of a key that sign nothing.
const KEY_USAGES: &[&str] = &[
    "digitalsignature",
    "contentcommitment",
    "keyencipherment",
    "dataencipherment",
    "keyagreement",
];
/// Members that give a certificate's holder nothing: what the CA says of itself,
/// of the key, and of where to ask about the certificate.
const OF_THE_CA: &[&str] = &[
    "version",
    "issuer",
    "serialNumber",
    "subjectKeyId",
    "authorityKeyId",
    "ocspServer",
    "issuingCertificateURL",
    "crlDistributionPoints",
    "signatureAlgorithm",
    "publicKeyAlgorithm",
];
/// Purposes that are taken.
const PURPOSES: &[&str] = &["serverauth", "clientauth"];

/// Why step-ca is not listened to.
#[derive(Debug, thiserror::Error)]
pub enum StepCaError {
    /// It is not who it says, or not now.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The body makes no sense.
    #[error("the body cannot be read: {0}")]
    Body(String),
    /// What is asked for is none of ours.
    #[error("{0}")]
    NotJudged(&'static str),
    /// The CSR.
    #[error("the CSR: {0}")]
    Csr(#[from] CsrError),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What the policy judges.
    pub request: IssuanceRequest,
    /// The SHA-256 of the CSR, where that was sent.
    pub csr_sha256: Option<String>,
    /// The SHA-256 of the key, where the certificate to be was sent.
    pub key_sha256: Option<String>,
    /// The CSR, PEM.
    pub csr: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    timestamp: Timestamp,
    x509_certificate_request: Option<SentCsr>,
    x509_certificate: Option<SentCertificate>,
    ssh_certificate_request: Option<Value>,
    ssh_certificate: Option<Value>,
}

#[derive(Deserialize)]
struct SentCsr {
    raw: String,
}

/// What step-ca is about to sign. What is not known here, as a later step-ca
/// may send it, could give the certificate something: it never passes unless it
/// is empty.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentCertificate {
    #[serde(default)]
    subject: Value,
    raw_subject: Option<String>,
    dns_names: Option<Vec<String>>,
    email_addresses: Option<Vec<String>>,
    ip_addresses: Option<Vec<String>>,
    uris: Option<Vec<String>>,
    sans: Option<Vec<SentName>>,
    extensions: Option<Vec<SentExtension>>,
    key_usage: Option<Vec<String>>,
    ext_key_usage: Option<Vec<String>>,
    unknown_ext_key_usage: Option<Vec<String>>,
    basic_constraints: Option<SentConstraints>,
    name_constraints: Option<Value>,
    public_key: String,
    not_before: Timestamp,
    not_after: Timestamp,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct SentName {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct SentExtension {
    id: String,
}

#[derive(Deserialize)]
struct SentConstraints {
    #[serde(rename = "isCA", default)]
    is_ca: bool,
}

impl StepCa {
    /// Holds the signature over a body: HMAC-SHA256, in hexadecimal.
    ///
    /// # Errors
    /// It is not step-ca's.
    pub fn expect_signed(&self, body: &[u8], signature: &str) -> Result<(), StepCaError> {
        let wrong = StepCaError::Unauthenticated("the signature is not that of this webhook");
        let mac = PKey::hmac(self.key.expose()).and_then(|key| {
            let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
            signer.update(body)?;
            signer.sign_to_vec()
        });
        let Ok(mac) = mac else { return Err(wrong) };
        let expected = HexBytes(mac).to_string();
        let given = signature.to_ascii_lowercase();
        match expected.len() == given.len() && memcmp::eq(expected.as_bytes(), given.as_bytes()) {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// Reads a body whose signature was held.
    ///
    /// # Errors
    /// It is old, makes no sense, or asks for what is not judged here.
    pub fn read(&self, body: &[u8], now: Timestamp) -> Result<Asked, StepCaError> {
        let body: Body =
            serde_json::from_slice(body).map_err(|error| StepCaError::Body(error.to_string()))?;
        if now.duration_since(body.timestamp).abs() > FRESH {
            let fault = "the body's `timestamp` is more than five minutes from now";
            return Err(StepCaError::Unauthenticated(fault));
        }
        if body.ssh_certificate.is_some() || body.ssh_certificate_request.is_some() {
            return Err(StepCaError::NotJudged("SSH certificates are not judged"));
        }
        match (body.x509_certificate, body.x509_certificate_request) {
            (Some(certificate), None) => self.of_certificate(&certificate, now),
            (None, Some(csr)) => self.of_csr(&csr),
            (Some(_), Some(_)) | (None, None) => Err(StepCaError::Body(
                "it has not one of `x509Certificate` and `x509CertificateRequest`".to_owned(),
            )),
        }
    }

    fn request(&self) -> IssuanceRequest {
        IssuanceRequest {
            action: Action::Issue,
            project: self.project.clone(),
            profile: self.profile.clone(),
            requester: Some(self.requester.clone()),
            name: None,
            key_type: None,
            issuer_type: Some(self.issuer_type.word().to_owned()),
            issuer_id: Some(self.id.clone()),
            san: Vec::new(),
            common_name: None,
            lifetime_s: self.lifetime_s,
            auto_renew: self.auto_renew,
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            predecessor: None,
            unsupported: Vec::new(),
        }
    }

    fn of_csr(&self, sent: &SentCsr) -> Result<Asked, StepCaError> {
        let der = decode("x509CertificateRequest.raw", &sent.raw)?;
        let csr = Csr::read(&der)?;
        let mut request = self.request();
        csr.into_request_fields(&mut request)
            .map_err(|error| StepCaError::Body(error.to_string()))?;
        request.name = name(&request);
        Ok(Asked {
            request,
            csr_sha256: Some(Hex(csr.digest()).to_string()),
            key_sha256: None,
            csr: Some(super::ca::pem("CERTIFICATE REQUEST", csr.der())),
        })
    }

    fn of_certificate(&self, sent: &SentCertificate, now: Timestamp) -> Result<Asked, StepCaError> {
        let der = decode("x509Certificate.publicKey", &sent.public_key)?;
        let (word, mut unsupported) = read_key(&der)?;
        let mut request = self.request();
        request.key_type = Some(word);
        sent.names(&mut request.san, &mut unsupported);
        request.common_name = sent.subject(&mut unsupported);
        sent.uses(&mut unsupported);
        request.lifetime_s = Some(sent.lifetime(now));
        request.unsupported = unsupported;
        request.name = name(&request);
        Ok(Asked {
            request,
            csr_sha256: None,
            key_sha256: Some(Hex(sha256(&der)).to_string()),
            csr: None,
        })
    }
}

fn decode(what: &str, text: &str) -> Result<Vec<u8>, StepCaError> {
    Base64::decode_vec(text).map_err(|_| StepCaError::Body(format!("`{what}` is not base64")))
}

/// What people call it: step-ca knows no other name than those in the
/// certificate.
fn name(request: &IssuanceRequest) -> Option<String> {
    let first = request.san.first().and_then(|san| san.split_once(':'));
    let first = first.map(|(_, text)| text.to_owned());
    request.common_name.clone().or(first)
}

impl SentCertificate {
    fn names(&self, san: &mut Vec<String>, unsupported: &mut Vec<String>) {
        for (kind, names) in [
            ("dns", &self.dns_names),
            ("email", &self.email_addresses),
            ("ip", &self.ip_addresses),
            ("uri", &self.uris),
        ] {
            let names = names.iter().flatten();
            san.extend(names.map(|name| format!("{kind}:{name}")));
        }
        for name in self.sans.iter().flatten() {
            let kind = name.kind.to_ascii_lowercase();
            match kind.as_str() {
                "dns" | "email" | "ip" | "uri" => san.push(format!("{kind}:{}", name.value)),
                // Of no type: step-ca guesses, and may guess otherwise.
                "" | "auto" => unsupported.push("a name of no stated type".to_owned()),
                other => unsupported.push(format!("a name of the type {other}")),
            }
        }
    }

    /// The common name; every other part of the subject is not judged, and
    /// would stand in the certificate.
    fn subject(&self, unsupported: &mut Vec<String>) -> Option<String> {
        if self.raw_subject.as_ref().is_some_and(|raw| !raw.is_empty()) {
            unsupported.push("a subject given as bytes".to_owned());
        }
        let mut common = None;
        let mut add = |part: &str, value: &Value| match (part, value) {
            (_, value) if is_empty(value) => {}
            ("commonName", Value::String(text)) => common = Some(text.clone()),
            (other, _) => unsupported.push(format!("`{other}` in the subject")),
        };
        match &self.subject {
            Value::Object(parts) => parts.iter().for_each(|(part, value)| add(part, value)),
            // step-ca writes one of a common name alone as that.
            alone => add("commonName", alone),
        }
        common
    }

    fn uses(&self, unsupported: &mut Vec<String>) {
        let others = |words: &Option<Vec<String>>, taken: &[&str]| -> Vec<String> {
            let words = words.iter().flatten();
            let other = |word: &&String| !taken.contains(&word.to_ascii_lowercase().as_str());
            words.filter(other).cloned().collect()
        };
        for word in others(&self.key_usage, KEY_USAGES) {
            unsupported.push(format!("the key usage {word}"));
        }
        for word in others(&self.ext_key_usage, PURPOSES) {
            unsupported.push(format!("the extended key usage {word}"));
        }
        for word in others(&self.unknown_ext_key_usage, &[]) {
            unsupported.push(format!("the extended key usage {word}"));
        }
        if self.ext_key_usage.as_ref().is_none_or(Vec::is_empty) {
            unsupported.push("no extended key usage, and so all of them".to_owned());
        }
        for extension in self.extensions.iter().flatten() {
            unsupported.push(format!("the extension {}", extension.id));
        }
        if (self.basic_constraints.as_ref()).is_some_and(|found| found.is_ca) {
            unsupported.push("CA:TRUE".to_owned());
        }
        if self
            .name_constraints
            .as_ref()
            .is_some_and(|value| !is_empty(value))
        {
            unsupported.push("name constraints".to_owned());
        }
        for (member, value) in &self.others {
            if !OF_THE_CA.contains(&member.as_str()) && !is_empty(value) {
                unsupported.push(format!("`{}` in the certificate", member.escape_debug()));
            }
        }
    }

    /// Its life from now on, in seconds; and all of it, where it begins long ago.
    fn lifetime(&self, now: Timestamp) -> u64 {
        let dated_back = now.duration_since(self.not_before) > DATED_BACK;
        let from = match dated_back {
            true => self.not_before,
            false => now,
        };
        let life = self.not_after.duration_since(from);
        let more = i64::from(life.subsec_nanos() > 0);
        u64::try_from(life.as_secs() + more).unwrap_or(0)
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        Value::Bool(on) => !on,
        Value::Number(_) => false,
    }
}

/// Lifetimes that differ by less are the same: how long step-ca takes from the
/// time that it counts from until it asks is not the same every time.
const SAME_LIFE_S: u64 = 60;

impl Asked {
    /// Whether an approval of `approved` is one of this: the same in all, and
    /// no longer a life.
    pub fn is_covered_by(&self, approved: &IssuanceRequest) -> bool {
        let life = |request: &IssuanceRequest| request.lifetime_s.map(|s| s.div_ceil(SAME_LIFE_S));
        let own = IssuanceRequest {
            lifetime_s: approved.lifetime_s,
            ..self.request.clone()
        };
        own == *approved && life(&self.request) <= life(approved)
    }
}

/// A CA that asks: nothing is carried out for it here but the answer.
pub struct Asking;

impl Connector for Asking {
    fn carry_out(&self, _: &Call<'_>) -> Result<JobResult, ExecuteError> {
        Err(ExecuteError::Issuer(
            "the server ended while it answered the CA, and the approval is spent: ask again"
                .to_owned(),
        ))
    }

    fn asks(&self) -> bool {
        true
    }
}
