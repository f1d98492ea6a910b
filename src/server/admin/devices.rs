//! Devices: look at, tag, disable, enable, revoke, rotate. `enroll` makes them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use super::caller::Caller;
use super::enroll::check_tags;
use super::page::{Body, Listed, Page, Query};
use super::{allow_once, approvals, denials};
use crate::access::{AdminAction, Resource};
use crate::record::Record;
use crate::store::{Binding, Context, Device, StoreError};
use crate::unlock::{Endpoint, draw_keys, tag_change};
use crate::vocabulary::DeviceState;

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

/// Asks whether the caller may, makes the change, and shows what it left.
async fn change(
    app: &Arc<App>,
    caller: &Caller,
    action: AdminAction,
    name: String,
    make: impl FnOnce(&App, Context, &Device) -> Result<(), StoreError> + Send + 'static,
) -> Result<Json<Shown>, Problem> {
    let device = find(app, caller, action, &name)?;
    let actor = caller.journal_actor();
    app.blocking(move |app| {
        make(app, app.context(actor), &device)?;
        show_again(app, &name)
    })
    .await
    .map(Json)
}

pub(super) async fn disable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Result<Json<Shown>, Problem> {
    let action = AdminAction::DeviceDisable;
    change(&app, &caller, action, name, |app, context, device| {
        app.store.disable(context, &device.name, note, None)?;
        Ok(())
    })
    .await
}

pub(super) async fn enable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Result<Json<Shown>, Problem> {
    let action = AdminAction::DeviceEnable;
    change(&app, &caller, action, name, |app, context, device| {
        app.store.enable(context, &device.name, note, None)?;
        Ok(())
    })
    .await
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Result<Json<Shown>, Problem> {
    let action = AdminAction::DeviceRevoke;
    change(&app, &caller, action, name, |app, context, device| {
        let revoked = app.store.revoke(context, &device.name, note, None);
        app.rings.forget(device);
        revoked.map(|_| ())
    })
    .await
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
        let named = |binding: &&Binding| body.binding.as_ref().is_none_or(|id| *id == binding.id);
        let mut chosen: Vec<&Binding> = device.bindings.iter().filter(named).collect();
        if chosen.is_empty() {
            return Err(Problem::not_found(format!("`{name}` has no such binding")));
        }
        if body.retire {
            chosen.retain(|binding| binding.keys.len() > 1);
            if chosen.is_empty() {
                let detail = format!("`{name}` has no earlier keys there: nothing is destroyed");
                return Err(Problem::conflict(detail));
            }
        }
        for binding in chosen.into_iter().map(|binding| binding.id.as_str()) {
            let context = app.context(actor.clone());
            if body.retire {
                app.store.retire(context, &name, binding, None)?;
            } else {
                let drawn = draw_keys()?;
                app.store
                    .rotate(context, &name, binding, drawn.keys, None)?;
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
    let recent = app.records.recent(&name);
    let recent: Vec<&Record> = recent.iter().map(AsRef::as_ref).collect();
    // What people grant is judged by the moment that lists of it are.
    let moment = app.clock.moment();
    Ok(Json(json!({
        "device": shown(&caller.policy, &device),
        "decision": decision,
        "recent": recent,
        "approvals": approvals::of_device(&app, &caller.policy, &rows, moment),
        "denials": denials::of_device(&rows, now, !app.clock.trusts(now)),
        "allow_once": allow_once::of_device(&caller.policy, &rows, now),
    })))
}
