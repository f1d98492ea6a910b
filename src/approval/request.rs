//! One approval request: what is asked, what it needs, who has decided.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::requirement::{Requirement, digest};
use crate::request::IssuanceRequest;
use crate::vocabulary::{ApprovalKind, ApprovalState, RevocationReason, Verdict};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Subject {
    /// A device waits at boot.
    Unlock {
        /// The device.
        device: String,
    },
    /// Somebody would give a device tags that shed an approval or widen access.
    Tags {
        /// The device.
        device: String,
        /// All the tags it would have.
        tags: BTreeMap<String, String>,
        /// The version of the device that was looked at.
        version: u64,
    },
    /// Somebody asks something of the certificate side.
    Issuance {
        /// The job that waits.
        job: String,
        /// What is asked, its names resolved from the CSR or the certificate.
        request: Box<IssuanceRequest>,
        /// The SHA-256 of the CSR's bytes, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        csr: Option<String>,
        /// The SHA-256 of the key, where no CSR is seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// The certificate that it is done to, where it is done to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<String>,
        /// What the requester was warned of and did not take for a reason to stop.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        acknowledged: Vec<String>,
        /// Why a certificate is to be revoked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revocation: Option<RevocationReason>,
    },
}

impl Subject {
    /// Which path it is of.
    pub fn kind(&self) -> ApprovalKind {
        match self {
            Subject::Unlock { .. } => ApprovalKind::Unlock,
            Subject::Tags { .. } => ApprovalKind::Tags,
            Subject::Issuance { .. } => ApprovalKind::Issuance,
        }
    }

    /// The device it is about; none for a certificate request.
    pub fn device(&self) -> Option<&str> {
        match self {
            Subject::Unlock { device } | Subject::Tags { device, .. } => Some(device),
            Subject::Issuance { .. } => None,
        }
    }
}

/// What one person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who.
    pub person: String,
    /// Everyone who counts as the actor: the person, and who minted the credential.
    pub persons: BTreeSet<String>,
    /// The token used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// What they said.
    pub verdict: Verdict,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The digest of what they were shown.
    pub shown: String,
    /// The policy it was judged under.
    pub policy: String,
    /// When.
    pub time: Timestamp,
}

/// One exchange that was taken: an exchange by another than the real host
/// shows here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// For which binding.
    pub binding: String,
    /// From where.
    pub source: IpAddr,
    /// When.
    pub time: Timestamp,
}

/// What a request begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub subject: Subject,
    /// From where it was asked first; none for what no device asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// The addresses that an approval is good for; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_for: Option<IpNet>,
    /// What it needs, with the approvers of this moment.
    pub requirement: Requirement,
    /// The digest of what was required when it was made.
    pub required: String,
    /// Everyone who counts as having asked; they never decide.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub requesters: BTreeSet<String>,
    /// Why, in the requester's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An approval request as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// What it began with.
    #[serde(flatten)]
    pub new: NewRequest,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was made.
    pub created: Timestamp,
    /// The first instant at which it is no longer pending.
    pub expires: Timestamp,
    /// While approved or collecting: the first instant at which it is over.
    pub until: Option<Timestamp>,
    /// What people said, in order.
    pub decisions: Vec<Decision>,
    /// Exchanges taken, in order.
    pub taken: Vec<Taken>,
    /// How many escalations were announced.
    pub escalated: u32,
    /// Why it ended, where no person ended it.
    pub cause: Option<String>,
    /// The last entry that changed it.
    pub version: u64,
}

/// What a decider is shown and the digest covers: no counters, and not the
/// whole of the policy.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    subject: &'a Subject,
    tags: &'a BTreeMap<String, String>,
    source: Option<IpAddr>,
    good_for: Option<IpNet>,
    required: &'a str,
    requesters: &'a BTreeSet<String>,
    reason: Option<&'a str>,
}

impl ApprovalRequest {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.new.id
    }

    /// What it needs.
    pub fn requirement(&self) -> &Requirement {
        &self.new.requirement
    }

    /// Where it stands at `now`: a deadline that has passed is judged from
    /// what is stored, whether or not anybody has tidied up.
    pub fn state_at(&self, now: Timestamp) -> ApprovalState {
        let over = self.until.is_some_and(|until| now >= until);
        match self.state {
            ApprovalState::Pending if now >= self.expires => ApprovalState::Expired,
            ApprovalState::Approved if over => ApprovalState::Expired,
            ApprovalState::Collecting if over => ApprovalState::Spent,
            state => state,
        }
    }

    /// The digest of what a decider is shown, the device's tags of the moment included.
    pub fn shown(&self, tags: &BTreeMap<String, String>) -> String {
        digest(&Shown {
            id: &self.new.id,
            subject: &self.new.subject,
            tags,
            source: self.new.source,
            good_for: self.new.good_for,
            required: &self.new.required,
            requesters: &self.new.requesters,
            reason: self.new.reason.as_deref(),
        })
    }

    /// Whose word brought it where it stands.
    pub fn winner(&self) -> Option<&Decision> {
        let deciding = match self.state {
            ApprovalState::Approved
            | ApprovalState::Collecting
            | ApprovalState::Spent
            | ApprovalState::Executing
            | ApprovalState::Executed => Verdict::Approve,
            ApprovalState::Denied => Verdict::Deny,
            ApprovalState::Rejected => Verdict::Reject,
            ApprovalState::Cancelled => Verdict::Cancel,
            ApprovalState::Pending | ApprovalState::Expired | ApprovalState::Superseded => {
                return None;
            }
        };
        let said = self.decisions.iter().rev();
        said.into_iter().find(|said| said.verdict == deciding)
    }

    /// Those who approve and have not said otherwise since.
    pub(super) fn approving(&self) -> impl Iterator<Item = &Decision> {
        self.decisions
            .iter()
            .filter(|said| said.verdict == Verdict::Approve)
    }
}
