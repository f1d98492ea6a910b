//! From settings to an [`App`]: each thing opened in its order, or one
//! sentence of why not.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::access::{self, Access, AccessError};
use crate::ir::people::Scope;
use crate::issuance::permit::{self, PermitError};
use crate::journal::{Actor, SignedHead};
use crate::keyring::{KeyringError, MasterKey};
use crate::notify;
use crate::record::log::Rotation;
use crate::source::load::InMemory;
use crate::store::{self, Context, Store, StoreError};
use crate::tang::{OpenSsl, Prefix};
use crate::unlock::{Rings, UnlockError};
use crate::vocabulary::Role;

use super::app::App;
use super::clock;
use super::config::{ConfigError, Settings};
use super::issuance::IssuersFileError;
use super::legacy::Legacy;
use super::limits::Limits;
use super::metrics::Metrics;
use super::notifications::NotifyError;
use super::people::Sightings;
use super::policy::{BrokenPolicy, PolicyLife};
use super::pool::Pool;
use super::records::Records;
use super::secrets::{self, SecretError};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A setting that is needed and not given.
    #[error("`{0}` is not set")]
    Missing(&'static str),
    /// A setting that cannot be used.
    #[error("`{setting}`: {cause}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// Why.
        cause: String,
    },
    /// The master key.
    #[error("the master key: {0}")]
    MasterKey(#[from] KeyringError),
    /// Where the master key is said to be.
    #[error("`master_key`: {0}")]
    Secret(#[from] SecretError),
    /// Where notifications go.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// Other CAs.
    #[error(transparent)]
    Issuers(#[from] IssuersFileError),
    /// The key that permits are signed with.
    #[error("the key for permits: {0}")]
    Permit(#[from] PermitError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy, with no last good one to serve.
    #[error("{0}; no earlier policy is kept to serve instead")]
    Policy(#[from] BrokenPolicy),
    /// The access policy.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The legacy keys.
    #[error("the Tang keys: {0}")]
    Legacy(#[from] UnlockError),
    /// A file or a listener.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// Says what was tried when the system said no.
pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StartError {
    let what = what.into();
    move |cause| StartError::Io { what, cause }
}

/// Holds the settings against what could never serve anybody, before anything
/// is opened.
///
/// # Errors
/// A limit of none, or a setting without what it is for.
pub(super) fn check(settings: &Settings) -> Result<(), StartError> {
    let none = |given: Option<u64>| given == Some(0);
    let count = |given: Option<usize>| none(given.map(|given| given as u64));
    for (setting, is_none) in [
        (
            "rate_per_source",
            none(settings.rate_per_source.map(u64::from)),
        ),
        (
            "rate_per_binding",
            none(settings.rate_per_binding.map(u64::from)),
        ),
        ("max_connections", count(settings.max_connections)),
        (
            "max_connections_per_peer",
            count(settings.max_connections_per_peer),
        ),
        ("head_timeout_s", none(settings.head_timeout_s)),
        ("records_max_bytes", none(settings.records_max_bytes)),
    ] {
        if is_none {
            return Err(StartError::Setting {
                setting,
                cause: "must be at least 1".to_owned(),
            });
        }
    }
    if let Some(url) = &settings.unlock_url {
        notify::check_url(url).map_err(|cause| StartError::Setting {
            setting: "unlock_url",
            cause,
        })?;
    }
    if settings.tang_tags.is_some() && !serves_tang(settings) {
        return Err(StartError::Setting {
            setting: "tang_tags",
            cause: "says what Tang's hosts are, and neither `tang_keys` nor `tang_endpoint` serves them".to_owned(),
        });
    }
    Ok(())
}

fn serves_tang(settings: &Settings) -> bool {
    settings.tang_keys.is_some() || settings.tang_endpoint.is_some()
}

/// Opens everything that both planes share. `unlock_url` is where devices
/// reach the unlock plane.
///
/// # Errors
/// Each of [`StartError`].
pub fn open(settings: &Settings, dev: bool, unlock_url: String) -> Result<App, StartError> {
    let state = settings.state.clone().ok_or(StartError::Missing("state"))?;
    let policy = settings
        .policy
        .clone()
        .ok_or(StartError::Missing("policy"))?;
    let now = clock::now();
    crate::durable::private_directory(&state)
        .map_err(io(format!("`state`: `{}`", state.display())))?;
    let store = Store::open(
        store::Settings {
            directory: state.join("store"),
            master_key: master_key(settings, &state, dev)?,
            anchor: anchored_head(&head_file(settings, &state))?,
        },
        now,
    )?;
    for notice in store.notices() {
        tracing::warn!(%notice, "the store was opened");
    }
    let metrics = Arc::new(Metrics::new());
    let policy = PolicyLife::start(policy, last_good(&store)?, now)?;
    let rotation = Rotation::default();
    let records = Records::start(
        &settings
            .records
            .clone()
            .unwrap_or_else(|| state.join("records")),
        Rotation {
            max_bytes: settings.records_max_bytes.unwrap_or(rotation.max_bytes),
            keep: settings.records_keep.unwrap_or(rotation.keep),
        },
        Arc::clone(&metrics),
    )
    .map_err(io("the record directory"))?;
    let backend = OpenSsl::new().map_err(|error| StartError::Setting {
        setting: "exchange backend",
        cause: error.to_string(),
    })?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (connectors, step_cas) = super::issuance::connectors(super::issuance::read(settings)?);
    let app = App {
        legacy: legacy(settings, &store)?,
        access: access(settings)?,
        pool: Pool::new(
            Arc::new(backend),
            cores,
            settings.exchange_queue.unwrap_or(256),
        )
        .map_err(io("the exchange threads"))?,
        limits: Limits::new(
            rate(settings.rate_per_source.unwrap_or(50)),
            rate(settings.rate_per_binding.unwrap_or(5)),
        ),
        policy,
        store,
        metrics,
        records,
        rings: Rings::default(),
        unlock_url,
        backups: state.join("backups"),
        claim_file: state.join("claim"),
        ignore_forwarded: settings.ignore_forwarded.unwrap_or(false),
        allow_bypass: settings.allow_bypass.unwrap_or(false),
        clock: clock::Watch::start(&state.join("clock.json")),
        sightings: Sightings::default(),
        running: super::issuance::Running::default(),
        connectors,
        step_cas,
        resting: super::renewals::Resting::default(),
        step_ca_turn: tokio::sync::Mutex::default(),
        answered: std::sync::Mutex::default(),
        streams: super::streams::Streams::default(),
        revocation_lists: std::sync::Mutex::default(),
    };
    permit::ensure_key(&app.store, own_context(&app))?;
    announce(&app)?;
    app.warm(&app.policy.current().program);
    Ok(app)
}

/// Records the policy that a start begins with, and says what is unusual.
fn announce(app: &App) -> Result<(), StartError> {
    let current = app.policy.current();
    match app.policy.degraded() {
        Some(cause) => {
            app.metrics.degraded.set(1);
            app.metrics.count_reload("rejected");
            tracing::error!(%cause, digest = %current.set.digest, "DEGRADED: the policy on disk is refused, and the last good one is served");
            let context = app.context(Actor::server());
            app.store.policy_rejected(context, None, cause)?;
        }
        None => {
            app.metrics.count_reload("loaded");
            let known = app.store.policy_in_force();
            if known.is_none_or(|known| known.digest != current.set.digest) {
                app.keep_policy(&current.set.digest, &current.snapshot)?;
                let digest = current.set.digest.clone();
                let summary = "at start".to_owned();
                app.store
                    .policy_reloaded(app.context(Actor::server()), digest, summary)?;
            }
        }
    }
    if !current.set.bypasses.is_empty() {
        if app.allow_bypass {
            tracing::warn!(
                "BYPASS: approvals are bypassed where the policy says so; never run production like this"
            );
        } else {
            tracing::warn!("the policy has bypass blocks; they are ignored without --allow-bypass");
        }
    }
    Ok(())
}

fn last_good(store: &Store) -> Result<Option<InMemory>, StartError> {
    Ok(store.load_last_good()?.map(|kept| InMemory {
        files: kept
            .files
            .into_iter()
            .map(|file| (file.path, file.bytes))
            .collect(),
    }))
}

/// Where the signed head is put.
pub(super) fn head_file(settings: &Settings, state: &Path) -> PathBuf {
    settings
        .head_file
        .clone()
        .unwrap_or_else(|| state.join("head.json"))
}

fn anchored_head(path: &Path) -> Result<Option<SignedHead>, StartError> {
    if !path.exists() {
        return Ok(None);
    }
    SignedHead::read(path)
        .map(Some)
        .map_err(|error| StartError::Setting {
            setting: "head_file",
            cause: error.to_string(),
        })
}

fn master_key(settings: &Settings, state: &Path, dev: bool) -> Result<MasterKey, StartError> {
    match settings.master_key.as_deref() {
        Some(source) => {
            MasterKey::parse_secret(&secrets::read(source)?).map_err(|error| StartError::Setting {
                setting: "master_key",
                cause: format!("`{source}`: {error}"),
            })
        }
        None if dev => dev_master_key(&state.join("master.key")),
        None => Err(StartError::Setting {
            setting: "master_key",
            cause: "not set; make one with `(umask 077; openssl rand -base64 32 > master.key)` and keep a copy where this server is not".to_owned(),
        }),
    }
}

/// A master key beside the store: convenient, and no protection.
fn dev_master_key(path: &Path) -> Result<MasterKey, StartError> {
    if !path.exists() {
        use std::io::Write;
        let bytes: [u8; 32] = crate::keyring::random()?;
        let mut file = crate::durable::create_private(path).map_err(io("the master key"))?;
        writeln!(file, "{}", crate::durable::Hex(bytes)).map_err(io("the master key"))?;
    }
    Ok(MasterKey::read_file(path)?)
}

fn access(settings: &Settings) -> Result<Access, StartError> {
    let Some(path) = &settings.access_policy else {
        return Ok(Access::new(access::DEFAULT)?);
    };
    let fault = |error: &dyn std::fmt::Display| StartError::Setting {
        setting: "access_policy",
        cause: format!("`{}`: {error}", path.display()),
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(&error))?;
    Access::new(&text).map_err(|error| fault(&error))
}

fn legacy(settings: &Settings, store: &Store) -> Result<Option<Legacy>, StartError> {
    if !serves_tang(settings) {
        return Ok(None);
    }
    let prefix = settings.tang_endpoint.as_deref().unwrap_or_default();
    let prefix = Prefix::parse(prefix).map_err(|error| StartError::Setting {
        setting: "tang_endpoint",
        cause: error.to_string(),
    })?;
    let tags = settings
        .tang_tags
        .clone()
        .map(|tags| tags.0)
        .unwrap_or_default();
    let legacy = Legacy::open(prefix, tags, settings.tang_keys.clone(), store)?;
    Ok(Some(legacy))
}

/// A rate; that of none was refused before.
fn rate(given: u32) -> NonZeroU32 {
    NonZeroU32::new(given).unwrap_or(NonZeroU32::MIN)
}

/// The first owner in org by name: whom the first start's claim is bound to.
fn first_owner(app: &App) -> Option<String> {
    let set = Arc::clone(&app.policy.current().set);
    let owns = |person: &crate::ir::people::Person| {
        person
            .roles
            .iter()
            .any(|grant| grant.role == Role::Owner && grant.scope == Scope::Org)
    };
    set.persons
        .iter()
        .find(|(_, person)| owns(person))
        .map(|(_, person)| person.header.name.clone())
}

/// The same, or why nobody could ever administer this server.
pub(super) fn expect_owner(app: &App) -> Result<String, StartError> {
    first_owner(app).ok_or(StartError::Setting {
        setting: "policy",
        cause: "declares no person with `role owner in org`, so nobody could ever administer this server".to_owned(),
    })
}

/// A change by the server itself.
pub(super) fn own_context(app: &App) -> Context {
    app.context(Actor::server())
}
