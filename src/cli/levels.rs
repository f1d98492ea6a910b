//! Levels of lints, from the command line and from `panopol.toml`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::answer::Failure;
use super::path;
use crate::diagnostic::Severity;
use crate::diagnostic::levels::Origin;
use crate::lint::levels::{Chosen, LevelError};
use crate::vocabulary::{self, Level};

/// The file that levels are read from; the server's settings stand in it too.
const FILE: &str = "panopol.toml";

/// More bytes than any configuration has.
const MOST_BYTES: u64 = 1 << 20;

/// What stands for every warning after `--deny`.
const WARNINGS: &str = "warnings";

/// Levels on the command line.
#[derive(Args)]
pub(super) struct LevelArgs {
    /// Leave out a lint's findings; may repeat
    #[arg(long, value_name = "CODE")]
    allow: Vec<String>,
    /// Make a lint's findings warnings; may repeat
    #[arg(long, value_name = "CODE")]
    warn: Vec<String>,
    /// Make a lint's findings errors, or fail on `warnings` as well; may repeat
    #[arg(long, value_name = "CODE|warnings")]
    deny: Vec<String>,
}

impl LevelArgs {
    /// The least severity that fails the run.
    pub(super) fn fails_at(&self) -> Severity {
        match self.deny.iter().any(|name| name == WARNINGS) {
            true => Severity::Warning,
            false => Severity::Error,
        }
    }

    /// The levels of codes.
    ///
    /// # Errors
    /// A code that is none, or takes no level, or two.
    pub(super) fn chosen(&self) -> Result<Chosen, Failure> {
        let mut chosen = Chosen::default();
        let denied = self.deny.iter().filter(|name| *name != WARNINGS);
        let given = self.allow.iter().map(|name| (name, Level::Allow));
        let given = given.chain(self.warn.iter().map(|name| (name, Level::Warn)));
        for (name, level) in given.chain(denied.map(|name| (name, Level::Deny))) {
            let set = chosen.set(name, level, Origin::CommandLine);
            set.map_err(|error| failure(&format!("`--{level} {name}`"), &error))?;
        }
        Ok(chosen)
    }
}

fn failure(place: &str, error: &LevelError) -> Failure {
    Failure::new(format!("{place}: {error}")).help(error.help())
}

/// What `check` reads of the file.
#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    lints: BTreeMap<String, String>,
}

/// The levels that the nearest `panopol.toml` gives the set at `path`.
///
/// # Errors
/// The file cannot be read, is no TOML, or names what is no code or no level.
pub(super) fn configured(path: &Path) -> Result<Chosen, Failure> {
    let mut chosen = Chosen::default();
    let Some(file) = nearest_file(path) else {
        return Ok(chosen);
    };
    let name = shown(&file);
    let text =
        read(&file).map_err(|error| Failure::new(format!("cannot read `{name}`: {error}")))?;
    let found: Configuration = toml::from_str(&text)
        .map_err(|error| Failure::new(format!("`{name}` is no configuration: {error}")))?;
    for (code, word) in found.lints {
        let place = format!("`{name}`, [lints], `{code}`");
        let level = Level::from_word(&word).ok_or_else(|| {
            let words = Level::ALL.iter().map(|level| level.word());
            let near = vocabulary::nearest(&word, words);
            let help = near.map_or_else(
                || "write `allow`, `warn` or `deny`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Failure::new(format!("{place}: `{word}` is no level")).help(help)
        })?;
        let set = chosen.set(&code, level, Origin::File(name.clone()));
        set.map_err(|error| failure(&place, &error))?;
    }
    Ok(chosen)
}

fn read(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let mut limited = File::open(file)?.take(MOST_BYTES + 1);
    limited.read_to_string(&mut text)?;
    match text.len() as u64 > MOST_BYTES {
        true => Err(std::io::Error::other("it is longer than 1 MiB")),
        false => Ok(text),
    }
}

/// The file beside the set, or the first above it; not above the repository that
/// the set is in.
fn nearest_file(path: &Path) -> Option<PathBuf> {
    let directory = path::directory(path);
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => &directory,
    };
    for directory in directory.canonicalize().ok()?.ancestors() {
        let file = directory.join(FILE);
        if file.is_file() {
            return Some(file);
        }
        if directory.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The path as outputs name it: from the working directory, where it lies below.
fn shown(file: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let below = here
        .ok()
        .and_then(|here| file.strip_prefix(here).ok().map(Path::to_owned));
    below.as_deref().unwrap_or(file).display().to_string()
}
