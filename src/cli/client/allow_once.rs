//! `panopol device allow-once`: arm a one-time unlock, join, list, withdraw.

use serde_json::{Value, json};
use ureq::http::Method;

use super::{Client, ClientError, encode, list_of, text};

/// What to do with a device's one-time unlocks.
#[derive(Debug, clap::Args)]
pub(crate) struct AllowOnceArgs {
    /// The device's name
    name: String,
    /// The policy's `allow-once` rule; may be left out where only one fits
    #[arg(long)]
    rule: Option<String>,
    /// What to override: source, disabled, approval; repeat for more
    #[arg(long = "override", value_name = "WHAT")]
    overrides: Vec<String>,
    /// An address or CIDR that it is for; repeat for more
    #[arg(long = "address", value_name = "CIDR")]
    addresses: Vec<String>,
    /// How long it holds, as `30m` or `2h`; the rule's longest where left out
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// Why; kept in the audit
    #[arg(long)]
    note: Option<String>,
    /// List them instead
    #[arg(long, conflicts_with_all = ["rule", "overrides", "addresses", "duration", "join", "withdraw"])]
    list: bool,
    /// Arm the one of this id too, where it takes several persons
    #[arg(long, value_name = "ID", conflicts_with_all = ["rule", "overrides", "addresses", "duration", "withdraw"])]
    join: Option<String>,
    /// Take the one of this id back
    #[arg(long, value_name = "ID", conflicts_with_all = ["rule", "overrides", "addresses", "duration"])]
    withdraw: Option<String>,
    /// Makes a repeated call safe: the same key gives the same answer
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Runs the command and returns what to print.
pub(crate) fn run(client: &Client, args: &AllowOnceArgs) -> Result<String, ClientError> {
    let path = format!("/devices/{}/allow-once", encode(&args.name));
    if args.list {
        let answer = client.get(&path)?;
        return Ok(client.render(&answer, render_list));
    }
    if let Some(id) = &args.join {
        let path = format!("{path}/{}/arm", encode(id));
        let answer = client.send(Method::POST, &path, Some(&json!({})))?;
        return Ok(client.render(&answer, render));
    }
    if let Some(id) = &args.withdraw {
        let answer = client.send(Method::DELETE, &format!("{path}/{}", encode(id)), None)?;
        return Ok(client.render(&answer, render));
    }
    let body = json!({
        "rule": args.rule,
        "overrides": args.overrides,
        "addresses": args.addresses,
        "for_s": args.duration.as_deref().map(seconds).transpose()?,
        "note": args.note,
    });
    let key = args.idempotency_key.as_deref();
    let answer = client.send_once(Method::POST, &path, Some(&body), key)?;
    Ok(client.render(&answer, render))
}

/// A duration as policies write it.
pub(super) fn seconds(text: &str) -> Result<u64, ClientError> {
    crate::syntax::parse::parse_duration(text)
        .map_err(|(wrong, help)| ClientError::Local(format!("{wrong}: {help}")))
}

fn words(one: &Value, member: &str) -> String {
    let words = one.get(member).and_then(Value::as_array);
    let words: Vec<&str> = words
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    words.join(", ")
}

fn render(one: &Value) -> String {
    let addresses = match words(one, "addresses") {
        none if none.is_empty() => "anywhere".to_owned(),
        some => some,
    };
    format!(
        "{}  {}  {} overrides {} from {addresses} until {}\n  armed by {} of {} needed\n",
        text(one, "id"),
        text(one, "state"),
        text(one, "rule"),
        words(one, "overrides"),
        text(one, "until"),
        words(one, "armed_by"),
        one.get("needs").and_then(Value::as_u64).unwrap_or(1),
    )
}

fn render_list(list: &Value) -> String {
    list_of(list, "no one-time unlock is armed", |one| {
        vec![
            text(one, "id").to_owned(),
            text(one, "state").to_owned(),
            text(one, "rule").to_owned(),
            words(one, "overrides"),
            words(one, "addresses"),
            format!("until {}", text(one, "until")),
            format!("by {}", words(one, "armed_by")),
        ]
    })
}
