//! Strings, patterns, times and names as they are written.

use ipnet::IpNet;

use crate::address::display_prefix;
use crate::source::quoted;
use crate::syntax::tree::{DayRange, Source, Value};

/// A string in quotes, with the fewest escapes.
pub(super) fn string(text: &str) -> String {
    quoted(text)
}

/// A regular expression between slashes, those inside escaped.
pub(super) fn regex(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len() + 2);
    written.push('/');
    for character in pattern.chars() {
        if character == '/' {
            written.push('\\');
        }
        written.push(character);
    }
    written.push('/');
    written
}

/// A time of day from minutes.
pub(super) fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

pub(super) fn prefix(prefix: IpNet) -> String {
    display_prefix(prefix)
}

pub(super) fn days(range: DayRange) -> String {
    if range.first == range.last {
        range.first.to_string()
    } else {
        format!("{}..{}", range.first, range.last)
    }
}

pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Network(name) => name.value.clone(),
        Source::Prefix(literal) => prefix(literal.value),
    }
}

pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Word(name) => name.value.clone(),
        Value::Text(text) => string(&text.value),
    }
}
