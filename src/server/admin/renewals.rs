//! Standing orders to renew: enabled by a person, asked for by a service.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::problem::Problem;
use super::super::renewals::owner;
use super::caller::Caller;
use super::issuance::expect_role;
use super::page::{Body, Listed, Page, Query};
use crate::access::{AdminAction, Resource};
use crate::issuance::renewal::due;
use crate::journal::{Event, NewSchedule};
use crate::store::{Certificate, Schedule};
use crate::unlock::draw_id;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Enable {
    /// The serial number of the certificate.
    certificate: String,
    /// The service that asks.
    service: String,
    /// Seconds before its end.
    before_s: Option<u64>,
    reason: Option<String>,
    ticket: Option<String>,
}

fn shown(app: &App, row: &Schedule) -> Value {
    let current = app.store.read(|rows| rows.certificate(&row.certificate));
    json!({
        "id": row.new.id,
        "certificate": row.certificate,
        "service": row.new.service,
        "before_s": row.new.before_s,
        "due": current.map(|one| due(&one, row.new.before_s)),
        "enabled_by": row.new.persons,
        "reason": row.new.reason,
        "ticket": row.new.ticket,
        "job": row.job,
        "tried": row.tried,
        "stopped": row.stopped,
        "last_fault": app.resting.cause(&row.new.id),
        "created": row.created,
    })
}

fn certificate(app: &App, serial: &str) -> Result<Arc<Certificate>, Problem> {
    let found = app.store.read(|rows| rows.certificate(serial));
    found.ok_or_else(|| Problem::invalid(format!("there is no certificate `{serial}`")))
}

pub(super) async fn enable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<Enable>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.expect_may(&app, AdminAction::IssuanceSubmit, Resource::Org)?;
    let by = caller.expect_person()?;
    let found = certificate(&app, &body.certificate)?;
    let project = found.request.project.as_deref();
    expect_role(&caller, project)?;
    owner(&caller.policy, &body.service, project).map_err(Problem::invalid)?;
    if found.revoked.is_some() {
        return Err(Problem::conflict("the certificate is revoked"));
    }
    let live = |row: &Arc<Schedule>| !row.stopped && row.certificate == found.serial;
    if app.store.schedules().iter().any(live) {
        return Err(Problem::conflict("the certificate is renewed already"));
    }
    let id = draw_id()?;
    let schedule = NewSchedule {
        id: id.clone(),
        certificate: found.serial.clone(),
        service: body.service,
        before_s: body.before_s,
        reason: body.reason,
        ticket: body.ticket,
        persons: by.persons,
    };
    let event = Event::RenewalScheduled {
        schedule: Box::new(schedule),
    };
    let context = app.context(caller.journal_actor());
    app.submit_and_wait(context, move |_| Ok(event)).await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &*row(&app, &id)?))))
}

fn row(app: &App, id: &str) -> Result<Arc<Schedule>, Problem> {
    let found = app.store.read(|rows| rows.schedule(id));
    found.ok_or_else(|| Problem::not_found(format!("there is no renewal `{id}`")))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Listed<Value>>, Problem> {
    caller.expect_may(&app, AdminAction::CertificateList, Resource::Org)?;
    let after = page.after.as_deref();
    let rows = app.store.schedules().into_iter();
    let rows = rows.filter(|row| after.is_none_or(|after| row.new.id.as_str() > after));
    let limit = page.limit();
    Ok(Json(Listed::new(
        rows.take(limit + 1).collect(),
        limit,
        |row: &Arc<Schedule>| row.new.id.clone(),
        |row| shown(&app, &row),
    )))
}

pub(super) async fn stop(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::IssuanceSubmit, Resource::Org)?;
    let known = row(&app, &id)?;
    let found = certificate(&app, &known.certificate)?;
    expect_role(&caller, found.request.project.as_deref())?;
    let event = Event::RenewalStopped {
        id: id.clone(),
        note: None,
    };
    let context = app.context(caller.journal_actor());
    app.submit_and_wait(context, move |_| Ok(event)).await?;
    Ok(Json(shown(&app, &*row(&app, &id)?)))
}
