//! Devices: enroll, look at, tag, disable, enable, revoke, rotate.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use super::caller::{Caller, bearer};
use super::idempotency::Repeat;
use super::page::{Body, Listed, Page, Query};
use super::{allow_once, approvals, denials};
use crate::access::{AdminAction, Resource};
use crate::journal::Actor;
use crate::store::{Device, Enrollment, EnrollmentKey};
use crate::unlock::{Endpoint, draw_binding, draw_keys, tag_change, token_hash};
use crate::vocabulary::DeviceState;

/// The most bindings of one device.
const MOST_BINDINGS: u32 = 64;
/// The longest name of a device, in bytes.
const LONGEST_NAME: usize = 128;

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    name: String,
    state: DeviceState,
    tags: BTreeMap<String, String>,
    /// The approval groups that cover it now.
    groups: Vec<String>,
    bindings: Vec<Value>,
    enrolled: Timestamp,
    version: u64,
}

fn shown(policy: &Loaded, device: &Device) -> Shown {
    Shown {
        name: device.name.clone(),
        state: device.state,
        tags: device.tags.clone(),
        groups: policy.program.covering_groups(&device.tags),
        bindings: device
            .bindings
            .iter()
            .map(|binding| {
                let keys = binding.keys.iter().enumerate().flat_map(|(age, generation)| {
                    generation.public.iter().map(move |key| {
                        json!({"thumbprint": key.thumbprint, "role": key.role, "advertised": age == 0})
                    })
                });
                json!({"id": binding.id, "keys": keys.collect::<Vec<_>>()})
            })
            .collect(),
        enrolled: device.enrolled,
        version: device.version,
    }
}

fn resource(device: &Device) -> Resource<'_> {
    Resource::Device {
        name: &device.name,
        state: device.state.word(),
        tags: &device.tags,
    }
}

fn find(
    app: &App,
    caller: &Caller,
    action: AdminAction,
    name: &str,
) -> Result<Arc<Device>, Problem> {
    let missing = || Problem::not_found(format!("there is no device `{name}`"));
    let Some(device) = app.store.device(name) else {
        // Nobody learns which names there are but who may list them.
        caller.expect_may(app, action, Resource::Org)?;
        return Err(missing());
    };
    caller.expect_may(app, action, resource(&device))?;
    Ok(device)
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Listed<Shown>>, Problem> {
    caller.expect_may(&app, AdminAction::DeviceList, Resource::Org)?;
    let limit = page.limit();
    let rows = app.store.devices(page.after.as_deref(), limit + 1);
    Ok(Json(Listed::new(
        rows,
        limit,
        |device| device.name.clone(),
        |device| shown(&caller.policy, &device),
    )))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let device = find(&app, &caller, AdminAction::DeviceShow, &name)?;
    Ok(Json(shown(&caller.policy, &device)))
}

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
}

impl axum::extract::FromRequestParts<Arc<App>> for Enroller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let key =
            bearer(parts).and_then(|token| app.store.enrollment_key_by_hash(&token_hash(token)));
        match key {
            Some(key) if key.holds(clock::now()) => Ok(Enroller::Key(key)),
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
    let mut tags = body.tags;
    let mut key_id = None;
    if let Enroller::Key(key) = &enroller {
        for (tag, value) in &key.tags {
            if tags
                .insert(tag.clone(), value.clone())
                .is_some_and(|own| own != *value)
            {
                return Err(Problem::forbidden(format!(
                    "the enrollment key fixes `{tag}`"
                )));
            }
        }
        if tags.len() != key.tags.len() {
            return Err(Problem::forbidden(
                "a device takes its tags from its enrollment key, and no others",
            ));
        }
        key_id = Some(key.id.clone());
    }
    check_tags(&app.policy.current(), &tags)?;
    let (actor, name, count) = (enroller.actor(), body.name, body.bindings);
    let answer = app
        .blocking(move |app| enroll_now(app, actor, name, tags, count, key_id))
        .await?;
    repeat.remember(&app, &answer);
    Ok((StatusCode::CREATED, Json(answer)))
}

fn enroll_now(
    app: &App,
    actor: Actor,
    name: String,
    tags: BTreeMap<String, String>,
    count: u32,
    enrollment_key: Option<String>,
) -> Result<Value, Problem> {
    let mut told = Vec::new();
    let mut bindings = Vec::new();
    for number in 1..=count {
        let binding = draw_binding(number)?;
        let url = format!("{}/u/{}", app.unlock_url, binding.token);
        let config = json!({"url": url, "thp": binding.thp});
        told.push(json!({
            "id": binding.enroll.id,
            "url": url,
            "bind": format!("clevis luks bind -d DEVICE tang '{config}'"),
        }));
        bindings.push(binding.enroll);
    }
    let answer = json!({"name": name, "state": "active", "tags": tags, "bindings": told});
    app.store.enroll(
        app.context(actor),
        Enrollment {
            name,
            tags,
            bindings,
            enrollment_key,
        },
    )?;
    Ok(answer)
}

fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
        return Err(Problem::invalid(format!(
            "a device's name is 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`"
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
        .map_err(|incomplete| Problem::invalid(incomplete.to_string()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    /// Values to set; null removes.
    tags: BTreeMap<String, Option<String>>,
}

pub(super) async fn tag(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(patch): Body<Patch>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let device = find(&app, &caller, AdminAction::DeviceTag, &name)?;
    let mut tags = device.tags.clone();
    for (tag, value) in patch.tags {
        match value {
            Some(value) => tags.insert(tag, value),
            None => tags.remove(&tag),
        };
    }
    check_tags(&caller.policy, &tags)?;
    let required = tag_change(&caller.policy.program, &device.tags, &tags, clock::now());
    if let Some(required) = required {
        return approvals::ask_for_tags(&app, &caller, &device, tags, required).await;
    }
    let (actor, version) = (caller.journal_actor(), device.version);
    let tagged = app
        .blocking(move |app| {
            app.store
                .tag(app.context(actor), &name, tags, Some(version))?;
            show_again(app, &name)
        })
        .await?;
    // What waits for people may wait for others now.
    app.sweep().await;
    Ok((StatusCode::OK, Json(json!(tagged))))
}

fn show_again(app: &App, name: &str) -> Result<Shown, Problem> {
    let device = app
        .store
        .device(name)
        .ok_or_else(|| Problem::not_found(format!("there is no device `{name}`")))?;
    Ok(shown(&app.policy.current(), &device))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Note {
    note: Option<String>,
}

pub(super) async fn disable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Result<Json<Shown>, Problem> {
    find(&app, &caller, AdminAction::DeviceDisable, &name)?;
    let actor = caller.journal_actor();
    app.blocking(move |app| {
        app.store.disable(app.context(actor), &name, note, None)?;
        show_again(app, &name)
    })
    .await
    .map(Json)
}

pub(super) async fn enable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Result<Json<Shown>, Problem> {
    find(&app, &caller, AdminAction::DeviceEnable, &name)?;
    let actor = caller.journal_actor();
    app.blocking(move |app| {
        app.store.enable(app.context(actor), &name, note, None)?;
        show_again(app, &name)
    })
    .await
    .map(Json)
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Result<Json<Shown>, Problem> {
    let device = find(&app, &caller, AdminAction::DeviceRevoke, &name)?;
    let actor = caller.journal_actor();
    app.blocking(move |app| {
        let revoked = app.store.revoke(app.context(actor), &name, note, None);
        app.rings.forget(&device);
        revoked?;
        show_again(app, &name)
    })
    .await
    .map(Json)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rotate {
    /// Which binding; all of them where none is named.
    binding: Option<String>,
    /// Destroy the earlier keys instead of making new ones.
    retire: bool,
}

pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(body): Body<Rotate>,
) -> Result<Json<Shown>, Problem> {
    let device = find(&app, &caller, AdminAction::KeyRotate, &name)?;
    let actor = caller.journal_actor();
    app.blocking(move |app| {
        let chosen: Vec<String> = device
            .bindings
            .iter()
            .map(|binding| binding.id.clone())
            .filter(|id| body.binding.as_ref().is_none_or(|binding| binding == id))
            .collect();
        if chosen.is_empty() {
            return Err(Problem::not_found(format!("`{name}` has no such binding")));
        }
        for binding in chosen {
            let context = app.context(actor.clone());
            if body.retire {
                app.store.retire(context, &name, &binding, None)?;
            } else {
                let drawn = draw_keys()?;
                app.store
                    .rotate(context, &name, &binding, drawn.keys, None)?;
            }
        }
        app.rings.forget(&device);
        show_again(app, &name)
    })
    .await
    .map(Json)
}

#[derive(Debug, Deserialize)]
pub(super) struct From {
    from: Option<String>,
}

pub(super) async fn why(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<From>,
) -> Result<Json<Value>, Problem> {
    let device = find(&app, &caller, AdminAction::DeviceWhy, &name)?;
    let now = clock::now();
    let decision = match query.from {
        None => None,
        Some(from) => {
            let source: IpAddr = crate::address::parse_address(&from)
                .map_err(|error| Problem::malformed(error.to_string()))?;
            let attempt = app.attempt(&caller.policy, Endpoint::of(&device), source, "", now);
            Some(app.store.read(|rows| attempt.explain(rows, now)))
        }
    };
    let rows = app.store.read(|rows| rows.of_device(&name));
    Ok(Json(json!({
        "device": shown(&caller.policy, &device),
        "decision": decision,
        "recent": app.records.recent(&name),
        "approvals": approvals::of_device(&app, &caller.policy, &rows, now),
        "denials": denials::of_device(&rows, now),
        "allow_once": allow_once::of_device(&caller.policy, &rows, now),
    })))
}
