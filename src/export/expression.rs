//! Selectors, sources and schedules as Cedar expressions.

use ipnet::IpNet;

use crate::ir::selector::{Atom, Selector};
use crate::ir::unlock::{Source, SourceLine};
use crate::ir::{PolicySet, ScheduleId};

/// A string literal.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            ' '..='~' => quoted.push(character),
            other => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
        }
    }
    quoted.push('"');
    quoted
}

/// Strings as a set.
pub(super) fn set_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(string).collect();
    format!("[{}]", words.join(", "))
}

/// Parts under one operator, nested by halves: Cedar evaluates by recursion, and
/// a chain of thousands would be as deep as it is long.
fn joined(parts: &[String], operator: &str) -> String {
    match parts {
        [one] => one.clone(),
        [a, b] => format!("({a} {operator} {b})"),
        _ => {
            let (first, second) = parts.split_at(parts.len() / 2);
            let (first, second) = (joined(first, operator), joined(second, operator));
            format!("({first} {operator} {second})")
        }
    }
}

/// Whether any of them holds; of none, that does not hold.
pub(super) fn any(parts: &[String]) -> String {
    match parts {
        [] => "false".to_owned(),
        parts => joined(parts, "||"),
    }
}

/// Whether all of them hold; of none, that holds.
pub(super) fn all(parts: &[String]) -> String {
    match parts {
        [] => "true".to_owned(),
        parts => joined(parts, "&&"),
    }
}

/// Whether a device is one that the selector matches.
pub(super) fn selector(set: &PolicySet, formula: &Selector) -> String {
    let each = |parts: &[Selector]| -> Vec<String> {
        parts.iter().map(|part| selector(set, part)).collect()
    };
    match formula {
        Selector::Any => "true".to_owned(),
        Selector::Or(parts) => any(&each(parts)),
        Selector::And(parts) => all(&each(parts)),
        Selector::Not(inner) => format!("!({})", selector(set, inner)),
        Selector::Atom(Atom::HasTag(id)) => has(set.tags.name(*id)),
        Selector::Atom(Atom::Tag(id, values)) => {
            let name = set.tags.name(*id);
            let value = value(name);
            let is_one = match values.as_slice() {
                [one] => format!("{value} == {}", string(one)),
                several => {
                    let several = set_of(several.iter().map(String::as_str));
                    format!("{several}.contains({value})")
                }
            };
            format!("({} && {is_one})", has(name))
        }
        // A device has none of these.
        Selector::Atom(
            Atom::Project(_)
            | Atom::HasProject
            | Atom::Profile(_)
            | Atom::HasProfile
            | Atom::Action(_)
            | Atom::HasAction
            | Atom::Requester(_)
            | Atom::HasRequester,
        ) => "false".to_owned(),
    }
}

/// Whether the device has a tag.
pub(super) fn has(tag: &str) -> String {
    format!("principal.tags has {}", string(tag))
}

/// The tag's value, where it has one.
pub(super) fn value(tag: &str) -> String {
    format!("principal.tags[{}]", string(tag))
}

/// Whether the source is in one of these prefixes.
pub(super) fn source(prefixes: &[IpNet]) -> String {
    let each = prefixes
        .iter()
        .map(|prefix| format!("context.source.isInRange(ip(\"{prefix}\"))"));
    any(&each.collect::<Vec<_>>())
}

/// The prefixes of a line, the fewest that are the same addresses.
pub(super) fn prefixes(set: &PolicySet, line: &SourceLine) -> Vec<IpNet> {
    let mut found = Vec::new();
    for source in &line.sources {
        match source {
            Source::Prefix(prefix) => found.push(*prefix),
            Source::Network(id) => {
                for part in set.network_parts(*id) {
                    found.extend(part.v4.iter().copied().map(IpNet::V4));
                    found.extend(part.v6.iter().copied().map(IpNet::V6));
                }
            }
        }
    }
    IpNet::aggregate(&found)
}

/// Whether one of the schedules is open; none: nothing to ask.
pub(super) fn open(set: &PolicySet, schedules: &[ScheduleId]) -> Option<String> {
    let names = schedules.iter().map(|&id| set.schedules.name(id));
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("context.open.contains({})", string(one))),
        several => {
            let several = set_of(several.iter().copied());
            Some(format!("context.open.containsAny({several})"))
        }
    }
}
