//! What the store holds: one row for each thing, and its key.
//!
//! A row's `version` is the number of the last entry that changed it: what a
//! compare-and-swap compares.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::{AllowOnce, ApprovalRequest, TemporaryDenial};
use crate::journal::{
    Actor, Generation, Hash, JobClaim, JobResult, NewAuthority, NewJob, NewPermitKey, NewSchedule,
    PublicKey, SealedSecret,
};
use crate::request::IssuanceRequest;
use crate::vocabulary::{DeviceState, JobState, RevocationReason};

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its state.
    pub state: DeviceState,
    /// One for each of its LUKS volumes.
    pub bindings: Vec<Binding>,
    /// When it was enrolled.
    pub enrolled: Timestamp,
    /// The enrollment key that enrolled it.
    pub enrollment_key: Option<String>,
    /// The last entry that changed it.
    pub version: u64,
}

impl Device {
    /// The binding of that id.
    pub fn binding(&self, id: &str) -> Option<&Binding> {
        self.bindings.iter().find(|binding| binding.id == id)
    }
}

/// One binding of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Its id, unique in the device.
    pub id: String,
    /// The SHA-256 of its URL token.
    pub token: Hash,
    /// Its keys, newest first; the newest are advertised. None once revoked.
    pub keys: Vec<Generation>,
}

/// A bearer token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose it is.
    pub person: String,
    /// The SHA-256 of the token.
    pub hash: Hash,
    /// Who made it.
    pub minted_by: Actor,
    /// When it was made.
    pub created: Timestamp,
    /// The first instant at which it no longer holds.
    pub expires: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The last entry that changed it.
    pub version: u64,
}

impl Token {
    /// Whether it holds at that time.
    pub fn holds(&self, at: Timestamp) -> bool {
        !self.revoked && self.expires.is_none_or(|expires| at < expires)
    }
}

/// A key that devices enroll themselves with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollmentKey {
    /// Its id, which is no secret.
    pub id: String,
    /// The SHA-256 of the key.
    pub hash: Hash,
    /// The tags that devices get from it.
    pub tags: BTreeMap<String, String>,
    /// The first instant at which it no longer holds.
    pub expires: Timestamp,
    /// How many devices it may still enroll.
    pub uses_left: u32,
    /// Whether it was revoked, or ended by a restored backup.
    pub revoked: bool,
    /// The last entry that changed it.
    pub version: u64,
}

impl EnrollmentKey {
    /// Whether it may enroll a device at that time.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.lives(at) && self.uses_left > 0
    }

    /// Whether it holds, or has only been used up.
    pub fn lives(&self, at: Timestamp) -> bool {
        !self.revoked && at < self.expires
    }
}

/// A one-time claim of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The SHA-256 of the claim.
    pub hash: Hash,
    /// The person it is bound to.
    pub person: String,
    /// The first instant at which it no longer holds.
    pub expires: Timestamp,
    /// Whether it was used, or ended by a restored backup.
    pub ended: bool,
    /// The last entry that changed it.
    pub version: u64,
}

/// A key taken over from a Tang server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyKey {
    /// The public half.
    pub public: PublicKey,
    /// Whether it is advertised.
    pub advertised: bool,
    /// The private half.
    pub secret: SealedSecret,
    /// Where it was read from.
    pub source: String,
    /// The last entry that changed it.
    pub version: u64,
}

/// The policy last brought into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInForce {
    /// Its digest.
    pub digest: String,
    /// What it changed.
    pub summary: String,
    /// Since when.
    pub since: Timestamp,
}

/// A place in the journal that a signed head names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The entry.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// The one row about the store itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// The public key that heads are signed under.
    pub audit_key: Hash,
    /// The private one.
    pub audit_secret: SealedSecret,
    /// How often live grants were ended.
    pub epoch: u64,
    /// Grants made by an entry before this one have ended.
    pub grants_from: u64,
    /// The policy last brought into force.
    pub policy: Option<PolicyInForce>,
    /// The head that was last signed and put away.
    pub anchored: Option<Anchor>,
    /// The head that somebody accepted the lack of.
    pub accepted: Option<Anchor>,
    /// The last entry that changed it.
    pub version: u64,
}

/// A certification authority of panopol's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// What it began with.
    #[serde(flatten)]
    pub new: NewAuthority,
    /// When it was made.
    pub created: Timestamp,
    /// The last entry that changed it, or a certificate of it: its CRL's number.
    pub version: u64,
}

/// A key that permits are signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitKey {
    /// What it began with.
    #[serde(flatten)]
    pub new: NewPermitKey,
    /// When it was made.
    pub created: Timestamp,
    /// The last entry that changed it.
    pub version: u64,
}

/// Something asked of the certificate side, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What it began with.
    #[serde(flatten)]
    pub new: NewJob,
    /// The approval request that it waits or waited for.
    pub approval: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// What was fixed before it was carried out.
    pub claim: Option<JobClaim>,
    /// What came of it.
    pub result: Option<JobResult>,
    /// Why it ended undone.
    pub cause: Option<String>,
    /// Who asked.
    pub actor: Actor,
    /// When it was made.
    pub created: Timestamp,
    /// The last entry that changed it.
    pub version: u64,
}

/// A standing order to renew, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The certificate that is renewed next.
    #[serde(rename = "current")]
    pub certificate: String,
    /// What it began with.
    #[serde(flatten)]
    pub new: NewSchedule,
    /// The last job that it asked for.
    pub job: Option<String>,
    /// When it asked for that.
    pub tried: Option<Timestamp>,
    /// Whether somebody stopped it.
    pub stopped: bool,
    /// When it was enabled.
    pub created: Timestamp,
    /// The last entry that changed it.
    pub version: u64,
}

/// A certificate that was made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// What was asked for when it was made.
    pub request: IssuanceRequest,
    /// The job that made it.
    pub job: String,
    /// The certificate, PEM.
    pub pem: String,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Why it was revoked.
    #[serde(default)]
    pub reason: Option<RevocationReason>,
    /// The last entry that changed it.
    pub version: u64,
}

/// Declares the kinds of row: key variant, row variant, prefix of the stored key.
macro_rules! rows {
    ($($(#[doc = $doc:literal])* $kind:ident = $prefix:literal),+ $(,)?) => {
        /// Names a row.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RowKey { $($(#[doc = $doc])* $kind(String),)+ }

        /// A row.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Row { $($(#[doc = $doc])* $kind(Arc<$kind>),)+ }

        impl RowKey {
            /// The key as an index stores it.
            pub(super) fn stored(&self) -> String {
                match self { $(RowKey::$kind(name) => format!("{}/{name}", $prefix),)+ }
            }
        }

        impl Row {
            /// The row as an index stores it.
            pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $(Row::$kind(row) => serde_json::to_vec(&**row),)+ }
            }

            /// The row that an index stored, by its stored key.
            pub(super) fn decode(key: &str, bytes: &[u8]) -> Option<(RowKey, Row)> {
                let (prefix, name) = key.split_once('/')?;
                match prefix {
                    $($prefix => {
                        let row = Row::$kind(Arc::new(serde_json::from_slice(bytes).ok()?));
                        Some((RowKey::$kind(name.to_owned()), row))
                    })+
                    _ => None,
                }
            }
        }

        $(impl From<$kind> for Row {
            fn from(row: $kind) -> Self { Row::$kind(Arc::new(row)) }
        })+
    };
}

rows! {
    /// The store itself; its name is empty.
    System = "system",
    /// A device, by name.
    Device = "device",
    /// A bearer token, by id.
    Token = "token",
    /// An enrollment key, by id.
    EnrollmentKey = "enrollment-key",
    /// A claim, by the hexadecimal of its hash.
    Claim = "claim",
    /// A key of Tang's, by thumbprint.
    LegacyKey = "legacy-key",
    /// An approval request, by id.
    ApprovalRequest = "approval",
    /// A temporary denial, by the id of the request it came of.
    TemporaryDenial = "denial",
    /// A one-time unlock, by id.
    AllowOnce = "allow-once",
    /// A certification authority, by id.
    Authority = "authority",
    /// A key that permits are signed with, by id.
    PermitKey = "permit-key",
    /// A standing order to renew, by id.
    Schedule = "renewal",
    /// A job of the certificate side, by id.
    Job = "job",
    /// A certificate, by serial number.
    Certificate = "certificate",
}

impl Row {
    /// The row as one that concerns a device, where it is one.
    pub fn concern(&self) -> Option<Concern> {
        match self {
            Row::ApprovalRequest(row) => Some(Concern::ApprovalRequest(Arc::clone(row))),
            Row::TemporaryDenial(row) => Some(Concern::TemporaryDenial(Arc::clone(row))),
            Row::AllowOnce(row) => Some(Concern::AllowOnce(Arc::clone(row))),
            Row::System(_)
            | Row::Device(_)
            | Row::Token(_)
            | Row::EnrollmentKey(_)
            | Row::Claim(_)
            | Row::LegacyKey(_)
            | Row::Authority(_)
            | Row::PermitKey(_)
            | Row::Schedule(_)
            | Row::Job(_)
            | Row::Certificate(_) => None,
        }
    }
}

/// What a device asked people for, was granted by them, or was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// A request.
    ApprovalRequest(Arc<ApprovalRequest>),
    /// A denial.
    TemporaryDenial(Arc<TemporaryDenial>),
    /// A one-time unlock.
    AllowOnce(Arc<AllowOnce>),
}

impl Concern {
    /// The device; none for a certificate request.
    pub fn device(&self) -> Option<&str> {
        match self {
            Concern::ApprovalRequest(row) => row.new.subject.device(),
            Concern::TemporaryDenial(row) => Some(&row.device),
            Concern::AllowOnce(row) => Some(&row.arming.device),
        }
    }

    /// Its version and key, where nothing can become of it at `now`.
    pub(super) fn ended(&self, now: Timestamp) -> Option<(u64, RowKey)> {
        match self {
            Concern::ApprovalRequest(row) => (!row.state.is_open())
                .then(|| (row.version, RowKey::ApprovalRequest(row.id().to_owned()))),
            Concern::TemporaryDenial(row) => {
                (!row.holds(now)).then(|| (row.version, RowKey::TemporaryDenial(row.id.clone())))
            }
            Concern::AllowOnce(row) => {
                (!row.is_open(now)).then(|| (row.version, RowKey::AllowOnce(row.arming.id.clone())))
            }
        }
    }
}

impl RowKey {
    /// The key of the one row about the store itself.
    pub fn system() -> Self {
        RowKey::System(String::new())
    }
}
