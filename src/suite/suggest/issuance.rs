//! Certificate requests that reach an issuance policy or an approval group, and
//! as far as can be found pass every policy that matches.

use super::{Block, sample, text};
use crate::decision::Decision;
use crate::eval::Program;
use crate::ir::issuance::IssuancePolicy;
use crate::ir::people::{ApprovalGroup, Coverage};
use crate::request::{IssuanceFacts, IssuanceRequest, Predecessor};
use crate::suite::coverage::{Kind, Reached, Unreached};
use crate::suite::outcome;
use crate::vocabulary::{Action, Outcome, ReasonCode};

/// How many requests are tried.
const BUDGET: usize = 3000;

/// A block that reaches `goal`: one that is not denied, if any is found.
pub(super) fn reach(program: &Program, goal: &Unreached) -> Option<Block> {
    let mut second = None;
    for request in subjects(program, goal).take(BUDGET) {
        if !is_reached(program, goal, &decide(program, &request)) {
            continue;
        }
        let request = completed(program, request);
        let decision = decide(program, &request);
        let block = Block {
            subject: text::request(&request),
            line: format!("issuance expect {}", outcome::found(&decision)),
            from: None,
            decision,
        };
        if !is_reached(program, goal, &block.decision) {
            continue;
        }
        if block.decision.outcome != Outcome::Deny {
            return Some(block);
        }
        second = second.or(Some(block));
    }
    second
}

fn decide(program: &Program, request: &IssuanceRequest) -> Decision {
    program.trace_issuance(
        request,
        &IssuanceFacts::default(),
        jiff::Timestamp::default(),
    )
}

fn is_reached(program: &Program, goal: &Unreached, decision: &Decision) -> bool {
    let mut reached = Reached::default();
    reached.add(program, None, decision);
    reached.has(program, goal.kind, &goal.name)
}

/// Who may ask what where: every action, project, profile and requester.
fn subjects<'a>(
    program: &'a Program,
    goal: &Unreached,
) -> impl Iterator<Item = IssuanceRequest> + use<'a> {
    let set = program.set();
    let actions: Vec<Action> = match goal.kind {
        Kind::Approval => match set
            .approvals
            .find(&goal.name)
            .map(|id| &set.approvals[id].covers)
        {
            Some(Coverage::Issuance(actions, _)) => actions.clone(),
            Some(Coverage::Unlock(_)) | None => Vec::new(),
        },
        Kind::Issuance => {
            use Action as A;
            vec![A::Issue, A::Renew, A::Reissue, A::Export]
        }
        Kind::Unlock | Kind::AllowOnce | Kind::Network => Vec::new(),
    };
    let owned = |names: Vec<&str>| -> Vec<Option<String>> {
        let some = names.into_iter().map(|name| Some(name.to_owned()));
        some.chain([None]).collect()
    };
    let projects = owned(set.projects.names().collect());
    let mut profiles = owned(set.profiles.names().collect());
    profiles.rotate_right(1);
    let mut requesters = owned(set.persons.names().chain(set.services.names()).collect());
    requesters.rotate_right(1);
    let mut all = Vec::new();
    for requester in &requesters {
        for profile in &profiles {
            for action in &actions {
                for project in &projects {
                    if all.len() < BUDGET {
                        all.push(bare(*action, [project, profile, requester]));
                    }
                }
            }
        }
    }
    all.into_iter()
}

/// A request of nothing but who asks what where.
fn bare(action: Action, [project, profile, requester]: [&Option<String>; 3]) -> IssuanceRequest {
    let follows = match action {
        Action::Renew | Action::Reissue => true,
        Action::Issue | Action::Revoke | Action::Export | Action::Distribute => false,
    };
    IssuanceRequest {
        action,
        project: project.clone(),
        profile: profile.clone(),
        requester: requester.clone(),
        name: None,
        key_type: None,
        issuer_type: None,
        issuer_id: None,
        san: Vec::new(),
        common_name: None,
        lifetime_s: None,
        auto_renew: None,
        reason: None,
        ticket: None,
        predecessor: follows.then(|| Predecessor {
            id: "the-one-before".to_owned(),
            san: Vec::new(),
        }),
        unsupported: Vec::new(),
    }
}

/// The request with what the policies and groups that it falls under ask for.
fn completed(program: &Program, mut request: IssuanceRequest) -> IssuanceRequest {
    let set = program.set();
    let traced = decide(program, &request);
    let entries = traced.trace.iter().flatten().filter(|entry| entry.matched);
    let rules: Vec<_> = entries.filter_map(|entry| entry.rule.as_ref()).collect();
    let named = |kind: &str| {
        let of_kind = rules.iter().filter(move |rule| rule.kind == kind);
        of_kind.map(|rule| rule.name.as_str()).collect::<Vec<_>>()
    };
    let policies = named("issuance").into_iter();
    let policies: Vec<&IssuancePolicy> = policies
        .filter_map(|name| set.issuances.find(name))
        .map(|id| &set.issuances[id])
        .collect();
    let groups = named("approval").into_iter();
    let groups: Vec<&ApprovalGroup> = groups
        .filter_map(|name| set.approvals.find(name))
        .map(|id| &set.approvals[id])
        .collect();
    let is_made = match request.action {
        Action::Issue | Action::Renew | Action::Reissue => true,
        Action::Revoke | Action::Export | Action::Distribute => false,
    };
    if is_made {
        fields(&policies, &mut request);
        names(program, &policies, &mut request);
    }
    demands(&groups, &mut request);
    request
}

/// A value of each field that every policy which names it allows.
fn fields(policies: &[&IssuancePolicy], request: &mut IssuanceRequest) {
    let key_types = policies.iter().filter_map(|one| one.key_types.as_ref());
    request.key_type = common(key_types.map(|rule| &rule.value)).map(|one| one.word().to_owned());
    let issuer_types = policies.iter().filter_map(|one| one.issuer_types.as_ref());
    request.issuer_type =
        common(issuer_types.map(|rule| &rule.value)).map(|one| one.word().to_owned());
    let issuer_ids = policies.iter().filter_map(|one| one.issuer_ids.as_ref());
    request.issuer_id = common(issuer_ids.map(|rule| &rule.value));
    let lifetimes = policies.iter().filter_map(|one| one.lifetime_max.as_ref());
    request.lifetime_s = lifetimes.map(|rule| rule.value).min();
    let renewed = policies.iter().any(|one| one.auto_renew_required.is_some());
    request.auto_renew = renewed.then_some(true);
    let naming: Vec<_> = policies
        .iter()
        .filter_map(|one| one.naming.as_ref())
        .collect();
    let made = naming
        .iter()
        .filter_map(|rule| sample::of_regex(&rule.value.text));
    let mut made: Vec<String> = made.collect();
    made.sort_by_key(|name| {
        let matching = naming.iter().filter(|rule| rule.value.regex.is_match(name));
        std::cmp::Reverse(matching.count())
    });
    request.name = made.into_iter().next();
}

/// The first value of the first list that is in all of them.
fn common<'a, T: Clone + PartialEq + 'a>(lists: impl Iterator<Item = &'a Vec<T>>) -> Option<T> {
    let lists: Vec<&Vec<T>> = lists.collect();
    let first = lists.first()?;
    let shared = first
        .iter()
        .find(|value| lists.iter().all(|list| list.contains(value)));
    shared.or(first.first()).cloned()
}

/// A name that is allowed: one after the other is tried.
fn names(program: &Program, policies: &[&IssuancePolicy], request: &mut IssuanceRequest) {
    let rules = policies.iter().flat_map(|one| &one.san);
    let allowed = rules.filter_map(|rule| rule.allow.as_ref()).flatten();
    let mut tried: Vec<String> = allowed.map(sample::of_pattern).collect();
    if tried.is_empty()
        && policies
            .iter()
            .any(|one| !one.san.is_empty() || one.san_max.is_some())
    {
        tried.push("dns:www.example.com".to_owned());
    }
    let mut ask = |names: Vec<String>| {
        if let Some(known) = &mut request.predecessor {
            known.san.clone_from(&names);
        }
        request.san = names;
        let decision = decide(program, request);
        !decision
            .reasons
            .iter()
            .any(|reason| is_of_names(reason.code))
    };
    let first = tried.first().cloned();
    if !tried.into_iter().take(64).any(|name| ask(vec![name])) {
        ask(first.into_iter().collect());
    }
}

fn is_of_names(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::SanMalformed
            | ReasonCode::SanCount
            | ReasonCode::SanDenied
            | ReasonCode::SanNotAllowed
    )
}

/// The reason and the ticket that groups demand.
fn demands(groups: &[&ApprovalGroup], request: &mut IssuanceRequest) {
    if groups.iter().any(|group| group.reason_required) {
        request.reason = Some("a test".to_owned());
    }
    let tickets: Vec<_> = groups
        .iter()
        .filter_map(|group| group.ticket.as_ref())
        .collect();
    let mut patterns = tickets.iter().filter_map(|rule| rule.pattern.as_ref());
    let made = patterns.find_map(|pattern| sample::of_regex(pattern.as_str()));
    if !tickets.is_empty() {
        request.ticket = made.or_else(|| Some("T-1".to_owned()));
    }
}
