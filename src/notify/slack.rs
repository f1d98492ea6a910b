//! The form that Slack's incoming webhooks take, and those that copy them.

use serde_json::json;

use super::http::{self, Failed};
use super::message::Message;
use super::text;

/// The body: text, with what Slack would read as markup made plain.
/// Source: Slack, "Formatting text for app surfaces", escaping `&`, `<`, `>`.
pub fn body(message: &Message) -> String {
    let text = text::text(message)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    json!({"text": text}).to_string()
}

/// Sends one message.
pub(super) fn send(agent: &ureq::Agent, url: &str, message: &Message) -> Result<(), Failed> {
    let headers = [("content-type", "application/json".to_owned())];
    http::post(agent, url, &headers, &body(message))
}
