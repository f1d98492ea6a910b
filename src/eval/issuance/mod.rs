//! The issuance decision: every policy that matches must pass, every violation
//! is reported, and then people may be asked.
//!
//! [`effective_action`] says which action it is, [`fields`] and [`names`] hold the
//! request against a policy, [`report`] puts violations into their order.

mod fields;
pub(super) mod index;
mod names;
mod report;

use jiff::Timestamp;

use super::approval::{self, Live, bypass_in_force};
use super::people::Asker;
use super::requirement::requirement;
use super::selector::matches;
use super::subject::{Incomplete, Subject, covers};
use super::{Program, describe, place};
use crate::approval::Requirement;
use crate::decision::{Decision, Obligation, Reason, RuleRef, Violation};
use crate::ir::{ApprovalId, BypassId, IssuanceId, PolicySet};
use crate::request::{IssuanceFacts, IssuanceRequest, effective_action};
use crate::san::{San, SanError, parse_name};
use crate::vocabulary::{Action, Effect, Outcome, ReasonCode};
use index::Index;

/// Everything that one evaluation is given, and what the request falls under.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(super) set: &'a PolicySet,
    /// What finds the declarations and patterns that may match.
    pub(super) index: &'a Index,
    pub(super) request: &'a IssuanceRequest,
    pub(super) facts: &'a IssuanceFacts,
    pub(super) at: Timestamp,
    /// The names asked for, in order.
    pub(super) names: Vec<(&'a str, Result<San, SanError>)>,
    /// What the request is judged as.
    pub(super) action: Action,
    /// Why that is not what it says.
    pub(super) fallback: Option<String>,
    /// What the request falls under.
    pub(super) scope: Result<Scope<'a>, Incomplete>,
}

/// What a request falls under; each list sorted by name.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) policies: Vec<IssuanceId>,
    pub(super) groups: Vec<ApprovalId>,
    pub(super) bypasses: Vec<BypassId>,
}

impl<'a> Case<'a> {
    /// Joins the parts of one evaluation.
    pub(crate) fn new(
        program: &'a Program,
        request: &'a IssuanceRequest,
        facts: &'a IssuanceFacts,
        at: Timestamp,
    ) -> Self {
        let set: &PolicySet = &program.set;
        let names: Vec<_> = (request.san.iter())
            .map(|text| (text.as_str(), parse_name(text)))
            .collect();
        let (action, fallback) = effective_action(request, &names);
        let index = &program.issuance;
        let subject = Subject::request(set, request, action);
        let scope = subject.map(|subject| Scope::of(set, index, subject));
        Case {
            set,
            index,
            request,
            facts,
            at,
            names,
            action,
            fallback,
            scope,
        }
    }

    /// The approvals that may be spent here.
    pub(super) fn live(&self) -> Live<'a> {
        Live {
            set: self.set,
            approvals: &self.facts.approvals,
            source: None,
            at: self.at,
        }
    }

    /// Whether issuance policies have a say in the action.
    pub(super) fn is_regulated(&self) -> bool {
        match self.action {
            Action::Issue | Action::Renew | Action::Reissue | Action::Export => true,
            Action::Revoke | Action::Distribute => false,
        }
    }
}

impl<'a> Scope<'a> {
    fn of(set: &'a PolicySet, index: &Index, subject: Subject<'a>) -> Self {
        let mut policies = index.policies(&subject);
        policies.retain(|&id| matches(&set.issuances[id].selector, &subject));
        let mut groups = index.groups(&subject);
        groups.retain(|&id| covers(&set.approvals[id].covers, &subject));
        let mut bypasses = index.bypasses(&subject);
        bypasses.retain(|&id| covers(&set.bypasses[id].covers, &subject));
        Scope {
            policies,
            groups,
            bypasses,
            subject,
        }
    }

    fn asker(&self) -> Asker {
        Asker {
            requester: self.subject.requester,
            project: self.subject.project,
        }
    }
}

/// The groups that cover a request.
pub(super) fn groups_of(
    program: &Program,
    request: &IssuanceRequest,
) -> Result<Vec<ApprovalId>, Incomplete> {
    let facts = IssuanceFacts::default();
    let case = Case::new(program, request, &facts, Timestamp::default());
    case.scope.map(|scope| scope.groups)
}

/// The policies that match a request and want its certificate to renew by
/// itself, by name; none where the evaluation cannot be completed.
pub(super) fn wanting_auto_renew(program: &Program, request: &IssuanceRequest) -> Vec<String> {
    let facts = IssuanceFacts::default();
    let case = Case::new(program, request, &facts, Timestamp::default());
    let Ok(scope) = case.scope else {
        return Vec::new();
    };
    let issuances = &program.set.issuances;
    let wants = |id: &&IssuanceId| issuances[**id].auto_renew_required.is_some();
    let wanting = scope.policies.iter().filter(wants);
    wanting.map(|&id| issuances.name(id).to_owned()).collect()
}

/// What the groups that cover a request require of people; none where no group does.
pub(super) fn requirement_of(
    program: &Program,
    request: &IssuanceRequest,
    at: Timestamp,
) -> Option<Requirement> {
    let facts = IssuanceFacts::default();
    let scope = Case::new(program, request, &facts, at).scope.ok()?;
    requirement(&program.set, &scope.groups, scope.asker(), at)
}

/// Takes the steps in order.
pub(super) fn decide(case: &Case<'_>) -> Decision {
    match passes(case) {
        Ok(scope) => gate(case, scope),
        Err(reasons) => deny(case, reasons),
    }
}

/// Whether a request is allowed with nobody asked and nothing to be done
/// first: what [`decide`] says of most requests, without its words.
pub(super) fn is_plainly_allowed(case: &Case<'_>) -> bool {
    passes(case).is_ok_and(|scope| scope.groups.is_empty())
}

/// What a request falls under that no rule forbids; else why it is denied.
fn passes<'a>(case: &'a Case<'_>) -> Result<&'a Scope<'a>, Vec<Reason>> {
    let scope = case.scope.as_ref().map_err(|incomplete| {
        let message = format!("the evaluation cannot be completed: {incomplete}");
        vec![plain(ReasonCode::EvaluationIncomplete, message)]
    })?;
    let unmatched = case.is_regulated() && scope.policies.is_empty();
    if unmatched && case.set.issuance_default == Effect::Deny {
        let message = format!("no issuance policy matches this {} request", case.action);
        return Err(vec![plain(ReasonCode::Unregulated, message)]);
    }
    let mut violations = violations(case, scope);
    if violations.is_empty() {
        violations = fields::demands(case, scope);
    }
    match violations.is_empty() {
        true => Ok(scope),
        false => Err(report::reasons(violations)),
    }
}

/// Everything that the request fails, in no order.
pub(super) fn violations(case: &Case<'_>, scope: &Scope<'_>) -> Vec<Violation> {
    match case.action {
        Action::Issue | Action::Renew | Action::Reissue => {
            let mut found = fields::intrinsic(case);
            found.extend(names::malformed(case));
            found.extend(names::common_name(case));
            let denied = names::denied(case, scope);
            for &id in &scope.policies {
                found.extend(fields::policy(case, id));
                found.extend(names::count(case, id));
                found.extend(names::not_allowed(case, id, &denied));
            }
            found.extend(denied.into_iter().map(|(_, violation)| violation));
            found
        }
        Action::Export => fields::export(case, scope),
        Action::Revoke | Action::Distribute => Vec::new(),
    }
}

fn gate(case: &Case<'_>, scope: &Scope<'_>) -> Decision {
    let groups = &scope.groups;
    let live = case.live();
    if groups.is_empty() {
        return allow(case, scope, Vec::new(), "");
    }
    if live.suffice(groups) {
        let spent = live.spend(groups).into_iter();
        let spent = spent.map(|one| Obligation::SpendApproval { id: one.id.clone() });
        return allow(case, scope, spent.collect(), ", and approved");
    }
    let allowed = case.facts.allow_bypass;
    if let Some(id) = bypass_in_force(case.set, &scope.bypasses, allowed, case.at) {
        let name = case.set.bypasses.name(id).to_owned();
        let record = Obligation::RecordBypass { name };
        return allow(case, scope, vec![record], ", with approval bypassed");
    }
    let open = live.outstanding(groups);
    let mut reason = plain(
        ReasonCode::ApprovalRequired,
        approval::waits_for(live, groups, scope.asker(), case.at),
    );
    reason.rule = open.first().map(|&id| place::approval(case.set, id, None));
    Decision {
        outcome: Outcome::Pending,
        approvers: approval::approvers(case.set, &open, scope.asker(), case.at),
        groups: approval::group_names(case.set, &open),
        ..deny(case, vec![reason])
    }
}

fn allow(case: &Case<'_>, scope: &Scope<'_>, obligations: Vec<Obligation>, how: &str) -> Decision {
    let names = scope.policies.iter().map(|&id| case.set.issuances.name(id));
    let message = if !case.is_regulated() {
        format!("{} is gated by approval alone{how}", case.action)
    } else if scope.policies.is_empty() {
        format!("no issuance policy matches, and the default is allow{how}")
    } else {
        format!("passes {}{how}", describe::ticked(names))
    };
    let mut reason = plain(ReasonCode::Allowed, message);
    if case.is_regulated() {
        reason.rule = policy_place(case, scope.policies.first().copied());
    }
    Decision {
        outcome: Outcome::Allow,
        obligations,
        ..deny(case, vec![reason])
    }
}

fn policy_place(case: &Case<'_>, id: Option<IssuanceId>) -> Option<RuleRef> {
    id.map(|id| place::issuance(case.set, id, None))
}

fn deny(case: &Case<'_>, reasons: Vec<Reason>) -> Decision {
    Decision {
        outcome: Outcome::Deny,
        reasons,
        obligations: Vec::new(),
        groups: Vec::new(),
        approvers: Vec::new(),
        policy: case.set.digest.clone(),
        trace: None,
    }
}

fn plain(code: ReasonCode, message: String) -> Reason {
    Reason {
        code,
        message,
        rule: None,
        network: None,
        violations: Vec::new(),
    }
}
