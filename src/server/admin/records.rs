//! Recorded requests, newest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::{Page, Query};
use crate::access::{AdminAction, Resource};
use crate::record::back::{Place, Span, read_back};
use crate::vocabulary::Outcome;

/// About how many bytes one call looks at, whatever it finds.
const LOOK: u64 = 16 << 20;

/// Which records are asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    device: Option<String>,
    outcome: Option<Outcome>,
    /// Decided at this time or later.
    since: Option<Timestamp>,
}

impl Which {
    fn holds(&self, record: &Value) -> bool {
        let word = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
        let device = self.device.as_deref();
        let outcome = self.outcome.map(Outcome::word);
        (device.is_none() || word("/request/device") == device)
            && (outcome.is_none() || word("/decision/outcome") == outcome)
            && self.since.is_none_or(|since| {
                word("/time")
                    .and_then(|time| time.parse::<Timestamp>().ok())
                    .is_some_and(|time| time >= since)
            })
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(which): Query<Which>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::RecordList, Resource::Org)?;
    let from = match &page.after {
        None => None,
        Some(after) => Some(
            after
                .parse::<Place>()
                .map_err(|error| Problem::malformed(format!("`after`: {error}")))?,
        ),
    };
    let span = Span {
        from,
        since: which.since,
        lines: page.limit(),
        bytes: LOOK,
    };
    let read = app
        .blocking(move |app| {
            let take = |line: &[u8]| {
                // A line that is being written is read by the next call.
                let record = serde_json::from_slice::<Value>(line).ok()?;
                which.holds(&record).then_some(record)
            };
            read_back(app.records.directory(), span, take).map_err(|error| {
                Problem::unavailable(format!("the records cannot be read: {error}"))
            })
        })
        .await?;
    let read = read.ok_or_else(|| {
        Problem::not_found("the records after that page were taken away; begin again")
    })?;
    let next = read.next.map(|place| place.to_string());
    Ok(Json(json!({"items": read.items, "next": next})))
}
