//! Live facts of a test, which must be able to hold for its subject.

use crate::check::codes::tests as codes;
use crate::check::group::resolve_group;
use crate::check::lists::expect_distinct;
use crate::check::report::Report;
use crate::check::scope::Scope;
use crate::check::selector::Path;
use crate::diagnostic::Diagnostic;
use crate::ir::{AllowOnceId, ApprovalId};
use crate::request::IssuanceRequest;
use crate::source::{Span, Spanned};
use crate::syntax::tree::{Fact, Name};
use crate::vocabulary::DeviceState;

use super::matching::Point;

/// What is live beside an unlock.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) state: Option<DeviceState>,
    pub(super) denied: bool,
    pub(super) approved: Vec<ApprovalId>,
    pub(super) allow_once: Vec<AllowOnceId>,
}

impl Facts {
    /// Whether the decision comes as far as the source rules.
    pub(super) fn reaches_rules(&self) -> bool {
        self.state != Some(DeviceState::Revoked) && !self.denied
    }
}

/// The facts beside an unlock of the device at `point`.
pub(super) fn resolve_unlock(
    given: &[Spanned<Fact>],
    point: &Point,
    scope: &Scope,
    report: &mut Report,
) -> Option<Facts> {
    expect_facts_distinct(given, report);
    let mut facts = Facts::default();
    let mut wrong = false;
    for fact in given {
        match &fact.value {
            Fact::Disabled => set_state(&mut facts, DeviceState::Disabled, fact.span, report),
            Fact::Revoked => set_state(&mut facts, DeviceState::Revoked, fact.span, report),
            Fact::Denied => facts.denied = true,
            Fact::ApprovedBy(name) => match approved_unlock(name, point, scope, report) {
                Some(id) => facts.approved.push(id),
                None => wrong = true,
            },
            Fact::AllowOnce(name) => match armed(name, point, scope, report) {
                Some(id) => facts.allow_once.push(id),
                None => wrong = true,
            },
        }
    }
    (!wrong).then_some(facts)
}

fn set_state(facts: &mut Facts, state: DeviceState, span: Span, report: &mut Report) {
    match facts.state {
        Some(other) if other != state => {
            let message = format!("a device is not both {other} and {state}");
            let diagnostic = Diagnostic::new(&codes::IMPOSSIBLE_FACT, span, message);
            report.push(diagnostic.help("keep one of the two"));
        }
        Some(_) | None => facts.state = Some(state),
    }
}

fn approved_unlock(
    name: &Name,
    point: &Point,
    scope: &Scope,
    report: &mut Report,
) -> Option<ApprovalId> {
    let id = resolve_group(name, Path::Unlock, scope, report)?;
    let group = scope.approvals.get(id)?;
    if !point.falls_under(&group.covers) {
        report_uncovered(name, "this device", group.header.span, report);
    }
    Some(id)
}

fn armed(name: &Name, point: &Point, scope: &Scope, report: &mut Report) -> Option<AllowOnceId> {
    let id = scope.resolve::<AllowOnceId>(name, report)?;
    let rule = scope.allow_onces.get(id)?;
    if !point.matches(&rule.selector) {
        let message = format!("`{}` cannot be armed for this device", name.value);
        report.push(
            Diagnostic::new(&codes::IMPOSSIBLE_FACT, name.span, message)
                .also(rule.header.span, "its `where` does not match the device")
                .help("give the device other tags, or leave this fact out"),
        );
    }
    Some(id)
}

/// The groups that have approved a certificate request.
pub(super) fn resolve_issuance(
    given: &[Spanned<Fact>],
    request: &IssuanceRequest,
    scope: &Scope,
    report: &mut Report,
) -> Option<Vec<ApprovalId>> {
    expect_facts_distinct(given, report);
    let resolved: Vec<Option<ApprovalId>> = given
        .iter()
        .map(|fact| match &fact.value {
            Fact::ApprovedBy(name) => approved_request(name, request, scope, report),
            Fact::Disabled | Fact::Revoked | Fact::Denied | Fact::AllowOnce(_) => {
                let message = "this fact is about a device, not about a certificate request";
                let diagnostic = Diagnostic::new(&codes::IMPOSSIBLE_FACT, fact.span, message);
                report.push(diagnostic.help("a request can only be `approved by` a group"));
                None
            }
        })
        .collect();
    resolved.into_iter().collect()
}

fn approved_request(
    name: &Name,
    request: &IssuanceRequest,
    scope: &Scope,
    report: &mut Report,
) -> Option<ApprovalId> {
    let id = resolve_group(name, Path::Issuance, scope, report)?;
    let group = scope.approvals.get(id)?;
    let point = Point::request(request, scope)?;
    if !point.falls_under(&group.covers) {
        report_uncovered(name, "this request", group.header.span, report);
    }
    Some(id)
}

fn report_uncovered(name: &Name, what: &str, group: Span, report: &mut Report) {
    let message = format!(
        "`{}` does not cover {what}, so it cannot have approved it",
        name.value
    );
    report.push(
        Diagnostic::new(&codes::IMPOSSIBLE_FACT, name.span, message)
            .also(group, "its `on` does not match")
            .help("leave this fact out, or name a group that covers it"),
    );
}

fn expect_facts_distinct(given: &[Spanned<Fact>], report: &mut Report) {
    let facts = given.iter().map(|fact| (display(&fact.value), fact.span));
    expect_distinct(facts, Clone::clone, report);
}

fn display(fact: &Fact) -> String {
    match fact {
        Fact::Disabled => "disabled".to_owned(),
        Fact::Revoked => "revoked".to_owned(),
        Fact::Denied => "denied".to_owned(),
        Fact::ApprovedBy(name) => format!("approved by {}", name.value),
        Fact::AllowOnce(name) => format!("allow-once {}", name.value),
    }
}
