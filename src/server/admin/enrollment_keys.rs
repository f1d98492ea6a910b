//! Keys that devices enroll themselves with: default tags, an end, a count.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::enroll::check_tags;
use super::page::{Body, Listed, Page, Query};
use crate::access::{AdminAction, Resource};
use crate::unlock::{draw_credential, token_hash};

/// The longest an enrollment key may hold: 90 days, in seconds.
const LONGEST_S: i64 = 90 * 24 * 3600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    tags: BTreeMap<String, String>,
    expires_s: i64,
    uses: u32,
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.expect_may(&app, AdminAction::EnrollmentKeyCreate, Resource::Org)?;
    check_tags(&caller.policy, &new.tags)?;
    if !(1..=LONGEST_S).contains(&new.expires_s) || new.uses == 0 {
        return Err(Problem::invalid(format!(
            "`expires_s` is 1 to {LONGEST_S} seconds, and `uses` at least 1"
        )));
    }
    let (id, key) = draw_credential()?;
    let expires = clock::now()
        .checked_add(SignedDuration::from_secs(new.expires_s))
        .map_err(|error| Problem::invalid(error.to_string()))?;
    let answer =
        json!({"id": id, "key": key, "tags": new.tags, "expires": expires, "uses": new.uses});
    let (actor, hash) = (caller.journal_actor(), token_hash(&key));
    app.blocking(move |app| {
        let context = app.context(actor);
        app.store
            .create_enrollment_key(context, &id, hash, new.tags, expires, new.uses)?;
        Ok(())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Listed<Value>>, Problem> {
    caller.expect_may(&app, AdminAction::EnrollmentKeyList, Resource::Org)?;
    let limit = page.limit();
    let rows = app.store.enrollment_keys(page.after.as_deref(), limit + 1);
    Ok(Json(Listed::new(
        rows,
        limit,
        |key| key.id.clone(),
        |key| {
            json!({
                "id": key.id,
                "tags": key.tags,
                "expires": key.expires,
                "uses_left": key.uses_left,
                "revoked": key.revoked,
            })
        },
    )))
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::EnrollmentKeyRevoke, Resource::Org)?;
    let (actor, answer) = (caller.journal_actor(), json!({"id": id}));
    app.blocking(move |app| Ok(app.store.revoke_enrollment_key(app.context(actor), &id)?))
        .await?;
    Ok(Json(answer))
}
