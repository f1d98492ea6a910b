//! Blocks as policies write them.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

use crate::ir::{Domain, PolicySet};
use crate::request::IssuanceRequest;

/// A test block; the formatter lays it out.
pub(super) fn test(name: &str, subject: &str, lines: &[String]) -> String {
    format!(
        "test {} {{\n{subject}\n{}\n}}\n",
        string(name),
        lines.join("\n")
    )
}

/// A device of these tags.
pub(super) fn device(set: &PolicySet, tags: &BTreeMap<String, String>) -> String {
    let tags = tags.iter().map(|(tag, value)| {
        let domain = set.tags.find(tag).map(|id| &set.tags[id].domain);
        match domain {
            Some(Domain::Closed(_)) => format!("{tag} = {value}"),
            Some(Domain::Text) | None => format!("{tag} = {}", string(value)),
        }
    });
    format!("device {{ {} }}", tags.collect::<Vec<_>>().join(", "))
}

/// `at T`, or nothing.
pub(super) fn at(at: Option<Timestamp>) -> String {
    at.map_or(String::new(), |at| format!(" at {at}"))
}

/// A certificate request.
pub(super) fn request(request: &IssuanceRequest) -> String {
    let mut members = vec![format!("action = {}", request.action)];
    let mut word = |name: &str, value: Option<String>| {
        members.extend(value.map(|value| format!("{name} = {value}")));
    };
    let quoted = |value: &Option<String>| value.as_deref().map(string);
    word("project", request.project.clone());
    word("profile", request.profile.clone());
    word("requester", request.requester.clone());
    word("name", quoted(&request.name));
    word("key-type", request.key_type.clone());
    word("issuer-type", request.issuer_type.clone());
    word("issuer-id", quoted(&request.issuer_id));
    word("san", list(&request.san));
    word("lifetime", request.lifetime_s.map(duration));
    word("auto-renew", request.auto_renew.map(|on| on.to_string()));
    word("reason", quoted(&request.reason));
    word("ticket", quoted(&request.ticket));
    let predecessor = request.predecessor.as_ref().map(|known| {
        let san = list(&known.san).unwrap_or_else(|| "[]".to_owned());
        format!("{{ id = {}, san = {san} }}", string(&known.id))
    });
    word("predecessor", predecessor);
    format!("request {{ {} }}", members.join(", "))
}

fn list(values: &[String]) -> Option<String> {
    let values: Vec<String> = values.iter().map(|value| string(value)).collect();
    (!values.is_empty()).then(|| format!("[{}]", values.join(", ")))
}

/// A string in quotes.
fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            control if control.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Seconds in the units of policies.
fn duration(seconds: u64) -> String {
    let mut left = seconds;
    let mut text = String::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if left >= length {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}{unit}", left / length);
            left %= length;
        }
    }
    text
}
