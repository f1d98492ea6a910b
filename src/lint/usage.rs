//! Which declarations some other line of the set has to do with.

use std::collections::BTreeSet;

use crate::ir::people::{Approver, Coverage, Need, RoleGrant, Scope};
use crate::ir::selector::{Actor, Atom, Selector};
use crate::ir::test::Subject;
use crate::ir::unlock::{Claim, Source, SourceLine};
use crate::ir::{
    NetworkId, PersonId, PolicySet, ProfileId, ProjectId, ScheduleId, ServiceId, TagId, TeamId,
};
use crate::request::IssuanceRequest;

use super::points::each_atom;

/// What is used.
#[derive(Default)]
pub(super) struct Usage {
    pub(super) tags: BTreeSet<TagId>,
    pub(super) networks: BTreeSet<NetworkId>,
    pub(super) schedules: BTreeSet<ScheduleId>,
    pub(super) projects: BTreeSet<ProjectId>,
    pub(super) profiles: BTreeSet<ProfileId>,
    pub(super) persons: BTreeSet<PersonId>,
    pub(super) services: BTreeSet<ServiceId>,
    pub(super) teams: BTreeSet<TeamId>,
}

impl Usage {
    pub(super) fn of(set: &PolicySet) -> Self {
        let mut usage = Usage::default();
        usage.add_vocabulary(set);
        usage.add_people(set);
        usage.add_rules(set);
        usage.add_invariants(set);
        usage.add_tests(set);
        usage
    }

    fn add_vocabulary(&mut self, set: &PolicySet) {
        let networks = set.networks.iter();
        self.networks
            .extend(networks.flat_map(|(_, network)| &network.includes));
        for (id, project) in set.projects.iter() {
            self.tags.extend(project.tags.iter().map(|(tag, _)| *tag));
            self.projects
                .extend((!project.tags.is_empty()).then_some(id));
        }
        for (id, profile) in set.profiles.iter() {
            self.tags.extend(profile.tags.iter().map(|(tag, _)| *tag));
            self.profiles
                .extend((!profile.tags.is_empty()).then_some(id));
        }
    }

    fn add_people(&mut self, set: &PolicySet) {
        for (id, person) in set.persons.iter() {
            self.add_roles(&person.roles);
            self.persons
                .extend((!person.roles.is_empty()).then_some(id));
            self.persons
                .extend(person.delegations.iter().map(|one| one.to));
        }
        for (id, service) in set.services.iter() {
            self.add_roles(&service.roles);
            self.services
                .extend((!service.roles.is_empty()).then_some(id));
            self.persons.insert(service.owner);
        }
        for (_, team) in set.teams.iter() {
            self.persons.extend(&team.members);
        }
    }

    fn add_roles(&mut self, roles: &[RoleGrant]) {
        for grant in roles {
            match grant.scope {
                Scope::Org => {}
                Scope::Project(id) => {
                    self.projects.insert(id);
                }
            }
        }
    }

    fn add_rules(&mut self, set: &PolicySet) {
        for (_, rule) in set.unlocks.iter() {
            self.add_selector(&rule.selector);
            for line in rule.allow.iter().chain(&rule.deny) {
                self.add_line(line);
            }
        }
        for (_, rule) in set.allow_onces.iter() {
            self.add_selector(&rule.selector);
            self.add_approvers(&rule.by);
        }
        for (_, group) in set.approvals.iter() {
            self.add_coverage(&group.covers);
            self.add_approvers(&group.approvers);
            for escalation in &group.escalations {
                self.add_approvers(&escalation.to);
            }
            match &group.need {
                Need::Count(_) => {}
                Need::Clauses(clauses) => self.teams.extend(clauses.iter().map(|(_, team)| *team)),
            }
        }
        for (_, policy) in set.issuances.iter() {
            self.add_selector(&policy.selector);
        }
        for (_, bypass) in set.bypasses.iter() {
            self.add_coverage(&bypass.covers);
        }
    }

    fn add_invariants(&mut self, set: &PolicySet) {
        for (_, invariant) in set.invariants.iter() {
            for (_, claim) in &invariant.lines {
                match claim {
                    Claim::NeverAllowUnlock(region) | Claim::AlwaysReachableUnlock(region) => {
                        self.add_selector(&region.selector);
                        self.add_sources(region.from.iter().flat_map(|from| &from.sources));
                    }
                    Claim::NeverAllowIssuance(region) => self.add_selector(&region.selector),
                }
            }
        }
    }

    /// What a test speaks of somebody has a use for.
    fn add_tests(&mut self, set: &PolicySet) {
        for test in &set.tests {
            match &test.subject {
                Subject::Unlock(subject) => {
                    let tags = subject.tags.keys();
                    self.tags.extend(tags.filter_map(|tag| set.tags.find(tag)));
                }
                Subject::Issuance(request, _) => self.add_request(set, request),
            }
        }
    }

    fn add_request(&mut self, set: &PolicySet, request: &IssuanceRequest) {
        let project = request.project.as_deref();
        self.projects
            .extend(project.and_then(|name| set.projects.find(name)));
        let profile = request.profile.as_deref();
        self.profiles
            .extend(profile.and_then(|name| set.profiles.find(name)));
        if let Some(name) = request.requester.as_deref() {
            self.persons.extend(set.persons.find(name));
            self.services.extend(set.services.find(name));
        }
    }

    fn add_line(&mut self, line: &SourceLine) {
        self.add_sources(line.sources.iter());
        self.schedules.extend(&line.during);
    }

    fn add_sources<'a>(&mut self, sources: impl Iterator<Item = &'a Source>) {
        self.networks
            .extend(sources.filter_map(|source| match source {
                Source::Network(id) => Some(*id),
                Source::Prefix(_) => None,
            }));
    }

    fn add_approvers(&mut self, approvers: &[Approver]) {
        for approver in approvers {
            match approver {
                Approver::Team(id) => {
                    self.teams.insert(*id);
                }
                Approver::Person(id) => {
                    self.persons.insert(*id);
                }
            }
        }
    }

    fn add_coverage(&mut self, coverage: &Coverage) {
        match coverage {
            Coverage::Unlock(selector) | Coverage::Issuance(_, selector) => {
                self.add_selector(selector);
            }
        }
    }

    fn add_selector(&mut self, selector: &Selector) {
        each_atom(selector, &mut |atom| match atom {
            Atom::Tag(id, _) | Atom::HasTag(id) => {
                self.tags.insert(*id);
            }
            Atom::Project(ids) => self.projects.extend(ids),
            Atom::Profile(ids) => self.profiles.extend(ids),
            Atom::Requester(actors) => {
                for actor in actors {
                    match actor {
                        Actor::Person(id) => {
                            self.persons.insert(*id);
                        }
                        Actor::Service(id) => {
                            self.services.insert(*id);
                        }
                    }
                }
            }
            Atom::HasProject
            | Atom::HasProfile
            | Atom::Action(_)
            | Atom::HasAction
            | Atom::HasRequester => {}
        });
    }
}
