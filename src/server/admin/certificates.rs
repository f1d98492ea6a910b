//! What issuance leaves behind: certificates, and the authorities of the
//! server's own with their CRLs.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::{App, MadeList};
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::{Body, Listed, Page, Query};
use crate::access::{AdminAction, Resource};
use crate::issuance::execute::{ExecuteError, make_authority, revocation_list};
use crate::issuance::permit;
use crate::store::Certificate;

/// How long a CRL is given out that nothing changed.
const LIST_KEPT: SignedDuration = SignedDuration::from_hours(1);

fn shown_certificate(one: &Certificate, now: Timestamp) -> Value {
    let state = match (one.revoked, now >= one.not_after) {
        (Some(_), _) => "revoked",
        (None, true) => "expired",
        (None, false) => "live",
    };
    json!({
        "serial": one.serial,
        "state": state,
        "project": one.request.project,
        "profile": one.request.profile,
        "name": one.request.name,
        "san": one.request.san,
        "issuer_id": one.request.issuer_id,
        "not_before": one.not_before,
        "not_after": one.not_after,
        "revoked": one.revoked,
        "revocation": one.reason,
        "job": one.job,
        "pem": one.pem,
    })
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Listed<Value>>, Problem> {
    caller.expect_may(&app, AdminAction::CertificateList, Resource::Org)?;
    let (limit, now) = (page.limit(), clock::now());
    let rows = app.store.certificates(page.after.as_deref(), limit + 1);
    Ok(Json(Listed::new(
        rows,
        limit,
        |one| one.serial.clone(),
        |one| shown_certificate(&one, now),
    )))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAuthority {
    /// What requests call it as `issuer_id`.
    id: String,
    /// The common name of its certificate.
    common_name: String,
    /// How many days it lives.
    #[serde(default = "ten_years")]
    days: u32,
}

fn ten_years() -> u32 {
    3650
}

pub(super) async fn create_authority(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<NewAuthority>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.expect_may(&app, AdminAction::AuthorityCreate, Resource::Org)?;
    caller.expect_person()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if body.id.is_empty() || body.id.len() > 64 || !body.id.bytes().all(plain) {
        return Err(Problem::invalid(
            "an authority's id is 1 to 64 of a-z, 0-9 and `-`",
        ));
    }
    let context = app.context(caller.journal_actor());
    let told = app
        .blocking(move |app| {
            let made = make_authority(&app.store, context, &body.id, &body.common_name, body.days);
            let certificate = made.map_err(|error| match error {
                ExecuteError::Store(error) => Problem::from(error),
                other => Problem::invalid(other.to_string()),
            })?;
            Ok(json!({"id": body.id, "certificate": certificate}))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(told)))
}

pub(super) async fn authority(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<String, Problem> {
    let found = app.store.read(|rows| rows.authority(&id));
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no authority `{id}`")))?;
    Ok(found.new.certificate.clone())
}

/// The keys that permits are verified with, a JWK set; for anybody.
pub(super) async fn permit_keys(State(app): State<Arc<App>>) -> Json<Value> {
    Json(permit::public_keys(&app.store))
}

/// The CRL of an authority; for anybody, as CRLs are. It is made anew when
/// something became of the authority, and else each hour: not for each who asks.
pub(super) async fn crl(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<String, Problem> {
    let (found, now) = (app.store.read(|rows| rows.authority(&id)), clock::now());
    let version = found.map(|authority| authority.version);
    let made = lists(&app).get(&id).cloned();
    let holds = |list: &MadeList| {
        version == Some(list.version) && now.duration_since(list.made).abs() < LIST_KEPT
    };
    if let Some(list) = made.filter(holds) {
        return Ok(list.pem);
    }
    app.blocking(move |app| {
        let (version, pem) =
            revocation_list(&app.store, &id, now).map_err(|error| match error {
                ExecuteError::NoAuthority(_) => Problem::not_found(error.to_string()),
                other => Problem::internal(other.to_string()),
            })?;
        let list = MadeList {
            version,
            made: now,
            pem: pem.clone(),
        };
        lists(app).insert(id, list);
        Ok(pem)
    })
    .await
}

fn lists(app: &App) -> MutexGuard<'_, BTreeMap<String, MadeList>> {
    let lists = &app.revocation_lists;
    lists.lock().unwrap_or_else(PoisonError::into_inner)
}
