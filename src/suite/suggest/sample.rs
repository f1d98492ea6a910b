//! Values that a policy's patterns match, to begin a request with.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::san::dns::Reach;
use crate::san::{Host, SanPattern};

/// The longest text that is made.
const LONGEST: usize = 200;

/// A text that `pattern` is made to match: of alternatives the first, of
/// repetitions the fewest. Whether it does is for the caller to see.
pub(super) fn of_regex(pattern: &str) -> Option<String> {
    let tree = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write(&tree, &mut text)?;
    Some(text)
}

fn write(tree: &Hir, text: &mut String) -> Option<()> {
    if text.len() > LONGEST {
        return None;
    }
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(of_class(class)?),
        HirKind::Repetition(repetition) => {
            // A name of nothing but what must be there reads like none.
            let times = repetition.min.max(u32::from(repetition.max != Some(0)));
            for _ in 0..times {
                write(&repetition.sub, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, text))?,
        HirKind::Alternation(parts) => write(parts.first()?, text)?,
    }
    Some(())
}

/// A character of a class: a letter or a digit if there is one.
fn of_class(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .map(|one| (one.start(), one.end()))
            .collect(),
        Class::Bytes(class) => (class.ranges().iter())
            .map(|one| (char::from(one.start()), char::from(one.end())))
            .collect(),
    };
    let has = |wanted: char| {
        ranges
            .iter()
            .any(|&(start, end)| (start..=end).contains(&wanted))
    };
    let usual = ('a'..='z').chain('0'..='9').chain('A'..='Z');
    let found = { usual }.find(|&character| has(character));
    found.or(ranges.first().map(|range| range.0))
}

/// A name, with its type, of those that a pattern stands for.
pub(super) fn of_pattern(pattern: &SanPattern) -> String {
    match pattern {
        SanPattern::Dns(set) => match set.reach {
            Reach::Exact => format!("dns:{}", set.base),
            Reach::One | Reach::Many => format!("dns:www.{}", set.base),
        },
        SanPattern::Ip(prefix) => format!("ip:{}", prefix.network()),
        SanPattern::Email { local, host } => {
            format!("email:{}@{host}", local.as_deref().unwrap_or("someone"))
        }
        SanPattern::Uri(uri) => {
            let opaque = uri.authority.as_ref().is_none_or(|one| match &one.host {
                Host::Name(name) => name.is_empty(),
                Host::Ip(_) => false,
            });
            let end = if opaque || uri.rest.ends_with('/') {
                "x"
            } else {
                ""
            };
            format!("uri:{uri}{end}")
        }
    }
}
