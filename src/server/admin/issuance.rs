//! Certificate requests: submitted, tried without effect, and what came of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use openssl::sha::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::idempotency::Repeat;
use super::page::Body;
use super::preflight::{Warning, expect_acknowledged, warn, warn_of_revoking};
use crate::access::{AdminAction, Resource};
use crate::approval::Step;
use crate::decision::{Decision, Obligation};
use crate::durable::Hex;
use crate::issuance::csr::Csr;
use crate::issuance::flow::{Order, Submitted, judge};
use crate::journal::{Event, Hash, Repeatable};
use crate::record::Asked;
use crate::request::{IssuanceFacts, IssuanceRequest, Predecessor};
use crate::store::{Certificate, Context, StoreError};
use crate::unlock::draw_id;
use crate::vocabulary::{Action, ApprovalState, Outcome, RevocationReason, Role};

/// What is asked.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Submit {
    action: Action,
    project: Option<String>,
    profile: Option<String>,
    name: Option<String>,
    issuer_type: Option<String>,
    issuer_id: Option<String>,
    lifetime_s: Option<u64>,
    auto_renew: Option<bool>,
    reason: Option<String>,
    ticket: Option<String>,
    /// PEM; issue, renew and reissue take one.
    csr: Option<String>,
    /// The serial number of the certificate that a renewal or reissue follows.
    predecessor: Option<String>,
    /// The serial number of the certificate to revoke, export or distribute.
    certificate: Option<String>,
    /// Why a certificate is to be revoked.
    revocation: Option<RevocationReason>,
    /// Warnings that the requester has seen and goes on in spite of.
    #[serde(default)]
    acknowledge: Vec<String>,
}

/// Puts together what is judged: what the CSR says, what the certificate is,
/// and only the rest from the requester.
fn order(
    app: &App,
    caller: &Caller,
    body: &Submit,
    now: Timestamp,
) -> Result<(Order, Vec<Warning>), Problem> {
    let mut request = IssuanceRequest {
        action: body.action,
        project: body.project.clone(),
        profile: body.profile.clone(),
        requester: Some(caller.name().to_owned()),
        name: body.name.clone(),
        key_type: None,
        issuer_type: body.issuer_type.clone(),
        issuer_id: body.issuer_id.clone(),
        san: Vec::new(),
        common_name: None,
        lifetime_s: body.lifetime_s,
        auto_renew: body.auto_renew,
        reason: body.reason.clone(),
        ticket: body.ticket.clone(),
        predecessor: None,
        unsupported: Vec::new(),
    };
    expect_members(body)?;
    let mut warnings = Vec::new();
    let mut csr = None;
    match body.action {
        Action::Issue | Action::Renew | Action::Reissue => {
            let read = read_csr(body)?;
            read.into_request_fields(&mut request)
                .map_err(|error| Problem::invalid(format!("the CSR: {error}")))?;
            if let Some(serial) = &body.predecessor {
                let found = certificate(app, serial)?;
                warnings = warn(&found, &read, body.action, now);
                expect_same_project(&found, &request)?;
                expect_live(&found)?;
                request.predecessor = Some(Predecessor {
                    id: serial.clone(),
                    san: found.request.san.clone(),
                });
            }
            csr = Some(read);
        }
        Action::Revoke | Action::Export | Action::Distribute => {
            let serial = body.certificate.as_deref();
            let serial = serial
                .ok_or_else(|| Problem::invalid("name the `certificate` by its serial number"))?;
            resolve_certificate(app, serial, &mut request)?;
            if body.action == Action::Revoke {
                warnings.extend(warn_of_revoking(&caller.policy.program, &request));
            }
        }
    }
    expect_role(caller, request.project.as_deref())?;
    let order = Order {
        csr_digest: csr.as_ref().map(|csr| Hex(csr.digest()).to_string()),
        csr: csr.and(body.csr.clone()),
        key_digest: None,
        certificate: body.certificate.clone(),
        revocation: body.revocation,
        schedule: None,
        requesters: caller.persons(&caller.policy.set),
        // What nobody was warned of was not acknowledged either.
        acknowledged: warnings.iter().map(|one| one.code.to_owned()).collect(),
        request,
    };
    Ok((order, warnings))
}

/// A member that the action has no use for would be journalled, shown and
/// passed over; and a job takes the serial number of the `certificate` that it
/// names.
fn expect_members(body: &Submit) -> Result<(), Problem> {
    let issues = match body.action {
        Action::Issue | Action::Renew | Action::Reissue => true,
        Action::Revoke | Action::Export | Action::Distribute => false,
    };
    let faults = [
        (
            body.revocation.is_some() && body.action != Action::Revoke,
            "only a `revoke` has a `revocation`",
        ),
        (
            issues && body.certificate.is_some(),
            "only `revoke`, `export` and `distribute` name a `certificate`",
        ),
        (
            !issues && (body.csr.is_some() || body.predecessor.is_some()),
            "only `issue`, `renew` and `reissue` have a `csr` or a `predecessor`",
        ),
        (
            body.lifetime_s == Some(0),
            "a certificate lives for a second or longer",
        ),
    ];
    match faults.into_iter().find(|(is, _)| *is) {
        Some((_, fault)) => Err(Problem::invalid(fault)),
        None => Ok(()),
    }
}

fn read_csr(body: &Submit) -> Result<Csr, Problem> {
    let text = body.csr.as_deref();
    let text = text.ok_or_else(|| Problem::invalid("send the `csr` in PEM"))?;
    Csr::read(text.as_bytes()).map_err(|error| Problem::invalid(format!("the CSR: {error}")))
}

fn certificate(app: &App, serial: &str) -> Result<Arc<Certificate>, Problem> {
    let found = app.store.read(|rows| rows.certificate(serial));
    found.ok_or_else(|| Problem::invalid(format!("there is no certificate `{serial}`")))
}

/// A renewal stays where its predecessor is: another project has other rules.
fn expect_same_project(found: &Certificate, request: &IssuanceRequest) -> Result<(), Problem> {
    match found.request.project == request.project {
        true => Ok(()),
        false => Err(Problem::invalid(
            "the certificate that it follows is of another project",
        )),
    }
}

/// Nobody is asked for what the revocation of a certificate would end.
fn expect_live(found: &Certificate) -> Result<(), Problem> {
    match found.revoked {
        None => Ok(()),
        Some(_) => Err(Problem::conflict(format!(
            "certificate `{}` is revoked already",
            found.serial
        ))),
    }
}

/// What is done to a certificate is judged by what the certificate is.
fn resolve_certificate(
    app: &App,
    serial: &str,
    request: &mut IssuanceRequest,
) -> Result<(), Problem> {
    let found = certificate(app, serial)?;
    expect_live(&found)?;
    let known = &found.request;
    let given = [
        (&request.project, &known.project, "project"),
        (&request.profile, &known.profile, "profile"),
    ];
    for (given, known, member) in given {
        if given.is_some() && given != known {
            return Err(Problem::invalid(format!(
                "the certificate's `{member}` is another"
            )));
        }
    }
    *request = IssuanceRequest {
        action: request.action,
        requester: request.requester.clone(),
        reason: request.reason.clone(),
        ticket: request.ticket.clone(),
        predecessor: None,
        ..known.clone()
    };
    Ok(())
}

/// A requester acts only where their role lets them.
pub(super) fn expect_role(caller: &Caller, project: Option<&str>) -> Result<(), Problem> {
    let role = caller.policy.program.role_in(caller.actor, project);
    match role >= Some(Role::Operator) {
        true => Ok(()),
        false => Err(Problem::forbidden(format!(
            "`{}` is not operator or above in {}",
            caller.name(),
            project.map_or("org".to_owned(), |name| format!("project `{name}`"))
        ))),
    }
}

/// The answer's form of a decision that is not a job.
fn refused(decision: &Decision, warnings: &[Warning]) -> Value {
    let violations: Vec<Value> = decision
        .reasons
        .iter()
        .flat_map(|reason| match reason.violations.is_empty() {
            true => {
                vec![json!({"code": reason.code, "message": reason.message, "rule": reason.rule})]
            }
            false => reason.violations.iter().map(|one| json!(one)).collect(),
        })
        .collect();
    json!({
        "outcome": decision.outcome,
        "violations": match decision.outcome {
            Outcome::Deny => violations,
            Outcome::Allow | Outcome::Pending => Vec::new(),
        },
        "groups": decision.groups,
        "approvers": decision.approvers,
        "warnings": warnings,
        "policy": decision.policy,
    })
}

pub(super) async fn dry_run(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<Submit>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::IssuanceSubmit, Resource::Org)?;
    let now = clock::now();
    let (order, warnings) = order(&app, &caller, &body, now)?;
    let program = &caller.policy.program;
    let (_, decision) = judge(program, &order.request, None, app.allow_bypass, now);
    Ok(Json(refused(&decision, &warnings)))
}

/// 201 with a job that is done or being done, 202 where people must approve,
/// 422 with every violation in order.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body<Submit>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.expect_may(&app, AdminAction::IssuanceSubmit, Resource::Org)?;
    let asked = json!(body);
    let repeat = Repeat::new(&headers, None, caller.name().to_owned(), asked.clone());
    let asked = Hex(sha256(asked.to_string().as_bytes()));
    let own = repeat.own_id();
    if let Some(known) = own.as_ref().and_then(|id| answered(&app, id, asked)) {
        return known;
    }
    let now = app.clock.moment();
    let (order, warnings) = order(&app, &caller, &body, now)?;
    expect_acknowledged(&warnings, &body.acknowledge)?;
    let (job, approval) = (own.clone().map_or_else(draw_id, Ok)?, draw_id()?);
    let request = order.request.clone();
    let program = &caller.policy.program;
    let (_, first) = judge(program, &request, None, app.allow_bypass, now);
    if first.outcome != Outcome::Deny {
        // Nobody is asked for what nobody would carry out.
        let served = app.connectors.expect_served(&app.store, &request, now);
        served.map_err(|error| Problem::invalid(error.to_string()))?;
    }
    let mut submitted = order.submit(program, &job, &approval, app.allow_bypass, now);
    let answer = told(&submitted, &warnings, &job, &approval);
    if own.is_some() {
        let answer = answer.clone();
        submitted.keep_answer(Repeatable { asked, answer });
    }
    let context = Context {
        actor: caller.journal_actor(),
        time: now,
        policy: Some(caller.policy.set.digest.clone()),
    };
    let (status, decision) = match carry_on(&app, context, submitted, &approval).await {
        Ok(done) => done,
        Err(error) => {
            // The same call came twice at once, and the other was first.
            let known = own.and_then(|id| answered(&app, &id, asked));
            return known.unwrap_or_else(|| Err(error.into()));
        }
    };
    if status == StatusCode::CREATED {
        app.run_job(&job).await;
    }
    record(&app, request, &decision, now);
    Ok((status, Json(answer)))
}

/// The answer to a submission.
fn told(submitted: &Submitted, warnings: &[Warning], job: &str, approval: &str) -> Value {
    let mut answer = refused(submitted.decision(), warnings);
    let waits = match submitted {
        Submitted::Refused(_) | Submitted::Nobody(..) => return answer,
        Submitted::Waits(..) => true,
        Submitted::Allowed(..) => false,
    };
    if let Value::Object(members) = &mut answer {
        members.insert("id".to_owned(), json!(job));
        members.insert("job".to_owned(), json!(job));
        members.insert("approval".to_owned(), json!(waits.then_some(approval)));
    }
    answer
}

/// What a submission under the same key was answered, in this run of the server
/// or an earlier one; none where it made nothing, and is judged anew.
fn answered(
    app: &App,
    job: &str,
    asked: Hash,
) -> Option<Result<(StatusCode, Json<Value>), Problem>> {
    let job = app.store.read(|rows| rows.job(job))?;
    let known = job.new.repeatable.as_ref()?;
    if known.asked != asked {
        return Some(Err(Problem::conflict(
            "that idempotency key was used for another request",
        )));
    }
    let outcome = known.answer.get("outcome").and_then(Value::as_str);
    let status = match outcome.and_then(Outcome::from_word) {
        Some(Outcome::Allow) => StatusCode::CREATED,
        Some(Outcome::Pending) => StatusCode::ACCEPTED,
        Some(Outcome::Deny) | None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Some(Ok((status, Json(known.answer.clone()))))
}

pub(in crate::server) fn record(
    app: &App,
    request: IssuanceRequest,
    decision: &Decision,
    now: Timestamp,
) {
    app.metrics.count_decision("issuance", decision);
    count_bypassed(app, &request, decision, now);
    let facts = IssuanceFacts {
        allow_bypass: app.allow_bypass,
        ..IssuanceFacts::default()
    };
    let request = Box::new(request);
    let asked = Asked::Issuance { request, facts };
    app.records.push(now, asked, decision.clone());
}

/// Counts a decision that a bypass made to the groups that it passed by.
fn count_bypassed(app: &App, request: &IssuanceRequest, decision: &Decision, now: Timestamp) {
    let bypass = |one: &Obligation| matches!(one, Obligation::RecordBypass { .. });
    if !decision.obligations.iter().any(bypass) {
        return;
    }
    let passed = app.policy.current().program.requirement_of(request, now);
    for group in passed.iter().flat_map(|required| &required.groups) {
        app.metrics.count_approval("bypassed", &group.name);
    }
}

/// The end of a request that nobody could ever approve.
pub(in crate::server) fn nobody(approval: &str) -> Event {
    Event::ApprovalStepped {
        id: approval.to_owned(),
        step: Step::Ended {
            to: ApprovalState::Rejected,
            cause: "no-eligible-approver".to_owned(),
        },
    }
}

/// Writes down what an order comes to: 201 with a job to be carried out, 202
/// where people must approve, 422 where nothing follows.
pub(super) async fn carry_on(
    app: &Arc<App>,
    context: Context,
    submitted: Submitted,
    approval: &str,
) -> Result<(StatusCode, Decision), StoreError> {
    match submitted {
        Submitted::Refused(decision) => Ok((StatusCode::UNPROCESSABLE_ENTITY, decision)),
        Submitted::Waits(decision, event) => {
            app.submit_and_wait(context, move |_| Ok(event)).await?;
            Ok((StatusCode::ACCEPTED, decision))
        }
        Submitted::Nobody(decision, event) => {
            let step = nobody(approval);
            app.submit_and_wait(context.clone(), move |_| Ok(event))
                .await?;
            app.submit_and_wait(context, move |_| Ok(step)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, decision))
        }
        Submitted::Allowed(decision, event) => {
            app.submit_and_wait(context, move |_| Ok(event)).await?;
            Ok((StatusCode::CREATED, decision))
        }
    }
}
