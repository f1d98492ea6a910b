//! Who may approve: teams expanded, tiers compared, delegates stood in, the
//! requester left out.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ir::people::{ApprovalGroup, Approver, RoleGrant, Scope};
use crate::ir::selector::Actor;
use crate::ir::{PersonId, PolicySet, ProjectId};
use crate::vocabulary::Role;

/// Who asks, and where; nobody and nowhere for an unlock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker {
    /// The requester.
    pub requester: Option<Actor>,
    /// The project of the request.
    pub project: Option<ProjectId>,
}

/// The person or service of a name.
pub fn find(set: &PolicySet, name: &str) -> Option<Actor> {
    let person = set.persons.find(name).map(Actor::Person);
    person.or_else(|| set.services.find(name).map(Actor::Service))
}

/// The person behind an actor: a service's is its owner.
pub fn person_behind(set: &PolicySet, actor: Actor) -> PersonId {
    match actor {
        Actor::Person(id) => id,
        Actor::Service(id) => set.services[id].owner,
    }
}

/// The persons who may approve for `group` at `at`: those it lists, those a
/// tier above, and who stands in for them; never the requester, nor a stand-in
/// for the requester.
pub fn effective(
    set: &PolicySet,
    group: &ApprovalGroup,
    asker: Asker,
    at: Timestamp,
) -> BTreeSet<PersonId> {
    let barred = asker.requester.map(|actor| person_behind(set, actor));
    let mut persons = listed(set, &group.approvers);
    if group.tier_above {
        persons.extend(tier_above(set, asker));
    }
    with_stand_ins(set, persons, barred, at)
}

/// These persons without the one `barred`, and who stands in for them at `at`.
pub fn with_stand_ins(
    set: &PolicySet,
    mut persons: BTreeSet<PersonId>,
    barred: Option<PersonId>,
    at: Timestamp,
) -> BTreeSet<PersonId> {
    persons.retain(|&person| Some(person) != barred);
    let delegates: Vec<PersonId> = persons
        .iter()
        .flat_map(|&person| &set.persons[person].delegations)
        .filter(|one| one.period.from <= at && at < one.period.until)
        .map(|one| one.to)
        .filter(|&to| Some(to) != barred)
        .collect();
    persons.extend(delegates);
    persons
}

/// The persons that `approvers` name, teams expanded.
pub fn listed(set: &PolicySet, approvers: &[Approver]) -> BTreeSet<PersonId> {
    let mut persons = BTreeSet::new();
    for approver in approvers {
        match approver {
            Approver::Person(id) => {
                persons.insert(*id);
            }
            Approver::Team(id) => persons.extend(&set.teams[*id].members),
        }
    }
    persons
}

/// The persons whose role is above the requester's on the same scope; for an
/// owner's request, the owners.
fn tier_above(set: &PolicySet, asker: Asker) -> impl Iterator<Item = PersonId> {
    let below = asker.requester.and_then(|actor| match actor {
        Actor::Person(id) => highest(&set.persons[id].roles, asker.project),
        Actor::Service(id) => highest(&set.services[id].roles, asker.project),
    });
    let persons = set.persons.iter();
    persons
        .filter(move |(_, person)| {
            let role = highest(&person.roles, asker.project);
            role > below || (below == Some(Role::Owner) && role == below)
        })
        .map(|(id, _)| id)
}

/// The highest role of an actor on the project of that name, or on org.
pub fn role_in(set: &PolicySet, actor: Actor, project: Option<&str>) -> Option<Role> {
    let project = project.and_then(|name| set.projects.find(name));
    match actor {
        Actor::Person(id) => highest(&set.persons[id].roles, project),
        Actor::Service(id) => highest(&set.services[id].roles, project),
    }
}

/// The highest role on the project or on org.
fn highest(roles: &[RoleGrant], project: Option<ProjectId>) -> Option<Role> {
    let here = |grant: &&RoleGrant| match grant.scope {
        Scope::Org => true,
        Scope::Project(id) => Some(id) == project,
    };
    roles.iter().filter(here).map(|grant| grant.role).max()
}
