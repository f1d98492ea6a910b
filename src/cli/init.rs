//! `panopol init`: a policy repository to start from.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::answer::{Answer, Failure};

/// Start a policy repository: policies with tests, CI, a pre-commit hook
///
/// Writes nothing when any of its files is already there.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol init
  panopol init my-policies && cd my-policies && panopol check")]
pub(super) struct Init {
    /// Where; created when missing
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

/// The files of a starter repository, by their path in it; its policies are
/// also what `serve --dev` serves where no policy is named.
pub(super) const STARTER: &[(&str, &str)] = &[
    ("README.md", include_str!("init/starter/README.md")),
    (
        "policies/vocabulary.pano",
        include_str!("init/starter/policies/vocabulary.pano"),
    ),
    (
        "policies/people.pano",
        include_str!("init/starter/policies/people.pano"),
    ),
    (
        "policies/unlock.pano",
        include_str!("init/starter/policies/unlock.pano"),
    ),
    (
        "policies/issuance.pano",
        include_str!("init/starter/policies/issuance.pano"),
    ),
    (
        "policies/networks/office.txt",
        include_str!("init/starter/policies/networks/office.txt"),
    ),
    (
        ".github/workflows/policy.yml",
        include_str!("init/starter/github/policy.yml"),
    ),
    (
        ".pre-commit-config.yaml",
        include_str!("init/starter/pre-commit-config.yaml"),
    ),
];

impl Init {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let path = |name: &str| self.directory.join(name);
        let in_the_way: Vec<String> = STARTER
            .iter()
            .map(|(name, _)| path(name))
            // A link that leads nowhere is in the way, too.
            .filter(|path| path.symlink_metadata().is_ok())
            .map(|path| format!("`{}`", path.display()))
            .collect();
        if !in_the_way.is_empty() {
            let verb = if in_the_way.len() == 1 {
                "exists"
            } else {
                "exist"
            };
            let message = format!(
                "{} already {verb}; nothing was written",
                in_the_way.join(", ")
            );
            return Err(Failure::new(message).help("name another directory: `panopol init DIR`"));
        }
        let mut text = String::new();
        for (name, content) in STARTER {
            let path = path(name);
            create(&path, content).map_err(|error| {
                Failure::new(format!("cannot write `{}`: {error}", path.display()))
            })?;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "wrote {}", path.display());
        }
        text.push_str("\nNext: read policies/unlock.pano, then run `panopol check` there.\n");
        Ok(Answer::of(text))
    }
}

/// Creates a file that is not there yet, and the directories it lies in.
fn create(path: &Path, content: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content.as_bytes())
}
