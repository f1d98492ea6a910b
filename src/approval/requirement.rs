//! What must be met for a request: groups, clauses and terms, with every
//! team, role and delegation resolved to the names of persons.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::matching::fill;
use crate::vocabulary::Binds;

/// What one request needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The groups that cover it, sorted by name, at least one.
    pub groups: Vec<GroupRequirement>,
    /// What holds of all of them together.
    pub terms: Terms,
}

/// What one group needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRequirement {
    /// The group.
    pub name: String,
    /// Whether it must be satisfied besides others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Every one must be filled, each by persons of its own.
    pub clauses: Vec<Clause>,
    /// Everyone who may decide for it.
    pub approvers: BTreeSet<String>,
    /// Who is added after a while, by time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
}

/// So many distinct persons of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// How many, at least one.
    pub count: u32,
    /// The team they must come from; none: any approver of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Who may fill it.
    pub eligible: BTreeSet<String>,
}

/// Approvers added while a request is pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// After so many seconds.
    pub after_s: u64,
    /// Whom it adds.
    pub to: BTreeSet<String>,
}

/// What holds of a request once several groups are merged: the shortest times,
/// the narrowest binding, the longest denial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Pending this many seconds ends it.
    pub expires_s: u64,
    /// Seconds from approval to the first exchange.
    pub claim_s: u64,
    /// Seconds from the first exchange in which others may follow.
    pub collect_s: u64,
    /// Exchanges for each binding in that window.
    pub up_to: u32,
    /// What an approval is good for.
    pub binds: Binds,
    /// Seconds that a denial blocks.
    pub deny_for_s: u64,
    /// Whether rejecting takes a comment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub comment_required: bool,
}

/// What a requirement's digest covers: who is in a team today is not part of it.
#[derive(Serialize)]
struct Required<'a> {
    groups: Vec<RequiredGroup<'a>>,
    binds: Binds,
}

#[derive(Serialize)]
struct RequiredGroup<'a> {
    name: &'a str,
    mandatory: bool,
    /// Each clause's count and team.
    clauses: Vec<(u32, Option<&'a str>)>,
}

impl Requirement {
    /// The digest of what is required: groups, clauses and source binding. A
    /// request whose digest is no longer that of the policy is superseded.
    pub fn digest(&self) -> String {
        let groups = self.groups.iter().map(|group| {
            let clauses = group.clauses.iter();
            RequiredGroup {
                name: &group.name,
                mandatory: group.mandatory,
                clauses: clauses
                    .map(|one| (one.count, one.team.as_deref()))
                    .collect(),
            }
        });
        digest(&Required {
            groups: groups.collect(),
            binds: self.terms.binds,
        })
    }

    /// The groups that decide: the mandatory ones, or all where none is.
    pub(super) fn deciding(&self) -> impl Iterator<Item = &GroupRequirement> {
        let any = self.groups.iter().any(|group| group.mandatory);
        let groups = self.groups.iter();
        groups.filter(move |group| group.mandatory == any)
    }

    /// How many persons it takes: those of every mandatory group, or of the
    /// group that takes fewest where none is mandatory.
    pub fn persons(&self) -> u32 {
        let count = |group: &GroupRequirement| {
            let counts = group.clauses.iter().map(|clause| clause.count);
            counts.fold(0, u32::saturating_add)
        };
        match self.groups.iter().any(|group| group.mandatory) {
            true => self.deciding().map(count).fold(0, u32::saturating_add),
            false => self.deciding().map(count).min().unwrap_or(0),
        }
    }

    /// Whether these persons together could satisfy it, escalations included:
    /// else nobody ever will.
    pub fn can_be_met_without(&self, barred: &BTreeSet<String>) -> bool {
        let ever = self.both(self, SignedDuration::MAX);
        let everyone = ever.groups.iter().flat_map(|group| &group.approvers);
        let voices: Vec<_> = everyone
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|person| !barred.contains(*person))
            .map(|person| BTreeSet::from([person.clone()]))
            .collect();
        let mut deciding = ever.deciding().peekable();
        match deciding.peek().is_some_and(|group| group.mandatory) {
            true => fill(deciding, &voices),
            false => deciding.any(|group| fill(std::iter::once(group), &voices)),
        }
    }

    /// Everyone who may decide on a request that has been pending for so long.
    pub fn approvers(&self, pending: SignedDuration) -> BTreeSet<String> {
        let groups = self.groups.iter();
        groups
            .flat_map(|group| group.approvers_after(pending))
            .collect()
    }

    /// What both `self`, as recorded, and `now`, as the policy of the moment
    /// has it, entitle: a person must be in each. Both have one digest.
    pub(super) fn both(&self, now: &Requirement, pending: SignedDuration) -> Requirement {
        let groups = self.groups.iter().zip(&now.groups);
        Requirement {
            groups: groups.map(|(then, now)| then.both(now, pending)).collect(),
            terms: self.terms.clone(),
        }
    }
}

impl GroupRequirement {
    fn added(&self, pending: SignedDuration) -> impl Iterator<Item = &String> {
        let due = self.escalations.iter().filter(move |escalation| {
            i64::try_from(escalation.after_s).is_ok_and(|after| pending.as_secs() >= after)
        });
        due.flat_map(|escalation| &escalation.to)
    }

    fn approvers_after(&self, pending: SignedDuration) -> BTreeSet<String> {
        let added = self.added(pending);
        self.approvers.iter().chain(added).cloned().collect()
    }

    fn both(&self, now: &GroupRequirement, pending: SignedDuration) -> GroupRequirement {
        let eligible = |group: &GroupRequirement, clause: &Clause| -> BTreeSet<String> {
            // A clause that names a team takes nobody else, however urgent.
            match clause.team {
                Some(_) => clause.eligible.clone(),
                None => group.approvers_after(pending),
            }
        };
        let clauses = self.clauses.iter().zip(&now.clauses);
        GroupRequirement {
            name: self.name.clone(),
            mandatory: self.mandatory,
            clauses: clauses
                .map(|(a, b)| Clause {
                    eligible: &eligible(self, a) & &eligible(now, b),
                    ..a.clone()
                })
                .collect(),
            approvers: &self.approvers_after(pending) & &now.approvers_after(pending),
            escalations: Vec::new(),
        }
    }

    /// The escalations that are due at `now` on a request created at `created`.
    pub fn due(&self, created: Timestamp, now: Timestamp) -> impl Iterator<Item = &Escalation> {
        let pending = now.duration_since(created);
        let due = self.escalations.iter();
        due.filter(move |one| i64::try_from(one.after_s).is_ok_and(|s| pending.as_secs() >= s))
    }
}

/// SHA-256 of a value's JSON: structs in the order declared, maps and sets in
/// the order of their keys, so one value has one digest.
pub(super) fn digest(value: &impl Serialize) -> String {
    use std::fmt::Write;
    // Plain data with string keys: it cannot fail, and if it did every digest would differ.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(&bytes) {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
