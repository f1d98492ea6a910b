//! One difference: which requests, what becomes of them, why, and an example.

use serde::Serialize;

use crate::analyze::witness::UnlockWitness;
use crate::decision::RuleRef;
use crate::request::IssuanceRequest;
use crate::space::diagram::Diagram;

/// How a decision changes; allow is more than pending, and that more than deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It takes more to know than it may; counts as widened.
    NotDecided,
    /// More is let through.
    Widened,
    /// Less is let through.
    Narrowed,
    /// Something else is required, or others may do something.
    Changed,
    /// The same outcome for another reason.
    Relabelled,
}

/// What the whole of a change comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Every request is decided alike.
    None,
    /// More is let through somewhere, and nowhere less.
    Widened,
    /// Less is let through somewhere, and nowhere more.
    Narrowed,
    /// More here and less there.
    Both,
    /// What is required, or who may do something, is different.
    Changed,
    /// Only reasons are.
    Relabelled,
    /// It takes more to know than it may.
    NotDecided,
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The outcome of unlocks.
    Unlock,
    /// The outcome of certificate requests.
    Issuance,
    /// What must be approved, by whom, on what terms.
    Requirement,
    /// Who may arm a one-time unlock, and what it overrides.
    AllowOnce,
    /// Where approval is switched off.
    Bypass,
    /// Who may do what, and who stands in or answers for whom.
    Role,
}

/// Which of the two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The one that is.
    Old,
    /// The one that is to be.
    New,
}

impl Side {
    /// Its place in a pair of sets.
    pub const fn index(self) -> usize {
        match self {
            Side::Old => 0,
            Side::New => 1,
        }
    }

    /// Its part of a pair.
    pub const fn of<T>(self, pair: &[T; 2]) -> &T {
        let [old, new] = pair;
        match self {
            Side::Old => old,
            Side::New => new,
        }
    }

    /// Its part of a pair, to change.
    pub const fn of_mut<T>(self, pair: &mut [T; 2]) -> &mut T {
        let [old, new] = pair;
        match self {
            Side::Old => old,
            Side::New => new,
        }
    }

    /// The one that it is compared with.
    pub const fn other(self) -> Self {
        match self {
            Side::Old => Side::New,
            Side::New => Side::Old,
        }
    }
}

/// The rule that makes the difference, and the set that it stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    /// The rule.
    #[serde(flatten)]
    pub rule: RuleRef,
    /// The set that has it.
    pub side: Side,
}

/// Some requests, in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Which devices, or which certificate requests.
    pub matching: String,
    /// From where; absent where that does not matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// When; absent where that does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// With which value of which field; certificate requests alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

/// A request that both sets decide, differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Witness {
    /// An unlock of an active device.
    Unlock(UnlockWitness),
    /// A certificate request.
    Issuance(Box<IssuanceRequest>),
}

/// A request of a region, and what both sets make of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The request.
    pub request: Witness,
    /// What the old set decides: `deny source-denied`.
    pub before: String,
    /// What the new set decides.
    pub after: String,
    /// A `test` block that holds of the new set.
    pub test: String,
}

/// Which points a region holds, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Devices and times, each with classes of addresses.
    Unlock(Vec<(Diagram, Vec<usize>)>),
    /// Subjects of certificate requests.
    Issuance(Diagram),
    /// No points: a difference of another sort.
    Whole,
}

/// One difference.
#[derive(Clone, Debug, Serialize)]
pub struct Region {
    /// How it changes.
    pub class: Class,
    /// What it is about.
    pub kind: Kind,
    /// What is.
    pub before: String,
    /// What is to be.
    pub after: String,
    /// Which requests, in words: alternatives.
    #[serde(rename = "where")]
    pub places: Vec<Place>,
    /// Whether `places` says all of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub and_more: bool,
    /// One of them; none where the difference is not about requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Example>,
    /// The rule that makes the difference, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Cause>,
    /// Which points it holds.
    #[serde(skip)]
    pub extent: Extent,
}

impl Region {
    /// A question that was given up.
    pub(super) fn not_decided(kind: Kind, matching: impl Into<String>) -> Self {
        Region {
            class: Class::NotDecided,
            kind,
            before: "not decided".to_owned(),
            after: "not decided".to_owned(),
            places: vec![Place {
                matching: matching.into(),
                from: Vec::new(),
                when: None,
                with: None,
            }],
            and_more: false,
            witness: None,
            rule: None,
            extent: Extent::Whole,
        }
    }

    /// Gravest first; the rest so that the same change always reads alike.
    pub(super) fn order(&self) -> impl Ord + use<'_> {
        (
            self.class,
            self.kind,
            &self.rule,
            &self.before,
            &self.after,
            &self.places,
        )
    }
}
