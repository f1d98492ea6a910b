//! In-file tests: a subject, and what must come out of each line.
//!
//! [`request`] and [`member`] read certificate requests, [`fact`] the live
//! facts, [`expect`] the outcomes; [`matching`] asks which rules cover a
//! subject, as far as the language demands to know it before anything is
//! evaluated.

mod expect;
mod fact;
mod matching;
mod member;
mod request;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::ir::TagId;
use crate::ir::test::{Expect, Subject, Test, UnlockSubject};
use crate::request::IssuanceRequest;
use crate::source::Span;
use crate::syntax::tree::{
    IssuanceExpectation, Moment, TestItem, TestStatement, UnlockExpectation,
};
use crate::vocabulary::DeviceState;

use super::codes::blocks as block_codes;
use super::codes::tests as codes;
use super::lists::Block;
use super::moment::start_of;
use super::report::Report;
use super::scope::Scope;
use super::selector::Path;
use super::tag::resolve_tags;
use fact::Facts;
use matching::Point;

/// What `device {…}` or `request {…}` sets; none inside where it was wrong.
enum Given {
    Device(Option<Vec<(TagId, String)>>),
    Request(Option<Box<IssuanceRequest>>),
}

/// What an expectation comes to: none where something was wrong.
type Resolved = Option<(Subject, Expect)>;

/// The expectations of one block; none where something was wrong.
pub(super) fn resolve_test(
    item: &TestItem,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<Vec<Test>> {
    let block = Block {
        what: "test",
        name: &item.name.value,
        name_span: item.name.span,
        span,
    };
    let mut given: Option<(Given, Span)> = None;
    let mut tests: Vec<Option<Test>> = Vec::new();
    for statement in &item.statements {
        let at = statement.span;
        let mut set = |subject: Given, report: &mut Report| match &given {
            Some((_, first)) => report_second_subject(at, *first, report),
            None => given = Some((subject, at)),
        };
        let (resolved, time) = match &statement.value {
            TestStatement::Device(tags) => {
                set(Given::Device(resolve_tags(tags, scope, report)), report);
                continue;
            }
            TestStatement::Request(members) => {
                let request = request::resolve_request(members, at, scope, report);
                set(Given::Request(request.map(Box::new)), report);
                continue;
            }
            TestStatement::Unlock(line) => {
                let subject = given.as_ref().map(|(given, _)| given);
                let resolved = resolve_unlock(line, (&block, at), subject, scope, report);
                (resolved, &line.at)
            }
            TestStatement::Issuance(line) => {
                let subject = given.as_ref().map(|(given, _)| given);
                let resolved = resolve_issuance(line, (&block, at), subject, scope, report);
                (resolved, &line.at)
            }
        };
        tests.push(test(item, at, time.as_ref(), resolved));
    }
    if tests.is_empty() {
        let help = "add `unlock from … expect …` or `issuance expect …`";
        block.report_missing("expectation", help, report);
    }
    tests.into_iter().collect()
}

fn report_second_subject(span: Span, first: Span, report: &mut Report) {
    report.push(
        Diagnostic::new(
            &block_codes::REPEATED_STATEMENT,
            span,
            "this test has a subject already",
        )
        .also(first, "first given here")
        .help("write another test for it"),
    );
}

fn test(item: &TestItem, span: Span, at: Option<&Moment>, resolved: Resolved) -> Option<Test> {
    let (subject, expect) = resolved?;
    Some(Test {
        name: item.name.value.clone(),
        span,
        subject,
        at: at.map(start_of),
        expect,
    })
}

fn resolve_unlock(
    line: &UnlockExpectation,
    place: (&Block<'_>, Span),
    given: Option<&Given>,
    scope: &Scope,
    report: &mut Report,
) -> Resolved {
    let expect = expect::resolve_expect(&line.expect.value, Path::Unlock, scope, report);
    let tags = match given {
        Some(Given::Device(tags)) => tags.as_ref()?,
        Some(Given::Request(_)) | None => {
            report_subject(
                "an `unlock` line needs a `device {…}` before it",
                place,
                report,
            );
            return None;
        }
    };
    let point = Point::device(tags);
    let facts = fact::resolve_unlock(&line.given, &point, scope, report)?;
    if line.at.is_none() && facts.reaches_rules() {
        expect_no_schedule(line, &point, scope, report);
    }
    let subject = unlock_subject(tags, line, facts, scope)?;
    Some((Subject::Unlock(subject), expect?))
}

/// Reports a schedule that could change the outcome of a line without a time.
fn expect_no_schedule(line: &UnlockExpectation, point: &Point, scope: &Scope, report: &mut Report) {
    let matters = matching::schedule_that_matters(point, line.from.value, scope);
    if let Some(schedule) = matters.and_then(|id| scope.schedules.get(id)) {
        let name = &schedule.header.name;
        let message = format!("the schedule `{name}` matters here, so a time is needed");
        report.push(
            Diagnostic::new(&codes::TIME_NEEDED, line.from.span, message)
                .also(schedule.header.span, "declared here")
                .help("say when, after the address: `at 2026-12-21T09:00:00Z`"),
        );
    }
}

fn unlock_subject(
    tags: &[(TagId, String)],
    line: &UnlockExpectation,
    facts: Facts,
    scope: &Scope,
) -> Option<UnlockSubject> {
    let named: Option<BTreeMap<String, String>> = tags
        .iter()
        .map(|(id, value)| Some((scope.tags.get(*id)?.header.name.clone(), value.clone())))
        .collect();
    Some(UnlockSubject {
        tags: named?,
        state: facts.state.unwrap_or(DeviceState::Active),
        from: line.from.value,
        denied: facts.denied,
        approved: facts.approved,
        allow_once: facts.allow_once,
    })
}

fn resolve_issuance(
    line: &IssuanceExpectation,
    place: (&Block<'_>, Span),
    given: Option<&Given>,
    scope: &Scope,
    report: &mut Report,
) -> Resolved {
    let expect = expect::resolve_expect(&line.expect.value, Path::Issuance, scope, report);
    let request = match given {
        Some(Given::Request(request)) => request.as_ref()?,
        Some(Given::Device(_)) | None => {
            report_subject(
                "an `issuance` line needs a `request {…}` before it",
                place,
                report,
            );
            return None;
        }
    };
    let approved = fact::resolve_issuance(&line.given, request, scope, report)?;
    Some((Subject::Issuance(request.clone(), approved), expect?))
}

fn report_subject(message: &str, (block, line): (&Block<'_>, Span), report: &mut Report) {
    // A subject with a syntax error in it is there, though nobody could read it.
    if !report.is_broken(block.span) {
        let diagnostic = Diagnostic::new(&codes::MISSING_SUBJECT, line, message);
        report.push(
            diagnostic.help("a test has one subject; every line after it states one expectation"),
        );
    }
}
