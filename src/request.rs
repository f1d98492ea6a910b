//! The plain vocabulary of both request paths: what is asked, and what is
//! live beside it.
//!
//! Everything here is text and numbers as they come from a device, a CSR or a
//! record; names are resolved by `eval` against the policy of the moment, so
//! a recorded request can be judged by another policy. A request and its
//! facts are all that an evaluation is given.

mod action;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::vocabulary::{Action, DeviceState, Override};
pub use action::effective_action;

/// A device asks to take part in an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlockRequest {
    /// The device's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Its state.
    pub state: DeviceState,
    /// The address it asks from, IPv4-mapped folded by `eval`.
    pub source: IpAddr,
    /// The thumbprint of the exchange key asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// What is live beside an unlock request. What has ended is not given, but
/// `eval` looks at the deadlines again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnlockFacts {
    /// Temporary denials of this device.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denials: Vec<Denial>,
    /// One-time unlocks armed for this device.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_once: Vec<ArmedAllowOnce>,
    /// Approvals of this device that may still be spent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approved>,
    /// Whether bypasses hold: the server was started with `--allow-bypass`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_bypass: bool,
}

/// A temporary denial of one device from some addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// From where: an IPv4 address, or the /64 of an IPv6 one.
    pub source: IpNet,
    /// The first instant at which it no longer holds.
    pub until: Timestamp,
}

/// A one-time unlock that somebody armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmedAllowOnce {
    /// Its own id; what an obligation to spend it names.
    pub id: String,
    /// The policy's rule it was armed under.
    pub name: String,
    /// What it was armed to override.
    pub overrides: Vec<Override>,
    /// From where it holds; empty: anywhere, which never overrides `source`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpNet>,
    /// The first instant at which it no longer holds.
    pub until: Timestamp,
}

/// An approval that may still be spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The approval request's id.
    pub id: String,
    /// The groups it satisfies.
    pub groups: Vec<String>,
    /// The addresses it is good for, by what the groups bind; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpNet>,
    /// The first instant at which it no longer holds.
    pub until: Timestamp,
}

/// Somebody asks something of the certificate side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuanceRequest {
    /// What is asked.
    pub action: Action,
    /// In which project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Under which profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The person or service who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// The certificate's human-assigned name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The key's type and size; a word outside the closed ones never passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// The issuer's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_type: Option<String>,
    /// The issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_id: Option<String>,
    /// The names: `dns:…`, `ip:…`, `email:…`, `uri:…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub san: Vec<String>,
    /// The subject's common name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// The lifetime asked for, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_s: Option<u64>,
    /// Whether it renews by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_renew: Option<bool>,
    /// Why it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The certificate that a renewal or reissue follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<Predecessor>,
    /// What a CSR asks for that panopol does not judge; anything here never passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsupported: Vec<String>,
}

impl IssuanceRequest {
    /// A request that says nothing but its action.
    pub fn of(action: Action) -> Self {
        IssuanceRequest {
            action,
            project: None,
            profile: None,
            requester: None,
            name: None,
            key_type: None,
            issuer_type: None,
            issuer_id: None,
            san: Vec::new(),
            common_name: None,
            lifetime_s: None,
            auto_renew: None,
            reason: None,
            ticket: None,
            predecessor: None,
            unsupported: Vec::new(),
        }
    }
}

/// A known certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predecessor {
    /// Its id.
    pub id: String,
    /// Its names.
    pub san: Vec<String>,
}

/// What is live beside an issuance request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuanceFacts {
    /// Approvals of this request that may still be executed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approved>,
    /// Whether bypasses hold.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_bypass: bool,
}
