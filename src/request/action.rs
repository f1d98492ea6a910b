//! Which action a request is judged as.

use super::IssuanceRequest;
use crate::san::{San, SanError, parse_name};
use crate::vocabulary::Action;

/// A renewal or reissue follows a known certificate and asks for no name that
/// it lacks; otherwise it is an `issue`, and why is said.
pub fn effective_action(
    request: &IssuanceRequest,
    names: &[(&str, Result<San, SanError>)],
) -> (Action, Option<String>) {
    match request.action {
        Action::Renew | Action::Reissue => match mismatch(request, names) {
            Some(why) => (Action::Issue, Some(why)),
            None => (request.action, None),
        },
        Action::Issue | Action::Revoke | Action::Export | Action::Distribute => {
            (request.action, None)
        }
    }
}

/// What keeps the request from following a certificate.
fn mismatch(request: &IssuanceRequest, names: &[(&str, Result<San, SanError>)]) -> Option<String> {
    let Some(predecessor) = &request.predecessor else {
        return Some("it names no predecessor".to_owned());
    };
    let had: Vec<San> = (predecessor.san.iter())
        .filter_map(|text| parse_name(text).ok())
        .collect();
    names
        .iter()
        .find(|(_, name)| name.as_ref().map_or(true, |name| !had.contains(name)))
        .map(|(text, _)| format!("its predecessor `{}` lacks `{text}`", predecessor.id))
}
