//! `panopol issuance`: ask for certificates and what is done to them.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use ureq::http::Method;

use super::{Client, ClientError, Connection, encode, lines, list_of, text};

/// Ask for a certificate, or for something to be done to one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  panopol issuance submit --action issue --project web --name prod-api --csr api.pem --issuer-type local-ca --issuer-id inside
  panopol issuance show 7fk2q-0vw3m")]
pub(crate) struct IssuanceArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: IssuanceCommand,
}

#[derive(Debug, clap::Subcommand)]
enum IssuanceCommand {
    /// Submit a request: done at once, waiting for approval, or refused with every reason
    Submit(Box<Submit>),
    /// Show a job, and its certificate once it has one
    Show {
        /// The job's id
        id: String,
        /// Print the certificate alone, in PEM
        #[arg(long)]
        pem: bool,
    },
    /// List the certificates that were made
    List,
    /// Have a certificate renewed by itself, asked for by a service
    AutoRenew {
        /// The certificate's serial number
        serial: String,
        /// The service that asks
        #[arg(long)]
        service: String,
        /// How long before its end, as `10d` [default: a third of its life]
        #[arg(long)]
        before: Option<String>,
        /// Why, where the policy wants a reason
        #[arg(long)]
        reason: Option<String>,
        /// The ticket, where the policy wants one
        #[arg(long)]
        ticket: Option<String>,
    },
    /// List what is renewed by itself
    Renewals,
    /// Stop renewing by itself
    StopRenewal {
        /// The renewal's id
        id: String,
    },
    /// Make a certification authority of the server's own and print its certificate
    CreateAuthority {
        /// What requests call it as their issuer
        id: String,
        /// The common name of its certificate
        #[arg(long)]
        common_name: String,
        /// How many days it lives
        #[arg(long, default_value_t = 3650)]
        days: u32,
    },
}

#[derive(Debug, clap::Args)]
struct Submit {
    /// issue, renew, reissue, revoke, export or distribute
    #[arg(long)]
    action: String,
    /// The project
    #[arg(long)]
    project: Option<String>,
    /// The profile
    #[arg(long)]
    profile: Option<String>,
    /// The certificate's name
    #[arg(long)]
    name: Option<String>,
    /// The signing request, PEM
    #[arg(long)]
    csr: Option<PathBuf>,
    /// acme, msca, local-ca or webhook
    #[arg(long)]
    issuer_type: Option<String>,
    /// The issuer
    #[arg(long)]
    issuer_id: Option<String>,
    /// How long it is to live, as `90d`
    #[arg(long)]
    lifetime: Option<String>,
    /// Whether it is renewed by itself
    #[arg(long)]
    auto_renew: bool,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    /// The ticket
    #[arg(long)]
    ticket: Option<String>,
    /// The serial number of the certificate that it follows
    #[arg(long)]
    predecessor: Option<String>,
    /// The serial number of the certificate to revoke, export or distribute
    #[arg(long)]
    certificate: Option<String>,
    /// Why a certificate is to be revoked, as key-compromise or superseded
    #[arg(long)]
    revocation: Option<String>,
    /// A warning that you have seen and go on in spite of; repeat for more
    #[arg(long)]
    acknowledge: Vec<String>,
    /// Say what would come of it, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Makes a repeated call safe: the same key gives the same answer
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Runs the command; what to print, and whether the policy refused.
pub(crate) fn run(args: &IssuanceArgs) -> Result<(String, bool), ClientError> {
    let client = Client::new(&args.connection);
    match &args.command {
        IssuanceCommand::Submit(submit) => self::submit(&client, submit),
        IssuanceCommand::Show { id, pem } => {
            let job = client.get(&format!("/jobs/{}", encode(id)))?;
            if *pem {
                let found = pem_of(&job);
                let none = found.is_empty();
                return Ok((found, none));
            }
            let shown = |plain: &Value| render_job(plain) + &pem_of(&job);
            Ok((client.render(&job, shown), false))
        }
        IssuanceCommand::List => {
            let items = client.list("/certificates")?;
            Ok((
                client.render(&json!({ "items": items }), render_list),
                false,
            ))
        }
        IssuanceCommand::AutoRenew {
            serial,
            service,
            before,
            reason,
            ticket,
        } => {
            let before = before.as_deref().map(super::allow_once::seconds);
            let body = json!({
                "certificate": serial, "service": service, "before_s": before.transpose()?,
                "reason": reason, "ticket": ticket,
            });
            let answer = client.send(Method::POST, "/renewals", Some(&body))?;
            Ok((client.render(&answer, render_renewal), false))
        }
        IssuanceCommand::Renewals => {
            let items = client.list("/renewals")?;
            let all = |list: &Value| {
                let items = list.get("items").and_then(Value::as_array);
                let shown: String = items.into_iter().flatten().map(render_renewal).collect();
                match shown.is_empty() {
                    true => "nothing is renewed by itself\n".to_owned(),
                    false => shown,
                }
            };
            Ok((client.render(&json!({ "items": items }), all), false))
        }
        IssuanceCommand::StopRenewal { id } => {
            let path = format!("/renewals/{}", encode(id));
            let answer = client.send(Method::DELETE, &path, None)?;
            Ok((client.render(&answer, render_renewal), false))
        }
        IssuanceCommand::CreateAuthority {
            id,
            common_name,
            days,
        } => {
            let body = json!({"id": id, "common_name": common_name, "days": days});
            let answer = client.send(Method::POST, "/authorities", Some(&body))?;
            Ok((
                client.render(&answer, |_| lines(&answer, "certificate")),
                false,
            ))
        }
    }
}

fn submit(client: &Client, args: &Submit) -> Result<(String, bool), ClientError> {
    let csr = args.csr.as_ref().map(|path| {
        let read = std::fs::read_to_string(path);
        read.map_err(|error| ClientError::Local(format!("`{}`: {error}", path.display())))
    });
    let lifetime = args.lifetime.as_deref().map(super::allow_once::seconds);
    let mut body = json!({
        "action": args.action,
        "project": args.project,
        "profile": args.profile,
        "name": args.name,
        "csr": csr.transpose()?,
        "issuer_type": args.issuer_type,
        "issuer_id": args.issuer_id,
        "lifetime_s": lifetime.transpose()?,
        "reason": args.reason,
        "ticket": args.ticket,
        "predecessor": args.predecessor,
        "certificate": args.certificate,
        "acknowledge": args.acknowledge,
    });
    if let Value::Object(members) = &mut body {
        let auto_renew = args.auto_renew.then_some(true);
        members.insert("auto_renew".to_owned(), json!(auto_renew));
        members.insert("revocation".to_owned(), json!(args.revocation));
    }
    let path = match args.dry_run {
        true => "/issuance/dry-run",
        false => "/issuance",
    };
    let key = args.idempotency_key.as_deref();
    let answer = client.send_once(Method::POST, path, Some(&body), key)?;
    let denied = text(&answer, "outcome") == "deny";
    Ok((client.render(&answer, render_answer), denied))
}

fn render_answer(answer: &Value) -> String {
    let mut out = text(answer, "outcome").to_owned();
    if answer.get("job").is_some() {
        let _ = write!(out, "  job {}", text(answer, "job"));
    }
    if answer.get("approval").is_some_and(Value::is_string) {
        let _ = write!(out, "  waits for approval {}", text(answer, "approval"));
    }
    out.push('\n');
    let violations = answer.get("violations").and_then(Value::as_array);
    for one in violations.into_iter().flatten() {
        let rule = one.get("rule").filter(|rule| rule.is_object());
        let rule = rule.map_or(String::new(), |rule| {
            format!(
                " ({}:{})",
                text(rule, "file"),
                rule.get("line").and_then(Value::as_u64).unwrap_or(0)
            )
        });
        let _ = writeln!(
            out,
            "  {}: {}{rule}",
            text(one, "code"),
            text(one, "message")
        );
    }
    let warnings = answer.get("warnings").and_then(Value::as_array);
    for one in warnings.into_iter().flatten() {
        let _ = writeln!(
            out,
            "  warning {}: {}",
            text(one, "code"),
            text(one, "message")
        );
    }
    out
}

fn render_job(job: &Value) -> String {
    let mut out = format!(
        "{}  {} {}\n",
        text(job, "id"),
        text(job, "action"),
        text(job, "state")
    );
    for (name, member) in [
        ("requester", "requester"),
        ("approval", "approval"),
        ("because", "cause"),
    ] {
        if job.get(member).is_some_and(Value::is_string) {
            let _ = writeln!(out, "  {name:<10} {}", text(job, member));
        }
    }
    if let Some(result) = job.get("result").filter(|one| one.is_object()) {
        let _ = writeln!(out, "  {:<10} {}", "serial", text(result, "serial"));
    }
    out
}

/// The certificate that came of a job; empty where it has none.
fn pem_of(job: &Value) -> String {
    job.get("result")
        .map_or(String::new(), |result| lines(result, "certificate"))
}

fn render_renewal(one: &Value) -> String {
    let stopped = one.get("stopped").and_then(Value::as_bool) == Some(true);
    let mut out = format!(
        "{}  {} by {}, {}\n",
        text(one, "id"),
        text(one, "certificate"),
        text(one, "service"),
        match stopped {
            true => "stopped".to_owned(),
            false => format!("due {}", text(one, "due")),
        }
    );
    if one.get("last_fault").is_some_and(Value::is_string) {
        let _ = writeln!(out, "  not asked for: {}", text(one, "last_fault"));
    }
    out
}

fn render_list(list: &Value) -> String {
    list_of(list, "no certificate was made", |one| {
        vec![
            text(one, "serial").to_owned(),
            text(one, "state").to_owned(),
            text(one, "project").to_owned(),
            text(one, "name").to_owned(),
            format!("until {}", text(one, "not_after")),
        ]
    })
}
