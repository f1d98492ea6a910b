//! What an approval group asks of people, so that two groups can be compared.

use std::collections::BTreeSet;

use crate::eval::people::listed;
use crate::ir::people::{ApprovalGroup, Need};
use crate::ir::{PersonId, PolicySet};

/// So many of these, for each clause; no person in two.
pub(super) struct Demand {
    pub(super) clauses: Vec<(usize, BTreeSet<PersonId>)>,
    /// Whether a role above the requester's entitles too: then more persons may
    /// fill the one clause than stand in it.
    by_tier: bool,
}

impl Demand {
    /// What `group` asks, with whomever it escalates to; who stands in for a
    /// while is left aside.
    pub(super) fn of(set: &PolicySet, group: &ApprovalGroup) -> Self {
        let clauses = match &group.need {
            Need::Count(count) => {
                let mut persons = listed(set, &group.approvers);
                for escalation in &group.escalations {
                    persons.extend(listed(set, &escalation.to));
                }
                vec![(count.get() as usize, persons)]
            }
            Need::Clauses(clauses) => clauses
                .iter()
                .map(|(count, team)| {
                    let members = set.teams[*team].members.iter().copied();
                    (count.get() as usize, members.collect())
                })
                .collect(),
        };
        Demand {
            clauses,
            by_tier: group.tier_above,
        }
    }

    /// How many persons it takes.
    pub(super) fn persons(&self) -> usize {
        let counts = self.clauses.iter().map(|(count, _)| *count);
        counts.fold(0, usize::saturating_add)
    }

    /// Whether whoever satisfies this satisfies `other` too; where that is not
    /// plain, no.
    fn implies(&self, other: &Demand) -> bool {
        if self.by_tier && !other.by_tier {
            return false;
        }
        let mut own: Vec<&(usize, BTreeSet<PersonId>)> = self.clauses.iter().collect();
        match other.clauses.as_slice() {
            // However the persons are chosen, so many of them are among the others'.
            [(count, persons)] => {
                let least = own.iter().map(|(own, of)| {
                    let outside = of.difference(persons).count();
                    own.saturating_sub(outside)
                });
                least.fold(0, usize::saturating_add) >= *count
            }
            // Each of the others' clauses by a clause of its own.
            clauses => clauses.iter().all(|(count, persons)| {
                let found = own
                    .iter()
                    .position(|(own, of)| own >= count && of.is_subset(persons));
                found.map(|at| own.swap_remove(at)).is_some()
            }),
        }
    }

    /// Whether it takes less than `other`: fewer persons, or whoever satisfies
    /// `other` satisfies this and not the other way round.
    pub(super) fn is_weaker_than(&self, other: &Demand) -> bool {
        self.persons() < other.persons() || (other.implies(self) && !self.implies(other))
    }

    /// Whether some choice of as many persons as this takes, from `persons`,
    /// would not satisfy it; and somebody who is in it.
    pub(super) fn escaped_by(&self, persons: &BTreeSet<PersonId>) -> Option<PersonId> {
        let needed = self.persons();
        if persons.len() < needed {
            return None;
        }
        self.clauses.iter().find_map(|(count, eligible)| {
            let mut others = persons.difference(eligible);
            let first = others.next().copied()?;
            // One fewer than the clause takes may still be of its people.
            (1 + others.count() + count.saturating_sub(1) >= needed).then_some(first)
        })
    }
}
