//! Temporary denials: listed, and lifted.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::Query;
use crate::access::{AdminAction, Resource};
use crate::approval::TemporaryDenial;
use crate::journal::Event;
use crate::store::Row;

fn shown(denial: &TemporaryDenial, now: Timestamp) -> Value {
    json!({
        "id": denial.id,
        "device": denial.device,
        "source": crate::address::display_prefix(denial.source),
        "since": denial.since,
        "until": denial.until,
        "by": denial.by,
        "lifted": denial.lifted,
        "live": denial.holds(now),
    })
}

/// The live denials of one device.
pub(super) fn of_device(rows: &[Row], now: Timestamp) -> Vec<Value> {
    rows.iter()
        .filter_map(|row| match row {
            Row::TemporaryDenial(denial) if denial.holds(now) => Some(shown(denial, now)),
            Row::TemporaryDenial(_)
            | Row::System(_)
            | Row::Device(_)
            | Row::Token(_)
            | Row::EnrollmentKey(_)
            | Row::Claim(_)
            | Row::LegacyKey(_)
            | Row::ApprovalRequest(_)
            | Row::AllowOnce(_) => None,
        })
        .collect()
}

#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    device: Option<String>,
    /// Also those that are over.
    #[serde(default)]
    all: bool,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::DenialList, Resource::Org)?;
    let now = clock::now();
    let items: Vec<Value> = app
        .store
        .denials()
        .iter()
        .filter(|denial| filter.all || denial.holds(now))
        .filter(|denial| {
            filter
                .device
                .as_ref()
                .is_none_or(|name| *name == denial.device)
        })
        .map(|denial| shown(denial, now))
        .collect();
    Ok(Json(json!({"items": items, "next": null})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Note {
    note: Option<String>,
}

pub(super) async fn lift(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(Note { note }): Query<Note>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::DenialLift, Resource::Org)?;
    caller.expect_person()?;
    let context = app.context(caller.journal_actor());
    let lifted = id.clone();
    app.submit_and_wait(context, move |_| {
        Ok(Event::DenialLifted { id: lifted, note })
    })
    .await?;
    let now = clock::now();
    let found = app
        .store
        .denials()
        .into_iter()
        .find(|denial| denial.id == id);
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no denial `{id}`")))?;
    Ok(Json(shown(&found, now)))
}
