//! Which approval groups a request still waits for, and which approvals it spends.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;

use super::describe;
use super::fewest::fewest;
use super::people::{self, Asker};
use crate::address::{covers, fold_prefix};
use crate::ir::{ApprovalId, BypassId, PolicySet};
use crate::request::Approved;

/// The approvals that may be spent on one request.
#[derive(Clone, Copy)]
pub struct Live<'a> {
    /// The policy of the moment.
    pub set: &'a PolicySet,
    /// All that were given as live.
    pub approvals: &'a [Approved],
    /// The unlock's source, folded; none for a certificate request.
    pub source: Option<IpAddr>,
    /// The instant of the decision.
    pub at: Timestamp,
}

impl<'a> Live<'a> {
    /// Those that hold here and now.
    fn iter(self) -> impl Iterator<Item = &'a Approved> {
        self.approvals.iter().filter(move |one| self.holds(one))
    }

    /// Whether `one` holds here and now.
    pub fn holds(&self, one: &Approved) -> bool {
        let here = match (one.source, self.source) {
            (Some(prefix), Some(source)) => covers(fold_prefix(prefix), source),
            (None, _) | (Some(_), None) => true,
        };
        here && self.at < one.until
    }

    /// Whether one of them satisfies `group`.
    pub fn satisfies(self, group: ApprovalId) -> bool {
        self.iter().any(|one| names(self.set, one, group))
    }

    /// Whether they are enough for a request that `groups` cover: every
    /// mandatory group, or any one where none is mandatory.
    pub fn suffice(self, groups: &[ApprovalId]) -> bool {
        let mut mandatory = groups
            .iter()
            .filter(|&&id| self.set.approvals[id].mandatory);
        match mandatory.next() {
            None => groups.is_empty() || groups.iter().any(|&id| self.satisfies(id)),
            Some(&first) => self.satisfies(first) && mandatory.all(|&id| self.satisfies(id)),
        }
    }

    /// Those of `groups` that none of them satisfies.
    pub fn outstanding(self, groups: &[ApprovalId]) -> Vec<ApprovalId> {
        let open = groups.iter().filter(|&&id| !self.satisfies(id));
        open.copied().collect()
    }

    /// The approvals to spend where they suffice: the fewest that together
    /// satisfy every mandatory group, or any one group where none is mandatory.
    pub fn spend(self, groups: &[ApprovalId]) -> Vec<&'a Approved> {
        let set = self.set;
        let key = |one: &'a Approved| (one.until, one.id.as_str());
        let mandatory: Vec<ApprovalId> = (groups.iter().copied())
            .filter(|&id| set.approvals[id].mandatory)
            .collect();
        if mandatory.is_empty() {
            let any = |one: &Approved| groups.iter().any(|&id| names(set, one, id));
            return fewest(self.iter(), key, 1, |one, _| any(one));
        }
        fewest(self.iter(), key, mandatory.len(), |one, need| {
            mandatory.get(need).is_some_and(|&id| names(set, one, id))
        })
    }
}

fn names(set: &PolicySet, approval: &Approved, group: ApprovalId) -> bool {
    let name = set.approvals.name(group);
    approval.groups.iter().any(|one| one == name)
}

/// The first by name of `bypasses` that is not past its end.
pub fn bypass_in_force(
    set: &PolicySet,
    bypasses: &[BypassId],
    allowed: bool,
    at: Timestamp,
) -> Option<BypassId> {
    let mut in_force = bypasses.iter().copied();
    in_force.find(|&id| allowed && at < set.bypasses[id].until)
}

/// The names of `groups`.
pub(super) fn group_names(set: &PolicySet, groups: &[ApprovalId]) -> Vec<String> {
    let names = groups.iter().map(|&id| set.approvals.name(id).to_owned());
    names.collect()
}

/// The persons who may approve for any of `groups`, sorted.
pub(super) fn approvers(
    set: &PolicySet,
    groups: &[ApprovalId],
    asker: Asker,
    at: Timestamp,
) -> Vec<String> {
    let persons: BTreeSet<_> = groups
        .iter()
        .flat_map(|&id| people::effective(set, &set.approvals[id], asker, at))
        .collect();
    let names = persons.iter().map(|&id| set.persons.name(id).to_owned());
    names.collect()
}

/// What `groups`, which do not suffice, still wait for, in words; and that it is
/// in vain where nobody may approve.
pub(super) fn waits_for(
    live: Live<'_>,
    groups: &[ApprovalId],
    asker: Asker,
    at: Timestamp,
) -> String {
    let set = live.set;
    let open = live.outstanding(groups);
    let names = |ids: &[ApprovalId]| describe::ticked(ids.iter().map(|&id| set.approvals.name(id)));
    let mandatory: Vec<ApprovalId> = (open.iter().copied())
        .filter(|&id| set.approvals[id].mandatory)
        .collect();
    let waits = match (mandatory.as_slice(), open.as_slice()) {
        ([], [one]) | ([one], _) => format!("waits for approval by `{}`", set.approvals.name(*one)),
        ([], _) => format!("waits for approval by any one of {}", names(&open)),
        (several, _) => format!("waits for approval by each of {}", names(several)),
    };
    let due = if mandatory.is_empty() {
        &open
    } else {
        &mandatory
    };
    let nobody =
        |&id: &ApprovalId| people::effective(set, &set.approvals[id], asker, at).is_empty();
    let vain: Vec<ApprovalId> = due.iter().copied().filter(nobody).collect();
    // Of groups that each suffice, one with an approver is enough.
    let in_vain = !vain.is_empty() && (!mandatory.is_empty() || vain.len() == open.len());
    if in_vain {
        format!(
            "{waits}; nobody may approve for {} at this time",
            names(&vain)
        )
    } else {
        waits
    }
}
