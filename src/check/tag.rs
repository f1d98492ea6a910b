//! Tags: their domains, and the values given to them.

use crate::diagnostic::Diagnostic;
use crate::ir::{Domain, Tag, TagId};
use crate::source::Span;
use crate::syntax::tree::{Name, TagAssign, TagDomain, TagItem, Text, Value};

use super::codes::tags as codes;
use super::lists::expect_distinct;
use super::report::Report;
use super::scope::{Scope, header, list};

/// Words that mean something else where a tag may stand.
pub(super) const RESERVED: [&str; 9] = [
    "project",
    "profile",
    "action",
    "requester",
    "and",
    "or",
    "not",
    "in",
    "has",
];
/// The attributes of a certificate request.
pub(super) const ATTRIBUTES: [&str; 4] = ["project", "profile", "action", "requester"];

pub(super) fn resolve_tag(item: &TagItem, report: &mut Report) -> Option<Tag> {
    let name = &item.name.value;
    if RESERVED.contains(&name.as_str()) {
        let message = format!("a tag may not be named `{name}`");
        let diagnostic = Diagnostic::new(&codes::RESERVED_TAG_NAME, item.name.span, message);
        report.push(diagnostic.help("the word has a meaning of its own in a `where`"));
    }
    let domain = match &item.domain {
        TagDomain::Text => Domain::Text,
        TagDomain::Closed(values) => {
            let elements = values
                .iter()
                .map(|value| (value.value.as_str(), value.span));
            expect_distinct(elements, |value| (*value).to_owned(), report);
            let mut values: Vec<String> = values.iter().map(|value| value.value.clone()).collect();
            values.sort();
            values.dedup();
            Domain::Closed(values)
        }
    };
    Some(Tag {
        header: header(&item.name),
        domain,
        required: item.required,
    })
}

/// The tag that `name` refers to; `attributes` are words that may stand in its place.
pub(super) fn resolve_tag_name(
    name: &Name,
    attributes: &[&str],
    scope: &Scope,
    report: &mut Report,
) -> Option<TagId> {
    let found = scope.names.find::<TagId>(&name.value);
    let kind = super::names::Kind::Tag;
    if found.is_none() && !scope.names.is_broken(kind, &name.value) {
        scope.report_unknown(kind, name, attributes, report);
    }
    found
}

/// The tags of a device, project or profile; sorted by id.
pub(super) fn resolve_tags(
    assigned: &[TagAssign],
    scope: &Scope,
    report: &mut Report,
) -> Option<Vec<(TagId, String)>> {
    let names = assigned
        .iter()
        .map(|assign| (assign.tag.value.as_str(), assign.tag.span));
    expect_distinct(names, |name| (*name).to_owned(), report);
    let resolved: Vec<Option<(TagId, String)>> = assigned
        .iter()
        .map(|assign| resolve_assign(assign, scope, report))
        .collect();
    let mut tags: Vec<(TagId, String)> = resolved.into_iter().collect::<Option<_>>()?;
    tags.sort();
    Some(tags)
}

fn resolve_assign(
    assign: &TagAssign,
    scope: &Scope,
    report: &mut Report,
) -> Option<(TagId, String)> {
    if ATTRIBUTES.contains(&assign.tag.value.as_str()) {
        let message = format!(
            "`{}` is an attribute of a request, not a tag",
            assign.tag.value
        );
        let diagnostic = Diagnostic::new(&codes::ATTRIBUTE_AS_TAG, assign.tag.span, message);
        report.push(diagnostic.help("only declared tags can be given values here"));
        return None;
    }
    let id = resolve_tag_name(&assign.tag, &[], scope, report)?;
    let tag = scope.tags.get(id)?;
    Some((id, resolve_value(tag, &assign.value, report)?))
}

/// A value of `tag`, held against its declared set.
pub(super) fn resolve_value(tag: &Tag, value: &Value, report: &mut Report) -> Option<String> {
    match (&tag.domain, value) {
        (Domain::Text, Value::Text(text)) => Some(text.value.clone()),
        (Domain::Text, Value::Word(word)) => {
            report.push(bare_value(tag, word));
            None
        }
        (Domain::Closed(values), Value::Word(word)) => {
            if tag.domain.contains(&word.value) {
                return Some(word.value.clone());
            }
            report_unknown_value(tag, values, &word.value, word.span, report);
            None
        }
        (Domain::Closed(values), Value::Text(text)) => {
            if tag.domain.contains(&text.value) {
                report.push(quoted_value(tag, text));
            } else {
                report_unknown_value(tag, values, &text.value, text.span, report);
            }
            None
        }
    }
}

fn bare_value(tag: &Tag, word: &Name) -> Diagnostic {
    let (name, value) = (&tag.header.name, &word.value);
    let message = format!("`{name}` takes any text, so `{value}` must stand in quotes");
    Diagnostic::new(&codes::BARE_VALUE, word.span, message)
        .also(tag.header.span, "declared as text here")
        .help("put it in quotes")
        .fix(word.span, format!("\"{value}\""))
}

fn quoted_value(tag: &Tag, text: &Text) -> Diagnostic {
    let (name, value) = (&tag.header.name, &text.value);
    let message =
        format!("`{name}` has a closed set of values, so `{value}` stands without quotes");
    Diagnostic::new(&codes::QUOTED_VALUE, text.span, message)
        .also(tag.header.span, "declared here")
        .help("leave out the quotes")
        .fix(text.span, value)
}

fn report_unknown_value(
    tag: &Tag,
    values: &[String],
    value: &str,
    span: Span,
    report: &mut Report,
) {
    let name = &tag.header.name;
    let message = format!("`{value}` is no value of the tag `{name}`");
    let diagnostic = Diagnostic::new(&codes::UNKNOWN_VALUE, span, message)
        .also(tag.header.span, "declared here");
    let near = report.nearest(value, values.iter().map(String::as_str));
    report.push(match near {
        Some(near) => diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(span, near),
        None if values.len() <= 12 => diagnostic.help(format!("its values are {}", list(values))),
        None => diagnostic.help(format!(
            "it has {} values; add this one there",
            values.len()
        )),
    });
}
