//! Jobs of the certificate side, and what came of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::problem::Problem;
use super::caller::Caller;
use crate::access::{AdminAction, Resource};
use crate::store::Job;

fn shown(app: &App, job: &Job) -> Value {
    let attempts = app.running.attempts(&job.new.id);
    json!({
        "attempts": attempts.as_ref().map_or(0, |past| past.count),
        "last_fault": attempts.map(|past| past.cause),
        "id": job.new.id,
        "action": job.new.request.action,
        "state": job.state,
        "request": job.new.request,
        "certificate": job.new.certificate,
        "approval": job.approval,
        "approval_bypassed": job.new.approval_bypassed,
        "revocation": job.new.revocation,
        "result": job.result,
        "cause": job.cause,
        "requester": job.actor.person,
        "created": job.created,
    })
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::IssuanceSubmit, Resource::Org)?;
    let missing = || Problem::not_found(format!("there is no job `{id}`"));
    let job = app.store.read(|rows| rows.job(&id)).ok_or_else(missing)?;
    let own = job.actor.person.as_deref() == Some(caller.name());
    if !own && !caller.may(&app, AdminAction::ApprovalList, Resource::Org) {
        return Err(missing());
    }
    Ok(Json(shown(&app, &job)))
}
