//! `panopol approvals`: see who waits for whom, and decide.

use std::fmt::Write;

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use ureq::http::Method;

use super::{Client, ClientError, Connection, asked, encode, list_of, plain, tags, text};
use crate::vocabulary::{ApprovalKind, ApprovalState};

/// See which devices, certificates and changes wait for a person, and decide
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  panopol approvals list --state pending
  panopol approvals approve 7fk2q-0vw3m --note \"planned reboot, CHG-1204\"")]
pub(crate) struct ApprovalsArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: ApprovalsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ApprovalsCommand {
    /// List approval requests, the newest first
    List {
        /// Only those in this state
        #[arg(long, value_parser = states())]
        state: Option<String>,
        /// Only those of this kind
        #[arg(long, value_parser = kinds())]
        kind: Option<String>,
        /// Only those of this device
        #[arg(long)]
        device: Option<String>,
    },
    /// Show one, with all that its digest covers
    Show {
        /// The request's id
        id: String,
    },
    /// Let it happen, once
    Approve(Say),
    /// Refuse a device, and block it from that address for a while
    Deny(Say),
    /// Leave it to another, and say so
    Defer(Say),
    /// Refuse a change or a certificate
    Reject(Say),
    /// Take back what you asked for yourself
    Cancel(Say),
}

fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(ApprovalState::ALL.iter().map(|state| state.word()))
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(ApprovalKind::ALL.iter().map(|kind| kind.word()))
}

#[derive(Debug, clap::Args)]
struct Say {
    /// The request's id
    id: String,
    /// Why; kept in the audit
    #[arg(long)]
    note: Option<String>,
    /// The digest of what you were shown. Without it the request is shown now,
    /// and on a terminal you are asked once more
    #[arg(long)]
    digest: Option<String>,
    /// Do not ask once more
    #[arg(long)]
    yes: bool,
}

/// Runs the command and returns what to print.
pub(crate) fn run(args: &ApprovalsArgs) -> Result<String, ClientError> {
    let client = Client::new(&args.connection);
    match &args.command {
        ApprovalsCommand::List {
            state,
            kind,
            device,
        } => {
            let filters = [("state", state), ("kind", kind), ("device", device)];
            let query: Vec<String> = filters
                .iter()
                .filter_map(|(name, value)| Some(format!("{name}={}", encode(value.as_ref()?))))
                .collect();
            let items = client.list(&format!("/approvals?{}", query.join("&")))?;
            Ok(client.render(&json!({ "items": items }), render_list))
        }
        ApprovalsCommand::Show { id } => {
            let answer = client.get(&format!("/approvals/{}", encode(id)))?;
            Ok(client.render(&answer, render))
        }
        ApprovalsCommand::Approve(say) => decide(&client, say, "approve"),
        ApprovalsCommand::Deny(say) => decide(&client, say, "deny"),
        ApprovalsCommand::Defer(say) => decide(&client, say, "defer"),
        ApprovalsCommand::Reject(say) => decide(&client, say, "reject"),
        ApprovalsCommand::Cancel(say) => decide(&client, say, "cancel"),
    }
}

fn decide(client: &Client, say: &Say, verdict: &str) -> Result<String, ClientError> {
    let path = format!("/approvals/{}", encode(&say.id));
    let digest = match &say.digest {
        Some(digest) => digest.clone(),
        // What is shown is what is decided on, or the server refuses it.
        None => {
            let request = client.get(&path)?;
            if !say.yes {
                confirm(&render(&plain(&request)), verdict)?;
            }
            text(&request, "digest").to_owned()
        }
    };
    let body = json!({"note": say.note, "digest": digest});
    let answer = client.send(Method::POST, &format!("{path}/{verdict}"), Some(&body))?;
    Ok(client.render(&answer, render))
}

/// Asks whoever sits at a terminal; a script has said what it wants.
fn confirm(shown: &str, verdict: &str) -> Result<(), ClientError> {
    use std::io::{BufRead, IsTerminal, Write};
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        return Ok(());
    }
    let failed = |error: std::io::Error| ClientError::Local(error.to_string());
    write!(output, "{shown}\n{verdict}? [y/N] ").map_err(failed)?;
    output.flush().map_err(failed)?;
    let mut answer = String::new();
    input.lock().read_line(&mut answer).map_err(failed)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(ClientError::Local("nothing was said of it".to_owned())),
    }
}

fn names(value: &Value, member: &str) -> String {
    let names = value.get(member).and_then(Value::as_array);
    let names: Vec<&str> = names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

fn render_list(list: &Value) -> String {
    list_of(list, "nothing waits for a person", |one| {
        vec![
            text(one, "id").to_owned(),
            text(one, "state").to_owned(),
            text(one, "kind").to_owned(),
            asked::title(one),
            text(one, "source").to_owned(),
            names(one, "groups"),
            text(one, "created").to_owned(),
        ]
    })
}

fn render(one: &Value) -> String {
    let mut out = format!(
        "{}  {} {} {}\n",
        text(one, "id"),
        text(one, "kind"),
        asked::title(one),
        text(one, "state")
    );
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<10} {value}");
    };
    let asked = asked::lines(one);
    match asked.is_empty() {
        true => line("tags", tags(one)),
        false => line("asked by", names(one, "requesters")),
    }
    for (name, value) in asked {
        line(&name, value);
    }
    if let Some(new) = one.get("new_tags").filter(|new| new.is_object()) {
        line("new tags", tags(&json!({ "tags": new })));
        line("asked by", names(one, "requesters"));
    }
    if one.get("source").is_some_and(Value::is_string) {
        line("source", text(one, "source").to_owned());
    }
    line("needs", names(one, "groups"));
    line("approvers", names(one, "approvers"));
    let seen = one.get("seen").and_then(Value::as_u64).unwrap_or(1);
    line(
        "asked",
        format!("{seen} times since {}", text(one, "created")),
    );
    match one.get("until").and_then(Value::as_str) {
        Some(until) => line("until", until.to_owned()),
        None => line("expires", text(one, "expires").to_owned()),
    }
    if let Some(cause) = one.get("cause").and_then(Value::as_str) {
        line("because", cause.to_owned());
    }
    for said in one
        .get("decisions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let note = said.get("note").and_then(Value::as_str);
        let note = note.map_or(String::new(), |note| format!(": {note}"));
        line(
            text(said, "verdict"),
            format!("{} at {}{note}", text(said, "person"), text(said, "time")),
        );
    }
    for taken in one
        .get("exchanges")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        line(
            "exchange",
            format!(
                "binding {} from {} at {}",
                text(taken, "binding"),
                text(taken, "source"),
                text(taken, "time")
            ),
        );
    }
    line("digest", text(one, "digest").to_owned());
    out
}
