//! What step-ca asks before it signs: gated like every other request, and
//! allowed once for each approval.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use super::caller::behind;
use super::issuance::{carry_on, record};
use crate::access;
use crate::approval::{ApprovalRequest, Subject};
use crate::decision::Decision;
use crate::issuance::flow::{Order, judge};
use crate::issuance::issuers::StepCa;
use crate::issuance::step_ca::{Asked, StepCaError};
use crate::journal::{Actor, Event, JobResult};
use crate::request::IssuanceRequest;
use crate::store::{Context, Refusal, StoreError};
use crate::unlock::draw_id;
use crate::vocabulary::{ApprovalState, Outcome, Role};

/// Open requests of one CA at once: whoever may ask it for certificates must
/// not be able to bury those who approve.
const MOST_OPEN: usize = 64;

/// The answer that step-ca understands; the error is shown to whoever asked it.
fn told(allow: bool, code: &str, message: &str) -> Json<Value> {
    match allow {
        true => Json(json!({"allow": true})),
        false => Json(json!({
            "allow": false,
            "error": {"code": format!("panopol.{code}"), "message": message},
        })),
    }
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let id = header("x-smallstep-webhook-id").unwrap_or_default();
    let signature = header("x-smallstep-signature").unwrap_or_default();
    let now = clock::now();
    let found = app.step_cas.iter().find(|one| one.webhook == id);
    let signed = found.filter(|ca| ca.expect_signed(&body, signature).is_ok());
    // Whether there is such a webhook is nobody's business who cannot sign.
    let ca = signed.ok_or_else(|| unknown("no webhook of that id and signature is known"))?;
    let asked = match ca.read(&body, now) {
        Ok(asked) => asked,
        Err(StepCaError::Unauthenticated(fault)) => return Err(unknown(fault)),
        Err(error @ StepCaError::Body(_)) => return Err(Problem::malformed(error.to_string())),
        Err(error @ (StepCaError::NotJudged(_) | StepCaError::Csr(_))) => {
            return Ok(told(false, "not-judged", &error.to_string()));
        }
    };
    let turn = app.step_ca_turn.lock().await;
    let answer = answer(&app, ca, asked, now).await;
    drop(turn);
    answer
}

fn unknown(fault: &str) -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "The signature does not hold",
        fault,
    )
}

/// Everyone who counts as having asked, where the service may ask there.
fn requesters(ca: &StepCa, policy: &Loaded) -> Result<BTreeSet<String>, String> {
    let actor = access::find_actor(&policy.set, &ca.requester);
    let actor = actor.ok_or_else(|| format!("no service `{}` is declared", ca.requester))?;
    let role = policy.program.role_in(actor, ca.project.as_deref());
    match role >= Some(Role::Operator) {
        true => Ok(BTreeSet::from([behind(&policy.set, &ca.requester)])),
        false => Err(format!(
            "`{}` is not operator or above in {}",
            ca.requester,
            (ca.project.as_ref()).map_or("org".to_owned(), |name| format!("project `{name}`"))
        )),
    }
}

async fn answer(
    app: &Arc<App>,
    ca: &StepCa,
    asked: Asked,
    now: Timestamp,
) -> Result<Json<Value>, Problem> {
    if !app.clock.trusts(clock::now()) {
        let message =
            "the server's clock has jumped, and nothing that ends by the clock is granted";
        return Ok(told(false, "clock", message));
    }
    let policy = app.policy.current();
    let requesters = match requesters(ca, &policy) {
        Ok(requesters) => requesters,
        Err(fault) => return Ok(told(false, "not-entitled", &fault)),
    };
    let open = open_requests(app, ca);
    // One that people have approved is spent before one that waits is looked at.
    let same = open.iter().filter(|one| is_of(one, &asked));
    let known = same.min_by_key(|one| one.state_at(now) != ApprovalState::Approved);
    if let Some(known) = known {
        return known_request(app, known, asked.request, now).await;
    }
    if open.len() >= MOST_OPEN {
        tracing::warn!(issuer = %ca.id, "a CA has as many open requests as it may");
        let message = format!("{MOST_OPEN} requests of this CA wait already");
        return Ok(told(false, "too-many", &message));
    }
    let (job, approval) = (draw_id()?, draw_id()?);
    let request = asked.request.clone();
    let order = Order {
        csr: asked.csr,
        csr_digest: asked.csr_sha256,
        key_digest: asked.key_sha256,
        certificate: None,
        revocation: None,
        schedule: None,
        requesters,
        acknowledged: Vec::new(),
        request: asked.request,
    };
    let submitted = order.submit(&policy.program, &job, &approval, app.allow_bypass, now);
    let context = Context {
        actor: Actor {
            person: Some(ca.requester.clone()),
            credential: Some(format!("step-ca:{}", ca.id)),
            minter: None,
        },
        time: now,
        policy: Some(policy.set.digest.clone()),
    };
    let (status, decision) = carry_on(app, context, submitted, &approval).await?;
    record(app, request, &decision, now);
    match status {
        StatusCode::CREATED => admit(app, &job).await,
        StatusCode::ACCEPTED => {
            let message = format!("it waits for approval {approval}");
            Ok(told(false, "approval-required", &message))
        }
        _ => Ok(told(false, "denied", &why(&decision))),
    }
}

fn why(decision: &Decision) -> String {
    let reasons = decision.reasons.iter();
    let reasons: Vec<&str> = reasons.map(|one| one.message.as_str()).collect();
    reasons.join("; ")
}

/// The requests of one CA that are not over.
fn open_requests(app: &App, ca: &StepCa) -> Vec<Arc<ApprovalRequest>> {
    let open = app.store.open_approvals().into_iter();
    let found = open.filter_map(|id| app.store.approval(&id));
    found
        .filter(|one| match &one.new.subject {
            Subject::Issuance { request, .. } => {
                request.issuer_id.as_deref() == Some(&ca.id)
                    && request.issuer_type.as_deref() == Some(ca.issuer_type.word())
            }
            Subject::Unlock { .. } | Subject::Tags { .. } => false,
        })
        .collect()
}

/// Whether a request was made for just this: the same bytes, or the same key,
/// and the same in everything that is judged.
fn is_of(known: &ApprovalRequest, asked: &Asked) -> bool {
    match &known.new.subject {
        Subject::Issuance {
            request, csr, key, ..
        } => *csr == asked.csr_sha256 && *key == asked.key_sha256 && asked.is_covered_by(request),
        Subject::Unlock { .. } | Subject::Tags { .. } => false,
    }
}

async fn known_request(
    app: &Arc<App>,
    known: &ApprovalRequest,
    request: IssuanceRequest,
    now: Timestamp,
) -> Result<Json<Value>, Problem> {
    let Subject::Issuance { job, .. } = &known.new.subject else {
        return Err(Problem::internal("a request of another kind was found"));
    };
    let id = known.id();
    match known.state_at(now) {
        ApprovalState::Approved => {
            let policy = app.policy.current();
            let (_, decision) = judge(
                &policy.program,
                &request,
                Some(known),
                app.allow_bypass,
                now,
            );
            record(app, request, &decision, now);
            // What was approved is judged where it is claimed; this is what is
            // asked now, which may differ by a minute's life.
            match decision.outcome {
                Outcome::Allow => admit(app, job).await,
                Outcome::Deny | Outcome::Pending => Ok(told(false, "denied", &why(&decision))),
            }
        }
        ApprovalState::Pending => Ok(told(
            false,
            "approval-required",
            &format!("it waits for approval {id}"),
        )),
        state => {
            app.sweep().await;
            let message = format!("approval {id} is {state}; ask again");
            Ok(told(false, "approval-required", &message))
        }
    }
}

/// Spends what allows a job, on disk, and only then lets the CA.
async fn admit(app: &Arc<App>, job: &str) -> Result<Json<Value>, Problem> {
    if !app.running.begin(job, clock::instant()) {
        return Ok(told(false, "busy", "it is being answered already"));
    }
    let done = spend(app, job).await;
    app.running.end(job, None);
    match done {
        Ok(()) => Ok(told(true, "", "")),
        Err(StoreError::Refused(refusal)) => Ok(told(false, "denied", &refusal.to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn spend(app: &Arc<App>, id: &str) -> Result<(), StoreError> {
    if let Event::JobEnded { cause, .. } = app.claim_job(id).await? {
        return Err(Refusal::Senseless(cause).into());
    }
    let event = Event::JobFinished {
        id: id.to_owned(),
        result: JobResult::Admitted {},
    };
    app.submit_and_wait(app.context(Actor::server()), move |_| Ok(event))
        .await?;
    Ok(())
}
