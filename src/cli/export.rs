//! `panopol export`: a policy set in another language.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::answer::{Answer, Failure};
use super::{path, set};
use crate::diagnostic::json;
use crate::export::cedar;

/// Write a policy set in another language
#[derive(Args)]
#[command(after_help = "Examples:
  panopol export cedar policies/ > unlock.cedar
  panopol export cedar --out cedar/ policies/")]
pub(super) struct Export {
    #[command(subcommand)]
    language: Language,
}

#[derive(Subcommand)]
enum Language {
    Cedar(ToCedar),
}

/// Write the unlock policy as Cedar policies and schema
///
/// Prints the policies, with the schema as a comment above them, or writes both as
/// files. What Cedar cannot say (schedules, live facts) is asked for as context.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol export cedar policies/ > unlock.cedar
  panopol export cedar --out cedar/ policies/")]
struct ToCedar {
    /// Policy file or directory
    #[arg(value_name = "PATH", default_value = path::DEFAULT)]
    path: PathBuf,
    /// Write `policies.cedar` and `schema.cedarschema` there instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Human, conflicts_with = "out")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As Cedar
    Human,
    /// One JSON object with `policies` and `schema`
    Json,
}

impl Export {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        match self.language {
            Language::Cedar(cedar) => cedar.run(),
        }
    }
}

impl ToCedar {
    fn run(self) -> Result<Answer, Failure> {
        let policies = match set::compiled(&self.path, self.format == Format::Json)? {
            Ok(policies) => policies,
            Err(findings) => return Ok(findings),
        };
        let made = cedar::export(&policies);
        let Some(directory) = &self.out else {
            return Ok(Answer::of(match self.format {
                Format::Human => commented(&made.schema) + "\n" + &made.policies,
                Format::Json => {
                    let both = json!({"policies": made.policies, "schema": made.schema});
                    json::render_line(&both)
                }
            }));
        };
        let files = [
            ("policies.cedar", &made.policies),
            ("schema.cedarschema", &made.schema),
        ];
        let written = files.map(|(name, text)| write(directory, name, text));
        let lines: Result<String, Failure> = written.into_iter().collect();
        Ok(Answer::of(lines?))
    }
}

/// The schema as a comment: what is printed is then policies, whole.
fn commented(text: &str) -> String {
    let comment = |line: &str| format!("// {line}").trim_end().to_owned() + "\n";
    text.lines().map(comment).collect()
}

/// Writes a file anew; says which.
fn write(directory: &Path, name: &str, text: &str) -> Result<String, Failure> {
    let path = directory.join(name);
    let written = fs::create_dir_all(directory).and_then(|()| fs::write(&path, text));
    let shown = path.display();
    written.map_err(|error| Failure::new(format!("cannot write `{shown}`: {error}")))?;
    Ok(format!("wrote {shown}\n"))
}
