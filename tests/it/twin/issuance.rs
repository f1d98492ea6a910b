//! May this certificate be issued? Every violation of every matching policy,
//! each code once, in the order of the language.

use std::collections::BTreeSet;

use jiff::Timestamp;
use panopol::ir::issuance::IssuancePolicy;
use panopol::ir::people::{ApprovalGroup, Coverage};
use panopol::ir::selector::Actor;
use panopol::request::{Approved, IssuanceFacts, IssuanceRequest};
use panopol::vocabulary::{Action, Effect, IssuerType, KeyType, ReasonCode};

use super::approval::Gate;
use super::names::{Name, Written, allow_covers, deny_meets, parse_name};
use super::selector::{Subject, matches};
use super::{Twin, Verdict, matches_whole};

impl Twin {
    /// Decides a certificate request.
    pub(crate) fn issuance(
        &self,
        request: &IssuanceRequest,
        facts: &IssuanceFacts,
        at: Timestamp,
    ) -> Verdict {
        let Some(subject) = self.subject(request) else {
            return Verdict::deny(vec![ReasonCode::EvaluationIncomplete]);
        };
        let action = effective_action(request);
        let policies: Vec<&IssuancePolicy> = self
            .set
            .issuances
            .iter()
            .map(|(_, policy)| policy)
            .filter(|policy| matches(&self.set, &policy.selector, &subject))
            .collect();
        let free = matches!(action, Action::Revoke | Action::Distribute);
        if policies.is_empty() && !free && self.set.issuance_default == Effect::Deny {
            return Verdict::deny(vec![ReasonCode::Unregulated]);
        }
        let mut codes = match action {
            Action::Issue | Action::Renew | Action::Reissue => self.violations(request, &policies),
            Action::Export if policies.iter().any(|p| p.key_export_forbidden.is_some()) => {
                BTreeSet::from([ReasonCode::KeyExport])
            }
            Action::Export | Action::Revoke | Action::Distribute => BTreeSet::new(),
        };
        let covers = |coverage: &Coverage| match coverage {
            Coverage::Issuance(actions, selector) => {
                actions.contains(&action) && matches(&self.set, selector, &subject)
            }
            Coverage::Unlock(_) => false,
        };
        if codes.is_empty() {
            codes = self.unsaid(request, &self.groups(covers));
        }
        if !codes.is_empty() {
            return Verdict::deny(codes.into_iter().collect());
        }
        let approvals: Vec<&Approved> = facts.approvals.iter().collect();
        match self.gate(covers, &approvals, facts.allow_bypass, at) {
            Gate::Open(obligations) => Verdict::allow(obligations),
            Gate::Closed(groups) => Verdict::pending(groups),
        }
    }

    /// What selectors see; none where the request names what is not declared.
    pub(super) fn subject(&self, request: &IssuanceRequest) -> Option<Subject> {
        let set = &self.set;
        let mut subject = Subject {
            action: Some(effective_action(request)),
            ..Subject::default()
        };
        let mut tags = Vec::new();
        if let Some(name) = &request.project {
            let project = set.projects.find(name)?;
            subject.project = Some(project);
            tags.extend(&set.projects[project].tags);
        }
        if let Some(name) = &request.profile {
            let profile = set.profiles.find(name)?;
            subject.profile = Some(profile);
            tags.extend(&set.profiles[profile].tags);
        }
        if let Some(name) = &request.requester {
            let person = set.persons.find(name).map(Actor::Person);
            let service = set.services.find(name).map(Actor::Service);
            subject.requester = Some(person.or(service)?);
        }
        for (tag, value) in tags {
            subject
                .tags
                .insert(set.tags.name(*tag).to_owned(), value.clone());
        }
        Some(subject)
    }

    /// The codes of every violation; a set of codes is in the order of the language.
    fn violations(
        &self,
        request: &IssuanceRequest,
        policies: &[&IssuancePolicy],
    ) -> BTreeSet<ReasonCode> {
        let names: Vec<Option<Name>> = request.san.iter().map(|text| parse_name(text)).collect();
        let well: Vec<&Name> = names.iter().flatten().collect();
        let mut codes = intrinsic(request, &well);
        if names.contains(&None) {
            codes.insert(ReasonCode::SanMalformed);
        }
        let written: Vec<&[Written]> = policies
            .iter()
            .map(|policy| self.written[&policy.header.name].as_slice())
            .collect();
        for name in well {
            // A denied name is not reported again as not allowed.
            if written.iter().any(|rules| deny_meets(rules, name)) {
                codes.insert(ReasonCode::SanDenied);
            } else if written.iter().any(|rules| !allow_covers(rules, name)) {
                codes.insert(ReasonCode::SanNotAllowed);
            }
        }
        for policy in policies {
            codes.extend(self.fields(request, policy));
            codes.extend(self.values(request, policy));
        }
        codes
    }

    /// What `policy` demands of words and counts.
    fn fields(&self, request: &IssuanceRequest, policy: &IssuancePolicy) -> Vec<ReasonCode> {
        let mut codes = Vec::new();
        if let Some(rule) = &policy.key_types
            && !key_type(request).is_some_and(|known| rule.value.contains(&known))
        {
            codes.push(ReasonCode::KeyType);
        }
        if let Some(rule) = &policy.issuer_types
            && !issuer_type(request).is_some_and(|known| rule.value.contains(&known))
        {
            codes.push(ReasonCode::IssuerType);
        }
        if let Some(rule) = &policy.issuer_ids
            && !request
                .issuer_id
                .as_ref()
                .is_some_and(|id| rule.value.contains(id))
        {
            codes.push(ReasonCode::IssuerId);
        }
        let san_rule = !self.written[&policy.header.name].is_empty() || policy.san_max.is_some();
        let most = policy.san_max.as_ref().map_or(u64::MAX, |rule| rule.value);
        if (san_rule && request.san.is_empty()) || request.san.len() as u64 > most {
            codes.push(ReasonCode::SanCount);
        }
        codes
    }

    /// What `policy` demands of the name, the lifetime and renewal.
    fn values(&self, request: &IssuanceRequest, policy: &IssuancePolicy) -> Vec<ReasonCode> {
        let mut codes = Vec::new();
        if let Some(pattern) = self.naming.get(&policy.header.name)
            && !request
                .name
                .as_ref()
                .is_some_and(|name| matches_whole(pattern, name))
        {
            codes.push(ReasonCode::Naming);
        }
        if let Some(rule) = &policy.lifetime_max
            && request.lifetime_s.is_none_or(|asked| asked > rule.value)
        {
            codes.push(ReasonCode::Lifetime);
        }
        if policy.auto_renew_required.is_some() && request.auto_renew != Some(true) {
            codes.push(ReasonCode::AutoRenew);
        }
        codes
    }

    /// The reasons and tickets that `groups` demand and the request lacks.
    fn unsaid(&self, request: &IssuanceRequest, groups: &[&ApprovalGroup]) -> BTreeSet<ReasonCode> {
        let said =
            |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        let mut codes = BTreeSet::new();
        for group in groups {
            if group.reason_required && !said(&request.reason) {
                codes.insert(ReasonCode::ReasonRequired);
            }
            let passes = match self.tickets.get(&group.header.name) {
                None => true,
                Some(None) => said(&request.ticket),
                Some(Some(pattern)) => {
                    let ticket = request.ticket.as_ref();
                    ticket.is_some_and(|ticket| matches_whole(pattern, ticket))
                }
            };
            if !passes {
                codes.insert(ReasonCode::TicketRequired);
            }
        }
        codes
    }
}

/// What is wrong whatever the policies say; `well` are the names that are well formed.
fn intrinsic(request: &IssuanceRequest, well: &[&Name]) -> BTreeSet<ReasonCode> {
    let mut codes = BTreeSet::new();
    if request.key_type.is_some() && key_type(request).is_none() {
        codes.insert(ReasonCode::KeyType);
    }
    if request.issuer_type.is_some() && issuer_type(request).is_none() {
        codes.insert(ReasonCode::IssuerType);
    }
    if let Some(text) = &request.common_name
        && !well.iter().any(|name| name.is_written_as(text))
    {
        codes.insert(ReasonCode::CommonName);
    }
    if !request.unsupported.is_empty() {
        codes.insert(ReasonCode::UnsupportedField);
    }
    codes
}

fn key_type(request: &IssuanceRequest) -> Option<KeyType> {
    request.key_type.as_deref().and_then(KeyType::from_word)
}

fn issuer_type(request: &IssuanceRequest) -> Option<IssuerType> {
    request
        .issuer_type
        .as_deref()
        .and_then(IssuerType::from_word)
}

/// The action that is judged: a renewal or reissue of nothing known, or with
/// a name that the known certificate lacks, is an issue.
fn effective_action(request: &IssuanceRequest) -> Action {
    let follows = request.predecessor.as_ref().is_some_and(|known| {
        let known: Vec<Option<Name>> = known.san.iter().map(|text| parse_name(text)).collect();
        request.san.iter().all(|text| {
            let name = parse_name(text);
            name.is_some() && known.contains(&name)
        })
    });
    match request.action {
        Action::Renew | Action::Reissue if !follows => Action::Issue,
        action => action,
    }
}
