//! Which rules cover a test's subject.

use std::collections::HashSet;
use std::net::IpAddr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::check::scope::Scope;
use crate::ir::people::Coverage;
use crate::ir::selector::{Actor, Atom, Selector};
use crate::ir::unlock::{Source, SourceLine};
use crate::ir::{Network, NetworkId, PersonId, ProfileId, ProjectId, ScheduleId, ServiceId, TagId};
use crate::request::{IssuanceRequest, effective_action};
use crate::san::parse_name;
use crate::vocabulary::Action;

/// One subject: its tags and, for a certificate request, its attributes.
#[derive(Default)]
pub(super) struct Point {
    tags: Vec<(TagId, String)>,
    project: Option<ProjectId>,
    profile: Option<ProfileId>,
    requester: Option<Actor>,
    action: Option<Action>,
}

impl Point {
    pub(super) fn device(tags: &[(TagId, String)]) -> Self {
        Point {
            tags: tags.to_vec(),
            ..Point::default()
        }
    }

    /// None where the project or profile is itself wrong.
    pub(super) fn request(request: &IssuanceRequest, scope: &Scope) -> Option<Self> {
        let names = &scope.names;
        let project = request.project.as_deref();
        let project = project.and_then(|name| names.find::<ProjectId>(name));
        let profile = request.profile.as_deref();
        let profile = profile.and_then(|name| names.find::<ProfileId>(name));
        let requester = request.requester.as_deref().and_then(|name| {
            let person = names.find::<PersonId>(name).map(Actor::Person);
            person.or_else(|| names.find::<ServiceId>(name).map(Actor::Service))
        });
        let mut tags = Vec::new();
        if let Some(project) = project {
            tags.extend(scope.projects.get(project)?.tags.iter().cloned());
        }
        if let Some(profile) = profile {
            tags.extend(scope.profiles.get(profile)?.tags.iter().cloned());
        }
        let names: Vec<_> = (request.san.iter())
            .map(|text| (text.as_str(), parse_name(text)))
            .collect();
        Some(Point {
            tags,
            project,
            profile,
            requester,
            action: Some(effective_action(request, &names).0),
        })
    }

    /// Whether a group that covers these is about this subject.
    pub(super) fn falls_under(&self, covers: &Coverage) -> bool {
        match (covers, self.action) {
            (Coverage::Unlock(selector), None) => self.matches(selector),
            (Coverage::Issuance(actions, selector), Some(action)) => {
                actions.contains(&action) && self.matches(selector)
            }
            (Coverage::Unlock(_), Some(_)) | (Coverage::Issuance(..), None) => false,
        }
    }

    pub(super) fn matches(&self, selector: &Selector) -> bool {
        match selector {
            Selector::Any => true,
            Selector::Or(parts) => parts.iter().any(|part| self.matches(part)),
            Selector::And(parts) => parts.iter().all(|part| self.matches(part)),
            Selector::Not(inner) => !self.matches(inner),
            Selector::Atom(atom) => self.holds(atom),
        }
    }

    fn holds(&self, atom: &Atom) -> bool {
        match atom {
            Atom::Tag(id, values) => {
                let mut tags = self.tags.iter();
                tags.any(|(tag, value)| tag == id && values.contains(value))
            }
            Atom::HasTag(id) => self.tags.iter().any(|(tag, _)| tag == id),
            Atom::Project(ids) => self.project.is_some_and(|id| ids.contains(&id)),
            Atom::HasProject => self.project.is_some(),
            Atom::Profile(ids) => self.profile.is_some_and(|id| ids.contains(&id)),
            Atom::HasProfile => self.profile.is_some(),
            Atom::Action(actions) => self.action.is_some_and(|action| actions.contains(&action)),
            Atom::HasAction => self.action.is_some(),
            Atom::Requester(actors) => self.requester.is_some_and(|actor| actors.contains(&actor)),
            Atom::HasRequester => self.requester.is_some(),
        }
    }
}

/// A schedule of a rule that covers this device and address, if there is one.
pub(super) fn schedule_that_matters(
    point: &Point,
    from: IpAddr,
    scope: &Scope,
) -> Option<ScheduleId> {
    let rules = scope.unlocks.iter().map(|(_, rule)| rule);
    rules
        .filter(|rule| point.matches(&rule.selector))
        .flat_map(|rule| rule.allow.iter().chain(&rule.deny))
        .filter(|line| covers(line, from, scope))
        .find_map(|line| line.during.first().copied())
}

fn covers(line: &SourceLine, from: IpAddr, scope: &Scope) -> bool {
    // Where no schedule stands, the networks need not be searched.
    !line.during.is_empty()
        && line.sources.iter().any(|source| match source {
            Source::Prefix(prefix) => prefix.contains(&from),
            Source::Network(id) => network_covers(*id, from, scope),
        })
}

fn network_covers(id: NetworkId, from: IpAddr, scope: &Scope) -> bool {
    let mut seen = HashSet::from([id]);
    let mut open = vec![id];
    while let Some(current) = open.pop() {
        // A network that is itself wrong was reported.
        let Some(network) = scope.networks.get(current) else {
            continue;
        };
        if has(network, from) {
            return true;
        }
        for &include in &network.includes {
            if seen.insert(include) {
                open.push(include);
            }
        }
    }
    false
}

/// Looks for each prefix that covers the address: networks may be long.
fn has(network: &Network, from: IpAddr) -> bool {
    match from {
        IpAddr::V4(address) => (0..=32).any(|length| {
            let prefix = Ipv4Net::new(address, length).map(|prefix| prefix.trunc());
            prefix.is_ok_and(|prefix| network.v4.binary_search(&prefix).is_ok())
        }),
        IpAddr::V6(address) => (0..=128).any(|length| {
            let prefix = Ipv6Net::new(address, length).map(|prefix| prefix.trunc());
            prefix.is_ok_and(|prefix| network.v6.binary_search(&prefix).is_ok())
        }),
    }
}
