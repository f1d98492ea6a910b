//! `Idempotency-Key`: a call sent again is answered as it was the first time.

use axum::http::HeaderMap;
use serde_json::Value;

use super::super::app::{Answered, App};
use super::super::problem::Problem;
use crate::unlock::derived_id;

/// How many answers with an idempotency key are remembered.
const REMEMBERED: usize = 10_000;

/// A call that may be a repeat.
pub(super) struct Repeat {
    key: Option<(String, String)>,
    asked: Value,
}

impl Repeat {
    /// The call of `caller` with the body `asked`, its key from the header or
    /// from the body.
    pub(super) fn new(
        headers: &HeaderMap,
        own: Option<String>,
        caller: String,
        asked: Value,
    ) -> Self {
        let header = headers
            .get("idempotency-key")
            .and_then(|key| key.to_str().ok())
            .map(str::to_owned);
        Repeat {
            key: header.or(own).map(|key| (caller, key)),
            asked,
        }
    }

    /// What a repeat of this call is the same as: who calls, the key, and what
    /// is asked; none without a key.
    pub(super) fn call(&self) -> Option<Vec<u8>> {
        Some(format!("{}{}", self.key_text()?, self.asked).into_bytes())
    }

    /// The id that what this call makes has in every repeat of it, in this run
    /// of the server or a later one; none without a key.
    pub(super) fn own_id(&self) -> Option<String> {
        Some(derived_id(self.key_text()?.as_bytes()))
    }

    fn key_text(&self) -> Option<String> {
        let (caller, key) = self.key.as_ref()?;
        // The lengths keep two pairs from running into one text.
        Some(format!("{}:{caller}{}:{key}", caller.len(), key.len()))
    }

    /// What it was answered before.
    pub(super) fn answered(&self, app: &App) -> Result<Option<Value>, Problem> {
        let Some(known) = self.key.as_ref().and_then(|key| app.answered(key)) else {
            return Ok(None);
        };
        if known.asked != self.asked {
            return Err(Problem::conflict(
                "that idempotency key was used for another request",
            ));
        }
        Ok(Some(known.answer))
    }

    /// Keeps the answer for a repeat.
    pub(super) fn remember(self, app: &App, answer: &Value) {
        if let Some(key) = self.key {
            let (asked, answer) = (self.asked, answer.clone());
            app.remember(key, Answered { asked, answer }, REMEMBERED);
        }
    }
}
