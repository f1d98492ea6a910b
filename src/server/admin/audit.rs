//! The journal, read, and its older head accepted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::{Body, Listed, Page, Query};
use crate::access::{AdminAction, Resource};
use crate::journal::Event;

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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Accepted {
    note: Option<String>,
}

/// Takes the clock as it is, by a person's word; timed grants hold again.
pub(super) async fn accept_clock(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(Accepted { note }): Body<Accepted>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::ClockAccept, Resource::Org)?;
    let by = caller.expect_person()?;
    let note = note.filter(|note| !note.trim().is_empty());
    let note = note.ok_or_else(|| Problem::invalid("say in `note` why the clock is right"))?;
    let trusted = app.clock.trusted();
    let context = app.context(caller.journal_actor());
    let event = Event::ClockAccepted { note };
    app.submit_and_wait(context, move |_| Ok(event)).await?;
    app.clock.accept();
    app.metrics.clock_frozen.set(0);
    tracing::warn!(by = %by.person, "the clock was accepted as it is");
    Ok(Json(json!({"trusted_until": trusted, "now": clock::now()})))
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {
    note: String,
}

/// Accepts by name that the journal lacks what the anchored head covers.
pub(super) async fn accept_head(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(Accept { note }): Body<Accept>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::HeadAccept, Resource::Org)?;
    if note.trim().is_empty() {
        return Err(Problem::invalid(
            "`note` says why the entries that are missing are given up",
        ));
    }
    let actor = caller.journal_actor();
    let accepted = app
        .blocking(move |app| Ok(app.store.accept_head(app.context(actor), note)?))
        .await?;
    tracing::warn!(by = %caller.name(), entry = accepted.entry.seq, "the journal's older head was accepted");
    Ok(Json(
        json!({"entry": accepted.entry.seq, "event": accepted.entry.draft.event}),
    ))
}
