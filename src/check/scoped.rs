//! Projects and profiles, and the tags they give.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::ir::{Scoped, TagId};
use crate::source::Span;
use crate::syntax::tree::{ScopeItem, TagAssign, Value};

use super::codes::tags as codes;
use super::lists::report_repeated;
use super::report::Report;
use super::scope::{Scope, header};
use super::tag::resolve_tags;

pub(super) fn resolve_scoped(
    item: &ScopeItem,
    scope: &Scope,
    report: &mut Report,
) -> Option<Scoped> {
    let mut blocks = item.tags.iter();
    let first = blocks.next();
    for again in blocks {
        if let Some(first) = first {
            report_repeated("tags", again.span, first.span, report);
        }
        resolve_tags(&again.value, scope, report);
    }
    Some(Scoped {
        header: header(&item.name),
        tags: match first {
            Some(block) => resolve_tags(&block.value, scope, report)?,
            None => Vec::new(),
        },
    })
}

/// One project's value of a tag.
struct Given<'a> {
    project: &'a str,
    value: &'a str,
    span: Span,
}

/// Reports each tag to which a profile gives another value than a project: a
/// request may name any two of them.
pub(super) fn report_conflicts(
    projects: &[&ScopeItem],
    profiles: &[&ScopeItem],
    scope: &Scope,
    report: &mut Report,
) {
    // Of each tag the first two projects that differ are enough to find a conflict.
    let mut given: BTreeMap<TagId, Vec<Given<'_>>> = BTreeMap::new();
    for project in projects {
        for (id, value, assign) in assigned(project, scope) {
            let values = given.entry(id).or_default();
            if values.iter().all(|known| known.value != value) {
                values.push(Given {
                    project: &project.name.value,
                    value,
                    span: assign.tag.span,
                });
            }
            values.truncate(2);
        }
    }
    for profile in profiles {
        for (id, value, assign) in assigned(profile, scope) {
            let others = given.get(&id).into_iter().flatten();
            if let Some(other) = others.into_iter().find(|other| other.value != value) {
                report.push(conflict(profile, assign, value, other));
            }
        }
    }
}

fn conflict(profile: &ScopeItem, assign: &TagAssign, value: &str, other: &Given<'_>) -> Diagnostic {
    let tag = &assign.tag.value;
    let message = format!(
        "the profile `{}` gives `{tag}` the value `{value}`, the project `{}` gives it `{}`",
        profile.name.value, other.project, other.value
    );
    Diagnostic::new(&codes::TAG_CONFLICT, assign.tag.span, message)
        .also(other.span, "another value here")
        .help("a request names one of each and would have both: give a tag by projects or by profiles")
}

/// What a project or profile gives, where the tag and the value are right.
fn assigned<'a>(
    item: &'a ScopeItem,
    scope: &Scope,
) -> impl Iterator<Item = (TagId, &'a str, &'a TagAssign)> {
    let assigns = item.tags.iter().flat_map(|block| &block.value);
    let known: Vec<_> = assigns
        .filter_map(|assign| {
            let id = scope.names.find::<TagId>(&assign.tag.value)?;
            let (Value::Word(value) | Value::Text(value)) = &assign.value;
            let tag = scope.tags.get(id)?;
            tag.domain
                .contains(&value.value)
                .then_some((id, value.value.as_str(), assign))
        })
        .collect();
    known.into_iter()
}
