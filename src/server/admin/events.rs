//! What happens, told as it does: the messages that sinks get, as server-sent
//! events to who may list approval requests. No budget holds here.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::super::app::App;
use super::super::clock;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::Query;
use crate::access::{AdminAction, Resource};
use crate::notify::{Message, Outbox};

/// How often the journal is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Looks after which something is said, so that nobody takes the stream for dead,
/// and its holder's rights are looked at again.
const KEEP_ALIVE: u32 = 60;
/// How long a listener may take nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries read at once.
const PAGE: usize = 256;

#[derive(Debug, Default, Deserialize)]
pub(super) struct From {
    after: Option<String>,
}

/// Streams what happens from now on, or after an entry.
pub(super) async fn listen(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    caller.expect_may(&app, AdminAction::ApprovalList, Resource::Org)?;
    let last = headers.get("last-event-id").map(|value| value.to_str());
    let after = match (last, &from.after) {
        (Some(text), _) => Some(text.unwrap_or_default()),
        (None, Some(text)) => Some(text.as_str()),
        (None, None) => None,
    };
    let after = match after {
        None => app.store.link().seq,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::malformed("an event's id is the number of an entry"))?,
    };
    let place = app.streams.enter().ok_or_else(|| {
        Problem::unavailable("as many listen to events as may; come again later, or end another")
    })?;
    let (told, heard) = channel(16);
    let stream = Stream {
        app,
        token: caller.token.hash,
        after,
        outbox: Some(Outbox::default()),
        told,
    };
    tokio::spawn(async move {
        stream.run().await;
        drop(place);
    });
    let kind = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((kind, Body::new(Heard(heard))).into_response())
}

/// One listener.
struct Stream {
    app: Arc<App>,
    token: crate::journal::Hash,
    after: u64,
    outbox: Option<Outbox>,
    told: Sender<Bytes>,
}

impl Stream {
    /// Tells until somebody ends it: the listener, the server, or whoever took
    /// the listener's rights.
    async fn run(mut self) {
        if !self.tell(": panopol\n\n".to_owned()).await {
            return;
        }
        let mut looks = 0;
        while !self.app.streams.are_over() && !self.told.is_closed() {
            let Some(messages) = self.read().await else {
                return;
            };
            looks += 1;
            let quiet = messages.is_empty();
            if (!quiet || looks % KEEP_ALIVE == 0) && !self.may_listen() {
                return;
            }
            for message in messages {
                if !self.tell(event(&message)).await {
                    return;
                }
            }
            if looks % KEEP_ALIVE == 0 && !self.tell(": still here\n\n".to_owned()).await {
                return;
            }
            if self.app.store.link().seq <= self.after {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = self.told.closed() => return,
                }
            }
        }
    }

    /// The messages of the next entries; none where they cannot be read.
    async fn read(&mut self) -> Option<Vec<Message>> {
        if self.app.store.link().seq <= self.after {
            return Some(Vec::new());
        }
        let (mut outbox, after) = (self.outbox.take().unwrap_or_default(), self.after);
        let read = self.app.blocking(move |app| {
            let page = outbox.read(&app.store, after, PAGE)?;
            Ok((outbox, page))
        });
        let (outbox, page) = read.await.ok()?;
        self.outbox = Some(outbox);
        self.after = page.last().map_or(self.after, |(entry, _)| entry.seq);
        Some(page.into_iter().filter_map(|(_, told)| told).collect())
    }

    /// Whether the token holds still, and permits this under the policy of the moment.
    fn may_listen(&self) -> bool {
        let Some(token) = self.app.store.token_by_hash(&self.token) else {
            return false;
        };
        if !token.holds(clock::now()) {
            return false;
        }
        let set = Arc::clone(&self.app.policy.current().set);
        let actor = crate::access::find_actor(&set, &token.person);
        actor.is_some_and(|actor| {
            let asked = (AdminAction::ApprovalList, Resource::Org);
            let access = &self.app.access;
            access.authorize(&set, actor, asked.0, asked.1).is_ok()
        })
    }

    /// Whether the listener took it in time.
    async fn tell(&self, text: String) -> bool {
        let sent = tokio::time::timeout(PATIENCE, self.told.send(Bytes::from(text)));
        matches!(sent.await, Ok(Ok(())))
    }
}

/// Source: HTML Living Standard, "Server-sent events"; JSON has no bare line end.
fn event(message: &Message) -> String {
    let (id, topic, data) = (message.seq, message.topic, message.json());
    format!("id: {id}\nevent: {topic}\ndata: {data}\n\n")
}

/// The body that a listener reads.
struct Heard(Receiver<Bytes>);

impl hyper::body::Body for Heard {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.0.poll_recv(context);
        next.map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
    }
}
