//! Certificate requests as far as selectors tell them apart, and which
//! selectors hold of them.

use std::collections::BTreeMap;

use crate::ir::people::{RoleGrant, Scope};
use crate::ir::selector::{Actor, Atom, Selector};
use crate::ir::{PolicySet, ProfileId, ProjectId, TagId};
use crate::vocabulary::{Action, Role};

/// What is known of a request.
pub(super) struct Point<'a> {
    /// Its project, if it names one.
    pub(super) project: Option<ProjectId>,
    /// Its profile, if it names one.
    pub(super) profile: Option<ProfileId>,
    /// What is asked.
    pub(super) action: Action,
    /// Who asks; none: not known.
    pub(super) requester: Option<Actor>,
    tags: BTreeMap<TagId, &'a str>,
}

impl<'a> Point<'a> {
    /// A request with the tags that its project and profile give it.
    pub(super) fn new(
        set: &'a PolicySet,
        project: Option<ProjectId>,
        profile: Option<ProfileId>,
        action: Action,
    ) -> Self {
        let of_project = project.map(|id| &set.projects[id].tags);
        let of_profile = profile.map(|id| &set.profiles[id].tags);
        let tags = of_project.into_iter().chain(of_profile).flatten();
        Point {
            project,
            profile,
            action,
            requester: None,
            tags: tags.map(|(id, value)| (*id, value.as_str())).collect(),
        }
    }

    /// Whether `selector` holds; none where that depends on who asks.
    pub(super) fn satisfies(&self, selector: &Selector) -> Option<bool> {
        match selector {
            Selector::Any => Some(true),
            Selector::Not(inner) => self.satisfies(inner).map(|holds| !holds),
            Selector::Or(parts) => self.join(parts, true),
            Selector::And(parts) => self.join(parts, false),
            Selector::Atom(atom) => self.holds(atom),
        }
    }

    /// `and` or `or` over what is known; one part that is `decisive` decides.
    fn join(&self, parts: &[Selector], decisive: bool) -> Option<bool> {
        let mut joined = Some(!decisive);
        for part in parts {
            match self.satisfies(part) {
                Some(holds) if holds == decisive => return Some(decisive),
                Some(_) => {}
                None => joined = None,
            }
        }
        joined
    }

    fn holds(&self, atom: &Atom) -> Option<bool> {
        let is = match atom {
            Atom::Tag(id, values) => self
                .tags
                .get(id)
                .is_some_and(|value| values.iter().any(|one| one == value)),
            Atom::HasTag(id) => self.tags.contains_key(id),
            Atom::Project(ids) => self.project.is_some_and(|id| ids.contains(&id)),
            Atom::HasProject => self.project.is_some(),
            Atom::Profile(ids) => self.profile.is_some_and(|id| ids.contains(&id)),
            Atom::HasProfile => self.profile.is_some(),
            Atom::Action(actions) => actions.contains(&self.action),
            Atom::Requester(actors) => return self.requester.map(|actor| actors.contains(&actor)),
            Atom::HasAction | Atom::HasRequester => true,
        };
        Some(is)
    }
}

/// Each project, and none; for each, each profile, and none.
pub(super) fn scopes(
    set: &PolicySet,
) -> impl Iterator<Item = (Option<ProjectId>, Option<ProfileId>)> {
    let projects = set.projects.iter().map(|(id, _)| Some(id));
    projects.chain([None]).flat_map(|project| {
        let profiles = set.profiles.iter().map(|(id, _)| Some(id));
        profiles
            .chain([None])
            .map(move |profile| (project, profile))
    })
}

/// Whoever may ask for something in a project, or outside any: an operator or
/// above there or in org.
pub(super) fn askers(set: &PolicySet, project: Option<ProjectId>) -> Vec<Actor> {
    let may = |roles: &[RoleGrant]| {
        roles.iter().any(|grant| {
            let here = match grant.scope {
                Scope::Org => true,
                Scope::Project(id) => Some(id) == project,
            };
            here && grant.role >= Role::Operator
        })
    };
    let persons = set.persons.iter().filter(|(_, one)| may(&one.roles));
    let services = set.services.iter().filter(|(_, one)| may(&one.roles));
    let persons = persons.map(|(id, _)| Actor::Person(id));
    persons
        .chain(services.map(|(id, _)| Actor::Service(id)))
        .collect()
}

/// Calls `visit` with each comparison of `selector`.
pub(super) fn each_atom<'a>(selector: &'a Selector, visit: &mut impl FnMut(&'a Atom)) {
    match selector {
        Selector::Any => {}
        Selector::Not(inner) => each_atom(inner, visit),
        Selector::Or(parts) | Selector::And(parts) => {
            for part in parts {
                each_atom(part, visit);
            }
        }
        Selector::Atom(atom) => visit(atom),
    }
}
