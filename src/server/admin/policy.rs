//! The policy in force, its reload, and decisions for the asking.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::policy::Reload;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::Body;
use crate::access::{AdminAction, Resource};
use crate::decision::Decision;
use crate::record::Asked;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::PolicyShow, Resource::Org)?;
    let policy = &caller.policy;
    let files: Vec<&str> = policy
        .set
        .sources
        .files()
        .map(|(_, file)| file.path.as_str())
        .collect();
    Ok(Json(json!({
        "digest": policy.set.digest,
        "since": policy.since,
        "path": app.policy.path(),
        "files": files,
        "degraded": app.policy.degraded(),
        "allow_bypass": app.allow_bypass,
    })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReloadBody {}

pub(super) async fn reload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(ReloadBody {}): Body<ReloadBody>,
) -> Result<Json<Reload>, Problem> {
    caller.expect_may(&app, AdminAction::PolicyReload, Resource::Org)?;
    let actor = caller.journal_actor();
    let done = app.blocking(move |app| Ok(app.reload(actor)?)).await?;
    match done {
        Reload::Rejected { cause, .. } => Err(Problem::invalid(cause)),
        Reload::Unchanged { .. } | Reload::Loaded { .. } => Ok(Json(done)),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Eval {
    #[serde(flatten)]
    asked: Asked,
    #[serde(default)]
    time: Option<Timestamp>,
}

pub(super) async fn eval(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<Eval>,
) -> Result<Json<Decision>, Problem> {
    caller.expect_may(&app, AdminAction::PolicyEval, Resource::Org)?;
    let at = body.time.unwrap_or_else(clock::now);
    let policy = caller.policy;
    app.blocking(move |_| {
        Ok(Json(match &body.asked {
            Asked::Unlock { request, facts } => policy.program.trace_unlock(request, facts, at),
            Asked::Issuance { request, facts } => policy.program.trace_issuance(request, facts, at),
        }))
    })
    .await
}
