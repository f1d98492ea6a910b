//! A replay's report for a person, and for a pull request.

use std::fmt::Write;

use serde_json::Value;

use crate::diagnostic::human::clean;
use crate::replay::{Class, Example, Group, Report};

/// The report in lines.
pub(super) fn human(report: &Report, against: &str) -> String {
    let mut text = format!("{}\n", summary(report));
    let mut class = None;
    for group in report.groups() {
        if class.replace(group.class) != Some(group.class) {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "\n{}: {}",
                group.class.word(),
                about(group.class, against)
            );
        }
        let _ = writeln!(text, "  {:>8}  {}", group.count, one_line(&caused(group)));
        let example = &group.example;
        let (before, after) = sides(example);
        for line in [
            format!("{}:{}: {}", example.file, example.line, asked(example)),
            format!("{before} -> {after}"),
        ] {
            let _ = writeln!(text, "            {}", one_line(&line));
        }
    }
    text
}

/// Text of records that can neither paint the terminal nor begin a line.
fn one_line(text: &str) -> String {
    clean(text).replace('\n', "\u{240a}")
}

/// The report as a heading and a table.
pub(super) fn markdown(report: &Report, against: &str) -> String {
    let mut text = format!("**Replay.** {}\n", summary(report));
    let groups = report.groups();
    if groups.is_empty() {
        return text;
    }
    text.push_str("\n| class | cause | requests | the first of them | before | after |\n");
    text.push_str("|---|---|--:|---|---|---|\n");
    for group in groups {
        let example = &group.example;
        let (before, after) = sides(example);
        let cells = [
            group.class.word().to_owned(),
            code(&caused(group)),
            group.count.to_string(),
            code(&asked(example)),
            code(&before),
            code(&after),
        ];
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    let _ = write!(text, "\nBefore is what was {against}.\n");
    text
}

/// Text that stays what it is within a table's cell.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|").replace('`', "'");
    format!("`{text}`")
}

/// All counts in one line.
fn summary(report: &Report) -> String {
    let counts = &report.counts;
    let mut text = format!("{} requests", counts.records);
    if counts.records == 1 {
        text.pop();
    }
    match counts.flipped() {
        0 => text.push_str(", none comes out otherwise"),
        _ => {
            let _ = write!(text, ": {} unchanged", counts.unchanged);
            for class in Class::ALL {
                let count = counts.of(class);
                if count > 0 {
                    let _ = write!(text, ", {count} {}", class.word());
                }
            }
        }
    }
    if report.skipped > 0 {
        let s = if report.skipped == 1 { "" } else { "s" };
        let _ = write!(text, "; {} line{s} skipped", report.skipped);
    }
    text
}

fn about(class: Class, against: &str) -> String {
    match class {
        Class::Widened => format!("more is allowed than was {against}"),
        Class::Narrowed => format!("less is allowed than was {against}"),
        Class::Changed => {
            format!("the outcome is the one {against}, the reason or what it takes is not")
        }
        Class::Lacking => "the record does not hold what this policy needs to know".to_owned(),
    }
}

fn caused(group: &Group) -> String {
    match group.cause.rule() {
        Some(rule) => format!("{} ({}:{})", group.cause, rule.file, rule.line),
        None => group.cause.to_string(),
    }
}

/// The text of a member.
fn word<'a>(of: Option<&'a Value>, member: &str) -> &'a str {
    of.and_then(|one| one.get(member))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Who asked for what, when.
fn asked(example: &Example) -> String {
    let request = example.asked.get("request");
    let time = example.asked.get("time").and_then(Value::as_str);
    let time = time.unwrap_or_default();
    let pairs = |members: &[&str]| {
        let given = members.iter().filter_map(|&member| {
            let value = word(request, member);
            (!value.is_empty()).then(|| format!("{member}={value}"))
        });
        given.collect::<Vec<_>>().join(", ")
    };
    if word(request, "source").is_empty() {
        let what = pairs(&["project", "profile", "requester", "name"]);
        let names = request.and_then(|one| one.get("san")).map(words);
        let names = names.unwrap_or_default();
        return format!("{} {{{what}}} {names} at {time}", word(request, "action"))
            .replace("}  at", "} at");
    }
    let tags = request.and_then(|one| one.get("tags"));
    let tags = tags.and_then(Value::as_object).into_iter().flatten();
    let tags = tags.map(|(tag, value)| format!("{tag}={}", value.as_str().unwrap_or_default()));
    let tags = tags.collect::<Vec<_>>().join(", ");
    let device = match word(request, "device") {
        "" => "a device",
        device => device,
    };
    let state = match word(request, "state") {
        "active" => String::new(),
        state => format!(" {state}"),
    };
    let source = word(request, "source");
    format!("{device} {{{tags}}}{state} from {source} at {time}")
}

/// The strings of a list.
fn words(list: &Value) -> String {
    let list = list.as_array().into_iter().flatten();
    let words: Vec<&str> = list.filter_map(Value::as_str).collect();
    words.join(", ")
}

/// What was decided and what is; where that is the same, what it takes.
fn sides(example: &Example) -> (String, String) {
    let after = serde_json::to_value(&example.after).unwrap_or_default();
    let before = &example.before;
    let short = (outcome(before), outcome(&after));
    if short.0 != short.1 {
        return short;
    }
    (with_means(before), with_means(&after))
}

fn outcome(decision: &Value) -> String {
    let word = word(Some(decision), "outcome");
    let list = |member: &str| decision.get(member).map(words).unwrap_or_default();
    match word {
        "pending" => format!("pending by {}", list("groups")),
        "deny" => {
            let reasons = decision.get("reasons").and_then(Value::as_array);
            let codes = reasons.into_iter().flatten();
            let codes: Vec<&str> = codes
                .filter_map(|reason| reason.get("code")?.as_str())
                .collect();
            format!("deny {}", codes.join(", "))
        }
        word => word.to_owned(),
    }
}

/// An outcome with who may approve, or what is spent.
fn with_means(decision: &Value) -> String {
    let approvers = decision.get("approvers").map(words).unwrap_or_default();
    let obligations = decision.get("obligations").and_then(Value::as_array);
    let spent: Vec<String> = (obligations.into_iter().flatten())
        .map(|one| {
            let named = one.get("id").or_else(|| one.get("name"));
            let kind = word(Some(one), "kind").replace('-', " ");
            format!(
                "{kind} {}",
                named.and_then(Value::as_str).unwrap_or_default()
            )
        })
        .collect();
    let mut text = outcome(decision);
    if !approvers.is_empty() {
        let _ = write!(text, " ({approvers})");
    }
    if spent.is_empty() && text == "allow" {
        text.push_str(", nothing spent");
    } else if !spent.is_empty() {
        let _ = write!(text, ", {}", spent.join(", "));
    }
    text
}
