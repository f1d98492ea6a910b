//! Teams, and lists of people.

use crate::ir::people::{Approver, Team};
use crate::ir::{PersonId, TeamId};
use crate::syntax::tree::{self, TeamItem};

use super::lists::expect_distinct;
use super::report::Report;
use super::scope::{Scope, header};

pub(super) fn resolve_team(item: &TeamItem, scope: &Scope, report: &mut Report) -> Option<Team> {
    let names = item
        .members
        .iter()
        .map(|name| (name.value.as_str(), name.span));
    expect_distinct(names, |name| (*name).to_owned(), report);
    let resolved: Vec<Option<PersonId>> = item
        .members
        .iter()
        .map(|name| scope.resolve::<PersonId>(name, report))
        .collect();
    let mut members: Vec<PersonId> = resolved.into_iter().collect::<Option<_>>()?;
    members.sort();
    members.dedup();
    Some(Team {
        header: header(&item.name),
        members,
    })
}

/// Teams and persons, sorted.
pub(super) fn resolve_approvers(
    listed: &[tree::Approver],
    scope: &Scope,
    report: &mut Report,
) -> Option<Vec<Approver>> {
    let words = listed.iter().map(|approver| match approver {
        tree::Approver::Team(name) => (format!("team {}", name.value), name.span),
        tree::Approver::Person(name) => (format!("person {}", name.value), name.span),
    });
    expect_distinct(words, Clone::clone, report);
    let resolved: Vec<Option<Approver>> = listed
        .iter()
        .map(|approver| match approver {
            tree::Approver::Team(name) => scope.resolve::<TeamId>(name, report).map(Approver::Team),
            tree::Approver::Person(name) => scope
                .resolve::<PersonId>(name, report)
                .map(Approver::Person),
        })
        .collect();
    let mut approvers: Vec<Approver> = resolved.into_iter().collect::<Option<_>>()?;
    approvers.sort();
    approvers.dedup();
    Some(approvers)
}
