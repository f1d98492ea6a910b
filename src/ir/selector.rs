//! What `where` means: a closed formula over tags and attributes.

use super::{PersonId, ProfileId, ProjectId, ServiceId, TagId};
use crate::vocabulary::Action;

/// A formula over one request's tags and attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Every device or request: no `where` was given.
    Any,
    /// Any of them, two or more.
    Or(Vec<Selector>),
    /// All of them, two or more.
    And(Vec<Selector>),
    /// Not it. `tag != value` is `Not(tag == value)`.
    Not(Box<Selector>),
    /// One comparison.
    Atom(Atom),
}

/// One comparison; false where the tag or attribute is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Atom {
    /// The tag's value is one of these (sorted, at least one).
    Tag(TagId, Vec<String>),
    /// The tag is present.
    HasTag(TagId),
    /// The project is one of these.
    Project(Vec<ProjectId>),
    /// A project is named.
    HasProject,
    /// The profile is one of these.
    Profile(Vec<ProfileId>),
    /// A profile is named.
    HasProfile,
    /// The action is one of these.
    Action(Vec<Action>),
    /// An action is named: always.
    HasAction,
    /// The requester is one of these.
    Requester(Vec<Actor>),
    /// A requester is named.
    HasRequester,
}

/// A person or a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A person.
    Person(PersonId),
    /// A service; its owner answers for it.
    Service(ServiceId),
}
