//! `panopol serve`: the server.

use std::path::PathBuf;

use clap::Args;

use super::answer::{Answer, Failure};
use crate::server::config::Settings;
use crate::server::run::{self, Start};

/// Serve unlocks to Clevis and decisions to people
///
/// Devices ask the unlock plane, people and services the admin plane. Each
/// setting is a flag, a variable and a key of panopol.toml; a flag beats a
/// variable, and a variable the file.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol serve --dev --policy policies/small-company
  panopol serve --config /etc/panopol/panopol.toml --allow-bypass false")]
pub(super) struct Serve {
    /// The settings' file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Try it out: on loopback, with a fresh store, a printed admin token, and
    /// the policies of `panopol init` where none is named
    #[arg(long)]
    dev: bool,
    /// Write the planes' addresses here once both accept
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Log as JSON, a line an event
    #[arg(long)]
    log_json: bool,
    #[command(flatten)]
    settings: Settings,
}

impl Serve {
    /// Runs until a signal ends it.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let file = match &self.config {
            Some(path) => Settings::read(path).map_err(|error| Failure::new(error.to_string()))?,
            None => Settings::default(),
        };
        // A log that cannot be written must not end what is logged: on a full disk,
        // say, the word that it was not would panic.
        let log = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .log_internal_errors(false);
        if self.log_json {
            log.json().init();
        } else {
            log.with_ansi(false).with_target(false).init();
        }
        let start = Start {
            settings: self.settings.over(file),
            dev: self.dev,
            example: super::init::STARTER,
            ready_file: self.ready_file,
        };
        run::run(start).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Answer::default())
    }
}
