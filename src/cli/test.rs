//! `panopol test`: the in-file tests alone, with the trace of each that fails,
//! what they do not reach, and tests that would.

use std::fmt::Write;
use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::check::plural;
use super::path::Paths;
use super::set::{self, Loaded};
use super::terminal;
use crate::diagnostic::left_out::LeftOut;
use crate::diagnostic::report::{Report, SetReport};
use crate::diagnostic::{Severity, human, json as findings_json};
use crate::eval::Program;
use crate::source::{SourceMap, Span};
use crate::suite;
use crate::suite::coverage::{self, Coverage, Unreached};
use crate::suite::edges::{Edge, Edges};
use crate::suite::suggest::{self, Suggestions};
use crate::syntax::format::format_text;

/// How many edges of one network or line are shown.
const SHOWN: usize = 6;

/// Run the tests that stand beside the rules
///
/// A failed expectation is shown with what came out and with the decision's
/// trace: every rule considered, and the one that came nearest to allowing.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol test --filter database policies/
  panopol test --suggest >> policies/tests.pano")]
pub(super) struct Test {
    #[command(flatten)]
    paths: Paths,
    /// Only tests whose name contains this
    #[arg(long, value_name = "S")]
    filter: Option<String>,
    /// List each rule, network and approval group that no test reached, and the
    /// first and last addresses of networks that none asks from
    #[arg(long)]
    coverage: bool,
    /// Print test blocks that reach them, and expect what comes out today; all
    /// else is printed as comments
    #[arg(long)]
    suggest: bool,
    /// How results are written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Human,
    /// One JSON object
    Json,
}

/// What became of one set.
struct Ran {
    report: SetReport,
    /// How many tests ran; none where the set does not compile.
    count: Option<usize>,
    coverage: Option<Coverage>,
    suggestions: Option<Suggestions>,
}

impl Test {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        let mut ran = Vec::new();
        for path in &self.paths.paths {
            match self.run_set(path) {
                Ok(one) => ran.push(one),
                Err(failure) => answer.failures.push(failure),
            }
        }
        answer.found = ran.iter().any(|one| set::is_broken(&one.report));
        let count: usize = ran.iter().filter_map(|one| one.count).sum();
        if let Some(filter) = &self.filter
            && count == 0
            && answer.failures.is_empty()
            && !answer.found
        {
            let message = format!("no test's name contains `{filter}`");
            return Err(Failure::new(message));
        }
        answer.text = match self.format {
            Format::Human => ran.iter().map(|one| self.render_human(one)).collect(),
            Format::Json => render_json(ran),
        };
        Ok(answer)
    }

    fn run_set(&self, path: &Path) -> Result<Ran, Failure> {
        let Loaded {
            checked,
            mut report,
            ..
        } = set::load(path)?;
        let Some(policies) = checked.set else {
            return Ok(Ran {
                report,
                count: None,
                coverage: None,
                suggestions: None,
            });
        };
        let program = Program::compile(policies);
        let results = suite::run(&program, self.filter.as_deref());
        let findings = results.iter().filter_map(suite::TestResult::diagnostic);
        report.findings = findings.collect();
        report.left_out = LeftOut::default();
        report.settle();
        let coverage =
            (self.coverage || self.suggest).then(|| coverage::measure(&program, &results));
        let suggestions = coverage
            .as_ref()
            .filter(|_| self.suggest)
            .map(|coverage| suggest::suggest(&program, coverage));
        Ok(Ran {
            report,
            count: Some(results.len()),
            coverage: coverage.filter(|_| self.coverage),
            suggestions,
        })
    }

    fn render_human(&self, ran: &Ran) -> String {
        let name = human::clean(&ran.report.name);
        let colour = terminal::colour() && !self.suggest;
        let mut text = human::render_human(&ran.report, colour);
        // Writing to a string cannot fail.
        let Some(count) = ran.count else {
            let _ = writeln!(text, "{name}: no test was run; it does not compile");
            return self.commented(text);
        };
        let failed = ran.report.findings.len();
        let passed = plural(count.saturating_sub(failed), "test");
        let _ = match failed {
            0 => writeln!(text, "{name}: {passed} passed"),
            _ => writeln!(text, "{name}: {passed} passed, {failed} failed"),
        };
        let sources = &ran.report.sources;
        if let Some(coverage) = &ran.coverage {
            text.push_str(&show_coverage(sources, coverage));
        }
        let Some(suggestions) = &ran.suggestions else {
            return text;
        };
        text.push_str(&show_left(sources, suggestions));
        let mut text = self.commented(text);
        for suggestion in &suggestions.blocks {
            let _ = write!(text, "\n{}", laid_out(&suggestion.block));
        }
        text
    }

    /// Where blocks are printed, the rest stands in comments, so that all of it
    /// can be pasted.
    fn commented(&self, text: String) -> String {
        if !self.suggest {
            return text;
        }
        let comment = |line: &str| format!("# {line}").trim_end().to_owned() + "\n";
        text.lines().map(comment).collect()
    }
}

/// A block in the one layout.
fn laid_out(block: &str) -> String {
    let head = "edition 2026\n";
    match format_text(&format!("{head}\n{block}")) {
        Ok(text) => text.trim_start_matches(head).trim_start().to_owned(),
        // It is one that we made; whoever pastes it is told what is wrong.
        Err(_) => block.to_owned(),
    }
}

/// What no test reached, a line each.
fn show_coverage(sources: &SourceMap, coverage: &Coverage) -> String {
    let mut text = if coverage.unreached.is_empty() {
        "every rule, network and approval group is reached\n".to_owned()
    } else {
        let lines = coverage.unreached.iter().map(|one| unreached(sources, one));
        format!("not reached by any test:\n{}", lines.collect::<String>())
    };
    if !coverage.edges.is_empty() {
        text.push_str("edges that no test asks from:\n");
        let lines = coverage.edges.iter().map(|one| edges(sources, one));
        text.extend(lines);
    }
    text
}

fn unreached(sources: &SourceMap, one: &Unreached) -> String {
    let place = place(sources, one.span);
    format!("  {} {} ({place})\n", one.kind.word(), one.name)
}

fn edges(sources: &SourceMap, one: &Edges) -> String {
    let shown = one.missing.iter().take(SHOWN);
    let shown = shown.map(|Edge { address, side }| format!("{address} ({})", side.word()));
    let mut shown: Vec<String> = shown.collect();
    match one.missing.len().saturating_sub(SHOWN) {
        0 => {}
        more => shown.push(format!("{more} more")),
    }
    format!(
        "  {} {} ({}), {} of {}: {}\n",
        one.kind.word(),
        one.name,
        place(sources, one.span),
        one.missing.len(),
        one.total,
        shown.join(", ")
    )
}

fn place(sources: &SourceMap, span: Span) -> String {
    let file = human::clean(sources.path(span));
    format!("{file}:{}", sources.position(span).line)
}

/// What was looked for and not found.
fn show_left(sources: &SourceMap, suggestions: &Suggestions) -> String {
    let mut text = String::new();
    if !suggestions.not_found.is_empty() {
        text.push_str("nothing was found that reaches:\n");
        let lines = suggestions
            .not_found
            .iter()
            .map(|one| unreached(sources, one));
        text.extend(lines);
    }
    if suggestions.edges_left > 0 {
        let edges = plural(suggestions.edges_left, "edge");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{edges} left out");
    }
    text
}

/// Findings and counts of all sets, as `check` writes them, and a list of what
/// each set's tests do not reach.
fn render_json(ran: Vec<Ran>) -> String {
    let mut coverages = Vec::new();
    let mut suggested = Vec::new();
    let mut counts = (0, 0);
    for one in &ran {
        let failed = one.report.findings.len();
        if let Some(count) = one.count {
            counts = (counts.0 + count.saturating_sub(failed), counts.1 + failed);
        }
        let coverage = one.coverage.as_ref();
        coverages.extend(coverage.map(|coverage| coverage_json(&one.report, coverage)));
        let suggestions = one.suggestions.as_ref();
        suggested.extend(suggestions.map(|found| suggestions_json(&one.report, found)));
    }
    let report = Report {
        sets: ran.into_iter().map(|one| one.report).collect(),
        fails_at: Severity::Error,
    };
    let mut all: Value =
        serde_json::from_str(&findings_json::render_json(&report)).unwrap_or_default();
    if let Some(members) = all.as_object_mut() {
        let counts = json!({"passed": counts.0, "failed": counts.1});
        members.insert("tests".to_owned(), counts);
        if !coverages.is_empty() {
            members.insert("coverage".to_owned(), coverages.into());
        }
        if !suggested.is_empty() {
            members.insert("suggestions".to_owned(), suggested.into());
        }
    }
    findings_json::render_line(&all)
}

fn coverage_json(report: &SetReport, coverage: &Coverage) -> Value {
    let sources = &report.sources;
    let unreached = coverage.unreached.iter();
    let unreached: Vec<Value> = unreached.map(|one| unreached_json(sources, one)).collect();
    let edges = coverage.edges.iter().map(|one| {
        let missing = one.missing.iter().map(
            |Edge { address, side }| json!({"address": address.to_string(), "side": side.word()}),
        );
        json!({
            "kind": one.kind.word(),
            "name": one.name,
            "file": sources.path(one.span),
            "line": sources.position(one.span).line,
            "total": one.total,
            "missing": missing.collect::<Vec<_>>(),
        })
    });
    let edges: Vec<Value> = edges.collect();
    json!({"set": report.name, "unreached": unreached, "edges": edges})
}

fn unreached_json(sources: &SourceMap, one: &Unreached) -> Value {
    json!({
        "kind": one.kind.word(),
        "name": one.name,
        "file": sources.path(one.span),
        "line": sources.position(one.span).line,
    })
}

fn suggestions_json(report: &SetReport, found: &Suggestions) -> Value {
    let blocks = found.blocks.iter();
    let blocks = blocks.map(|one| json!({"name": one.name, "block": laid_out(&one.block)}));
    let not_found = found.not_found.iter();
    let not_found = not_found.map(|one| unreached_json(&report.sources, one));
    json!({
        "set": report.name,
        "blocks": blocks.collect::<Vec<_>>(),
        "not_found": not_found.collect::<Vec<_>>(),
        "edges_left": found.edges_left,
    })
}
