//! `panopol check`: everything that CI holds a policy set to.

use std::fmt::Write;
use std::path::Path;

use clap::{Args, ValueEnum};

use super::answer::{Answer, Failure};
use super::levels::{self, LevelArgs};
use super::path::Paths;
use super::set::{self, Loaded};
use super::terminal;
use crate::diagnostic::report::{Report, SetReport, TestCase};
use crate::diagnostic::{Severity, github, human, json, junit, sarif};
use crate::eval::Program;
use crate::lint::levels::Chosen;
use crate::lint::{self, Profile};
use crate::suite;

/// Check policy sets: names, types, lints and in-file tests
///
/// Reports every fault at once, each with its place, its code and a way to mend
/// it. `panopol lint --explain CODE` says more about a code. Exits 1 where
/// something is found, 2 where a file cannot be read.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol check
  panopol check --deny warnings --profile production --format github policies/")]
pub(super) struct Check {
    #[command(flatten)]
    paths: Paths,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    levels: LevelArgs,
    /// What the policies are for; production refuses bypasses, among others
    #[arg(long, value_enum, default_value_t = ProfileName::Development)]
    profile: ProfileName,
    /// Leave the in-file tests out
    #[arg(long)]
    no_tests: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For a person, with source excerpts
    Human,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code-scanning services
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
    /// JUnit XML, for CI systems that show tests
    Junit,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProfileName {
    /// Drafts, laboratories and CI
    Development,
    /// What guards real systems
    Production,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Development => Profile::Development,
            ProfileName::Production => Profile::Production,
        }
    }
}

impl Check {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        let chosen = self.levels.chosen()?;
        let mut sets = Vec::new();
        for path in &self.paths.paths {
            match self.load(path, &chosen) {
                Ok(loaded) => sets.push(loaded),
                Err(failure) => answer.failures.push(failure),
            }
        }
        let sizes: Vec<(usize, usize)> = sets.iter().map(Loaded::size).collect();
        let report = Report {
            sets: sets.into_iter().map(|loaded| loaded.report).collect(),
            fails_at: self.levels.fails_at(),
        };
        answer.found = report.failed();
        answer.text = match self.format {
            Format::Human => self.render_human(&report, &sizes),
            Format::Json => json::render_json(&report),
            Format::Sarif => sarif::render_sarif(&report),
            Format::Github => github::render_github(&report),
            Format::Junit => junit::render_junit(&report),
        };
        Ok(answer)
    }

    /// Reads and judges the set at `path`.
    fn load(&self, path: &Path, chosen: &Chosen) -> Result<Loaded, Failure> {
        let configured = levels::configured(path)?;
        let mut loaded = set::load(path)?;
        self.judge(&mut loaded, &chosen.clone().over(configured));
        Ok(loaded)
    }

    /// Adds lints and failed tests to what is said of a set that compiles.
    fn judge(&self, loaded: &mut Loaded, chosen: &Chosen) {
        let Some(set) = &loaded.checked.set else {
            return;
        };
        let program = Program::compile(set.clone());
        let tests = (!self.no_tests).then(|| suite::run(&program, None));
        let run = lint::Run {
            program: &program,
            tests: tests.as_deref(),
            now: terminal::now(),
            profile: self.profile.into(),
            chosen,
        };
        let report = &mut loaded.report;
        let (findings, levels) = lint::lint(&loaded.checked, &run);
        report.findings.extend(findings);
        report.levels = levels;
        for result in tests.into_iter().flatten() {
            let finding = result.diagnostic();
            report.tests.push(TestCase {
                name: result.name,
                span: result.span,
                failure: finding.as_ref().map(|finding| {
                    let notes = finding.notes.iter();
                    let lines = std::iter::once(&finding.message).chain(notes);
                    lines.cloned().collect::<Vec<_>>().join("\n")
                }),
            });
            report.findings.extend(finding);
        }
        report.settle();
    }

    fn render_human(&self, report: &Report, sizes: &[(usize, usize)]) -> String {
        let mut text = String::new();
        for (set, &(files, rules)) in report.sets.iter().zip(sizes) {
            text.push_str(&human::render_human(set, terminal::colour()));
            render_levels(&mut text, set);
            let _ = write!(text, "{}: ", human::clean(&set.name));
            let count = |severity| set.count(severity);
            for (severity, word) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
                if count(severity) > 0 {
                    let _ = write!(text, "{}, ", plural(count(severity), word));
                }
            }
            let _ = write!(text, "{}", plural(files, "file"));
            if set::is_broken(set) && rules == 0 {
                text.push_str("; lints and tests wait until it compiles\n");
                continue;
            }
            let (passed, failed) = set.test_counts();
            let _ = write!(text, ", {}", plural(rules, "rule"));
            match (self.no_tests, failed) {
                (true, _) => text.push_str(", tests left out\n"),
                (false, 0) => {
                    let _ = writeln!(text, ", {} passed", plural(passed, "test"));
                }
                (false, _) => {
                    let _ = writeln!(text, ", {} passed, {failed} failed", plural(passed, "test"));
                }
            }
        }
        text
    }
}

/// One line for each level that was chosen.
fn render_levels(text: &mut String, set: &SetReport) {
    for change in &set.levels.changes {
        let place = set.place_of(change);
        let line = format!("{place}: {}", change.sentence());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", human::clean(&line));
    }
}

/// `1 file`, `2 files`.
pub(super) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
