//! What selectors look at: tags and attributes, resolved against the policy.

use std::collections::BTreeMap;

use super::index::Indices;
use super::people;
use super::selector::matches;
use crate::ir::people::Coverage;
use crate::ir::selector::Actor;
use crate::ir::table::Id;
use crate::ir::{
    AllowOnceId, ApprovalId, BypassId, PolicySet, ProfileId, ProjectId, TagId, UnlockId,
};
use crate::request::IssuanceRequest;
use crate::vocabulary::Action;

/// Why an evaluation cannot be completed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// A name that the policy does not declare.
    #[error("{what} `{name}` is not declared")]
    Undeclared {
        /// `tag`, `project`, `profile` or `requester`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A value outside a closed set.
    #[error("tag `{tag}` has no value `{value}`")]
    Value {
        /// The tag.
        tag: String,
        /// The value.
        value: String,
    },
    /// A required tag is absent.
    #[error("the required tag `{0}` is absent")]
    Missing(String),
}

/// The tags and attributes of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject<'a> {
    /// By [`TagId`]; past the end: absent.
    tags: Vec<Option<&'a str>>,
    pub(super) project: Option<ProjectId>,
    pub(super) profile: Option<ProfileId>,
    pub(super) action: Option<Action>,
    pub(super) requester: Option<Actor>,
}

impl<'a> Subject<'a> {
    /// The value of a tag.
    pub(super) fn tag(&self, id: TagId) -> Option<&'a str> {
        self.tags.get(id.index()).copied().flatten()
    }

    /// Every tag that it has, with its value.
    pub(super) fn tags(&self) -> impl Iterator<Item = (TagId, &'a str)> + '_ {
        let tags = self.tags.iter().enumerate();
        tags.filter_map(|(index, value)| Some((TagId::from_index(index), (*value)?)))
    }

    fn give(&mut self, id: TagId, value: &'a str) {
        if self.tags.len() <= id.index() {
            self.tags.resize(id.index() + 1, None);
        }
        if let Some(slot) = self.tags.get_mut(id.index()) {
            *slot = Some(value);
        }
    }

    /// A device's tags, held against what enrollment permits.
    pub(super) fn device(
        set: &PolicySet,
        tags: &'a BTreeMap<String, String>,
    ) -> Result<Self, Incomplete> {
        let mut subject = Subject::default();
        for (name, value) in tags {
            let id = set.tags.find(name).ok_or_else(|| undeclared("tag", name))?;
            if !set.tags[id].domain.contains(value) {
                return Err(Incomplete::Value {
                    tag: name.clone(),
                    value: value.clone(),
                });
            }
            subject.give(id, value);
        }
        let missing = set
            .tags
            .iter()
            .find(|&(id, tag)| tag.required && subject.tag(id).is_none());
        match missing {
            Some((id, _)) => Err(Incomplete::Missing(set.tags.name(id).to_owned())),
            None => Ok(subject),
        }
    }

    /// A certificate request's attributes, and the tags of its project and profile.
    pub(super) fn request(
        set: &'a PolicySet,
        request: &IssuanceRequest,
        action: Action,
    ) -> Result<Self, Incomplete> {
        let mut subject = Subject {
            action: Some(action),
            ..Subject::default()
        };
        if let Some(name) = &request.project {
            let id = set.projects.find(name);
            let id = id.ok_or_else(|| undeclared("project", name))?;
            subject.project = Some(id);
            for (tag, value) in &set.projects[id].tags {
                subject.give(*tag, value);
            }
        }
        if let Some(name) = &request.profile {
            let id = set.profiles.find(name);
            let id = id.ok_or_else(|| undeclared("profile", name))?;
            subject.profile = Some(id);
            for (tag, value) in &set.profiles[id].tags {
                subject.give(*tag, value);
            }
        }
        if let Some(name) = &request.requester {
            let actor = people::find(set, name);
            subject.requester = Some(actor.ok_or_else(|| undeclared("requester", name))?);
        }
        Ok(subject)
    }
}

fn undeclared(what: &'static str, name: &str) -> Incomplete {
    Incomplete::Undeclared {
        what,
        name: name.to_owned(),
    }
}

/// What a device's tags bring it under; each list sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class {
    /// The unlock rules that match.
    pub rules: Vec<UnlockId>,
    /// The approval groups that cover its unlocks.
    pub groups: Vec<ApprovalId>,
    /// The allow-once rules that match.
    pub allow_onces: Vec<AllowOnceId>,
    /// The bypasses that cover its unlocks.
    pub bypasses: Vec<BypassId>,
}

/// A class, or why there is none.
pub type Classified = Result<Class, Incomplete>;

/// Finds the class of a device of these tags.
pub(super) fn classify(
    set: &PolicySet,
    indices: &Indices,
    tags: &BTreeMap<String, String>,
) -> Classified {
    let device = Subject::device(set, tags)?;
    let mut class = Class {
        rules: indices.rules.candidates(&device),
        groups: indices.groups.candidates(&device),
        allow_onces: indices.allow_onces.candidates(&device),
        bypasses: indices.bypasses.candidates(&device),
    };
    let rules = &mut class.rules;
    rules.retain(|&id| matches(&set.unlocks[id].selector, &device));
    let groups = &mut class.groups;
    groups.retain(|&id| covers(&set.approvals[id].covers, &device));
    let allow_onces = &mut class.allow_onces;
    allow_onces.retain(|&id| matches(&set.allow_onces[id].selector, &device));
    let bypasses = &mut class.bypasses;
    bypasses.retain(|&id| covers(&set.bypasses[id].covers, &device));
    Ok(class)
}

/// Whether a group or a bypass is about this subject.
pub(super) fn covers(coverage: &Coverage, subject: &Subject<'_>) -> bool {
    match (coverage, subject.action) {
        (Coverage::Unlock(selector), None) => matches(selector, subject),
        (Coverage::Issuance(actions, selector), Some(action)) => {
            actions.contains(&action) && matches(selector, subject)
        }
        (Coverage::Unlock(_), Some(_)) | (Coverage::Issuance(..), None) => false,
    }
}
