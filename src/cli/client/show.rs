//! Pieces of what the commands print for a person.

use serde_json::Value;

/// The same with every text on one line and without what moves a terminal's
/// cursor or turns its writing about: tags, notes and names are others' words.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain_text(text)),
        Value::Array(all) => Value::Array(all.iter().map(plain).collect()),
        Value::Object(all) => {
            let all = all.iter().map(|(name, one)| (plain_text(name), plain(one)));
            Value::Object(all.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

pub(super) fn plain_text(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() || turns(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}

/// A text of several lines at `name`, as a certificate, each made plain.
pub(crate) fn lines(value: &Value, name: &str) -> String {
    let lines = value.get(name).and_then(Value::as_str).unwrap_or_default();
    lines.lines().map(|line| plain_text(line) + "\n").collect()
}

/// The text at `name`, or `-`.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

/// Tags as `k=v k=v`.
pub(crate) fn tags(value: &Value) -> String {
    let Some(Value::Object(tags)) = value.get("tags") else {
        return String::new();
    };
    let pairs: Vec<String> = tags
        .iter()
        .map(|(tag, value)| format!("{tag}={}", value.as_str().unwrap_or("-")))
        .collect();
    pairs.join(" ")
}

/// A row for each item of a list, or one line where it has none.
pub(crate) fn list_of(list: &Value, none: &str, row: impl Fn(&Value) -> Vec<String>) -> String {
    let items = list.get("items").and_then(Value::as_array);
    let rows: Vec<Vec<String>> = items.into_iter().flatten().map(row).collect();
    match rows.is_empty() {
        true => format!("{none}\n"),
        false => table(&rows),
    }
}

/// Rows with columns padded to their widest.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}
