//! What holds for a while because a person said so: one-time unlocks, and
//! denials.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::request::Taken;
use crate::vocabulary::Override;

/// A denial of one device from some addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryDenial {
    /// Its id: that of the request that was denied.
    pub id: String,
    /// The device.
    pub device: String,
    /// From where: an IPv4 address, or the /64 of an IPv6 one.
    pub source: IpNet,
    /// When it began.
    pub since: Timestamp,
    /// The first instant at which it no longer holds.
    pub until: Timestamp,
    /// Who denied.
    pub by: String,
    /// Whether somebody lifted it.
    pub lifted: bool,
    /// The last entry that changed it.
    pub version: u64,
}

impl TemporaryDenial {
    /// Whether it holds at that time.
    pub fn holds(&self, now: Timestamp) -> bool {
        !self.lifted && now < self.until
    }
}

/// What a one-time unlock is armed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arming {
    /// Its id.
    pub id: String,
    /// The device.
    pub device: String,
    /// The policy's rule.
    pub rule: String,
    /// What it overrides.
    pub overrides: Vec<Override>,
    /// From where it holds; empty: anywhere, which never overrides `source`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpNet>,
    /// The first instant at which it no longer holds.
    pub until: Timestamp,
    /// How many persons must arm it: as many as the groups that it overrides need.
    pub needs: u32,
    /// Why, in the words of who armed it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A one-time unlock as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowOnce {
    /// What it was armed with.
    #[serde(flatten)]
    pub arming: Arming,
    /// Who armed it: each by name, with everyone who counts as the actor.
    pub armed_by: Vec<(String, BTreeSet<String>)>,
    /// When it was armed first.
    pub created: Timestamp,
    /// For which exchange it was used.
    pub spent: Option<Taken>,
    /// Whether somebody withdrew it, or a restored backup ended it.
    pub withdrawn: bool,
    /// The last entry that changed it.
    pub version: u64,
}

impl AllowOnce {
    /// Whether it may still come to hold, or holds.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.spent.is_none() && !self.withdrawn && now < self.arming.until
    }

    /// Whether it may be spent at that time. `may_arm` says who is entitled
    /// still: whoever lost that no longer counts.
    pub fn holds(&self, now: Timestamp, may_arm: impl Fn(&str) -> bool) -> bool {
        self.is_open(now) && self.armed(may_arm) >= self.arming.needs as usize
    }

    /// Whether who asks for `other` at `now` asks for what this one was armed with.
    pub fn is_what_asks(&self, other: &Arming, now: Timestamp) -> bool {
        let asked = |one: &Arming| {
            let Arming {
                device,
                rule,
                overrides,
                addresses,
                note,
                ..
            } = one.clone();
            (device, rule, overrides, addresses, note)
        };
        let long = self.arming.until.duration_since(self.created);
        let off = long - other.until.duration_since(now);
        // It was created a moment after it was asked for; spans are whole seconds.
        asked(&self.arming) == asked(other) && off.abs() < SignedDuration::from_millis(500)
    }

    /// How many distinct persons have armed it and are entitled.
    pub fn armed(&self, may_arm: impl Fn(&str) -> bool) -> usize {
        let entitled = self.armed_by.iter().filter(|(person, _)| may_arm(person));
        super::matching::voices(entitled.map(|(person, all)| (person.as_str(), all))).len()
    }
}
