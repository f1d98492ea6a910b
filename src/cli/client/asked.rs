//! What a certificate request asks, for a person who is to decide on it: all
//! of it, since whatever the digest covers is approved with it.

use serde_json::{Map, Value};

use super::text;
use crate::source::duration;

/// What of the request is shown first, and as what.
const REQUEST: &[(&str, &str)] = &[
    ("action", "action"),
    ("project", "project"),
    ("profile", "profile"),
    ("name", "name"),
    ("san", "names"),
    ("common_name", "common"),
    ("key_type", "key type"),
    ("issuer_type", "issuer"),
    ("issuer_id", "issuer id"),
    ("lifetime_s", "lifetime"),
    ("auto_renew", "auto-renew"),
    ("predecessor", "follows"),
    ("requester", "requester"),
    ("reason", "reason"),
    ("ticket", "ticket"),
];

/// The same of what stands beside the request.
const BESIDE: &[(&str, &str)] = &[
    ("certificate", "serial"),
    ("revocation", "revocation"),
    ("acknowledged", "warned of"),
    ("csr", "csr sha256"),
    ("key", "key sha256"),
    ("job", "job"),
];

/// What an approval request is about, in a few words: a device, or what is
/// asked of the certificate side.
pub(super) fn title(one: &Value) -> String {
    let Some(asked) = one.pointer("/request/request") else {
        return text(one, "device").to_owned();
    };
    let words = ["action", "project", "name"];
    let words = words.iter().filter_map(|word| asked.get(word)?.as_str());
    words.collect::<Vec<_>>().join(" ")
}

/// Each thing that is asked, under its name; nothing for a device.
pub(super) fn lines(one: &Value) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    if let Some(Value::Object(beside)) = one.get("request") {
        if let Some(Value::Object(asked)) = beside.get("request") {
            add(&mut lines, asked, REQUEST, &[]);
        }
        add(&mut lines, beside, BESIDE, &["kind", "request"]);
    }
    lines
}

/// Adds members in the order of `known`, and then those that it does not know.
fn add(
    lines: &mut Vec<(String, String)>,
    members: &Map<String, Value>,
    known: &[(&str, &str)],
    told: &[&str],
) {
    for (member, name) in known {
        if let Some(value) = members.get(*member) {
            lines.push(((*name).to_owned(), shown(member, value)));
        }
    }
    for (member, value) in members {
        let is = |(name, _): &(&str, &str)| name == member;
        if !known.iter().any(is) && !told.contains(&member.as_str()) {
            lines.push((member.clone(), shown(member, value)));
        }
    }
}

fn shown(member: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => {
            let all = all.iter().map(|one| shown(member, one));
            all.collect::<Vec<_>>().join(", ")
        }
        Value::Object(all) => {
            let all = all.iter().map(|(name, one)| shown(name, one));
            all.collect::<Vec<_>>().join(" with ")
        }
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_u64().filter(|_| member == "lifetime_s") {
            Some(seconds) => duration(seconds),
            None => number.to_string(),
        },
        Value::Null => "-".to_owned(),
    }
}
