//! `need`: how many must approve, and whether there are so many.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use crate::diagnostic::Diagnostic;
use crate::ir::people::{Approver, Need};
use crate::ir::{PersonId, TeamId};
use crate::source::{Span, Spanned};
use crate::syntax::tree;

use super::codes::approvals as codes;
use super::lists::expect_distinct;
use super::report::Report;
use super::scope::Scope;

pub(super) fn resolve_need(need: &tree::Need, scope: &Scope, report: &mut Report) -> Option<Need> {
    match need {
        tree::Need::Count(count) => resolve_count(count, report).map(Need::Count),
        tree::Need::Clauses(clauses) => {
            let teams = clauses.iter().map(|c| (c.team.value.as_str(), c.team.span));
            expect_distinct(teams, |team| format!("of team {team}"), report);
            let resolved: Vec<Option<(NonZeroU32, TeamId)>> = clauses
                .iter()
                .map(|clause| {
                    let count = resolve_count(&clause.count, report);
                    let team = scope.resolve::<TeamId>(&clause.team, report);
                    Some((count?, team?))
                })
                .collect();
            let mut resolved: Vec<_> = resolved.into_iter().collect::<Option<_>>()?;
            resolved.sort_by_key(|&(_, team)| team);
            // A team that stands twice was reported; whether it can be met is not asked then.
            let repeated = resolved
                .windows(2)
                .any(|pair| matches!(pair, [(_, a), (_, b)] if a == b));
            if repeated {
                return None;
            }
            Some(Need::Clauses(resolved))
        }
    }
}

/// A number of persons or uses.
pub(super) fn resolve_count(count: &Spanned<u64>, report: &mut Report) -> Option<NonZeroU32> {
    let found = u32::try_from(count.value).ok().and_then(NonZeroU32::new);
    if found.is_none() {
        let message = if count.value == 0 {
            "zero is no number here".to_owned()
        } else {
            format!("`{}` is too large a number here", count.value)
        };
        let diagnostic = Diagnostic::new(&codes::NUMBER_OUT_OF_RANGE, count.span, message);
        report.push(diagnostic.help(format!("write a number from 1 to {}", u32::MAX)));
    }
    found
}

/// Reports a need that the group's people cannot meet. `span` is the statement.
pub(super) fn expect_meetable(
    need: &Need,
    approvers: &[Approver],
    tier_above: bool,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<()> {
    let unmeetable = match need {
        Need::Count(count) => {
            let enough = count.get() as usize;
            let people = people_of(approvers, tier_above, enough, scope)?;
            let listed = people.len();
            (listed < enough).then(|| {
                format!(
                    "{count} persons are needed, but only {} may approve",
                    persons(listed)
                )
            })
        }
        Need::Clauses(clauses) => unmet_clause(clauses, scope)?,
    };
    if let Some(message) = unmeetable {
        let diagnostic = Diagnostic::new(&codes::UNMEETABLE_NEED, span, message);
        report.push(
            diagnostic.help("name more people, or need fewer: no request could ever be approved"),
        );
    }
    Some(())
}

fn persons(count: usize) -> String {
    match count {
        1 => "1 person".to_owned(),
        count => format!("{count} persons"),
    }
}

/// Everybody who may approve. With `tier-above`, whoever has a role may, for
/// some requester; that is not asked where there are `enough` without. None
/// where a team is wrong.
fn people_of(
    approvers: &[Approver],
    tier_above: bool,
    enough: usize,
    scope: &Scope,
) -> Option<BTreeSet<PersonId>> {
    let mut people = BTreeSet::new();
    for approver in approvers {
        match approver {
            Approver::Person(person) => {
                people.insert(*person);
            }
            Approver::Team(team) => people.extend(&scope.teams.get(*team)?.members),
        }
    }
    if tier_above && people.len() < enough {
        if !scope.persons.is_whole() {
            return None;
        }
        let with_role = scope
            .persons
            .iter()
            .filter(|(_, person)| !person.roles.is_empty());
        people.extend(with_role.map(|(id, _)| id));
    }
    Some(people)
}

/// What to say of clauses that no choice of distinct persons fills. None
/// outside where a team is wrong.
fn unmet_clause(clauses: &[(NonZeroU32, TeamId)], scope: &Scope) -> Option<Option<String>> {
    let mut matching = Matching::default();
    for &(_, team) in clauses {
        matching.teams.push(&scope.teams.get(team)?.members);
    }
    for (index, &(count, team)) in clauses.iter().enumerate() {
        let name = team_name(team, scope);
        let size = matching.teams.get(index).map_or(0, |members| members.len());
        if count.get() as usize > size {
            return Some(Some(format!(
                "{count} of team `{name}` are needed, but it has {}",
                persons(size)
            )));
        }
        for _ in 0..count.get() {
            if !matching.fill(index) {
                return Some(Some(format!(
                    "no choice of distinct persons fills every clause: too few are left for team `{name}`"
                )));
            }
        }
    }
    Some(None)
}

fn team_name(team: TeamId, scope: &Scope) -> String {
    let team = scope.teams.get(team);
    team.map_or_else(String::new, |team| team.header.name.clone())
}

/// Persons to clauses, each person to at most one.
#[derive(Default)]
struct Matching<'a> {
    teams: Vec<&'a [PersonId]>,
    taken: BTreeMap<PersonId, usize>,
}

impl Matching<'_> {
    /// Gives `clause` one person more, moving others where that helps.
    fn fill(&mut self, clause: usize) -> bool {
        // Breadth first over clauses: `via` says whom each would give up, and to which clause.
        let mut via: BTreeMap<usize, (PersonId, usize)> = BTreeMap::new();
        let mut queue = vec![clause];
        let mut next = 0;
        while let Some(&current) = queue.get(next) {
            next += 1;
            for &person in self.teams.get(current).copied().unwrap_or_default() {
                match self.taken.get(&person) {
                    None => {
                        self.take(person, current, clause, &via);
                        return true;
                    }
                    Some(&owner) if owner != clause && !via.contains_key(&owner) => {
                        via.insert(owner, (person, current));
                        queue.push(owner);
                    }
                    Some(_) => {}
                }
            }
        }
        false
    }

    fn take(
        &mut self,
        person: PersonId,
        mut taker: usize,
        wanted: usize,
        via: &BTreeMap<usize, (PersonId, usize)>,
    ) {
        self.taken.insert(person, taker);
        while taker != wanted {
            let Some(&(given_up, to)) = via.get(&taker) else {
                return;
            };
            self.taken.insert(given_up, to);
            taker = to;
        }
    }
}
