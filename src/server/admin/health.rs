//! Whether the server lives, whether it may be relied on, and what it counts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use super::super::app::App;
use crate::store::StoreState;

pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// 503 while the policy on disk is not the one that decides, or while the
/// store waits for somebody's word.
pub(super) async fn ready(State(app): State<Arc<App>>) -> impl IntoResponse {
    let degraded = app.policy.degraded();
    let store = match app.store.state() {
        StoreState::Ready => None,
        StoreState::HeadOlderThanAnchor { anchored, reached } => Some(format!(
            "the journal ends at entry {reached}, before the anchored entry {}: an older state was restored; `panopol audit accept-head` accepts that",
            anchored.seq
        )),
        StoreState::ForeignAnchor => Some("the anchored head is not of this journal: put the right state back, or move the head file away and start again".to_owned()),
    };
    let ready = degraded.is_none() && store.is_none();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let digest = app.policy.current().set.digest.clone();
    let body =
        json!({"ready": ready, "policy": {"digest": digest, "degraded": degraded}, "store": store});
    (status, Json(body))
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let last = app.store.link().seq;
    app.metrics.set_audit_entries(last);
    app.metrics.set_notification_lags(last);
    (
        [(
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        app.metrics.render(),
    )
}
