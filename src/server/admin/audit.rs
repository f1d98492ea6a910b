//! The journal, read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::{Listed, Page, Query};
use crate::access::{AdminAction, Resource};

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Listed<Value>>, Problem> {
    caller.expect_may(&app, AdminAction::AuditRead, Resource::Org)?;
    let after = match &page.after {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::malformed("`after` is the number of an entry"))?,
    };
    let limit = page.limit();
    let rows = app
        .blocking(move |app| Ok(app.store.audit(after, limit + 1)?))
        .await?;
    Ok(Json(Listed::new(
        rows,
        limit,
        |entry| entry.seq.to_string(),
        |entry| {
            json!({
                "seq": entry.seq,
                "hash": entry.hash,
                "time": entry.draft.time,
                "actor": entry.draft.actor,
                "policy": entry.draft.policy,
                "event": entry.draft.event,
            })
        },
    )))
}

pub(super) async fn head(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::AuditRead, Resource::Org)?;
    let head = app
        .blocking(|app| Ok(app.store.sign_head(clock::now())?))
        .await?;
    Ok(Json(
        json!({"head": head, "key": app.store.audit_public_key()}),
    ))
}
