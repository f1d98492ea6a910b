//! Parts of a policy in words, as messages and traces need them.

use jiff::Timestamp;

use super::subject::Subject;
use crate::address::display_prefix;
use crate::ir::selector::{Actor, Atom, Selector};
use crate::ir::unlock::Source;
use crate::ir::{Domain, PolicySet, Schedule, ScheduleId, TagId};
use crate::space::schedule::next_change;

/// How many elements of a list are shown.
const SHOWN: usize = 8;

/// Joins words with commas; says how many more there are past a few.
pub(super) fn list(words: impl IntoIterator<Item = String>) -> String {
    let mut words = words.into_iter();
    let mut shown: Vec<String> = words.by_ref().take(SHOWN).collect();
    match words.count() {
        0 => {}
        more => shown.push(format!("{more} more")),
    }
    shown.join(", ")
}

/// Words in backticks.
pub(super) fn ticked(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    list(words.into_iter().map(|word| format!("`{}`", word.as_ref())))
}

/// A source as the policy names it.
pub(super) fn source(set: &PolicySet, source: Source) -> String {
    match source {
        Source::Network(id) => set.networks.name(id).to_owned(),
        Source::Prefix(prefix) => display_prefix(prefix),
    }
}

/// Schedules by name.
pub(super) fn schedules(set: &PolicySet, ids: &[ScheduleId]) -> String {
    list(ids.iter().map(|&id| set.schedules.name(id).to_owned()))
}

/// When the first of these closed schedules opens: `opens Mon 08:00 Europe/Berlin`.
pub(super) fn opens(set: &PolicySet, ids: &[ScheduleId], at: Timestamp) -> Option<String> {
    let next = ids.iter().filter_map(|&id| {
        let schedule = &set.schedules[id];
        next_change(schedule, at).map(|instant| (instant, schedule))
    });
    next.min_by_key(|&(instant, _)| instant)
        .map(|(instant, schedule)| format!("opens {}", local(schedule, instant)))
}

/// An instant as a schedule's zone has it: `Mon 08:00 Europe/Berlin`.
pub(super) fn local(schedule: &Schedule, at: Timestamp) -> String {
    let time = schedule.zone.to_datetime(at).strftime("%a %H:%M");
    format!("{time} {}", schedule.zone.iana_name().unwrap_or("UTC"))
}

/// A selector as the formatter writes it.
pub(super) fn selector(set: &PolicySet, formula: &Selector) -> String {
    let inner = |one: &Selector| match one {
        Selector::Or(_) | Selector::And(_) => format!("({})", selector(set, one)),
        Selector::Any | Selector::Not(_) | Selector::Atom(_) => selector(set, one),
    };
    let joined = |all: &[Selector], word: &str| {
        let parts: Vec<String> = all.iter().map(inner).collect();
        parts.join(word)
    };
    match formula {
        Selector::Any => "everything".to_owned(),
        Selector::Or(any) => joined(any, " or "),
        Selector::And(all) => joined(all, " and "),
        Selector::Not(one) => match one.as_ref() {
            Selector::Atom(one) => unequal(set, one),
            Selector::Any | Selector::Or(_) | Selector::And(_) | Selector::Not(_) => {
                format!("not {}", inner(one))
            }
        },
        Selector::Atom(one) => atom(set, one),
    }
}

/// The negation of a comparison, as policies write it.
fn unequal(set: &PolicySet, one: &Atom) -> String {
    let (subject, values) = parts(set, one);
    match values {
        Some(values) => match values.as_slice() {
            [value] => format!("{subject} != {value}"),
            _ => format!("not {subject} in [{}]", list(values)),
        },
        None => format!("not has {subject}"),
    }
}

/// A comparison as policies write it.
fn atom(set: &PolicySet, one: &Atom) -> String {
    let (subject, values) = parts(set, one);
    match values {
        Some(values) => match values.as_slice() {
            [value] => format!("{subject} == {value}"),
            _ => format!("{subject} in [{}]", list(values)),
        },
        None => format!("has {subject}"),
    }
}

/// What is compared, and with what; no values: `has`.
fn parts<'a>(set: &'a PolicySet, one: &Atom) -> (&'a str, Option<Vec<String>>) {
    match one {
        Atom::Tag(id, values) => {
            let words = values.iter().map(|value| tag_value(set, *id, value));
            (set.tags.name(*id), Some(words.collect()))
        }
        Atom::HasTag(id) => (set.tags.name(*id), None),
        Atom::Project(ids) => (
            "project",
            Some(
                ids.iter()
                    .map(|&id| set.projects.name(id).to_owned())
                    .collect(),
            ),
        ),
        Atom::HasProject => ("project", None),
        Atom::Profile(ids) => (
            "profile",
            Some(
                ids.iter()
                    .map(|&id| set.profiles.name(id).to_owned())
                    .collect(),
            ),
        ),
        Atom::HasProfile => ("profile", None),
        Atom::Action(actions) => (
            "action",
            Some(actions.iter().map(|one| one.word().to_owned()).collect()),
        ),
        Atom::HasAction => ("action", None),
        Atom::Requester(actors) => (
            "requester",
            Some(
                actors
                    .iter()
                    .map(|&one| actor(set, one).to_owned())
                    .collect(),
            ),
        ),
        Atom::HasRequester => ("requester", None),
    }
}

fn tag_value(set: &PolicySet, id: TagId, value: &str) -> String {
    match set.tags[id].domain {
        Domain::Closed(_) => value.to_owned(),
        Domain::Text => format!("\"{}\"", value.escape_debug()),
    }
}

/// A person's or service's name.
pub(super) fn actor(set: &PolicySet, actor: Actor) -> &str {
    match actor {
        Actor::Person(id) => set.persons.name(id),
        Actor::Service(id) => set.services.name(id),
    }
}

/// What the subject has where `one` looks: `env is staging`, `role is absent`.
fn actual(set: &PolicySet, one: &Atom, subject: &Subject<'_>) -> String {
    let (name, _) = parts(set, one);
    let value = match one {
        Atom::Tag(id, _) | Atom::HasTag(id) => {
            subject.tag(*id).map(|value| tag_value(set, *id, value))
        }
        Atom::Project(_) | Atom::HasProject => {
            subject.project.map(|id| set.projects.name(id).to_owned())
        }
        Atom::Profile(_) | Atom::HasProfile => {
            subject.profile.map(|id| set.profiles.name(id).to_owned())
        }
        Atom::Action(_) | Atom::HasAction => subject.action.map(|one| one.word().to_owned()),
        Atom::Requester(_) | Atom::HasRequester => {
            subject.requester.map(|one| actor(set, one).to_owned())
        }
    };
    match value {
        Some(value) => format!("{name} is {value}"),
        None => format!("{name} is absent"),
    }
}

/// Each condition of `formula` that fails, with what the subject has instead;
/// of alternatives those of the nearest. Empty where it matches.
pub(super) fn failures(set: &PolicySet, formula: &Selector, subject: &Subject<'_>) -> Vec<String> {
    if super::selector::matches(formula, subject) {
        return Vec::new();
    }
    match formula {
        Selector::Any => Vec::new(),
        Selector::Or(any) => any
            .iter()
            .map(|one| failures(set, one, subject))
            .min_by_key(Vec::len)
            .unwrap_or_default(),
        Selector::And(all) => {
            let each = all.iter().flat_map(|one| failures(set, one, subject));
            each.collect()
        }
        Selector::Not(inner) => match inner.as_ref() {
            Selector::Atom(one) => vec![failure(set, formula, one, subject)],
            Selector::Not(inner) => failures(set, inner, subject),
            Selector::Any | Selector::Or(_) | Selector::And(_) => {
                vec![format!("`{}` fails", selector(set, formula))]
            }
        },
        Selector::Atom(one) => vec![failure(set, formula, one, subject)],
    }
}

fn failure(set: &PolicySet, formula: &Selector, one: &Atom, subject: &Subject<'_>) -> String {
    let wanted = selector(set, formula);
    format!("`{wanted}` fails: {}", actual(set, one, subject))
}
