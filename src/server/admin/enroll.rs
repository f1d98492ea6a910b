//! Enrollment: by a caller who may, or by the holder of an enrollment key.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::legacy;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use super::caller::{Caller, bearer};
use super::idempotency::Repeat;
use super::page::Body;
use crate::access::{AdminAction, Resource};
use crate::eval::Incomplete;
use crate::ir::{Domain, PolicySet};
use crate::journal::Actor;
use crate::store::{Enrollment, EnrollmentKey};
use crate::unlock::{Told, draw_binding, token_hash, told_again};
use crate::vocabulary::nearest;

/// The most bindings of one device.
const MOST_BINDINGS: u32 = 64;
/// The longest name of a device, in bytes.
const LONGEST_NAME: usize = 128;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Enroll {
    name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default = "one")]
    bindings: u32,
    #[serde(default)]
    idempotency_key: Option<String>,
}

fn one() -> u32 {
    1
}

/// Who enrolls: a caller who may, or the holder of an enrollment key.
pub(super) enum Enroller {
    Caller(Box<Caller>),
    Key(Arc<EnrollmentKey>),
}

impl Enroller {
    fn actor(&self) -> Actor {
        match self {
            Enroller::Caller(caller) => caller.journal_actor(),
            Enroller::Key(key) => Actor {
                credential: Some(format!("enrollment-key {}", key.id)),
                ..Actor::server()
            },
        }
    }

    fn name(&self) -> String {
        match self {
            Enroller::Caller(caller) => caller.name().to_owned(),
            Enroller::Key(key) => format!("enrollment-key {}", key.id),
        }
    }

    /// Whether it may enroll one more.
    fn may(&self) -> bool {
        match self {
            Enroller::Caller(_) => true,
            Enroller::Key(key) => key.holds(clock::now()),
        }
    }

    fn key_id(&self) -> Option<String> {
        match self {
            Enroller::Caller(_) => None,
            Enroller::Key(key) => Some(key.id.clone()),
        }
    }

    /// The device's tags: those asked for, or exactly the enrollment key's.
    fn tags(
        &self,
        mut asked: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Problem> {
        let Enroller::Key(key) = self else {
            return Ok(asked);
        };
        for (tag, value) in &key.tags {
            let own = asked.insert(tag.clone(), value.clone());
            if own.is_some_and(|own| own != *value) {
                let fixed = format!("the enrollment key fixes `{tag}`");
                return Err(Problem::forbidden(fixed));
            }
        }
        if asked.len() != key.tags.len() {
            return Err(Problem::forbidden(
                "a device takes its tags from its enrollment key, and no others",
            ));
        }
        Ok(asked)
    }
}

impl axum::extract::FromRequestParts<Arc<App>> for Enroller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let key =
            bearer(parts).and_then(|token| app.store.enrollment_key_by_hash(&token_hash(token)));
        match key {
            // One that is used up may ask again for what it was answered.
            Some(key) if key.lives(clock::now()) => Ok(Enroller::Key(key)),
            Some(_) => Err(Problem::unauthenticated()),
            None => {
                let caller = Caller::from_request_parts(parts, app).await?;
                caller.expect_may(app, AdminAction::DeviceEnroll, Resource::Org)?;
                Ok(Enroller::Caller(Box::new(caller)))
            }
        }
    }
}

pub(super) async fn enroll(
    State(app): State<Arc<App>>,
    enroller: Enroller,
    headers: HeaderMap,
    Body(mut body): Body<Enroll>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let own_key = body.idempotency_key.take();
    let repeat = Repeat::new(&headers, own_key, enroller.name(), json!(body));
    if let Some(answer) = repeat.answered(&app)? {
        return Ok((StatusCode::CREATED, Json(answer)));
    }
    check_name(&body.name)?;
    if !(1..=MOST_BINDINGS).contains(&body.bindings) {
        return Err(Problem::invalid(format!(
            "`bindings` is 1 to {MOST_BINDINGS}"
        )));
    }
    let tags = enroller.tags(body.tags)?;
    check_tags(&app.policy.current(), &tags)?;
    let (actor, name, count) = (enroller.actor(), body.name, body.bindings);
    let (may, key_id) = (enroller.may(), enroller.key_id());
    let answer = app
        .blocking(move |app| {
            let call = repeat.call();
            let call = call.as_deref();
            let done = match may {
                true => enroll_now(app, actor, &name, &tags, count, key_id, call),
                false => Err(Problem::unauthenticated()),
            };
            let told = match done {
                Ok(told) => told,
                // Also one that was made before a restart, or a moment ago.
                Err(problem) => told_before(app, &name, call)?.ok_or(problem)?,
            };
            let answer = answer(app, &name, &tags, &told);
            // Here, so that it is known although the client has gone meanwhile.
            repeat.remember(app, &answer);
            Ok(answer)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

fn enroll_now(
    app: &App,
    actor: Actor,
    name: &str,
    tags: &BTreeMap<String, String>,
    count: u32,
    enrollment_key: Option<String>,
    call: Option<&[u8]>,
) -> Result<Vec<Told>, Problem> {
    let mut told = Vec::new();
    let mut bindings = Vec::new();
    for number in 1..=count {
        let drawn = draw_binding(number, call)?;
        told.push(drawn.told);
        bindings.push(drawn.enroll);
    }
    app.store.enroll(
        app.context(actor),
        Enrollment {
            name: name.to_owned(),
            tags: tags.clone(),
            bindings,
            enrollment_key,
        },
    )?;
    Ok(told)
}

/// What the same call was told when it enrolled the device that there is.
fn told_before(app: &App, name: &str, call: Option<&[u8]>) -> Result<Option<Vec<Told>>, Problem> {
    let (Some(call), Some(device)) = (call, app.store.device(name)) else {
        return Ok(None);
    };
    Ok(told_again(&app.store, &device, call)?)
}

fn answer(app: &App, name: &str, tags: &BTreeMap<String, String>, told: &[Told]) -> Value {
    let binding = |told: &Told| {
        let url = format!("{}/u/{}", app.unlock_url, told.token);
        let config = json!({"url": url, "thp": told.thp});
        json!({
            "id": told.id,
            "url": url,
            "bind": format!("clevis luks bind -d DEVICE tang '{config}'"),
        })
    };
    let bindings: Vec<Value> = told.iter().map(binding).collect();
    json!({"name": name, "state": "active", "tags": tags, "bindings": bindings})
}

fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
        return Err(Problem::invalid(format!(
            "a device's name is 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`"
        )));
    }
    if name == legacy::NAME {
        return Err(Problem::invalid(format!(
            "`{name}` is what the hosts of a legacy Tang server are known by"
        )));
    }
    Ok(())
}

/// Holds tags against what enrollment permits under the policy that decides.
pub(super) fn check_tags(policy: &Loaded, tags: &BTreeMap<String, String>) -> Result<(), Problem> {
    policy
        .program
        .classify(tags)
        .map(|_| ())
        .map_err(|incomplete| {
            let near = nearest_to(&policy.set, &incomplete);
            let near = near.map_or(String::new(), |near| format!(": did you mean `{near}`?"));
            Problem::invalid(format!("{incomplete}{near}"))
        })
}

/// What was probably meant, where that can be guessed.
fn nearest_to<'a>(set: &'a PolicySet, incomplete: &Incomplete) -> Option<&'a str> {
    match incomplete {
        Incomplete::Undeclared { name, .. } => nearest(name, set.tags.names()),
        Incomplete::Value { tag, value } => match &set.tags[set.tags.find(tag)?].domain {
            Domain::Closed(values) => nearest(value, values.iter().map(String::as_str)),
            Domain::Text => None,
        },
        Incomplete::Missing(_) => None,
    }
}
