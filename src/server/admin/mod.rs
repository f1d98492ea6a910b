//! The admin plane: `/api/v1` in JSON for people and services with bearer
//! tokens, and what operates the server (`/healthz`, `/readyz`, `/metrics`).
//!
//! A handler says who asks and what, lets [`App`] do it, and renders the
//! answer; errors are problem documents. One file for each kind of thing.

mod allow_once;
mod approvals;
mod audit;
mod caller;
mod certificates;
mod denials;
mod devices;
mod enroll;
mod enrollment_keys;
mod events;
mod health;
mod idempotency;
mod issuance;
mod jobs;
mod keys;
mod openapi;
mod page;
mod policy;
mod preflight;
mod records;
mod renewals;
mod step_ca;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{delete, get, patch, post};

pub(super) use issuance::{nobody, record as record_issuance};

use super::app::App;
use super::problem::Problem;

/// The longest body; a Tang directory's keys are far below it.
const BODY_LIMIT: usize = 1 << 20;

/// Every route of the plane.
pub fn routes(app: Arc<App>) -> Router {
    let api = Router::new()
        .route(
            "/openapi.json",
            get(|| async { ([(CONTENT_TYPE, "application/json")], openapi::text()) }),
        )
        .route("/claim", post(tokens::claim))
        .route("/devices", get(devices::list).post(enroll::enroll))
        .route("/devices/{name}", get(devices::show))
        .route("/devices/{name}", patch(devices::tag))
        .route("/devices/{name}/why", get(devices::why))
        .route("/devices/{name}/disable", post(devices::disable))
        .route("/devices/{name}/enable", post(devices::enable))
        .route("/devices/{name}/revoke", post(devices::revoke))
        .route("/devices/{name}/rotate", post(devices::rotate))
        .route(
            "/enrollment-keys",
            get(enrollment_keys::list).post(enrollment_keys::create),
        )
        .route("/enrollment-keys/{id}", delete(enrollment_keys::revoke))
        .route(
            "/devices/{name}/allow-once",
            get(allow_once::list).post(allow_once::arm),
        )
        .route(
            "/devices/{name}/allow-once/{id}",
            delete(allow_once::withdraw),
        )
        .route(
            "/devices/{name}/allow-once/{id}/arm",
            post(allow_once::join),
        )
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}", get(approvals::show))
        .route("/approvals/{id}/{verdict}", post(approvals::decide))
        .route("/events", get(events::listen))
        .route("/issuance", post(issuance::submit))
        .route("/issuance/dry-run", post(issuance::dry_run))
        .route("/jobs/{id}", get(jobs::show))
        .route("/certificates", get(certificates::list))
        .route("/renewals", get(renewals::list).post(renewals::enable))
        .route("/renewals/{id}", delete(renewals::stop))
        .route("/step-ca", post(step_ca::ask))
        .route("/permit-keys", get(certificates::permit_keys))
        .route("/authorities", post(certificates::create_authority))
        .route("/authorities/{id}", get(certificates::authority))
        .route("/authorities/{id}/crl", get(certificates::crl))
        .route("/denials", get(denials::list))
        .route("/denials/{id}", delete(denials::lift))
        .route("/clock/accept", post(audit::accept_clock))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{id}", delete(tokens::revoke))
        .route("/policy", get(policy::show))
        .route("/policy/reload", post(policy::reload))
        .route("/eval", post(policy::eval))
        .route("/records", get(records::list))
        .route("/audit", get(audit::list))
        .route("/audit/head", get(audit::head))
        .route("/audit/accept-head", post(audit::accept_head))
        .route("/keys", get(keys::list))
        .route("/keys/import", post(keys::import))
        .route("/keys/{thumbprint}", delete(keys::delete))
        .route("/backup", post(keys::backup))
        .fallback(|| async {
            Problem::not_found("there is no such path; see /api/v1/openapi.json")
        })
        .method_not_allowed_fallback(not_allowed);
    Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(|| async { Problem::not_found("there is no such path") })
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(app)
}

async fn not_allowed() -> Problem {
    Problem::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "The method is not allowed here",
        "see /api/v1/openapi.json",
    )
}

/// A bearer token for `person` that was just drawn, and its secret.
///
/// # Errors
/// The random generator failed.
pub fn draw_bearer(
    person: &str,
) -> Result<(crate::journal::NewToken, String), crate::unlock::UnlockError> {
    tokens::draw(person)
}
