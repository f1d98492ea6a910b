//! `panopol test`: the in-file tests alone, with the trace of each that fails.

use std::fmt::Write;
use std::path::Path;

use clap::Args;

use super::answer::{Answer, Failure};
use super::check::plural;
use super::path::Paths;
use super::{set, terminal};
use crate::diagnostic::human;
use crate::diagnostic::left_out::LeftOut;
use crate::eval::Program;
use crate::source::SourceMap;
use crate::suite;
use crate::suite::coverage::{self, Unreached};

/// Run the tests that stand beside the rules
///
/// A failed expectation is shown with what came out and with the decision's
/// trace: every rule considered, and the one that came nearest to allowing.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol test --filter database policies/
  panopol test --coverage")]
pub(super) struct Test {
    #[command(flatten)]
    paths: Paths,
    /// Only tests whose name contains this
    #[arg(long, value_name = "S")]
    filter: Option<String>,
    /// List each rule, network and approval group that no test reached
    #[arg(long)]
    coverage: bool,
}

impl Test {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        let mut ran = 0;
        for path in &self.paths.paths {
            match self.run_set(path, &mut answer) {
                Ok(count) => ran += count,
                Err(failure) => answer.failures.push(failure),
            }
        }
        if let Some(filter) = &self.filter
            && ran == 0
            && answer.failures.is_empty()
            && !answer.found
        {
            let message = format!("no test's name contains `{filter}`");
            return Err(Failure::new(message));
        }
        Ok(answer)
    }

    /// Runs the tests of one set; gives how many ran.
    fn run_set(&self, path: &Path, answer: &mut Answer) -> Result<usize, Failure> {
        let mut loaded = set::load(path)?;
        let report = &mut loaded.report;
        let name = human::clean(&report.name);
        let Some(policies) = &loaded.checked.set else {
            answer.found = true;
            let findings = human::render_human(report, terminal::colour());
            answer.text.push_str(&findings);
            // Writing to a string cannot fail.
            let _ = writeln!(answer.text, "{name}: no test was run; it does not compile");
            return Ok(0);
        };
        let program = Program::compile(policies.clone());
        let results = suite::run(&program, self.filter.as_deref());
        let findings = results.iter().filter_map(suite::TestResult::diagnostic);
        report.findings = findings.collect();
        report.left_out = LeftOut::default();
        let failed = report.findings.len();
        report.settle();
        answer.found |= failed > 0;
        let findings = human::render_human(report, terminal::colour());
        answer.text.push_str(&findings);
        let passed = plural(results.len() - failed, "test");
        let _ = match failed {
            0 => writeln!(answer.text, "{name}: {passed} passed"),
            _ => writeln!(answer.text, "{name}: {passed} passed, {failed} failed"),
        };
        if self.coverage {
            let unreached = coverage::unreached(&program, &results);
            answer.text.push_str(&show(&policies.sources, &unreached));
        }
        Ok(results.len())
    }
}

/// What no test reached, a line each.
fn show(sources: &SourceMap, unreached: &[Unreached]) -> String {
    if unreached.is_empty() {
        return "every rule, network and approval group is reached\n".to_owned();
    }
    let line = |one: &Unreached| {
        let (file, at) = (sources.path(one.span), sources.position(one.span));
        let file = human::clean(file);
        format!("  {} {} ({file}:{})\n", one.kind, one.name, at.line)
    };
    let lines: String = unreached.iter().map(line).collect();
    format!("not reached by any test:\n{lines}")
}
