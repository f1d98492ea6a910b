//! Runs the server: listeners, signals, watches, timers, and the end.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::admin;
use super::app::App;
use super::config::{PlaneName, Settings};
use super::connection::Plane;
use super::notifications::{self, Notifications};
use super::start::{self, StartError, io};
use super::watch::Watch;
use super::{chores, claim, dev, tls, unlock_plane};

/// How many connections the system may keep until they are accepted: after a
/// power cut every host of a site boots at once, and one that finds no place
/// waits for a second and longer.
const BACKLOG: u32 = 4096;

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
        dev: is_dev,
        ready_file,
        example,
    } = start;
    let _scratch = if is_dev {
        dev::loopback(&mut settings, example)?
    } else {
        None
    };
    chores::survive_size_limit()?;
    start::check(&settings)?;
    let tls = tls::acceptor(&settings)?;
    let unlock = listen("unlock_listen", settings.unlock_listen, 7654)?;
    let admin = listen("admin_listen", settings.admin_listen, 7655)?;
    let (unlock_at, admin_at) = (local(&unlock)?, local(&admin)?);
    let bound = url(&settings, PlaneName::Unlock, unlock_at);
    if settings.unlock_url.is_none() && unlock_at.ip().is_unspecified() {
        tracing::warn!(url = %bound, "`unlock_url` is not set: enrollment prints this URL, which no device reaches");
    }
    let unlock_url = settings.unlock_url.clone().unwrap_or(bound);
    let unlock_url = unlock_url.trim_end_matches('/').to_owned();
    let admin_url = url(&settings, PlaneName::Admin, admin_at);
    let sinks = notifications::read(&settings)?;
    let app = Arc::new(start::open(&settings, is_dev, unlock_url.clone())?);
    let token = if is_dev {
        Some(dev::token(&app)?)
    } else {
        claim::offer(&app)?;
        None
    };
    let (stop, stopped) = watch::channel(false);
    let mut running = Vec::new();
    for (listener, name) in [(unlock, PlaneName::Unlock), (admin, PlaneName::Admin)] {
        let plane = plane(&app, &settings, name, tls.clone());
        let routes = routes(&app, name);
        running.push(tokio::spawn(plane.serve(listener, routes, stopped.clone())));
    }
    let mut watch = Watch::start(&app)?;
    let notifications = Notifications::start(&app, &settings, sinks)?;
    tracing::info!(unlock = %unlock_url, admin = %admin_url, policy = %app.policy.current().set.digest, "panopol serves");
    say_ready(
        ready_file.as_deref(),
        &unlock_url,
        &admin_url,
        token.as_deref(),
    )?;
    chores::serve(&app, &settings, &mut watch).await?;
    let _ = stop.send(true);
    app.streams.end();
    notifications.stop();
    for plane in running {
        let _ = plane.await;
    }
    notifications.finish().await;
    app.store.save_legacy_uses();
    app.records.stop();
    tracing::info!("panopol has stopped");
    Ok(())
}

fn routes(app: &Arc<App>, plane: PlaneName) -> Router {
    let app = Arc::clone(app);
    match plane {
        PlaneName::Unlock => Router::new().fallback(unlock_plane::handle).with_state(app),
        PlaneName::Admin => admin::routes(app),
    }
}

/// Tells a script where the planes are, and whoever tries `--dev` out.
fn say_ready(
    ready_file: Option<&Path>,
    unlock: &str,
    admin: &str,
    token: Option<&str>,
) -> Result<(), StartError> {
    if let Some(path) = ready_file {
        let ready = json!({"unlock": unlock, "admin": admin, "token": token});
        crate::durable::replace(path, ready.to_string().as_bytes())
            .map_err(io("the ready file"))?;
    }
    if let Some(token) = token {
        dev::announce(unlock, admin, token);
    }
    Ok(())
}

fn listen(
    setting: &'static str,
    address: Option<SocketAddr>,
    port: u16,
) -> Result<TcpListener, StartError> {
    let address = address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let listener = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    });
    listener.map_err(io(format!("`{setting}`: cannot listen on {address}")))
}

fn local(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(io("a listener"))
}

fn url(settings: &Settings, plane: PlaneName, address: SocketAddr) -> String {
    format!("{}://{address}", tls::scheme(settings, plane))
}

fn plane(app: &App, settings: &Settings, name: PlaneName, tls: Option<TlsAcceptor>) -> Plane {
    let mut plane = Plane::new(
        settings.max_connections.unwrap_or(4096),
        settings.max_connections_per_peer.unwrap_or(256),
        Duration::from_secs(settings.head_timeout_s.unwrap_or(10)),
    );
    plane.refused = app.metrics.refused_connections(name.word());
    if name == PlaneName::Unlock
        && let Some(proxies) = &settings.trusted_proxies
    {
        plane.trusted_proxies = proxies.0.iter().map(|proxy| proxy.0).collect();
    }
    if settings.tls_on(name) {
        plane.tls = tls;
    }
    plane
}
