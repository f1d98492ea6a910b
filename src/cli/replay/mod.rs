//! `panopol replay`: recorded requests, judged again under another policy.

mod show;

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::answer::{Answer, Failure};
use super::check::plural;
use super::terminal::{self, Progress};
use super::{json_words, path, set};
use crate::diagnostic::json;
use crate::eval::Program;
use crate::record::line::LineError;
use crate::replay::{self, Class, Example, Input, Place, Report, Watch};

/// How many lines that are no record the JSON names.
const NAMED: usize = 100;

/// See what a policy would have decided for recorded requests
///
/// Each record is decided anew, at its own time and with what was live then,
/// and held against what was recorded, or against what --baseline decides.
/// What comes out otherwise is counted by class and by the rule that causes it:
/// widened, narrowed, changed (the same outcome for another reason or with
/// another requirement), and lacking (the record lacks what the policy needs).
/// A line that stands for several retries counts as many.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol replay state/records/*.jsonl --policy policies/
  ssh unlock cat /var/lib/panopol/records/records.jsonl | panopol replay - --fail-on widened")]
pub(super) struct Replay {
    /// Record files, one record a line; `-` for standard input
    #[arg(value_name = "RECORDS", required = true)]
    records: Vec<PathBuf>,
    /// Policy file or directory that might come to hold, or REV:PATH of a git revision
    #[arg(long, value_name = "PATH", default_value = path::DEFAULT)]
    policy: PathBuf,
    /// Compare with what this policy decides, a path or REV:PATH, not with what was recorded
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
    /// Exit 1 on these
    #[arg(long, value_enum, default_value_t = FailOn::Any)]
    fail_on: FailOn,
    /// How differences are written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Exit 2 where a line is no record
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    /// Whatever comes out otherwise
    Any,
    /// What is allowed now and was not
    Widened,
    /// Nothing
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Human,
    /// One JSON object
    Json,
    /// For a pull request
    Markdown,
}

impl Replay {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let as_json = self.format == Format::Json;
        let candidate = match set::compiled(&self.policy, as_json)? {
            Ok(policies) => Program::compile(policies),
            Err(findings) => return Ok(findings),
        };
        let baseline = match &self.baseline {
            None => None,
            Some(path) => match set::compiled(path, as_json)? {
                Ok(policies) => Some(Program::compile(policies)),
                Err(findings) => return Ok(findings),
            },
        };
        let (inputs, total) = self.open()?;
        let policies = replay::Replay {
            candidate,
            baseline,
        };
        let mut watch = Watcher {
            progress: Progress::new(),
            total,
            named: Vec::new(),
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let report = replay::run(&policies, inputs, threads, &mut watch);
        watch.progress.clear();
        Ok(self.answer(&report, watch.named))
    }

    /// Opens every file before any is judged; how many bytes they have, where
    /// that can be known.
    fn open(&self) -> Result<(Vec<Input>, Option<u64>), Failure> {
        let mut inputs = Vec::new();
        let mut total = Some(0);
        let mut seen_stdin = false;
        for path in &self.records {
            if path == Path::new("-") {
                if std::mem::replace(&mut seen_stdin, true) {
                    return Err(Failure::new("standard input is named twice"));
                }
                total = None;
                inputs.push(Input {
                    name: "standard input".to_owned(),
                    from: Box::new(std::io::stdin()),
                });
                continue;
            }
            let (file, length) = open(path)?;
            total = total.zip(length).map(|(sum, length)| sum + length);
            inputs.push(Input {
                name: path.display().to_string(),
                from: Box::new(file),
            });
        }
        Ok((inputs, total))
    }

    fn answer(&self, report: &Report, named: Vec<Named>) -> Answer {
        let against = match &self.baseline {
            Some(path) => format!("decided by `{}`", path.display()),
            None => "recorded".to_owned(),
        };
        let mut answer = Answer::of(match self.format {
            Format::Human => show::human(report, &against),
            Format::Json => json::render_line(&Output::new(report, named)),
            Format::Markdown => show::markdown(report, &against),
        });
        answer.found = match self.fail_on {
            FailOn::Any => report.counts.flipped() > 0,
            FailOn::Widened => report.counts.of(Class::Widened) > 0,
            FailOn::None => false,
        };
        for (name, error) in &report.unread {
            let message = format!("cannot read `{name}` to its end: {error}");
            answer.failures.push(Failure::new(message));
        }
        let skipped = usize::try_from(report.skipped).unwrap_or(usize::MAX);
        if report.skipped > 0 && report.skipped == report.lines {
            let message = "no line is a record, so nothing was judged";
            answer.failures.push(Failure::new(message));
        } else if self.strict && report.skipped > 0 {
            let message = format!(
                "{} skipped, which --strict refuses",
                plural(skipped, "line")
            );
            answer.failures.push(Failure::new(message));
        }
        answer
    }
}

/// Opens a file of records; its length where it is a plain file.
fn open(path: &Path) -> Result<(File, Option<u64>), Failure> {
    let fail = |error| Failure::new(format!("cannot read `{}`: {error}", path.display()));
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        let message = format!("`{}` is a directory, and records are files", path.display());
        let help = format!("name its files: `{}`", path.join("*.jsonl").display());
        return Err(Failure::new(message).help(help));
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

/// Shows how far it is, and names what is skipped.
struct Watcher {
    progress: Progress,
    total: Option<u64>,
    named: Vec<Named>,
}

/// A line that is no record.
#[derive(Serialize)]
struct Named {
    file: String,
    line: u64,
    message: String,
}

impl Watch for Watcher {
    fn skipped(&mut self, place: Place<'_>, why: Option<&LineError>) {
        let message = match why {
            None => "it is longer than any record".to_owned(),
            Some(error) => said(error),
        };
        self.progress.clear();
        let (file, line) = (place.file, place.line);
        terminal::write_error(&format!("skipped: {file}:{line}: {message}"));
        if self.named.len() < NAMED {
            self.named.push(Named {
                file: file.to_owned(),
                line,
                message,
            });
        }
    }

    fn judged(&mut self, so_far: &Report, bytes: u64) {
        let total = self.total.filter(|&total| total > 0);
        self.progress.show(|| {
            let done = match total {
                Some(total) => format!("{} %", bytes.min(total) * 100 / total),
                None => format!("{} MiB", bytes >> 20),
            };
            let (records, flipped) = (so_far.counts.records, so_far.counts.flipped());
            format!("{done}: {records} records judged, {flipped} come out otherwise")
        });
    }
}

/// Why a line is no record, in the user's words.
fn said(error: &LineError) -> String {
    let LineError::Json(error) = error else {
        return error.to_string();
    };
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let cause = text.strip_suffix(&place).unwrap_or(&text);
    let cause = json_words::in_user_words(cause);
    match error.column() {
        0 => cause,
        column => format!("{cause} (column {column})"),
    }
}

/// The report for scripts.
#[derive(Serialize)]
struct Output<'a> {
    records: u64,
    lines: u64,
    skipped: u64,
    unchanged: u64,
    widened: u64,
    narrowed: u64,
    changed: u64,
    lacking: u64,
    groups: Vec<Group<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bad: Vec<Named>,
}

#[derive(Serialize)]
struct Group<'a> {
    class: Class,
    cause: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a crate::decision::RuleRef>,
    count: u64,
    example: &'a Example,
}

impl<'a> Output<'a> {
    fn new(report: &'a Report, bad: Vec<Named>) -> Self {
        let counts = &report.counts;
        let groups = report.groups().into_iter();
        Output {
            records: counts.records,
            lines: report.lines,
            skipped: report.skipped,
            unchanged: counts.unchanged,
            widened: counts.of(Class::Widened),
            narrowed: counts.of(Class::Narrowed),
            changed: counts.of(Class::Changed),
            lacking: counts.of(Class::Lacking),
            groups: groups
                .map(|group| Group {
                    class: group.class,
                    cause: group.cause.text(),
                    rule: group.cause.rule(),
                    count: group.count,
                    example: &group.example,
                })
                .collect(),
            bad,
        }
    }
}
