//! `panopol eval issuance`

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::csr::{self, Signing};
use super::facts::{Fact, expect_possible, parse_facts};
use super::{Answer, Failure, Question, json_words};
use crate::decision::Decision;
use crate::eval::{Program, given};
use crate::ir::PolicySet;
use crate::request::IssuanceRequest;
use crate::vocabulary::{Action, nearest};

/// Ask whether a certificate request may go ahead
///
/// The request is a JSON object with the members action, project, profile,
/// requester, name, key_type, issuer_type, issuer_id, san, common_name,
/// lifetime_s, auto_renew, reason, ticket and predecessor; only action must be there.
///
/// With --csr, key type, names and common name are what the CSR says; the rest comes
/// from flags, or from a request that does not say otherwise.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol eval issuance --csr web.csr --project web --lifetime 90d
  echo '{\"action\":\"revoke\",\"project\":\"web\"}' | panopol eval issuance --request - --expect pending")]
pub(super) struct Issuance {
    #[command(flatten)]
    question: Question,
    /// The request as JSON; `-` for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "csr")]
    request: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
    /// A live fact: 'approved by G'; repeat it for each
    #[arg(long, value_name = "FACT")]
    given: Vec<String>,
}

/// A request's members, for hints; a test holds that they are all.
const MEMBERS: &[&str] = &[
    "action",
    "project",
    "profile",
    "requester",
    "name",
    "key_type",
    "issuer_type",
    "issuer_id",
    "san",
    "common_name",
    "lifetime_s",
    "auto_renew",
    "reason",
    "ticket",
    "predecessor",
    "unsupported",
];

impl Issuance {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let request = self.request()?;
        self.question.ask(|set, at| self.decide(set, &request, at))
    }

    /// What is asked: the request, what the CSR says, or both where they agree.
    fn request(&self) -> Result<IssuanceRequest, Failure> {
        let csr = self.signing.csr.as_deref();
        let stdin = Path::new("-");
        if csr == Some(stdin) && self.request.as_deref() == Some(stdin) {
            let message = "request and CSR cannot both be read from standard input";
            return Err(Failure::new(message).help("give one of them as a file"));
        }
        let mut request = match &self.request {
            Some(path) => read_request(path)?,
            None => self.signing.said()?,
        };
        if let Some(path) = csr {
            csr::fill(path, &mut request)?;
        }
        Ok(request)
    }

    fn decide(
        &self,
        set: Arc<PolicySet>,
        request: &IssuanceRequest,
        at: Timestamp,
    ) -> Result<Decision, Failure> {
        let mut groups = Vec::new();
        for (fact, text) in parse_facts(&set, &self.given)? {
            match fact {
                Fact::ApprovedBy(group) => groups.push(group),
                Fact::Disabled | Fact::Revoked | Fact::Denied | Fact::AllowOnce(_) => {
                    let message = format!("`{text}` is no fact of a certificate request");
                    return Err(Failure::new(message).help("only `approved by GROUP` is"));
                }
            }
        }
        let mut facts = given::issuance(&set, &groups);
        facts.allow_bypass = self.question.allow_bypass;
        let program = Program::compile(set);
        // What cannot be evaluated is denied whatever was approved.
        if let Ok(covering) = program.groups_of(request) {
            expect_possible(&groups, &covering, |id| {
                let name = program.set().approvals.name(id);
                format!("`{name}` does not cover this request, so it cannot have approved it")
            })?;
        }
        Ok(program.trace_issuance(request, &facts, at))
    }
}

fn read_request(path: &Path) -> Result<IssuanceRequest, Failure> {
    let stdin = path == Path::new("-");
    let shown = if stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let mut bytes = Vec::new();
    let read = if stdin {
        std::io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    read.map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    // An array would be read too, as the members in their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        let message = format!("{shown}:1:1: a request is a JSON object");
        return Err(Failure::new(message));
    }
    serde_json::from_slice(&bytes).map_err(|error| explain(&shown, &error))
}

/// Puts the place first, and the nearest known word after.
fn explain(shown: &str, error: &serde_json::Error) -> Failure {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let cause = text.strip_suffix(&place).unwrap_or(&text);
    let said = json_words::in_user_words(cause);
    let message = format!("{shown}:{}:{}: {said}", error.line(), error.column());
    let word = cause.split('`').nth(1).unwrap_or_default();
    let near = if cause.starts_with("unknown field") {
        nearest(&word.replace('-', "_"), MEMBERS.iter().copied())
    } else if cause.starts_with("unknown variant") {
        nearest(word, Action::ALL.iter().map(|action| action.word()))
    } else {
        None
    };
    Failure::new(message).maybe_help(near.map(|near| format!("did you mean `{near}`?")))
}
