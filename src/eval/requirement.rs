//! What approval groups require of people at one instant: teams, roles and
//! delegations resolved to names, and the terms of several groups merged.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::people::{self, Asker, person_behind};
use crate::approval::{Clause, Escalation, GroupRequirement, Requirement, Terms};
use crate::ir::people::{ApprovalGroup, Need};
use crate::ir::{ApprovalId, PersonId, PolicySet};
use crate::vocabulary::Binds;

/// What `groups` require of a request; none where there is no group.
pub fn requirement(
    set: &PolicySet,
    groups: &[ApprovalId],
    asker: Asker,
    at: Timestamp,
) -> Option<Requirement> {
    let resolve = Resolve { set, asker, at };
    Some(Requirement {
        terms: terms(groups.iter().map(|&id| &set.approvals[id]))?,
        groups: groups.iter().map(|&id| resolve.group(id)).collect(),
    })
}

/// What a change needs that only a second person of every one of `groups` may
/// permit; none where there is no group. Its approvers may be nobody.
pub fn second_person(set: &PolicySet, groups: &[ApprovalId], at: Timestamp) -> Option<Requirement> {
    let resolve = Resolve {
        set,
        asker: Asker::default(),
        at,
    };
    let resolved = groups.iter().map(|&id| resolve.group(id).approvers);
    let eligible = resolved.reduce(|all, more| &all & &more)?;
    let names = groups.iter().map(|&id| set.approvals.name(id));
    let group = GroupRequirement {
        name: names.collect::<Vec<_>>().join(" + "),
        mandatory: false,
        clauses: vec![Clause {
            count: 1,
            team: None,
            eligible: eligible.clone(),
        }],
        approvers: eligible,
        escalations: Vec::new(),
    };
    Some(Requirement {
        groups: vec![group],
        terms: Terms {
            // It is the device that would change, from wherever it asks.
            binds: Binds::Device,
            ..terms(groups.iter().map(|&id| &set.approvals[id]))?
        },
    })
}

/// Whether `person` may arm one-time unlocks of `rule` at `at`.
pub fn may_arm(set: &PolicySet, rule: &str, person: &str, at: Timestamp) -> bool {
    let found = set.allow_onces.find(rule).zip(set.persons.find(person));
    found.is_some_and(|(rule, person)| {
        let by = people::listed(set, &set.allow_onces[rule].by);
        people::with_stand_ins(set, by, None, at).contains(&person)
    })
}

/// The shortest times, the narrowest binding, the longest denial.
fn terms<'a>(groups: impl Iterator<Item = &'a ApprovalGroup>) -> Option<Terms> {
    let each = groups.map(|group| Terms {
        expires_s: group.expires,
        claim_s: group.terms.claim,
        collect_s: group.terms.collect,
        up_to: group.terms.up_to.get(),
        binds: group.terms.binds,
        deny_for_s: group.terms.deny_for,
        comment_required: group.comment_required,
    });
    each.reduce(|a, b| Terms {
        expires_s: a.expires_s.min(b.expires_s),
        claim_s: a.claim_s.min(b.claim_s),
        collect_s: a.collect_s.min(b.collect_s),
        up_to: a.up_to.min(b.up_to),
        binds: a.binds.min(b.binds),
        deny_for_s: a.deny_for_s.max(b.deny_for_s),
        comment_required: a.comment_required || b.comment_required,
    })
}

/// Resolves people for one asker at one instant.
struct Resolve<'a> {
    set: &'a PolicySet,
    asker: Asker,
    at: Timestamp,
}

impl Resolve<'_> {
    fn group(&self, id: ApprovalId) -> GroupRequirement {
        let group = &self.set.approvals[id];
        let approvers = self.names(people::effective(self.set, group, self.asker, self.at));
        GroupRequirement {
            name: group.header.name.clone(),
            mandatory: group.mandatory,
            clauses: self.clauses(&group.need, &approvers),
            approvers,
            escalations: group
                .escalations
                .iter()
                .map(|one| Escalation {
                    after_s: one.after,
                    to: self.standing_in(people::listed(self.set, &one.to)),
                })
                .collect(),
        }
    }

    fn clauses(&self, need: &Need, approvers: &BTreeSet<String>) -> Vec<Clause> {
        match need {
            Need::Count(count) => vec![Clause {
                count: count.get(),
                team: None,
                eligible: approvers.clone(),
            }],
            Need::Clauses(clauses) => clauses
                .iter()
                .map(|&(count, team)| Clause {
                    count: count.get(),
                    team: Some(self.set.teams.name(team).to_owned()),
                    eligible: self
                        .standing_in(self.set.teams[team].members.iter().copied().collect()),
                })
                .collect(),
        }
    }

    fn standing_in(&self, persons: BTreeSet<PersonId>) -> BTreeSet<String> {
        let barred = self.asker.requester;
        let barred = barred.map(|actor| person_behind(self.set, actor));
        self.names(people::with_stand_ins(self.set, persons, barred, self.at))
    }

    fn names(&self, persons: BTreeSet<PersonId>) -> BTreeSet<String> {
        let names = persons
            .iter()
            .map(|&id| self.set.persons.name(id).to_owned());
        names.collect()
    }
}
