//! `panopol completions`: a script for a shell.

use clap::Args;
use clap_complete::Shell;

use super::answer::{Answer, Failure};

/// Print a shell's completion script
#[derive(Args)]
#[command(after_help = "Examples:
  panopol completions bash > ~/.local/share/bash-completion/completions/panopol
  panopol completions zsh > ~/.zfunc/_panopol")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "panopol", &mut script);
        Ok(Answer::of(String::from_utf8_lossy(&script)))
    }
}
