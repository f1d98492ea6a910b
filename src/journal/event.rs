//! All that can happen to durable state.
//!
//! An event says what became true, not what was asked: applying it needs
//! nothing but the state before it. Its spelling in the journal is for good:
//! a kind is added, never changed, and a program that meets a kind it does
//! not know refuses the journal rather than pass over it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Hash;
use super::parts::{
    ApprovalUse, Generation, ImportedKey, JobClaim, JobResult, NewAuthority, NewBinding, NewJob,
    NewPermitKey, NewSchedule, NewToken, SealedSecret,
};
use crate::approval::{Arming, NewRequest, Step};
use crate::keyring::KeyId;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The journal began; always its first entry, and nowhere else.
    JournalCreated {
        /// The public key that its heads are signed under.
        audit_key: Hash,
        /// The private one.
        secret: SealedSecret,
    },
    /// A device exists now.
    DeviceEnrolled {
        /// Its name.
        name: String,
        /// Its tags.
        tags: BTreeMap<String, String>,
        /// Its bindings.
        bindings: Vec<NewBinding>,
        /// The enrollment key it used up one use of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enrollment_key: Option<String>,
    },
    /// A device has these tags now, and no others.
    DeviceTagged {
        /// Its name.
        name: String,
        /// All its tags.
        tags: BTreeMap<String, String>,
    },
    /// A device is denied until it is enabled.
    DeviceDisabled {
        /// Its name.
        name: String,
        /// Why, in the operator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A disabled device is active again.
    DeviceEnabled {
        /// Its name.
        name: String,
        /// Why, in the operator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A device is denied for good, and its keys are destroyed.
    DeviceRevoked {
        /// Its name.
        name: String,
        /// The data keys that are wiped with this entry.
        destroyed: Vec<KeyId>,
        /// Why, in the operator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A binding advertises new keys; the earlier ones still recover.
    KeyRotated {
        /// The device.
        name: String,
        /// The binding.
        binding: String,
        /// Its new keys.
        keys: Generation,
    },
    /// Earlier keys of a binding are destroyed.
    KeyRetired {
        /// The device.
        name: String,
        /// The binding.
        binding: String,
        /// The data keys that are wiped with this entry.
        destroyed: Vec<KeyId>,
    },
    /// A bearer token exists now.
    TokenCreated {
        /// The token.
        token: NewToken,
    },
    /// A bearer token no longer holds.
    TokenRevoked {
        /// Its id.
        id: String,
    },
    /// An enrollment key exists now.
    EnrollmentKeyCreated {
        /// Its id.
        id: String,
        /// The SHA-256 of the key.
        hash: Hash,
        /// The tags that devices get from it.
        tags: BTreeMap<String, String>,
        /// The first instant at which it no longer holds.
        expires: Timestamp,
        /// How many devices it enrolls.
        uses: u32,
    },
    /// An enrollment key no longer holds.
    EnrollmentKeyRevoked {
        /// Its id.
        id: String,
    },
    /// A policy came into force.
    PolicyReloaded {
        /// Its digest.
        digest: String,
        /// What it changed, in words.
        summary: String,
    },
    /// A policy was refused, and the one in force stayed.
    PolicyRejected {
        /// Its digest, where its bytes could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
        /// Why.
        summary: String,
    },
    /// A one-time claim was written to a file for an owner.
    ClaimIssued {
        /// The SHA-256 of the claim.
        hash: Hash,
        /// The person it is bound to.
        person: String,
        /// The first instant at which it no longer holds.
        expires: Timestamp,
    },
    /// The claim was turned into a token.
    Claimed {
        /// The SHA-256 of the claim.
        hash: Hash,
        /// The token it became.
        token: NewToken,
    },
    /// Keys of a Tang server were taken over.
    TangKeysImported {
        /// Where they were read from.
        source: String,
        /// The keys.
        keys: Vec<ImportedKey>,
    },
    /// A key taken over from Tang is destroyed.
    LegacyKeyDeleted {
        /// Its thumbprint under SHA-256.
        thumbprint: String,
        /// The data key that is wiped with this entry.
        destroyed: Vec<KeyId>,
    },
    /// Somebody is asked to decide.
    ApprovalRequested {
        /// What about.
        request: NewRequest,
    },
    /// An approval request took one step. Where that denies an unlock, a
    /// temporary denial begins; where it carries a change of tags, they change.
    ApprovalStepped {
        /// Its id.
        id: String,
        /// The step.
        step: Step,
    },
    /// An exchange is about to be answered that people, or a bypass, made possible.
    ExchangeGranted {
        /// The device.
        device: String,
        /// The binding.
        binding: String,
        /// From where it was asked.
        source: IpAddr,
        /// The approvals it takes an exchange of.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approvals: Vec<ApprovalUse>,
        /// The one-time unlocks it uses up.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        allow_once: Vec<String>,
        /// The bypass that stood in for approval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval_bypassed: Option<String>,
        /// [`SYSTEM_BYPASS`](super::SYSTEM_BYPASS), where a bypass stood in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decider: Option<String>,
    },
    /// Something was asked of the certificate side that the policy allows, or
    /// that people must approve.
    JobSubmitted {
        /// What.
        job: Box<NewJob>,
        /// Whom that makes wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<Box<NewRequest>>,
    },
    /// A job is being carried out; nobody else may.
    JobClaimed {
        /// Its id.
        id: String,
        /// What is fixed before.
        claim: JobClaim,
    },
    /// A job is over.
    JobFinished {
        /// Its id.
        id: String,
        /// What came of it.
        result: JobResult,
    },
    /// A job will not be carried out.
    JobEnded {
        /// Its id.
        id: String,
        /// Why.
        cause: String,
    },
    /// Certificates are renewed by themselves from now on.
    RenewalScheduled {
        /// Which, and by whom.
        schedule: Box<NewSchedule>,
    },
    /// They are no longer.
    RenewalStopped {
        /// The standing order.
        id: String,
        /// Why, in the operator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A certification authority exists now.
    AuthorityCreated {
        /// Which.
        authority: NewAuthority,
    },
    /// Permits are signed with a key from now on.
    PermitKeyCreated {
        /// Which.
        key: NewPermitKey,
    },
    /// A temporary denial no longer holds.
    DenialLifted {
        /// Its id.
        id: String,
        /// Why, in the operator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A one-time unlock was armed, or waits for others to arm it too.
    AllowOnceArmed {
        /// With what.
        arming: Arming,
        /// Everyone who counts as the one who armed it.
        persons: BTreeSet<String>,
    },
    /// One more person armed a one-time unlock.
    AllowOnceJoined {
        /// Its id.
        id: String,
        /// Everyone who counts as that person.
        persons: BTreeSet<String>,
    },
    /// A one-time unlock was taken back.
    AllowOnceWithdrawn {
        /// Its id.
        id: String,
        /// Why, in the operator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The clock jumped, and timed grants are frozen.
    ClockJumped {
        /// The latest instant that was trusted.
        trusted: Timestamp,
    },
    /// The clock is trusted again, by itself or by a person's word.
    ClockAccepted {
        /// Why.
        note: String,
    },
    /// The data keys were wrapped under another master key.
    MasterKeyChanged {},
    /// The head was signed and put where this server cannot reach it.
    HeadAnchored {
        /// The last entry it covers.
        seq: u64,
        /// That entry's hash.
        hash: Hash,
    },
    /// Somebody accepted that the journal does not reach an anchored head.
    HeadAccepted {
        /// The last entry that the head covered.
        seq: u64,
        /// That entry's hash.
        hash: Hash,
        /// Why, in the operator's words.
        note: String,
    },
    /// Live grants made before this entry have ended.
    EpochBumped {
        /// The new epoch.
        epoch: u64,
        /// Why.
        reason: String,
    },
    /// This state came from a backup; live grants made before it have ended.
    BackupRestored {
        /// The new epoch.
        epoch: u64,
        /// The last entry that the backup held.
        seq: u64,
    },
}

impl Event {
    /// The data keys that must be wiped before anybody is told of this event.
    pub fn destroys(&self) -> &[KeyId] {
        match self {
            Event::DeviceRevoked { destroyed, .. }
            | Event::KeyRetired { destroyed, .. }
            | Event::LegacyKeyDeleted { destroyed, .. } => destroyed,
            Event::JournalCreated { .. }
            | Event::DeviceEnrolled { .. }
            | Event::DeviceTagged { .. }
            | Event::DeviceDisabled { .. }
            | Event::DeviceEnabled { .. }
            | Event::KeyRotated { .. }
            | Event::TokenCreated { .. }
            | Event::TokenRevoked { .. }
            | Event::EnrollmentKeyCreated { .. }
            | Event::EnrollmentKeyRevoked { .. }
            | Event::PolicyReloaded { .. }
            | Event::PolicyRejected { .. }
            | Event::ClaimIssued { .. }
            | Event::Claimed { .. }
            | Event::TangKeysImported { .. }
            | Event::ApprovalRequested { .. }
            | Event::ApprovalStepped { .. }
            | Event::ExchangeGranted { .. }
            | Event::JobSubmitted { .. }
            | Event::JobClaimed { .. }
            | Event::JobFinished { .. }
            | Event::JobEnded { .. }
            | Event::AuthorityCreated { .. }
            | Event::RenewalScheduled { .. }
            | Event::RenewalStopped { .. }
            | Event::PermitKeyCreated { .. }
            | Event::DenialLifted { .. }
            | Event::AllowOnceArmed { .. }
            | Event::AllowOnceJoined { .. }
            | Event::AllowOnceWithdrawn { .. }
            | Event::ClockJumped { .. }
            | Event::ClockAccepted { .. }
            | Event::MasterKeyChanged {}
            | Event::HeadAnchored { .. }
            | Event::HeadAccepted { .. }
            | Event::EpochBumped { .. }
            | Event::BackupRestored { .. } => &[],
        }
    }
}
