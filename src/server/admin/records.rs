//! The newest recorded requests.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::{Page, Query};
use crate::access::{AdminAction, Resource};

/// How far back from the end of the current file is looked, in bytes.
const TAIL: u64 = 4 << 20;

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    device: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(which): Query<Which>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::RecordList, Resource::Org)?;
    let limit = which
        .limit
        .map_or_else(|| page.limit(), |limit| limit.clamp(1, 1000));
    let items = app
        .blocking(move |app| {
            let text = tail(app.records.path()).map_err(|error| {
                Problem::unavailable(format!("the records cannot be read: {error}"))
            })?;
            let wanted = |record: &Value| {
                which.device.is_none()
                    || record.pointer("/request/device").and_then(Value::as_str)
                        == which.device.as_deref()
            };
            let lines = text.split(|&byte| byte == b'\n').rev();
            Ok(lines
                .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
                .filter(wanted)
                .take(limit)
                .collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(json!({"items": items, "next": null})))
}

/// The whole lines at the end of the file.
fn tail(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut text = Vec::new();
    file.take(TAIL).read_to_end(&mut text)?;
    if start > 0 {
        let first = text
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        text.drain(..first);
    }
    Ok(text)
}
