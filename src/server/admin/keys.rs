//! Keys taken over from a Tang server, and backups of all keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::Body;
use crate::access::{AdminAction, Resource};
use crate::journal::PublicKey;
use crate::keyring::SecretBytes;
use crate::store::LegacyImport;
use crate::tang::Key;
use crate::unlock::public_half;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::KeyList, Resource::Org)?;
    let uses = app.store.legacy_uses();
    let item = |public: &PublicKey, advertised: bool, source: &str| {
        let own: Vec<Value> = uses
            .iter()
            .filter(|one| one.thumbprint == public.thumbprint)
            .map(|one| {
                json!({"source": one.source, "count": one.count, "first": one.first, "last": one.last})
            })
            .collect();
        json!({
            "thumbprint": public.thumbprint,
            "role": public.role,
            "advertised": advertised,
            "source": source,
            "uses": own,
        })
    };
    let imported = app.store.legacy_keys();
    let mut items: Vec<Value> = imported
        .iter()
        .map(|key| item(&key.public, key.advertised, &key.source))
        .collect();
    if let Some(legacy) = &app.legacy {
        let live = legacy.live_keys();
        items.extend(
            live.iter()
                .filter(|(public, _)| {
                    imported
                        .iter()
                        .all(|key| key.public.thumbprint != public.thumbprint)
                })
                .map(|(public, advertised)| item(public, *advertised, "live")),
        );
    }
    Ok(Json(json!({"items": items, "next": null})))
}

/// A Tang key file as its directory had it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    name: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Import {
    source: String,
    files: Vec<KeyFile>,
}

pub(super) async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<Import>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::KeyImport, Resource::Org)?;
    let actor = caller.journal_actor();
    app.blocking(move |app| {
        let mut keys = Vec::new();
        let mut taken = Vec::new();
        for file in body.files {
            let key = Key::from_jwk(file.text.as_bytes())
                .map_err(|error| Problem::invalid(format!("`{}`: {error}", file.name)))?;
            let public = public_half(key.public());
            taken.push(public.thumbprint.clone());
            keys.push(LegacyImport {
                public,
                advertised: !file.name.starts_with('.'),
                secret: SecretBytes::new(file.text.into_bytes()),
            });
        }
        if keys.is_empty() {
            return Err(Problem::invalid("there is no key to take over"));
        }
        app.store
            .import_tang_keys(app.context(actor), &body.source, keys)?;
        reread(app)?;
        // Off by default: whoever takes keys over is told whether they answer yet.
        Ok(Json(
            json!({"imported": taken, "served": app.legacy.is_some()}),
        ))
    })
    .await
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(thumbprint): Path<String>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::KeyDelete, Resource::Org)?;
    let actor = caller.journal_actor();
    app.blocking(move |app| {
        app.store
            .delete_legacy_key(app.context(actor), &thumbprint)?;
        reread(app)?;
        Ok(Json(json!({"thumbprint": thumbprint})))
    })
    .await
}

fn reread(app: &App) -> Result<(), Problem> {
    match &app.legacy {
        Some(legacy) => legacy
            .reread(&app.store)
            .map_err(|error| Problem::unavailable(error.to_string())),
        None => Ok(()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BackupBody {}

pub(super) async fn backup(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(BackupBody {}): Body<BackupBody>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::Backup, Resource::Org)?;
    app.blocking(move |app| {
        let name = clock::now()
            .strftime("panopol-%Y%m%dT%H%M%SZ.backup")
            .to_string();
        let path = app.backups.join(name);
        crate::durable::private_directory(&app.backups)
            .map_err(|error| Problem::unavailable(error.to_string()))?;
        app.store.backup(&path)?;
        Ok(Json(json!({"path": path})))
    })
    .await
}
