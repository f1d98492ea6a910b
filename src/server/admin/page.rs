//! Lists by cursor, bodies as JSON, and the store's refusals as problems.

use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::problem::Problem;
use crate::approval::Refused;
use crate::store::{Refusal, StoreError};

/// How long a client may take for its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The most rows of one page.
const LARGEST: usize = 1000;
/// The rows of one page where nothing is said.
const USUAL: usize = 100;

/// Which page is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Page {
    /// The last row of the page before.
    pub(super) after: Option<String>,
    /// How many rows.
    limit: Option<usize>,
}

impl Page {
    /// How many rows to answer, at most.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(USUAL).clamp(1, LARGEST)
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub(super) struct Listed<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T> Listed<T> {
    /// A page of `rows`, which were read one longer than `limit` to see whether
    /// there is a next one; `key` is what the next page comes after.
    pub(super) fn new<R>(
        mut rows: Vec<R>,
        limit: usize,
        key: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Listed {
            items: rows.into_iter().map(show).collect(),
            next,
        }
    }
}

/// A body in JSON; what is wrong with it is said as a problem. None at all is
/// one without members, so that what needs none can be asked without.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let unread = |status, detail: String| {
            Problem::new(status, "body", "The body cannot be read", detail)
        };
        if request.body().is_end_stream() {
            let read = serde_json::from_str("{}").map(Body);
            return read.map_err(|error| Problem::malformed(format!("there is no body: {error}")));
        }
        let read = axum::Json::<T>::from_request(request, state);
        match tokio::time::timeout(BODY_TIMEOUT, read).await {
            Ok(Ok(axum::Json(body))) => Ok(Body(body)),
            Ok(Err(JsonRejection::BytesRejection(error))) => {
                Err(unread(error.status(), error.body_text()))
            }
            Ok(Err(error)) => Err(Problem::malformed(error.body_text())),
            Err(_) => Err(unread(
                StatusCode::REQUEST_TIMEOUT,
                "it did not come in time".to_owned(),
            )),
        }
    }
}

/// A query; what is wrong with it is said as a problem.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> axum::extract::FromRequestParts<S>
    for Query<T>
{
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Query(query)),
            Err(error) => Err(Problem::malformed(error.body_text())),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => match refusal {
                Refusal::NotFound { .. } => Problem::not_found(refusal.to_string()),
                Refusal::Exists { .. } | Refusal::Stale { .. } | Refusal::State { .. } => {
                    Problem::conflict(refusal.to_string())
                }
                Refusal::Unseen => Problem::conflict(refusal.to_string()),
                Refusal::Approval(refused) => refused.into(),
                Refusal::Senseless(_) => Problem::invalid(refusal.to_string()),
            },
            other => {
                tracing::error!(error = %other, "the store did not do what it was asked");
                Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store",
                    "The store cannot be written",
                    other.to_string(),
                )
            }
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let detail = refused.to_string();
        match refused {
            Refused::NotEntitled(_) => Problem::forbidden(detail),
            Refused::OwnRequest(_) => Problem::new(
                StatusCode::FORBIDDEN,
                "two-person-integrity",
                "This takes a second person",
                detail,
            ),
            Refused::Late { .. }
            | Refused::Superseded
            | Refused::UsedUp
            // Said again it is no error: who answers a request says so with 200.
            | Refused::Repeated(_) => Problem::conflict(detail),
            Refused::NotHere { .. } | Refused::CommentRequired => Problem::invalid(detail),
        }
    }
}

impl From<crate::unlock::UnlockError> for Problem {
    fn from(error: crate::unlock::UnlockError) -> Self {
        match error {
            crate::unlock::UnlockError::Store(error) => error.into(),
            crate::unlock::UnlockError::Key(cause) => Problem::internal(cause),
        }
    }
}
