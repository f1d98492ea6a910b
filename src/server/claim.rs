//! The first owner's claim: a file that a first start writes, turned into a
//! token once, and taken away when it was or when its hour is over.

use jiff::SignedDuration;

use super::app::App;
use super::clock;
use super::start::{StartError, expect_owner, io, own_context};
use crate::unlock::{draw_token, token_hash};

/// How long the first start's claim holds.
const HOLDS: SignedDuration = SignedDuration::from_hours(1);

/// At a first start, with no token yet, writes a claim for the first owner.
///
/// # Errors
/// There is no owner, or the disk said no.
pub(super) fn offer(app: &App) -> Result<(), StartError> {
    let path = &app.claim_file;
    // A claim whose file never came to be, for a crash between, is of no use to anyone.
    if live(app) && path.exists() || !app.store.tokens(None, 1).is_empty() {
        return Ok(());
    }
    let owner = expect_owner(app)?;
    let claim = draw_token()?;
    let expires = clock::now() + HOLDS;
    app.store
        .issue_claim(own_context(app), token_hash(&claim), &owner, expires)?;
    crate::durable::replace(path, format!("{claim}\n").as_bytes()).map_err(io("the claim file"))?;
    tracing::warn!(path = %path.display(), %owner, %expires, "first start: `panopol token claim FILE` turns this file into the owner's token");
    Ok(())
}

fn live(app: &App) -> bool {
    let now = clock::now();
    let claims = app.store.claims();
    claims
        .iter()
        .any(|claim| !claim.ended && now < claim.expires)
}

/// Takes the file away once no claim holds any more.
pub(super) fn tidy(app: &App) {
    if live(app) {
        return;
    }
    match std::fs::remove_file(&app.claim_file) {
        Ok(()) => {
            tracing::info!(path = %app.claim_file.display(), "the claim is used or over, and its file is gone");
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(path = %app.claim_file.display(), %error, "the claim is used or over; take its file away");
        }
    }
}
