//! What `where` means: a formula over present and absent tags and attributes.

use std::collections::BTreeMap;

use panopol::ir::selector::{Actor, Atom, Selector};
use panopol::ir::{PolicySet, ProfileId, ProjectId};
use panopol::request::IssuanceRequest;
use panopol::vocabulary::Action;

/// What a selector is asked about. On unlocks there are no attributes.
#[derive(Default)]
pub(super) struct Subject {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) project: Option<ProjectId>,
    pub(super) profile: Option<ProfileId>,
    pub(super) action: Option<Action>,
    pub(super) requester: Option<Actor>,
}

impl super::Twin {
    /// Whether a selector matches a device of these tags.
    pub(crate) fn selects(&self, selector: &Selector, tags: &BTreeMap<String, String>) -> bool {
        let subject = Subject {
            tags: tags.clone(),
            ..Subject::default()
        };
        matches(&self.set, selector, &subject)
    }

    /// Whether a selector matches a certificate request.
    pub(crate) fn selects_request(&self, selector: &Selector, request: &IssuanceRequest) -> bool {
        let subject = self.subject(request);
        subject.is_some_and(|subject| matches(&self.set, selector, &subject))
    }
}

pub(super) fn matches(set: &PolicySet, selector: &Selector, subject: &Subject) -> bool {
    match selector {
        Selector::Any => true,
        Selector::Or(parts) => parts.iter().any(|part| matches(set, part, subject)),
        Selector::And(parts) => parts.iter().all(|part| matches(set, part, subject)),
        Selector::Not(part) => !matches(set, part, subject),
        Selector::Atom(atom) => holds(set, atom, subject),
    }
}

fn holds(set: &PolicySet, atom: &Atom, subject: &Subject) -> bool {
    match atom {
        Atom::Tag(tag, values) => subject
            .tags
            .get(set.tags.name(*tag))
            .is_some_and(|value| values.contains(value)),
        Atom::HasTag(tag) => subject.tags.contains_key(set.tags.name(*tag)),
        Atom::Project(any) => subject
            .project
            .is_some_and(|project| any.contains(&project)),
        Atom::HasProject => subject.project.is_some(),
        Atom::Profile(any) => subject
            .profile
            .is_some_and(|profile| any.contains(&profile)),
        Atom::HasProfile => subject.profile.is_some(),
        Atom::Action(any) => subject.action.is_some_and(|action| any.contains(&action)),
        Atom::HasAction => subject.action.is_some(),
        Atom::Requester(any) => subject.requester.is_some_and(|actor| any.contains(&actor)),
        Atom::HasRequester => subject.requester.is_some(),
    }
}
