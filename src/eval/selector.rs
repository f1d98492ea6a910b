//! Whether a selector matches.

use super::subject::Subject;
use crate::ir::selector::{Atom, Selector};

/// Whether `selector` holds of `subject`.
pub(super) fn matches(selector: &Selector, subject: &Subject<'_>) -> bool {
    match selector {
        Selector::Any => true,
        Selector::Or(any) => any.iter().any(|one| matches(one, subject)),
        Selector::And(all) => all.iter().all(|one| matches(one, subject)),
        Selector::Not(inner) => !matches(inner, subject),
        Selector::Atom(atom) => holds(atom, subject),
    }
}

/// Whether one comparison holds; false where the tag or attribute is absent.
pub(super) fn holds(atom: &Atom, subject: &Subject<'_>) -> bool {
    match atom {
        Atom::Tag(id, values) => subject.tag(*id).is_some_and(|value| {
            values
                .binary_search_by(|one| one.as_str().cmp(value))
                .is_ok()
        }),
        Atom::HasTag(id) => subject.tag(*id).is_some(),
        Atom::Project(ids) => subject.project.is_some_and(|id| ids.contains(&id)),
        Atom::HasProject => subject.project.is_some(),
        Atom::Profile(ids) => subject.profile.is_some_and(|id| ids.contains(&id)),
        Atom::HasProfile => subject.profile.is_some(),
        Atom::Action(actions) => subject.action.is_some_and(|one| actions.contains(&one)),
        Atom::HasAction => subject.action.is_some(),
        Atom::Requester(actors) => subject.requester.is_some_and(|one| actors.contains(&one)),
        Atom::HasRequester => subject.requester.is_some(),
    }
}
