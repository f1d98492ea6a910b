//! Which selectors can hold of a device at all, found by its tags.
//!
//! Most selectors compare some tag with a value. Where such a comparison must
//! be true for the selector to hold, it is filed under it and looked at for
//! devices that have the value; the rest is looked at for every device. What
//! is found is then matched in full: an index leaves out, it never decides.

use std::collections::HashMap;

use super::subject::Subject;
use crate::ir::selector::{Atom, Selector};
use crate::ir::{AllowOnceId, ApprovalId, BypassId, PolicySet, TagId, UnlockId};

/// An index of every declaration that a device may fall under.
#[derive(Debug)]
pub(super) struct Indices {
    pub(super) rules: Index<UnlockId>,
    pub(super) groups: Index<ApprovalId>,
    pub(super) allow_onces: Index<AllowOnceId>,
    pub(super) bypasses: Index<BypassId>,
}

impl Indices {
    /// Indexes the declarations of `set` that are about unlocks.
    pub(super) fn new(set: &PolicySet) -> Self {
        let rules = set.unlocks.iter().map(|(id, rule)| (id, &rule.selector));
        let allow_onces = set.allow_onces.iter();
        let groups = set.approvals.iter();
        let bypasses = set.bypasses.iter();
        Indices {
            rules: Index::new(rules.collect()),
            allow_onces: Index::new(allow_onces.map(|(id, rule)| (id, &rule.selector)).collect()),
            groups: Index::new(
                groups
                    .filter_map(|(id, group)| Some((id, group.covers.unlocks()?)))
                    .collect(),
            ),
            bypasses: Index::new(
                bypasses
                    .filter_map(|(id, bypass)| Some((id, bypass.covers.unlocks()?)))
                    .collect(),
            ),
        }
    }
}

/// Declarations of one kind, by a value that a device must have.
#[derive(Debug)]
pub(super) struct Index<I> {
    filed: HashMap<TagId, HashMap<String, Vec<I>>>,
    rest: Vec<I>,
}

impl<I: Copy + Ord> Index<I> {
    fn new(selectors: Vec<(I, &Selector)>) -> Self {
        let mut counts = HashMap::new();
        for (_, selector) in &selectors {
            count(selector, &mut counts);
        }
        let mut index = Index {
            filed: HashMap::new(),
            rest: Vec::new(),
        };
        for (id, selector) in selectors {
            match needed(selector, &counts) {
                Some(values) => values.iter().for_each(|value| index.file(*value, id)),
                None => index.rest.push(id),
            }
        }
        index
    }

    fn file(&mut self, (tag, value): Value<'_>, id: I) {
        let by_value = self.filed.entry(tag).or_default();
        match by_value.get_mut(value) {
            Some(ids) => ids.push(id),
            None => {
                by_value.insert(value.to_owned(), vec![id]);
            }
        }
    }

    /// Those that may hold of `device`, sorted.
    pub(super) fn candidates(&self, device: &Subject<'_>) -> Vec<I> {
        let mut ids = self.rest.clone();
        for (tag, by_value) in &self.filed {
            let filed = device.tag(*tag).and_then(|value| by_value.get(value));
            ids.extend(filed.into_iter().flatten());
        }
        ids.sort_unstable();
        // A selector may be filed under values of several tags.
        ids.dedup();
        ids
    }
}

/// A tag and one of its values.
type Value<'a> = (TagId, &'a str);

/// Counts in how many comparisons each value stands.
fn count<'a>(selector: &'a Selector, counts: &mut HashMap<Value<'a>, usize>) {
    match selector {
        Selector::Any | Selector::Not(_) => {}
        Selector::Or(parts) | Selector::And(parts) => {
            parts.iter().for_each(|part| count(part, counts));
        }
        Selector::Atom(atom) => {
            for value in values(atom).unwrap_or_default() {
                *counts.entry(value).or_default() += 1;
            }
        }
    }
}

/// Values of which a device must have one for the selector to hold, those that
/// stand in few selectors before others; none where it may hold without.
fn needed<'a>(
    selector: &'a Selector,
    counts: &HashMap<Value<'a>, usize>,
) -> Option<Vec<Value<'a>>> {
    match selector {
        Selector::Any | Selector::Not(_) => None,
        Selector::And(parts) => {
            let each = parts.iter().filter_map(|part| needed(part, counts));
            each.min_by_key(|values| {
                values
                    .iter()
                    .filter_map(|one| counts.get(one))
                    .sum::<usize>()
            })
        }
        Selector::Or(parts) => {
            let each = parts.iter().map(|part| needed(part, counts));
            let all: Option<Vec<_>> = each.collect();
            all.map(|parts| parts.concat())
        }
        Selector::Atom(atom) => values(atom),
    }
}

/// The values of which an atom needs one; none where it asks something else.
fn values(atom: &Atom) -> Option<Vec<Value<'_>>> {
    match atom {
        Atom::Tag(tag, values) => Some(values.iter().map(|value| (*tag, value.as_str())).collect()),
        Atom::HasTag(_)
        | Atom::Project(_)
        | Atom::HasProject
        | Atom::Profile(_)
        | Atom::HasProfile
        | Atom::Action(_)
        | Atom::HasAction
        | Atom::Requester(_)
        | Atom::HasRequester => None,
    }
}
