//! `panopol audit`: verify the journal offline, export it, accept an older one.

use std::path::PathBuf;

use serde_json::{Value, json};
use ureq::http::Method;

use super::{Client, ClientError, Connection};
use crate::journal::{self, AuditPublicKey, SignedHead};

/// Verify the journal, export its entries, accept an older head
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  panopol audit verify /var/lib/panopol/store/journal
  panopol audit verify journal --head head.json --key 9f86…")]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    /// Find an edited, dropped or reordered entry; with a head a truncation too. Needs no server
    Verify {
        /// The journal's file
        journal: PathBuf,
        /// A signed head that was put away
        #[arg(long, requires = "key")]
        head: Option<PathBuf>,
        /// The public key that heads are signed under (`audit key`)
        #[arg(long, requires = "head")]
        key: Option<String>,
    },
    /// Print every entry as a line of JSON
    Export,
    /// Print the public key that heads are signed under, to be kept elsewhere
    Key,
    /// Print the head as of now, signed
    Head,
    /// Take the server's clock as it is, after a jump froze what ends by it
    AcceptClock {
        /// Why it is right; kept in the audit
        #[arg(long)]
        note: String,
    },
    /// Accept by name that the journal ends before the head that was put away
    AcceptHead {
        /// Why the entries that are missing are given up
        #[arg(long)]
        note: String,
    },
}

/// Runs the command; what to print and whether it is a finding.
pub(crate) fn run(args: &AuditArgs) -> Result<(String, bool), ClientError> {
    let client = Client::new(&args.connection);
    match &args.command {
        AuditCommand::Verify { journal, head, key } => {
            verify(journal, head.as_deref(), key.as_deref())
        }
        AuditCommand::Export => {
            let mut out = String::new();
            for entry in client.list("/audit?limit=1000")? {
                out.push_str(&format!("{entry}\n"));
            }
            Ok((out, false))
        }
        AuditCommand::Key => {
            let answer = client.get("/audit/head")?;
            let key = answer.get("key").and_then(Value::as_str).unwrap_or("-");
            Ok((format!("{key}\n"), false))
        }
        AuditCommand::Head => {
            let answer = client.get("/audit/head")?;
            let head = answer.get("head").cloned().unwrap_or(Value::Null);
            Ok((format!("{head}\n"), false))
        }
        AuditCommand::AcceptClock { note } => {
            let body = json!({ "note": note });
            let answer = client.send(Method::POST, "/clock/accept", Some(&body))?;
            let now = super::text(&answer, "now");
            Ok((format!("the clock is taken as it is: {now}\n"), false))
        }
        AuditCommand::AcceptHead { note } => {
            let body = json!({"note": note});
            let answer = client.send(Method::POST, "/audit/accept-head", Some(&body))?;
            let said = client.render(&answer, |answer| {
                let given_up = answer.pointer("/event/seq").cloned().unwrap_or_default();
                let entry = answer.get("entry").cloned().unwrap_or_default();
                format!("accepted in entry {entry}: what the head of entry {given_up} covered is given up\n")
            });
            Ok((said, false))
        }
    }
}

fn verify(
    path: &std::path::Path,
    head: Option<&std::path::Path>,
    key: Option<&str>,
) -> Result<(String, bool), ClientError> {
    let local = |cause: String| ClientError::Local(cause);
    let head = head.map(SignedHead::read).transpose();
    let head = head.map_err(|error| local(format!("the head: {error}")))?;
    let key = key.map(|key| key.parse().map(AuditPublicKey)).transpose();
    let key = key.map_err(|error| local(format!("the key: {error}")))?;
    let trusted = head.as_ref().zip(key.as_ref());
    if path.is_dir() {
        let path = path.display();
        return Err(local(format!(
            "`{path}` is a directory; the journal of a state directory is its file `store/journal`"
        )));
    }
    let report = journal::verify(path, trusted).map_err(|error| local(error.to_string()))?;
    let mut out = format!(
        "journal {} at epoch {}: {} entries, the last {} with hash {}\n",
        report.journal, report.epoch, report.entries, report.last, report.hash
    );
    for fault in &report.faults {
        out.push_str(&format!("FAULT {fault}\n"));
    }
    if report.more_faults > 0 {
        out.push_str(&format!("and {} more\n", report.more_faults));
    }
    if let Some(torn) = &report.torn {
        out.push_str(&format!(
            "note: the end was cut off within a write that nobody was told of: {torn}\n"
        ));
    }
    out.push_str(&format!("{}\n", report.head));
    let holds = report.holds();
    out.push_str(if holds { "holds\n" } else { "DOES NOT HOLD\n" });
    Ok((out, !holds))
}
