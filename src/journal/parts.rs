//! What entries are made of: keys, tokens, authorities and jobs, as an event
//! says that they began. Their spelling is for good, as that of [`Event`] is.
//!
//! [`Event`]: super::Event

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Hash;
use crate::approval::Step;
use crate::durable::HexBytes;
use crate::keyring::KeyId;
use crate::request::IssuanceRequest;
use crate::vocabulary::RevocationReason;

/// A secret sealed under a data key. The journal keeps it for good; with its
/// data key destroyed it is noise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedSecret {
    /// The data key that opens it.
    pub key: KeyId,
    /// Nonce, ciphertext and tag.
    pub sealed: HexBytes,
}

/// What a key pair is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyRole {
    /// Signs advertisements.
    Signing,
    /// Takes part in exchanges.
    Exchange,
}

/// The public half of a key pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// What it is for.
    pub role: KeyRole,
    /// Its thumbprint under SHA-256.
    pub thumbprint: String,
    /// The public JWK, as JSON text.
    pub jwk: String,
}

/// The keys a binding has at one time: made, sealed and destroyed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// The public halves.
    pub public: Vec<PublicKey>,
    /// The private ones; none once they are destroyed.
    pub secret: SealedSecret,
}

/// One binding of a new device: one LUKS volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBinding {
    /// Its id, unique in the device.
    pub id: String,
    /// The SHA-256 of its URL token.
    pub token: Hash,
    /// Its first keys.
    pub keys: Generation,
}

/// A key of a Tang server whose hosts panopol takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedKey {
    /// The public half.
    pub public: PublicKey,
    /// Whether it is advertised; a rotated (hidden) one only still recovers.
    pub advertised: bool,
    /// The private half.
    pub secret: SealedSecret,
}

/// A bearer token of a person or a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose it is.
    pub person: String,
    /// The SHA-256 of the token.
    pub hash: Hash,
    /// The first instant at which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A certification authority of panopol's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAuthority {
    /// What requests call it as `issuer_id`.
    pub id: String,
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its private key.
    pub secret: SealedSecret,
}

/// The key that permits are signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPermitKey {
    /// Its id: the thumbprint of its public half under SHA-256.
    pub id: String,
    /// The public half, a JWK as JSON text.
    pub jwk: String,
    /// The private half.
    pub secret: SealedSecret,
}

/// A standing order to renew a certificate, and each that follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// Its id.
    pub id: String,
    /// The certificate that it begins with.
    pub certificate: String,
    /// The service that asks.
    pub service: String,
    /// Seconds before a certificate's end; none: a third of its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_s: Option<u64>,
    /// Why it asks, where the policy wants a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket, where the policy wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Everyone who counts as having enabled it; they never approve what it asks.
    pub persons: BTreeSet<String>,
}

/// Who decides where a bypass stands in for people.
pub const SYSTEM_BYPASS: &str = "system-bypass";

/// A submission that may come again: what was asked, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeatable {
    /// The SHA-256 of what was asked.
    pub asked: Hash,
    /// The answer.
    pub answer: serde_json::Value,
}

/// Something asked of the certificate side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub request: IssuanceRequest,
    /// The CSR, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// The certificate that it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Why the certificate is to be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<RevocationReason>,
    /// The standing order that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// What a repeat of the submission is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeatable: Option<Repeatable>,
    /// The bypass that stood in for approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_bypassed: Option<String>,
    /// [`SYSTEM_BYPASS`], where a bypass stood in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decider: Option<String>,
}

/// What is fixed before a job is carried out, so that carrying it out again
/// after a crash makes the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobClaim {
    /// The serial number that a certificate will have, in hexadecimal; none
    /// where another CA draws it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
pub enum JobResult {
    /// A certificate was made.
    Issued {
        /// Its serial number, in hexadecimal.
        serial: String,
        /// The certificate, PEM.
        certificate: String,
        /// From when it holds.
        not_before: Timestamp,
        /// Until when.
        not_after: Timestamp,
    },
    /// The certificate was revoked.
    Revoked {
        /// Its serial number.
        serial: String,
    },
    /// It was handed out.
    Handed {
        /// Its serial number.
        serial: String,
    },
    /// The CA that asked was told that it may, once.
    Admitted {},
    /// It could not be done.
    Failed {
        /// Why.
        cause: String,
    },
}

/// One exchange of one approval, taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalUse {
    /// The request.
    pub id: String,
    /// What that makes of it.
    pub step: Step,
}
