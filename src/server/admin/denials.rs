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
use crate::store::{Concern, Refusal, StoreError};

/// With a clock that is `frozen` a denial that was not lifted holds, however old.
fn live(denial: &TemporaryDenial, now: Timestamp, frozen: bool) -> bool {
    denial.holds(now) || (frozen && !denial.lifted)
}

fn shown(denial: &TemporaryDenial, now: Timestamp, frozen: bool) -> Value {
    json!({
        "id": denial.id,
        "device": denial.device,
        "source": crate::address::display_prefix(denial.source),
        "since": denial.since,
        "until": denial.until,
        "by": denial.by,
        "lifted": denial.lifted,
        "live": live(denial, now, frozen),
    })
}

/// The live denials of one device.
pub(super) fn of_device(rows: &[Concern], now: Timestamp, frozen: bool) -> Vec<Value> {
    rows.iter()
        .filter_map(|row| match row {
            Concern::TemporaryDenial(denial) if live(denial, now, frozen) => {
                Some(shown(denial, now, frozen))
            }
            Concern::TemporaryDenial(_) | Concern::ApprovalRequest(_) | Concern::AllowOnce(_) => {
                None
            }
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
    let frozen = !app.clock.trusts(now);
    let items: Vec<Value> = app
        .store
        .denials()
        .iter()
        .filter(|denial| filter.all || live(denial, now, frozen))
        .filter(|denial| {
            filter
                .device
                .as_ref()
                .is_none_or(|name| *name == denial.device)
        })
        .map(|denial| shown(denial, now, frozen))
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
    let now = clock::now();
    // With a clock that is off every denial holds, and each may be lifted.
    let frozen = !app.clock.trusts(now);
    app.submit_and_wait(context, move |rows| {
        let over = |denial: Arc<TemporaryDenial>| !frozen && !denial.holds(now);
        if rows.denial(&lifted).is_some_and(over) {
            return Err(StoreError::Refused(Refusal::State {
                what: "denial",
                name: lifted,
                state: "over already",
            }));
        }
        Ok(Event::DenialLifted { id: lifted, note })
    })
    .await?;
    let found = app
        .store
        .denials()
        .into_iter()
        .find(|denial| denial.id == id);
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no denial `{id}`")))?;
    Ok(Json(shown(&found, now, frozen)))
}
