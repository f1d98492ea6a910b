//! Devices that a selector matches: tags are given values one after the other, and
//! a branch is left as soon as the selector cannot hold any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::selector::{Atom, Selector};
use crate::ir::{Domain, PolicySet, TagId};

/// How many partial assignments are looked at.
const BUDGET: usize = 20_000;

/// A device's tags by their ids; none: absent. Tags that are not in it are open.
type Partial = BTreeMap<TagId, Option<String>>;

/// Gives devices that `selector` matches and that enrollment permits, simplest
/// first, until `take` has what it wants.
pub(super) fn each_device(
    set: &PolicySet,
    selector: &Selector,
    mut take: impl FnMut(&BTreeMap<String, String>) -> bool,
) {
    let mut mentioned = BTreeMap::new();
    mention(selector, &mut mentioned);
    for (id, _) in set.tags.iter().filter(|(_, tag)| tag.required) {
        mentioned.entry(id).or_default();
    }
    let choices: Vec<(TagId, Vec<Option<String>>)> = mentioned
        .iter()
        .map(|(&id, values)| (id, choices(set, id, values)))
        .collect();
    let mut budget = BUDGET;
    // Depth first, without recursion: how many tags are given, and their values.
    let mut open = vec![Partial::new()];
    while let Some(partial) = open.pop() {
        if budget == 0 {
            return;
        }
        budget -= 1;
        if judge(selector, &partial) == Some(false) {
            continue;
        }
        let Some((id, values)) = choices.get(partial.len()) else {
            let given = partial
                .iter()
                .filter_map(|(id, value)| Some((set.tags.name(*id).to_owned(), value.clone()?)));
            if take(&given.collect()) {
                return;
            }
            continue;
        };
        // The last pushed is the first looked at.
        for value in values.iter().rev() {
            let mut longer = partial.clone();
            longer.insert(*id, value.clone());
            open.push(longer);
        }
    }
}

/// The tags and values that a selector speaks of.
fn mention(selector: &Selector, into: &mut BTreeMap<TagId, BTreeSet<String>>) {
    match selector {
        Selector::Any => {}
        Selector::Or(parts) | Selector::And(parts) => {
            parts.iter().for_each(|part| mention(part, into));
        }
        Selector::Not(inner) => mention(inner, into),
        Selector::Atom(Atom::Tag(id, values)) => {
            into.entry(*id).or_default().extend(values.iter().cloned());
        }
        Selector::Atom(Atom::HasTag(id)) => {
            into.entry(*id).or_default();
        }
        Selector::Atom(
            Atom::Project(_)
            | Atom::HasProject
            | Atom::Profile(_)
            | Atom::HasProfile
            | Atom::Action(_)
            | Atom::HasAction
            | Atom::Requester(_)
            | Atom::HasRequester,
        ) => {}
    }
}

/// What a tag may be where `mentioned` are the values that matter: these, one
/// that is none of them, and nothing.
fn choices(set: &PolicySet, id: TagId, mentioned: &BTreeSet<String>) -> Vec<Option<String>> {
    let tag = &set.tags[id];
    let mut values: Vec<Option<String>> = mentioned.iter().cloned().map(Some).collect();
    match &tag.domain {
        Domain::Closed(all) => {
            let other = all.iter().find(|value| !mentioned.contains(*value));
            values.extend(other.cloned().map(Some));
        }
        Domain::Text => {
            let fresh = (0..).map(|number| format!("other-{number}"));
            let fresh = { fresh }.find(|value| !mentioned.contains(value));
            values.push(fresh);
        }
    }
    if !tag.required {
        values.push(None);
    }
    values
}

/// Whether a selector holds; none where that is still open.
fn judge(selector: &Selector, partial: &Partial) -> Option<bool> {
    match selector {
        Selector::Any => Some(true),
        Selector::Or(parts) => {
            let each = parts.iter().map(|part| judge(part, partial));
            each.reduce(|a, b| match (a, b) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                (None, _) | (_, None) => None,
            })
            .flatten()
        }
        Selector::And(parts) => {
            let each = parts.iter().map(|part| judge(part, partial));
            each.reduce(|a, b| match (a, b) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                (None, _) | (_, None) => None,
            })
            .flatten()
        }
        Selector::Not(inner) => judge(inner, partial).map(|holds| !holds),
        Selector::Atom(Atom::Tag(id, values)) => {
            let value = partial.get(id)?;
            Some(value.as_ref().is_some_and(|value| values.contains(value)))
        }
        Selector::Atom(Atom::HasTag(id)) => Some(partial.get(id)?.is_some()),
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
        ) => Some(false),
    }
}
