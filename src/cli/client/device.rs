//! `panopol device`: enroll, look at, and change devices.

use std::fmt::Write;

use serde_json::{Value, json};
use ureq::http::Method;

use super::allow_once::{self, AllowOnceArgs};
use super::{Client, ClientError, Connection, encode, table, tags, text};

/// Enroll, look at and change devices
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  panopol device enroll web-1 --tag env=production --tag role=web --bindings 2
  panopol device why web-1 --from 203.0.113.9")]
pub(crate) struct DeviceArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: DeviceCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DeviceCommand {
    /// Enroll a device and print the command that binds each of its volumes
    Enroll {
        /// The device's name
        name: String,
        /// A tag, as `tag=value`; repeat for more
        #[arg(long = "tag", value_name = "TAG=VALUE")]
        tags: Vec<String>,
        /// How many LUKS volumes it has; each gets keys of its own
        #[arg(long, default_value_t = 1)]
        bindings: u32,
        /// Makes a repeated call safe: the same key gives the same answer
        #[arg(long)]
        idempotency_key: Option<String>,
    },
    /// List the devices
    List,
    /// Show a device, its bindings and the approval groups that cover it
    Show {
        /// The device's name
        name: String,
    },
    /// Say why a device was or would be let in or refused
    Why {
        /// The device's name
        name: String,
        /// Decide for this source address now, with a trace
        #[arg(long)]
        from: Option<String>,
    },
    /// Set or remove tags
    Tag {
        /// The device's name
        name: String,
        /// Tags to set, as `tag=value`
        #[arg(value_name = "TAG=VALUE")]
        set: Vec<String>,
        /// A tag to remove; repeat for more
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
    },
    /// Stop taking part in its unlocks until it is enabled
    Disable(Change),
    /// Take part in its unlocks again
    Enable(Change),
    /// Arm a one-time unlock, within what the policy lets you
    AllowOnce(AllowOnceArgs),
    /// End the device for good and destroy its keys: no backup of its header unlocks again
    Revoke(Change),
}

/// A device whose state is to change, and why.
#[derive(Debug, clap::Args)]
struct Change {
    /// The device's name
    name: String,
    /// Why; kept in the audit
    #[arg(long)]
    note: Option<String>,
}

/// Runs the command and returns what to print.
pub(crate) fn run(args: &DeviceArgs) -> Result<String, ClientError> {
    let client = Client::new(&args.connection);
    match &args.command {
        DeviceCommand::Enroll {
            name,
            tags,
            bindings,
            idempotency_key,
        } => {
            let body = json!({
                "name": name,
                "tags": parse_tags(tags)?,
                "bindings": bindings,
                "idempotency_key": idempotency_key,
            });
            let answer = client.send(Method::POST, "/devices", Some(&body))?;
            Ok(client.render(&answer, render_enrolled))
        }
        DeviceCommand::List => {
            let items = client.list("/devices")?;
            Ok(client.render(&json!({ "items": items }), render_list))
        }
        DeviceCommand::Show { name } => {
            let answer = client.get(&format!("/devices/{}", encode(name)))?;
            Ok(client.render(&answer, render_device))
        }
        DeviceCommand::Why { name, from } => {
            let query = from
                .as_ref()
                .map(|from| format!("?from={}", encode(from)))
                .unwrap_or_default();
            let answer = client.get(&format!("/devices/{}/why{query}", encode(name)))?;
            Ok(client.render(&answer, render_why))
        }
        DeviceCommand::Tag { name, set, remove } => {
            let mut tags = parse_tags(set)?;
            for tag in remove {
                tags.insert(tag.clone(), Value::Null);
            }
            let path = format!("/devices/{}", encode(name));
            let answer = client.send(Method::PATCH, &path, Some(&json!({ "tags": tags })))?;
            Ok(client.render(&answer, render_tagged))
        }
        DeviceCommand::AllowOnce(args) => allow_once::run(&client, args),
        DeviceCommand::Disable(asked) => change(&client, asked, "disable"),
        DeviceCommand::Enable(asked) => change(&client, asked, "enable"),
        DeviceCommand::Revoke(asked) => change(&client, asked, "revoke"),
    }
}

fn change(client: &Client, asked: &Change, verb: &str) -> Result<String, ClientError> {
    let path = format!("/devices/{}/{verb}", encode(&asked.name));
    let answer = client.send(Method::POST, &path, Some(&json!({ "note": asked.note })))?;
    Ok(client.render(&answer, render_device))
}

fn parse_tags(pairs: &[String]) -> Result<serde_json::Map<String, Value>, ClientError> {
    let mut tags = serde_json::Map::new();
    for pair in pairs {
        let Some((tag, value)) = pair.split_once('=') else {
            return Err(ClientError::Local(format!("`{pair}` is not `tag=value`")));
        };
        let value = Value::String(value.to_owned());
        if tags.insert(tag.to_owned(), value).is_some() {
            return Err(ClientError::Local(format!("tag `{tag}` is given twice")));
        }
    }
    Ok(tags)
}

fn render_enrolled(device: &Value) -> String {
    let mut out = format!("enrolled {}  {}\n", text(device, "name"), tags(device));
    for binding in bindings(device) {
        let _ = write!(
            out,
            "\nbinding {}\n  {}\n  {}\n",
            text(binding, "id"),
            text(binding, "url"),
            text(binding, "bind"),
        );
    }
    out.push_str(
        "\nPut each volume's device in the place of DEVICE. The URL is shown this once.\n",
    );
    out
}

fn render_list(list: &Value) -> String {
    let Some(Value::Array(items)) = list.get("items") else {
        return String::new();
    };
    if items.is_empty() {
        return "no device is enrolled\n".to_owned();
    }
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|device| {
            vec![
                text(device, "name").to_owned(),
                text(device, "state").to_owned(),
                tags(device),
            ]
        })
        .collect();
    table(&rows)
}

fn render_device(device: &Value) -> String {
    let mut out = format!(
        "{}  {}\n  tags      {}\n",
        text(device, "name"),
        text(device, "state"),
        tags(device)
    );
    if let Some(Value::Array(groups)) = device.get("groups") {
        let names: Vec<&str> = groups.iter().filter_map(Value::as_str).collect();
        let shown = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        let _ = writeln!(out, "  approval  {shown}");
    }
    for binding in bindings(device) {
        let _ = writeln!(out, "  binding   {}", text(binding, "id"));
    }
    out
}

/// The device as it is now, or the request that waits for a second person.
fn render_tagged(answer: &Value) -> String {
    if answer.get("kind").is_none() {
        return render_device(answer);
    }
    let approvers = answer.get("approvers").and_then(Value::as_array);
    let approvers: Vec<&str> = (approvers.into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    format!(
        "waits for a second person: {}\n  panopol approvals approve {}\n",
        approvers.join(", "),
        text(answer, "id")
    )
}

fn bindings(device: &Value) -> impl Iterator<Item = &Value> {
    device
        .get("bindings")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn render_why(why: &Value) -> String {
    let mut out = String::new();
    if let Some(decision) = why.get("decision").filter(|decision| !decision.is_null()) {
        let _ = writeln!(out, "now: {}", render_decision(decision));
        for entry in decision
            .get("trace")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let mark = match (
                entry.get("nearest").and_then(Value::as_bool),
                entry.get("matched").and_then(Value::as_bool),
            ) {
                (Some(true), _) => "nearest",
                (_, Some(true)) => "matched",
                _ => "-",
            };
            let rule = entry.get("rule").map_or(String::new(), |rule| {
                format!(
                    "{} ({}:{})",
                    text(rule, "name"),
                    text(rule, "file"),
                    rule.get("line").and_then(Value::as_u64).unwrap_or(0)
                )
            });
            let _ = writeln!(
                out,
                "  {:9} {:8} {} {}",
                text(entry, "step"),
                mark,
                rule,
                text(entry, "detail")
            );
        }
    }
    render_people(why, &mut out);
    match why.get("recent").and_then(Value::as_array) {
        Some(recent) if !recent.is_empty() => {
            out.push_str("recent requests, newest first:\n");
            for record in recent {
                let source = record
                    .get("request")
                    .map_or("-", |request| text(request, "source"));
                let decision = record
                    .get("decision")
                    .map_or(String::new(), render_decision);
                let _ = writeln!(out, "  {}  from {source}  {decision}", text(record, "time"));
            }
        }
        _ => out.push_str("no request from it was seen since the server started\n"),
    }
    out
}

/// The requests, denials and one-time unlocks of the device.
fn render_people(why: &Value, out: &mut String) {
    let list = |name: &str| {
        let list = why.get(name).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    for request in list("approvals") {
        let (id, state) = (text(&request, "id"), text(&request, "state"));
        let _ = writeln!(
            out,
            "approval {id} {state}, asked from {} at {}",
            text(&request, "source"),
            text(&request, "created")
        );
        let taken = request.get("exchanges").and_then(Value::as_array);
        for one in taken.into_iter().flatten() {
            let _ = writeln!(
                out,
                "  spent for binding {} from {} at {}",
                text(one, "binding"),
                text(one, "source"),
                text(one, "time")
            );
        }
    }
    for denial in list("denials") {
        let _ = writeln!(
            out,
            "denied from {} by {} until {}",
            text(&denial, "source"),
            text(&denial, "by"),
            text(&denial, "until")
        );
    }
    for once in list("allow_once") {
        let _ = writeln!(
            out,
            "allow-once {} {}, by rule {} until {}",
            text(&once, "id"),
            text(&once, "state"),
            text(&once, "rule"),
            text(&once, "until")
        );
    }
}

/// One line: outcome, code and message.
fn render_decision(decision: &Value) -> String {
    let reason = decision.get("reasons").and_then(|reasons| reasons.get(0));
    format!(
        "{} {}: {}",
        text(decision, "outcome"),
        reason.map_or("-", |reason| text(reason, "code")),
        reason.map_or("-", |reason| text(reason, "message")),
    )
}
