//! `serve --dev`: on loopback, with what is missing made up and thrown away.

use std::path::PathBuf;

use super::admin;
use super::app::App;
use super::config::Settings;
use super::start::{StartError, expect_owner, io, own_context};
use crate::durable::parent;
use crate::unlock::draw_token;

/// Prints where the planes are, and who may ask.
#[allow(clippy::print_stdout, reason = "what --dev tells its user")]
pub(super) fn announce(unlock: &str, admin: &str, token: &str) {
    println!(
        "unlock plane  {unlock}\nadmin plane   {admin}\nexport PANOPOL_URL={admin} PANOPOL_TOKEN={token}"
    );
}

/// Keeps `--dev` on loopback and gives it a state directory and a policy where
/// none is named.
///
/// # Errors
/// An address elsewhere, or the disk said no.
pub(super) fn loopback(
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
pub(super) struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is in the system's directory for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Mints the token that `--dev` prints.
///
/// # Errors
/// There is no owner, or the disk said no.
pub(super) fn token(app: &App) -> Result<String, StartError> {
    let owner = expect_owner(app)?;
    let (token, secret) = admin::draw_bearer(&owner)?;
    app.store.create_token(own_context(app), token)?;
    Ok(secret)
}
