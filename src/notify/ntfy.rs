//! The form that ntfy takes: text, with its title and urgency in headers.

use super::http::{self, Failed};
use super::message::Message;
use super::text;
use crate::keyring::SecretBytes;
use crate::vocabulary::Topic;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 120;

/// Title, priority and tags. A header holds what is printable ASCII: the rest
/// becomes `?`, so that no text can end a line.
pub fn headers(message: &Message) -> Vec<(&'static str, String)> {
    let plain = |char: char| match char == ' ' || char.is_ascii_graphic() {
        true => char,
        false => '?',
    };
    let title = text::title(message);
    let title = title.chars().map(plain).take(LONGEST_TITLE).collect();
    let (priority, tags) = match message.topic {
        Topic::ApprovalRequested | Topic::ApprovalEscalated => ("high", "lock"),
        Topic::ApprovalApproved => ("default", "white_check_mark"),
        Topic::ApprovalDenied | Topic::ApprovalRejected => ("default", "no_entry"),
        Topic::ApprovalCancelled | Topic::ApprovalExpired | Topic::ApprovalSuperseded => {
            ("low", "hourglass")
        }
        Topic::PolicyReloaded => ("low", "page_facing_up"),
        Topic::PolicyRejected | Topic::ClockJumped => ("high", "warning"),
    };
    vec![
        ("title", title),
        ("priority", priority.to_owned()),
        ("tags", tags.to_owned()),
    ]
}

/// Sends one message, with an access token where there is one.
pub(super) fn send(
    agent: &ureq::Agent,
    url: &str,
    token: Option<&SecretBytes>,
    message: &Message,
) -> Result<(), Failed> {
    let mut headers = headers(message);
    headers.push(("content-type", "text/plain; charset=utf-8".to_owned()));
    if let Some(token) = token {
        let token = String::from_utf8_lossy(token.expose().trim_ascii());
        headers.push(("authorization", format!("Bearer {token}")));
    }
    http::post(agent, url, &headers, &text::text(message))
}
