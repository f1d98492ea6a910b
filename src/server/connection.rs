//! Accepts connections of one plane: counts them, learns their source, speaks
//! TLS where asked, and hands requests to the plane's routes.
//!
//! A hostile client can hold at most its share: connections are bounded in
//! all and for each peer, a header must come within a time, an answer be taken
//! up within one, and an idle connection is closed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::patience::Patience;
use super::seldom::Seldom;
use super::{proxy, tls};
use crate::address;

/// The most bytes of a request's head: its line and headers.
const HEAD_LIMIT: usize = 16 * 1024;
/// How long running requests get at shutdown.
const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait when the system has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

static NOT_ACCEPTED: Seldom = Seldom::new();
static ALL_TAKEN: Seldom = Seldom::new();
static SHARE_TAKEN: Seldom = Seldom::new();
static NO_HEADER: Seldom = Seldom::new();

/// The address that a request is from: the socket's peer, or what a listed
/// proxy says of it. Never a request header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(pub IpAddr);

/// How a plane accepts.
#[derive(Clone)]
pub struct Plane {
    /// TLS, where asked.
    pub tls: Option<TlsAcceptor>,
    /// Who must send a PROXY header.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How long a client may take for a TLS handshake, a PROXY header, each
    /// request's head, and to take up more of an answer.
    pub head_timeout: Duration,
    /// How many connections at once.
    pub connections: Arc<Semaphore>,
    /// How many of them one peer may hold; proxies excepted.
    pub per_peer: usize,
    /// How many each peer holds.
    pub peers: Arc<Peers>,
    /// Connections that were closed since their peer held its share.
    pub refused: Counter,
}

impl Plane {
    /// A plane without TLS or proxies.
    pub fn new(connections: usize, per_peer: usize, head_timeout: Duration) -> Self {
        Plane {
            tls: None,
            trusted_proxies: Arc::new([]),
            head_timeout,
            connections: Arc::new(Semaphore::new(connections)),
            per_peer,
            peers: Arc::default(),
            refused: Counter::default(),
        }
    }

    /// Accepts from `listener` until `stop` changes, then lets requests finish.
    pub async fn serve(
        self,
        listener: TcpListener,
        routes: Router,
        mut stop: watch::Receiver<bool>,
    ) {
        let graceful = GracefulShutdown::new();
        let (forced, force) = watch::channel(false);
        loop {
            if self.connections.available_permits() == 0
                && let Some(left_out) = ALL_TAKEN.turn()
            {
                tracing::warn!(
                    left_out,
                    "every connection is taken (max_connections): more wait"
                );
            }
            let next = async {
                let permit = Arc::clone(&self.connections).acquire_owned().await;
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                next = next => next,
                _ = stop.wait_for(|&stop| stop) => break,
            };
            let Ok(permit) = permit else { break };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if let Some(left_out) = NOT_ACCEPTED.turn() {
                        tracing::warn!(%error, left_out, "cannot accept a connection");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let peer = address::fold(peer.ip());
            let proxied = self.trusted_proxies.iter().any(|net| net.contains(&peer));
            let Some(share) = self
                .peers
                .enter(peer, if proxied { usize::MAX } else { self.per_peer })
            else {
                self.refuse(peer);
                continue;
            };
            let (plane, routes, watcher) = (self.clone(), routes.clone(), graceful.watcher());
            let mut force = force.clone();
            tokio::spawn(async move {
                let held: (OwnedSemaphorePermit, Share) = (permit, share);
                tokio::select! {
                    () = plane.connection(stream, peer, proxied, routes, watcher) => {}
                    _ = force.wait_for(|&force| force) => {}
                }
                drop(held);
            });
        }
        drop(listener);
        if tokio::time::timeout(DRAIN, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some requests did not finish in time and are ended");
        }
        let _ = forced.send(true);
    }

    /// Counts a connection that is closed at once, and says so.
    fn refuse(&self, peer: IpAddr) {
        self.refused.inc();
        if let Some(left_out) = SHARE_TAKEN.turn() {
            tracing::warn!(%peer, left_out, "a peer has as many connections as it may (max_connections_per_peer): more are closed");
        }
    }

    async fn connection(
        &self,
        mut stream: TcpStream,
        peer: IpAddr,
        proxied: bool,
        routes: Router,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let _ = stream.set_nodelay(true);
        let source = if proxied {
            match tokio::time::timeout(self.head_timeout, proxy::read_header(&mut stream)).await {
                Ok(Ok(source)) => source.unwrap_or(peer),
                Ok(Err(error)) => {
                    if let Some(left_out) = NO_HEADER.turn() {
                        tracing::warn!(%peer, %error, left_out, "connection refused");
                    }
                    return;
                }
                Err(_) => return,
            }
        } else {
            peer
        };
        match &self.tls {
            None => self.requests(stream, source, routes, watcher).await,
            Some(tls) => {
                let shaken = tls::accept(tls, stream);
                if let Ok(Some(stream)) = tokio::time::timeout(self.head_timeout, shaken).await {
                    self.requests(stream, source, routes, watcher).await;
                }
            }
        }
    }

    async fn requests(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        source: IpAddr,
        routes: Router,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let stream = Patience::new(stream, self.head_timeout);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(Source(source));
            routes.clone().call(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        // A client that breaks its connection is its own affair.
        let _ = watcher.watch(connection).await;
    }
}

/// How many connections each peer holds; an IPv6 peer counts with its /64,
/// which one host has to itself.
#[derive(Debug, Default)]
pub struct Peers(Mutex<HashMap<IpNet, usize>>);

/// One connection's place among its peer's.
#[derive(Debug)]
pub struct Share {
    peers: Arc<Peers>,
    peer: IpNet,
}

impl Peers {
    /// A place for one more connection of `peer`; none where it holds `limit`.
    pub fn enter(self: &Arc<Self>, peer: IpAddr, limit: usize) -> Option<Share> {
        let peer = address::host_range(peer);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(&peer).copied().unwrap_or(0) >= limit {
            return None;
        }
        *held.entry(peer).or_insert(0) += 1;
        Some(Share {
            peers: Arc::clone(self),
            peer,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.peer);
            }
        }
    }
}
