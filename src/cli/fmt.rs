//! `panopol fmt`: the one canonical layout.

mod replace;

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use similar::TextDiff;

use super::answer::{Answer, Failure};
use super::{path, set, terminal};
use crate::diagnostic::human;
use crate::diagnostic::left_out::LeftOut;
use crate::diagnostic::report::SetReport;
use crate::source::SourceMap;
use crate::source::load::PolicyFiles;
use crate::syntax::{format, parse};

/// Write policies in the canonical layout, comments kept
///
/// Files that change are replaced whole, so that no reader ever sees half of
/// one, and named; files with syntax errors are left alone and reported.
/// A PATH of `-` formats standard input to standard output.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol fmt
  panopol fmt --check policies/")]
pub(super) struct Fmt {
    /// Policy file or directory; `-` for standard input
    #[arg(value_name = "PATH", default_value = path::DEFAULT)]
    paths: Vec<PathBuf>,
    /// Change nothing; show what would change, and exit 1 if anything would
    #[arg(long)]
    check: bool,
}

impl Fmt {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        for path in &self.paths {
            let done = if path == Path::new("-") {
                self.format_stdin(&mut answer)
            } else {
                self.format_set(path, &mut answer)
            };
            if let Err(failure) = done {
                answer.failures.push(failure);
            }
        }
        Ok(answer)
    }

    fn format_stdin(&self, answer: &mut Answer) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::new(format!("standard input: {error}")))?;
        let text = utf8("standard input", bytes)?;
        let Some(formatted) = format_or_report("", "<stdin>", &text, answer) else {
            return Ok(());
        };
        if !self.check {
            answer.text.push_str(&formatted);
        } else if formatted != text {
            show_change("<stdin>", &text, &formatted, answer);
        }
        Ok(())
    }

    /// Formats every file of the set at `path`; what fails leaves the others be.
    fn format_set(&self, path: &Path, answer: &mut Answer) -> Result<(), Failure> {
        let base = path::directory(path);
        let root = path::root(path);
        for file in set::open(path)?.policy_files() {
            let done = match file {
                Ok(file) => self.format_file(&root, &base, &file.path, file.bytes, answer),
                Err((name, error)) => {
                    Err(Failure::new(format!("{root}{name}: {error}")).maybe_help(error.help))
                }
            };
            if let Err(failure) = done {
                answer.failures.push(failure);
            }
        }
        Ok(())
    }

    fn format_file(
        &self,
        root: &str,
        base: &Path,
        name: &str,
        bytes: Vec<u8>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let shown = format!("{root}{name}");
        let text = utf8(&shown, bytes)?;
        let Some(formatted) = format_or_report(root, name, &text, answer) else {
            return Ok(());
        };
        if formatted == text {
            return Ok(());
        }
        if self.check {
            show_change(&shown, &text, &formatted, answer);
            return Ok(());
        }
        replace::replace(&base.join(name), &formatted)
            .map_err(|error| Failure::new(format!("cannot write `{shown}`: {error}")))?;
        // Writing to a string cannot fail.
        let _ = writeln!(answer.text, "formatted {}", human::clean(&shown));
        Ok(())
    }
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(format!("{name}: byte {at} is not UTF-8"))
    })
}

/// The formatted text; none where it has syntax errors, which are reported.
fn format_or_report(root: &str, name: &str, text: &str, answer: &mut Answer) -> Option<String> {
    let mut sources = SourceMap::new();
    let id = sources.add(name, text);
    let (tree, findings) = parse::parse_file(id, text);
    if findings.is_empty() {
        return Some(format::format_file(&tree));
    }
    let mut report = SetReport {
        name: name.to_owned(),
        root: root.to_owned(),
        sources: Arc::new(sources),
        findings,
        left_out: LeftOut::default(),
        tests: Vec::new(),
        levels: Default::default(),
    };
    report.settle();
    answer.found = true;
    let shown = human::render_human(&report, terminal::colour());
    answer.text.push_str(&shown);
    None
}

fn show_change(name: &str, text: &str, formatted: &str, answer: &mut Answer) {
    let name = human::clean(name);
    let diff = TextDiff::from_lines(text, formatted);
    let diff = diff
        .unified_diff()
        .header(&name, &format!("{name} (formatted)"))
        .to_string();
    answer.found = true;
    answer.text.push_str(&human::clean(&diff));
}
