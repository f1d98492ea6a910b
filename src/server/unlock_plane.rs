//! The unlock plane: what an unmodified Clevis client asks, answered byte for
//! byte as Tang answers it, and only where the policy allows.
//!
//! Source: Tang `src/tangd.c` for paths and statuses. The order: the path, the
//! form of the request, the key; then the policy; then the multiplication;
//! then all of it once more, and what that spends on disk, before the reply leaves.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::app::App;
use super::clock;
use super::connection::Source;
use super::people::Granted;
use super::pool::PoolError;
use super::seldom::Seldom;
use crate::record::Asked;
use crate::tang::{self, ClientPoint, RecError, Route, RouteStatus, recovery};
use crate::unlock::{Attempt, Endpoint, Judged};
use crate::vocabulary::{DeviceState, Outcome};

/// Seconds after which a client that waits for people may come again.
const RETRY_AFTER: &str = "5";
/// How long a client may take for its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

static FORWARDED: Seldom = Seldom::new();

/// Answers one request, whatever it is.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (route, response) = match answer(&app, request).await {
        Ok((route, response)) => (route, response),
        Err(Refused {
            route,
            status,
            retry,
        }) => (route, refusal(status, retry)),
    };
    app.metrics.count_answer(route, response.status().as_u16());
    response
}

/// An answer without contents.
struct Refused {
    route: &'static str,
    status: StatusCode,
    retry: bool,
}

impl Refused {
    fn new(route: &'static str, status: StatusCode) -> Self {
        Refused {
            route,
            status,
            retry: false,
        }
    }

    fn later(route: &'static str, status: StatusCode) -> Self {
        Refused {
            route,
            status,
            retry: true,
        }
    }
}

/// One constant body for each status: nothing of the policy leaks.
fn refusal(status: StatusCode, retry: bool) -> Response {
    let mut response = (status, Body::empty()).into_response();
    if retry {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    }
    response
}

async fn answer(app: &Arc<App>, request: Request) -> Result<(&'static str, Response), Refused> {
    let source = request.extensions().get::<Source>().copied();
    let Some(Source(source)) = source else {
        return Err(Refused::new("other", StatusCode::INTERNAL_SERVER_ERROR));
    };
    let (head, body) = request.into_parts();
    if !app.ignore_forwarded && carries_forwarding(&head.headers) {
        if let Some(left_out) = FORWARDED.turn() {
            tracing::warn!(%source, left_out, "a request carries a forwarding header and is refused: list the proxy in trusted_proxies, or set ignore_forwarded");
        }
        return Err(Refused::new("other", StatusCode::BAD_REQUEST));
    }
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let (found, route) = find(app, head.method.as_str(), target)?;
    match route {
        Route::Advertise(thumbprint) => {
            let ring = found
                .and_then(|endpoint| endpoint.ring)
                .ok_or_else(|| Refused::new("adv", StatusCode::NOT_FOUND))?;
            let made = ring.advertise(thumbprint).map_err(|error| {
                tracing::error!(%error, "cannot sign an advertisement");
                Refused::new("adv", StatusCode::INTERNAL_SERVER_ERROR)
            })?;
            let made = made.ok_or_else(|| Refused::new("adv", StatusCode::NOT_FOUND))?;
            let body = Bytes::from_owner(made.body);
            Ok(("adv", reply("application/jose+json", body)))
        }
        Route::Recover(kid) => recover(app, source, found, kid, &head.headers, body)
            .await
            .map(|response| ("rec", response)),
    }
}

fn reply(kind: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Whether somebody before us claims to speak for another address.
fn carries_forwarding(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name.as_str() == "forwarded" || name.as_str().starts_with("x-forwarded-"))
}

/// Whose request this is; none where nobody's, which looks like an unknown key.
fn find<'a>(
    app: &App,
    method: &str,
    target: &'a str,
) -> Result<(Option<Endpoint>, Route<'a>), Refused> {
    let legacy = app
        .legacy
        .as_ref()
        .map(|legacy| (legacy, tang::route(&legacy.prefix, method, target)));
    if let Some((legacy, Ok(route))) = legacy {
        return Ok((legacy.endpoint(), route));
    }
    match tang::route_binding(method, target) {
        Ok((token, route)) => {
            let found = app.rings.find(&app.store, token).map_err(|error| {
                tracing::error!(%error, "a binding's keys cannot be opened");
                Refused::new("other", StatusCode::INTERNAL_SERVER_ERROR)
            })?;
            Ok((found, route))
        }
        Err(RouteStatus::NotFound) => {
            let status = match legacy {
                Some((_, Err(status))) => status,
                Some((_, Ok(_))) | None => RouteStatus::NotFound,
            };
            Err(Refused::new("other", route_status(status)))
        }
        Err(status) => Err(Refused::new("other", route_status(status))),
    }
}

fn route_status(status: RouteStatus) -> StatusCode {
    StatusCode::from_u16(status.status()).unwrap_or(StatusCode::NOT_FOUND)
}

fn rec(status: StatusCode) -> Refused {
    Refused::new("rec", status)
}

async fn recover(
    app: &Arc<App>,
    source: std::net::IpAddr,
    found: Option<Endpoint>,
    kid: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let began = clock::instant();
    let body = read_body(headers, body).await?;
    if !app.limits.admit_source(source) {
        return Err(Refused::later("rec", StatusCode::TOO_MANY_REQUESTS));
    }
    let revoked = found
        .as_ref()
        .is_some_and(|endpoint| endpoint.state == DeviceState::Revoked);
    let checked = tang::check_request(&body, || match &found {
        Some(_) if revoked => Ok(()),
        Some(Endpoint {
            ring: Some(ring), ..
        }) => ring.exchange_key(kid).map(|_| ()),
        Some(Endpoint { ring: None, .. }) | None => Err(RecError::UnknownKey),
    });
    let ((), point) = checked.map_err(|error| {
        rec(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST))
    })?;
    let endpoint = found.ok_or_else(|| rec(StatusCode::NOT_FOUND))?;
    let binding = endpoint.binding.as_ref();
    if binding.is_some_and(|binding| !app.limits.admit_binding(binding)) {
        return Err(Refused::later("rec", StatusCode::TOO_MANY_REQUESTS));
    }
    let policy = app.policy.current();
    let now = clock::now();
    let attempt = app.attempt(&policy, endpoint, source, kid, now);
    match decide(app, &attempt, now) {
        Outcome::Deny => Err(rec(StatusCode::FORBIDDEN)),
        Outcome::Pending => {
            app.ask_people(attempt).await;
            Err(Refused::later("rec", StatusCode::SERVICE_UNAVAILABLE))
        }
        Outcome::Allow => {
            let reply = exchange(app, attempt, point).await?;
            app.metrics
                .exchange_seconds
                .observe(began.elapsed().as_secs_f64());
            Ok(reply)
        }
    }
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    let too_large = || rec(StatusCode::PAYLOAD_TOO_LARGE);
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > recovery::MAX_BODY) {
        return Err(too_large());
    }
    let read = axum::body::to_bytes(body, recovery::MAX_BODY);
    match tokio::time::timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => {
            let limit = std::error::Error::source(&error)
                .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
            Err(if limit {
                too_large()
            } else {
                rec(StatusCode::BAD_REQUEST)
            })
        }
        Err(_) => Err(rec(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// Asks the policy of the moment, and records what it says unless that is to
/// allow: then it is recorded once what it spends is spent.
fn decide(app: &App, attempt: &Attempt, now: Timestamp) -> Outcome {
    let Some(judged) = app.timed(|rows| attempt.refusal(rows, now)) else {
        return Outcome::Allow;
    };
    let outcome = judged.decision.outcome;
    record(app, now, judged);
    outcome
}

fn record(app: &App, at: Timestamp, judged: Judged) {
    let Judged {
        request,
        facts,
        decision,
    } = judged;
    app.metrics.count_decision("unlock", &decision);
    app.records
        .push(at, Asked::Unlock { request, facts }, decision);
}

/// Multiplies, judges once more and spends what that takes, and replies.
async fn exchange(
    app: &Arc<App>,
    mut attempt: Attempt,
    point: ClientPoint,
) -> Result<Response, Refused> {
    let ring = attempt
        .endpoint
        .ring
        .clone()
        .ok_or_else(|| rec(StatusCode::NOT_FOUND))?;
    let (kid, source) = (attempt.kid.clone(), attempt.source);
    let product = app.pool.multiply(ring, kid.clone(), point).await;
    let product = product.map_err(|error| match error {
        PoolError::Full => Refused::later("rec", StatusCode::SERVICE_UNAVAILABLE),
        PoolError::Failed(cause) => {
            tracing::error!(%cause, "an exchange failed");
            rec(StatusCode::INTERNAL_SERVER_ERROR)
        }
    })?;
    let legacy = attempt.endpoint.device.is_none();
    let now = clock::now();
    attempt.clock_trusted &= app.clock.trusts(now);
    match app.grant(attempt.clone(), now).await {
        Granted::Yes(judged) => record(app, now, *judged),
        Granted::No(judged) => {
            let outcome = judged.decision.outcome;
            record(app, now, *judged);
            return Err(match outcome {
                Outcome::Pending => {
                    app.ask_people(attempt).await;
                    Refused::later("rec", StatusCode::SERVICE_UNAVAILABLE)
                }
                Outcome::Deny | Outcome::Allow => rec(StatusCode::FORBIDDEN),
            });
        }
        Granted::Failed(error) => {
            tracing::error!(%error, device = %attempt.endpoint.name, "an exchange was allowed, and what it spends could not be written");
            return Err(Refused::later("rec", StatusCode::SERVICE_UNAVAILABLE));
        }
    }
    if let (true, Some(legacy)) = (legacy, &app.legacy) {
        legacy.note_use(app, &kid, source);
    }
    Ok(reply(
        "application/jwk+json",
        Bytes::from(product.to_reply()),
    ))
}
