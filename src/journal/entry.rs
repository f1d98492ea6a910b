//! One entry: who did what, when, under which policy.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Event, Hash};

/// Who acts. The person counts, whatever the credential, and so does whoever
/// minted it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The person or service; none where the server itself acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The id of the token used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The person who minted that token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minter: Option<String>,
}

impl Actor {
    /// The server itself.
    pub fn server() -> Self {
        Self::default()
    }

    /// A person, by no particular credential.
    pub fn person(name: impl Into<String>) -> Self {
        Actor {
            person: Some(name.into()),
            ..Self::default()
        }
    }
}

/// An entry that has not been written yet: it has no place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// When, by the clock of the one who asks for it.
    pub time: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// The digest of the policy in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What happened.
    pub event: Event,
}

/// An entry in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// Its hash, which binds all that stands before it.
    pub hash: Hash,
    /// What it says.
    pub draft: Draft,
}

impl Entry {
    /// What happened.
    pub fn event(&self) -> &Event {
        &self.draft.event
    }
}
