//! `panopol diff`: two policy sets compared by what they decide.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::answer::{Answer, Failure};
use super::set;
use crate::diagnostic::human;
use crate::diff::inventory::Device;
use crate::diff::render::{self, Shown};
use crate::diff::{Class, compare};
use crate::eval::Program;

/// Say exactly what a change of policy changes
///
/// Every region of requests that the two policies decide differently is listed,
/// as widened or narrowed, with the rule that causes it and a request that
/// shows it; and what is required, overridden, bypassed or entitled differently.
/// Moving, renaming or rewriting rules without effect says "no effect". What
/// cannot be decided exactly says so, and counts as widened.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol diff main:policies policies            # a git revision against the work tree
  panopol diff HEAD~1:policies HEAD:policies --format markdown")]
pub(super) struct Diff {
    /// The policy that is: a file, a directory, or REV:PATH of a git revision
    old: String,
    /// The policy that is to be: a file, a directory, or REV:PATH
    new: String,
    /// Name the devices concerned: JSON Lines of {"name", "tags"}
    #[arg(long, value_name = "DEVICES.jsonl")]
    inventory: Option<PathBuf>,
    /// Which differences end with exit code 1; what is not decided counts as widened
    #[arg(long, value_enum, default_value_t = FailOn::Widened)]
    fail_on: FailOn,
    /// List every difference, however many are alike; JSON always does
    #[arg(long)]
    all: bool,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    /// Any difference
    Any,
    /// More is let through
    Widened,
    /// None
    None,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For a terminal
    Human,
    /// For tools
    Json,
    /// For a comment on a pull request
    Markdown,
}

impl Diff {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let devices = self.inventory.as_ref().map(read_inventory).transpose()?;
        let as_json = matches!(self.format, Format::Json);
        let compiled = |operand: &str| set::compiled(operand.as_ref(), as_json);
        let (old, new) = match (compiled(&self.old)?, compiled(&self.new)?) {
            (Ok(old), Ok(new)) => (Program::compile(old), Program::compile(new)),
            (Err(findings), _) | (_, Err(findings)) => return Ok(findings),
        };
        let mut comparison = compare(&old, &new);
        let concerned = devices.map(|devices| comparison.devices_concerned(&devices));
        let concerned = concerned.as_deref();
        let classes = comparison.classes();
        let shown = if self.all { Shown::All } else { Shown::Few };
        Ok(Answer {
            found: match self.fail_on {
                FailOn::Any => !classes.is_empty(),
                FailOn::Widened => {
                    classes.contains(&Class::Widened) || classes.contains(&Class::NotDecided)
                }
                FailOn::None => false,
            },
            text: match self.format {
                Format::Human => human::clean(&render::render_human(&comparison, concerned, shown)),
                Format::Json => render::render_json(&comparison, concerned),
                Format::Markdown => {
                    human::clean(&render::render_markdown(&comparison, concerned, shown))
                }
            },
            failures: Vec::new(),
        })
    }
}

fn read_inventory(path: &PathBuf) -> Result<Vec<Device>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let devices = lines.map(|(at, line)| {
        serde_json::from_str(line).map_err(|error| {
            let place = format!("{}:{}", path.display(), at + 1);
            Failure::new(format!("{place}: {error}"))
                .help(r#"each line is a device: {"name":"db-1","tags":{"env":"production"}}"#)
        })
    });
    devices.collect()
}
