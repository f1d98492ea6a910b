//! `panopol eval`: one decision with its trace.

mod csr;
mod facts;
mod issuance;
mod show;
mod unlock;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::answer::{Answer, Failure};
use super::{json_words, path, set, terminal};
use crate::decision::Decision;
use crate::diagnostic::json;
use crate::ir::PolicySet;
use crate::vocabulary::Outcome;

/// Ask a policy set for one decision, with the trace of every rule considered
///
/// Exits 0 whatever the outcome, unless `--expect` names another one.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol eval unlock --tag env=production --from 203.0.113.9
  panopol eval issuance --request request.json --format json")]
pub(super) struct Eval {
    #[command(subcommand)]
    side: Side,
}

#[derive(Subcommand)]
enum Side {
    Unlock(unlock::Unlock),
    Issuance(Box<issuance::Issuance>),
}

/// What both paths are asked with.
#[derive(Args)]
struct Question {
    /// Policy file or directory
    #[arg(long, value_name = "PATH", default_value = path::DEFAULT)]
    policy: PathBuf,
    /// When: a time (2027-01-31T08:00:00Z) or a day, at its start in UTC; the default is now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    /// Let bypasses hold, as on a server started with --allow-bypass
    #[arg(long)]
    allow_bypass: bool,
    /// Exit 1 on any other outcome
    #[arg(long, value_name = "OUTCOME", value_parser = outcome())]
    expect: Option<Outcome>,
    /// How the decision is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Human,
    /// The decision as one JSON object
    Json,
}

/// Reads an instant, or a day as the instant at which it starts in UTC.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    // A date's own reader would take a time without an offset too, and drop the time.
    let is_day = text.len() == 10;
    let day = is_day
        .then(|| Date::strptime("%Y-%m-%d", text).ok())
        .flatten();
    match day {
        Some(day) => TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok(),
        None => text.parse().ok(),
    }
    .ok_or_else(|| {
        "write a time with its offset, `2027-01-31T08:00:00Z`, or a day, `2027-01-31`".to_owned()
    })
}

/// Reads an outcome's word.
fn outcome() -> impl clap::builder::TypedValueParser<Value = Outcome> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(Outcome::ALL.iter().map(|outcome| outcome.word())).try_map(|word| {
        Outcome::from_word(&word).ok_or_else(|| format!("`{word}` is not an outcome"))
    })
}

impl Eval {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        match self.side {
            Side::Unlock(unlock) => unlock.run(),
            Side::Issuance(issuance) => issuance.run(),
        }
    }
}

impl Question {
    /// Loads the policy and answers with what `decide` makes of it.
    fn ask(
        &self,
        decide: impl FnOnce(Arc<PolicySet>, Timestamp) -> Result<Decision, Failure>,
    ) -> Result<Answer, Failure> {
        match set::compiled(&self.policy, self.format == Format::Json)? {
            Ok(policies) => {
                let at = self.at.unwrap_or_else(terminal::now);
                let decision = decide(policies, at)?;
                Ok(self.answer(&decision, at))
            }
            Err(findings) => Ok(findings),
        }
    }

    fn answer(&self, decision: &Decision, at: Timestamp) -> Answer {
        let mut answer = Answer::of(match self.format {
            Format::Human => show::render(decision, at),
            Format::Json => json::render_line(decision),
        });
        if let Some(expected) = self.expect.filter(|&expected| expected != decision.outcome) {
            answer.found = true;
            if self.format == Format::Human {
                let line = format!("\nexpected {expected}, got {}\n", decision.outcome);
                answer.text.push_str(&line);
            }
        }
        answer
    }
}
