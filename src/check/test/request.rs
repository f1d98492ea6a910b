//! Certificate requests of tests: members named as in their JSON, with hyphens.

use crate::check::codes::tests as codes;
use crate::check::lists::expect_distinct;
use crate::check::report::Report;
use crate::check::scope::Scope;
use crate::check::selector::{resolve_action, words_of};
use crate::diagnostic::Diagnostic;
use crate::ir::{ProfileId, ProjectId};
use crate::request::{IssuanceRequest, Predecessor};
use crate::source::Span;
use crate::syntax::tree::{Member, Name};
use crate::vocabulary::{Action, IssuerType, KeyType};

use super::member;

/// What a request may say.
const MEMBERS: [&str; 16] = [
    "action",
    "project",
    "profile",
    "requester",
    "name",
    "key-type",
    "issuer-type",
    "issuer-id",
    "san",
    "common-name",
    "lifetime",
    "auto-renew",
    "reason",
    "ticket",
    "predecessor",
    "unsupported",
];
/// What a predecessor says.
const PREDECESSOR: [&str; 2] = ["id", "san"];

/// `request {…}`; `span` is the whole of it. None where something was wrong.
pub(super) fn resolve_request(
    members: &[Member],
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<IssuanceRequest> {
    expect_members_distinct(members, report);
    let mut request = IssuanceRequest::of(Action::Issue);
    let mut wrong = false;
    for member in members {
        wrong |= read(&mut request, member, scope, report).is_none();
    }
    // A member that no request has may be a misspelled one, and is reported.
    let known = |member: &Member| MEMBERS.contains(&member.name.value.as_str());
    if members.iter().all(known) && members.iter().all(|member| member.name.value != "action") {
        let diagnostic = Diagnostic::new(
            &codes::MISSING_MEMBER,
            span,
            "this request names no `action`",
        );
        report.push(diagnostic.help(format!(
            "add `action = …`, one of {}",
            words_of(Action::ALL).join(", ")
        )));
        wrong = true;
    }
    (!wrong).then_some(request)
}

fn expect_members_distinct(members: &[Member], report: &mut Report) {
    let names = members
        .iter()
        .map(|member| (member.name.value.as_str(), member.name.span));
    expect_distinct(names, |name| (*name).to_owned(), report);
}

/// Reads one member; none and a report where it is wrong.
fn read(
    request: &mut IssuanceRequest,
    member: &Member,
    scope: &Scope,
    report: &mut Report,
) -> Option<()> {
    match member.name.value.as_str() {
        "action" => {
            let word = member::word(member, "issue", report)?;
            request.action = resolve_action(&word, report)?;
        }
        "project" => {
            let word = member::word(member, "web", report)?;
            scope.resolve::<ProjectId>(&word, report)?;
            request.project = Some(word.value);
        }
        "profile" => {
            let word = member::word(member, "cdn", report)?;
            scope.resolve::<ProfileId>(&word, report)?;
            request.profile = Some(word.value);
        }
        "requester" => {
            let word = member::word(member, "alice", report)?;
            scope.resolve_actor(&word, report)?;
            request.requester = Some(word.value);
        }
        "name" => request.name = Some(member::text(member, report)?),
        "key-type" => {
            let known = words_of(KeyType::ALL);
            request.key_type = Some(member::closed(member, "key type", &known, report)?);
        }
        "issuer-type" => {
            let known = words_of(IssuerType::ALL);
            request.issuer_type = Some(member::closed(member, "issuer type", &known, report)?);
        }
        "issuer-id" => request.issuer_id = Some(member::text(member, report)?),
        "san" => request.san = member::texts(member, report)?,
        "common-name" => request.common_name = Some(member::text(member, report)?),
        "lifetime" => request.lifetime_s = Some(member::duration(member, report)?),
        "auto-renew" => request.auto_renew = Some(member::boolean(member, report)?),
        "reason" => request.reason = Some(member::text(member, report)?),
        "ticket" => request.ticket = Some(member::text(member, report)?),
        "predecessor" => request.predecessor = Some(predecessor(member, report)?),
        "unsupported" => request.unsupported = member::texts(member, report)?,
        _ => {
            report_unknown_member(&member.name, "request", &MEMBERS, report);
            return None;
        }
    }
    Some(())
}

fn predecessor(member: &Member, report: &mut Report) -> Option<Predecessor> {
    let members = member::members(member, report)?;
    expect_members_distinct(members, report);
    let (mut id, mut san) = (None, None);
    for inner in members {
        match inner.name.value.as_str() {
            "id" => id = Some(member::text(inner, report)),
            "san" => san = Some(member::texts(inner, report)),
            _ => {
                report_unknown_member(&inner.name, "predecessor", &PREDECESSOR, report);
                return None;
            }
        }
    }
    for (name, missing) in [("id", id.is_none()), ("san", san.is_none())] {
        if missing {
            let message = format!("this predecessor names no `{name}`");
            let diagnostic = Diagnostic::new(&codes::MISSING_MEMBER, member.value.span, message);
            report.push(diagnostic.help("a certificate that is followed has an `id` and a `san`"));
        }
    }
    Some(Predecessor {
        id: id??,
        san: san??,
    })
}

fn report_unknown_member(name: &Name, what: &str, known: &[&'static str], report: &mut Report) {
    let word = &name.value;
    let message = format!("a {what} has no member `{word}`");
    let diagnostic = Diagnostic::new(&codes::UNKNOWN_MEMBER, name.span, message);
    let near = report.nearest(word, known.iter().copied());
    report.push(match near {
        Some(near) => diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(name.span, near),
        None => diagnostic.help(format!("its members are {}", known.join(", "))),
    });
}
