//! Runs the server: listeners, signals, watches, timers, and the end.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::SignedDuration;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::admin;
use super::app::App;
use super::clock;
use super::config::{PlaneName, Settings};
use super::connection::Plane;
use super::start::{self, StartError, first_owner, io, own_context};
use super::unlock_plane;
use crate::journal::Actor;
use crate::store::StoreState;
use crate::unlock::{draw_token, token_hash};

/// How long after a change of the tree it is read: editors write in steps.
const SETTLE: Duration = Duration::from_millis(200);
/// How often limits and legacy uses are tidied.
const TIDY: Duration = Duration::from_secs(30);
/// How often the head is signed and put away.
const ANCHOR: Duration = Duration::from_secs(3600);
/// How long the first start's claim holds.
const CLAIM: SignedDuration = SignedDuration::from_hours(1);

/// How the server was started.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The settings.
    pub settings: Settings,
    /// On loopback, with a fresh store where none is named and a printed token.
    pub dev: bool,
    /// Where to write the planes' addresses once both accept.
    pub ready_file: Option<PathBuf>,
    /// The files that `dev` takes its policy from where none is named, by path;
    /// the policies stand below `policies/`.
    pub example: &'static [(&'static str, &'static str)],
}

/// Runs until a signal ends it.
///
/// # Errors
/// Why it does not start.
pub fn run(start: Start) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(io("the runtime"))?;
    runtime.block_on(serve(start))
}

async fn serve(start: Start) -> Result<(), StartError> {
    let Start {
        mut settings,
        dev,
        ready_file,
        example,
    } = start;
    let _scratch = if dev {
        loopback(&mut settings, example)?
    } else {
        None
    };
    let unlock = listen("unlock_listen", settings.unlock_listen, 7654).await?;
    let admin = listen("admin_listen", settings.admin_listen, 7655).await?;
    let (unlock_at, admin_at) = (local(&unlock)?, local(&admin)?);
    let unlock_url = settings
        .unlock_url
        .clone()
        .unwrap_or_else(|| url(&settings, PlaneName::Unlock, unlock_at));
    let admin_url = url(&settings, PlaneName::Admin, admin_at);
    let unlock_url = unlock_url.trim_end_matches('/').to_owned();
    let app = Arc::new(start::open(&settings, dev, unlock_url.clone())?);
    let token = if dev { Some(dev_token(&app)?) } else { None };
    if !dev {
        offer_claim(&app, &settings)?;
    }
    let (stop, stopped) = watch::channel(false);
    let planes = [
        (
            unlock,
            PlaneName::Unlock,
            Router::new()
                .fallback(unlock_plane::handle)
                .with_state(Arc::clone(&app)),
        ),
        (admin, PlaneName::Admin, admin::routes(Arc::clone(&app))),
    ];
    let mut running = Vec::new();
    for (listener, name, routes) in planes {
        let plane = plane(&settings, name)?;
        running.push(tokio::spawn(plane.serve(listener, routes, stopped.clone())));
    }
    let mut changes = watch_files(&app)?;
    tracing::info!(unlock = %unlock_url, admin = %admin_url, policy = %app.policy.current().set.digest, "panopol serves");
    if let Some(path) = &ready_file {
        let ready = json!({"unlock": unlock_url, "admin": admin_url, "token": token});
        crate::durable::replace(path, ready.to_string().as_bytes())
            .map_err(io("the ready file"))?;
    }
    if let Some(token) = &token {
        println_dev(&unlock_url, &admin_url, token);
    }
    wait(&app, &settings, &mut changes).await?;
    let _ = stop.send(true);
    for plane in running {
        let _ = plane.await;
    }
    app.store.save_legacy_uses();
    app.records.stop();
    tracing::info!("panopol has stopped");
    Ok(())
}

#[allow(clippy::print_stdout, reason = "what --dev tells its user")]
fn println_dev(unlock: &str, admin: &str, token: &str) {
    println!(
        "unlock plane  {unlock}\nadmin plane   {admin}\nexport PANOPOL_URL={admin} PANOPOL_TOKEN={token}"
    );
}

/// Keeps `--dev` on loopback and gives it a state directory and a policy where
/// none is named.
fn loopback(
    settings: &mut Settings,
    example: &[(&str, &str)],
) -> Result<Option<Scratch>, StartError> {
    for (setting, address) in [
        ("unlock_listen", &settings.unlock_listen),
        ("admin_listen", &settings.admin_listen),
    ] {
        if address.is_some_and(|address| !address.ip().is_loopback()) {
            return Err(StartError::Setting {
                setting,
                cause: "--dev serves on loopback alone".to_owned(),
            });
        }
    }
    if settings.state.is_some() && settings.policy.is_some() {
        return Ok(None);
    }
    let name = draw_token()?;
    let scratch = Scratch(std::env::temp_dir().join(format!("panopol-dev-{name}")));
    if settings.state.is_none() {
        settings.state = Some(scratch.0.join("state"));
    }
    if settings.policy.is_none() {
        let directory = scratch.0.join("example");
        for (name, content) in example {
            let path = directory.join(name);
            std::fs::create_dir_all(parent(&path))
                .and_then(|()| std::fs::write(&path, content))
                .map_err(io(format!("`{}`", path.display())))?;
        }
        settings.policy = Some(directory.join("policies"));
    }
    Ok(Some(scratch))
}

/// A directory that ends with the run.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is in the system's directory for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn listen(
    setting: &'static str,
    address: Option<SocketAddr>,
    port: u16,
) -> Result<TcpListener, StartError> {
    let address = address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    TcpListener::bind(address)
        .await
        .map_err(io(format!("`{setting}`: cannot listen on {address}")))
}

fn local(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(io("a listener"))
}

fn url(settings: &Settings, plane: PlaneName, address: SocketAddr) -> String {
    let scheme = if settings.tls_on(plane) {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{address}")
}

fn plane(settings: &Settings, name: PlaneName) -> Result<Plane, StartError> {
    let mut plane = Plane::new(
        settings.max_connections.unwrap_or(4096),
        settings.max_connections_per_peer.unwrap_or(256),
        Duration::from_secs(settings.head_timeout_s.unwrap_or(10)),
    );
    if name == PlaneName::Unlock
        && let Some(proxies) = &settings.trusted_proxies
    {
        plane.trusted_proxies = proxies.0.clone().into();
    }
    if settings.tls_on(name) {
        plane.tls = Some(tls(settings)?);
    }
    Ok(plane)
}

fn tls(settings: &Settings) -> Result<TlsAcceptor, StartError> {
    let fault = |setting: &'static str| {
        move |cause: &dyn std::fmt::Display| StartError::Setting {
            setting,
            cause: cause.to_string(),
        }
    };
    let certificate = settings
        .tls_certificate
        .as_ref()
        .ok_or(StartError::Missing("tls_certificate"))?;
    let key = settings
        .tls_key
        .as_ref()
        .ok_or(StartError::Missing("tls_key"))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| fault("tls_certificate")(&error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| fault("tls_key")(&error))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault("tls_certificate")(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| fault("tls_certificate")(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Mints the token that `--dev` prints.
fn dev_token(app: &App) -> Result<String, StartError> {
    let owner = owner(app)?;
    let (token, secret) = admin::draw_bearer(&owner)?;
    app.store.create_token(own_context(app), token)?;
    Ok(secret)
}

fn owner(app: &App) -> Result<String, StartError> {
    first_owner(app).ok_or(StartError::Setting {
        setting: "policy",
        cause: "declares no person with `role owner in org`, so nobody could ever administer this server".to_owned(),
    })
}

/// At a first start, with no token yet, writes a claim for the first owner.
fn offer_claim(app: &App, settings: &Settings) -> Result<(), StartError> {
    let now = clock::now();
    let live = app
        .store
        .claims()
        .iter()
        .any(|claim| !claim.ended && now < claim.expires);
    let state = settings
        .state
        .as_ref()
        .ok_or(StartError::Missing("state"))?;
    let path = state.join("claim");
    // A claim whose file never came to be, for a crash between, is of no use to anyone.
    if live && path.exists() || !app.store.tokens(None, 1).is_empty() {
        return Ok(());
    }
    let owner = owner(app)?;
    let claim = draw_token()?;
    let expires = now + CLAIM;
    app.store
        .issue_claim(own_context(app), token_hash(&claim), &owner, expires)?;
    crate::durable::replace(&path, format!("{claim}\n").as_bytes())
        .map_err(io("the claim file"))?;
    tracing::warn!(path = %path.display(), %owner, %expires, "first start: `panopol token claim FILE` turns this file into the owner's token");
    Ok(())
}

/// What a watched file's change asks for.
enum Change {
    Policy,
    TangKeys,
}

type Changes = (
    mpsc::UnboundedReceiver<Change>,
    Vec<notify::RecommendedWatcher>,
);

/// Watches the policy tree and the live Tang keys.
fn watch_files(app: &Arc<App>) -> Result<Changes, StartError> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut watchers = Vec::new();
    let tang = app.legacy.as_ref().and_then(|legacy| legacy.directory());
    let policy = app.policy.path();
    // A single file is watched through its directory: editors replace files.
    let policy = if policy.is_dir() {
        policy
    } else {
        parent(policy)
    };
    watchers.push(watcher(policy, sender.clone(), || Change::Policy)?);
    if let Some(directory) = tang {
        watchers.push(watcher(directory, sender, || Change::TangKeys)?);
    }
    Ok((receiver, watchers))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}

fn watcher(
    path: &Path,
    sender: mpsc::UnboundedSender<Change>,
    change: fn() -> Change,
) -> Result<notify::RecommendedWatcher, StartError> {
    use notify::Watcher;
    let fault = |cause: notify::Error| StartError::Io {
        what: format!("cannot watch `{}`", path.display()),
        cause: std::io::Error::other(cause),
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // With the server gone there is nothing to tell.
            let _ = sender.send(change());
        }
    })
    .map_err(fault)?;
    watcher
        .watch(path, notify::RecursiveMode::Recursive)
        .map_err(fault)?;
    Ok(watcher)
}

/// Serves signals, changes and timers until the server is to end.
async fn wait(
    app: &Arc<App>,
    settings: &Settings,
    changes: &mut Changes,
) -> Result<(), StartError> {
    let catch = |kind| signal(kind).map_err(io("signals"));
    let mut terminate = catch(SignalKind::terminate())?;
    let mut interrupt = catch(SignalKind::interrupt())?;
    let mut hangup = catch(SignalKind::hangup())?;
    let mut tidy = tokio::time::interval(TIDY);
    let mut anchor = tokio::time::interval(ANCHOR);
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => reload(app).await,
            Some(change) = changes.0.recv() => {
                let (mut policy, mut tang) = (false, false);
                note(&change, &mut policy, &mut tang);
                tokio::time::sleep(SETTLE).await;
                while let Ok(change) = changes.0.try_recv() {
                    note(&change, &mut policy, &mut tang);
                }
                if policy {
                    reload(app).await;
                }
                if tang {
                    reread(app).await;
                }
            }
            _ = tidy.tick() => {
                app.limits.tidy();
                app.store.save_legacy_uses();
            }
            _ = anchor.tick() => put_head_away(app, settings).await,
        }
    }
}

fn note(change: &Change, policy: &mut bool, tang: &mut bool) {
    match change {
        Change::Policy => *policy = true,
        Change::TangKeys => *tang = true,
    }
}

async fn reload(app: &Arc<App>) {
    let done = app.blocking(|app| Ok(app.reload(Actor::server())?)).await;
    match done {
        Ok(reload) => tracing::info!(?reload, "the policy was read"),
        Err(problem) => tracing::error!(detail = %problem.detail, "the policy cannot be reloaded"),
    }
}

async fn reread(app: &Arc<App>) {
    let done = app
        .blocking(|app| {
            let Some(legacy) = &app.legacy else {
                return Ok(());
            };
            match legacy.reread(&app.store) {
                Ok(()) => tracing::info!("the Tang keys were read"),
                Err(error) => {
                    tracing::error!(%error, "the Tang keys cannot be read; the old ones stay");
                }
            }
            Ok(())
        })
        .await;
    if let Err(problem) = done {
        tracing::error!(detail = %problem.detail, "the Tang keys cannot be read");
    }
}

async fn put_head_away(app: &Arc<App>, settings: &Settings) {
    // A head that the journal does not reach is the only witness of that.
    if app.store.state() != StoreState::Ready {
        return;
    }
    let Some(state) = &settings.state else { return };
    let path = start::head_file(settings, state);
    let done = app
        .blocking(move |app| Ok(app.store.anchor_head(own_context(app), &path)?))
        .await;
    if let Err(problem) = done {
        tracing::error!(detail = %problem.detail, "the journal's head cannot be put away");
    }
}
