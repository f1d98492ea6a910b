//! A comparison for a terminal, for a pull request, and for tools.

use std::collections::HashMap;
use std::fmt::Write;

use serde::Serialize;

use super::{Cause, Class, Comparison, Effect, Kind, Place, Region, Side};

/// A comparison as JSON: `effect`, `classes`, `regions`.
pub fn render_json(comparison: &Comparison<'_>, devices: Option<&[Vec<String>]>) -> String {
    #[derive(Serialize)]
    struct Listed<'a> {
        #[serde(flatten)]
        region: &'a Region,
        #[serde(skip_serializing_if = "Option::is_none")]
        devices: Option<&'a Vec<String>>,
    }
    #[derive(Serialize)]
    struct Whole<'a> {
        effect: Effect,
        classes: std::collections::BTreeSet<Class>,
        regions: Vec<Listed<'a>>,
    }
    let regions = comparison
        .regions
        .iter()
        .enumerate()
        .map(|(at, region)| Listed {
            region,
            devices: devices.and_then(|devices| devices.get(at)),
        });
    let whole = Whole {
        effect: comparison.effect(),
        classes: comparison.classes(),
        regions: regions.collect(),
    };
    // Plain data with string keys: it cannot fail.
    let mut text = serde_json::to_string_pretty(&whole).unwrap_or_default();
    text.push('\n');
    text
}

/// Which differences are shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Every one.
    All,
    /// The first few of those that are alike but for where they are and which
    /// rule causes them, and how many more there are.
    Few,
}

/// Differences with one heading that are shown where only few are.
const ALIKE: usize = 5;

/// The places of the differences that are shown, each with how many alike are
/// left out after it.
fn pick(comparison: &Comparison<'_>, shown: Shown) -> Vec<(usize, usize)> {
    let headings: Vec<String> = comparison.regions.iter().map(heading).collect();
    let mut all: HashMap<&str, usize> = HashMap::new();
    for heading in &headings {
        *all.entry(heading).or_default() += 1;
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut picked = Vec::new();
    for (at, heading) in headings.iter().enumerate() {
        let number = seen.entry(heading).or_default();
        *number += 1;
        if shown == Shown::All || *number < ALIKE {
            picked.push((at, 0));
        } else if *number == ALIKE {
            let alike = all.get(heading.as_str()).copied().unwrap_or_default();
            picked.push((at, alike.saturating_sub(ALIKE)));
        }
    }
    picked
}

/// A comparison for a terminal.
pub fn render_human(
    comparison: &Comparison<'_>,
    devices: Option<&[Vec<String>]>,
    shown: Shown,
) -> String {
    let mut text = String::new();
    for (at, more) in pick(comparison, shown) {
        let Some(region) = comparison.regions.get(at) else {
            continue;
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", heading(region));
        for place in &region.places {
            let _ = writeln!(text, "  where    {}", place_text(place));
        }
        if region.and_more {
            text.push_str("           and more\n");
        }
        if let Some(cause) = &region.rule {
            let _ = writeln!(text, "  because  {}", cause_text(cause));
        }
        if let Some(devices) = devices.and_then(|devices| devices.get(at))
            && region.kind != Kind::Role
            && region.kind != Kind::Issuance
        {
            let _ = writeln!(text, "  devices  {}", devices_text(devices));
        }
        if let Some(example) = &region.witness {
            let (before, after) = (&example.before, &example.after);
            let arrow = match before == after {
                true => format!("still {after}"),
                false => format!("was {before}, is {after}"),
            };
            let _ = writeln!(text, "  example  {arrow}");
            for line in example.test.lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
        text.push('\n');
        if more > 0 {
            let _ = writeln!(
                text,
                "and {more} more: {}\n  `--all` lists them\n",
                heading(region)
            );
        }
    }
    let _ = writeln!(text, "{}", summary(comparison));
    text
}

/// A comparison as a comment on a pull request.
pub fn render_markdown(
    comparison: &Comparison<'_>,
    devices: Option<&[Vec<String>]>,
    shown: Shown,
) -> String {
    let mut text = format!("### Policy: {}\n", summary(comparison));
    if comparison.regions.is_empty() {
        return text;
    }
    text.push_str("\n| | what | before | after | where | because |\n|---|---|---|---|---|---|\n");
    let picked = pick(comparison, shown);
    for &(at, alike) in &picked {
        let Some(region) = comparison.regions.get(at) else {
            continue;
        };
        let places: Vec<String> = region
            .places
            .iter()
            .map(place_text)
            .map(|text| code(&text))
            .collect();
        let more = if region.and_more { " and more" } else { "" };
        let cause = region
            .rule
            .as_ref()
            .map(|cause| cell(&cause_text(cause)))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "| **{}** | {} | {} | {} | {}{more} | {cause} |",
            class_word(region.class),
            kind_word(region.kind),
            cell(&region.before),
            cell(&region.after),
            places.join("<br>"),
        );
        if alike > 0 {
            let _ = writeln!(text, "| | | | | and {alike} more like these | |");
        }
    }
    if let Some(devices) = devices {
        text.push_str("\n<details><summary>Devices concerned</summary>\n\n");
        for (region, devices) in comparison.regions.iter().zip(devices) {
            if !devices.is_empty() {
                let _ = writeln!(
                    text,
                    "- {}: {}",
                    cell(&heading(region)),
                    cell(&devices_text(devices))
                );
            }
        }
        text.push_str("\n</details>\n");
    }
    let regions = picked
        .iter()
        .filter_map(|&(at, _)| comparison.regions.get(at));
    let tests = regions.filter_map(|region| region.witness.as_ref());
    text.push_str(
        "\n<details><summary>Witnesses, as tests of the new policy</summary>\n\n```pano\n",
    );
    let tests: Vec<&str> = tests.map(|example| example.test.as_str()).collect();
    text.push_str(&tests.join("\n"));
    text.push_str("```\n\n</details>\n");
    text
}

/// A comparison in lines: what it comes to, and each of the first `limit` differences.
pub fn render_lines(comparison: &Comparison<'_>, limit: usize) -> Vec<String> {
    let line = |region: &Region| {
        let places: Vec<String> = region.places.iter().map(place_text).collect();
        let more = if region.and_more { ", and more" } else { "" };
        let cause = region.rule.as_ref();
        let because = cause.map(|cause| format!(", because of {}", cause_text(cause)));
        let because = because.unwrap_or_default();
        format!(
            "{}; where {}{more}{because}",
            heading(region),
            places.join("; or ")
        )
    };
    let mut lines = vec![format!("effect: {}", summary(comparison))];
    lines.extend(comparison.regions.iter().take(limit).map(line));
    let more = comparison.regions.len().saturating_sub(limit);
    if more > 0 {
        lines.push(format!("and {more} more differences"));
    }
    lines
}

/// `2 widened, 1 narrowed`; `no effect`.
pub fn summary(comparison: &Comparison<'_>) -> String {
    let classes = comparison.classes();
    if classes.is_empty() {
        return "no effect: every request is decided alike".to_owned();
    }
    let count = |class: Class| {
        comparison
            .regions
            .iter()
            .filter(|one| one.class == class)
            .count()
    };
    let counts = classes
        .iter()
        .map(|&class| format!("{} {}", count(class), class_word(class)));
    counts.collect::<Vec<_>>().join(", ")
}

fn heading(region: &Region) -> String {
    let (before, after) = (&region.before, &region.after);
    format!(
        "{} {}: {before} → {after}",
        class_word(region.class),
        kind_word(region.kind)
    )
}

fn class_word(class: Class) -> &'static str {
    match class {
        Class::NotDecided => "not decided",
        Class::Widened => "widened",
        Class::Narrowed => "narrowed",
        Class::Changed => "changed",
        Class::Relabelled => "relabelled",
    }
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Unlock => "unlock",
        Kind::Issuance => "issuance",
        Kind::Requirement => "requirement",
        Kind::AllowOnce => "allow-once",
        Kind::Bypass => "bypass",
        Kind::Role => "role",
    }
}

fn place_text(place: &Place) -> String {
    let mut text = place.matching.clone();
    if !place.from.is_empty() {
        let _ = write!(text, " from {}", place.from.join(", "));
    }
    for more in [&place.when, &place.with].into_iter().flatten() {
        let _ = write!(
            text,
            " {}{more}",
            if Some(more) == place.with.as_ref() {
                "with "
            } else {
                ""
            }
        );
    }
    text
}

fn cause_text(cause: &Cause) -> String {
    let rule = &cause.rule;
    let side = match cause.side {
        Side::Old => "the old",
        Side::New => "the new",
    };
    format!(
        "{} `{}` of {side} policy, {}:{}",
        rule.kind, rule.name, rule.file, rule.line
    )
}

fn devices_text(devices: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = devices
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match devices.len() {
        0 => "none of the inventory".to_owned(),
        count if count > SHOWN => format!("{count}: {shown} and {} more", count - SHOWN),
        count => format!("{count}: {shown}"),
    }
}

/// Text in a table's cell: nothing in it is markup.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '<' | '>' | '[' | ']' | '\\' | '#' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Text as code in a table's cell.
fn code(text: &str) -> String {
    let ticks = if text.contains('`') { "``" } else { "`" };
    format!(
        "{ticks}{}{ticks}",
        text.replace('|', "\\|").replace(['\n', '\r'], " ")
    )
}
