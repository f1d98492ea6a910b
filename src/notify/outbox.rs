//! The journal read as messages: entries in order, each with what it tells.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::message::{Message, request_of};
use crate::approval::ApprovalRequest;
use crate::journal::{Entry, Event};
use crate::store::{Store, StoreError};

/// Requests that are remembered from their first entry: the store forgets
/// those that ended long ago, and a message may be late.
const REMEMBERED: usize = 512;

/// What a reader of the journal remembers.
#[derive(Debug, Default)]
pub struct Outbox {
    requests: HashMap<String, Arc<ApprovalRequest>>,
    order: VecDeque<String>,
}

impl Outbox {
    /// Up to `limit` entries after number `after`, each with what it tells.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn read(
        &mut self,
        store: &Store,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(Entry, Option<Message>)>, StoreError> {
        if store.link().seq <= after {
            return Ok(Vec::new());
        }
        let entries = store.audit(after, limit)?;
        let told = entries.into_iter().map(|entry| {
            let message = self.message(store, &entry);
            (entry, message)
        });
        Ok(told.collect())
    }

    fn message(&mut self, store: &Store, entry: &Entry) -> Option<Message> {
        if let Event::ApprovalRequested { request } = entry.event() {
            let begun = ApprovalRequest::begin(request.clone(), entry.draft.time, entry.seq);
            self.remember(begun);
        }
        let id = request_of(entry.event());
        let request = id.and_then(|id| {
            let known = self.requests.get(id).cloned();
            known.or_else(|| store.approval(id))
        });
        Message::of(store.journal(), entry, request.as_deref())
    }

    fn remember(&mut self, request: ApprovalRequest) {
        let id = request.id().to_owned();
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.requests.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.requests.insert(id, Arc::new(request));
    }
}
