//! What is shown of a difference between certificate requests: where it is, by
//! which rule, with which value.

use super::{Comparer, Found, Key};
use crate::analyze::describe::listed;
use crate::analyze::issuance::{Cover, Excess, Issuances, Value};
use crate::diff::region::{Cause, Example, Extent, Place, Region, Side};
use crate::eval::place;
use crate::source::{duration, quoted};
use crate::space::diagram::Diagram;
use crate::vocabulary::ReasonCode;

/// Alternatives shown of one region.
const PLACES: usize = 4;

impl<'a> Comparer<'a> {
    /// The policy of the refusing side that an excess fails; else a group that demands it.
    pub(super) fn refusal(
        &self,
        side: Side,
        excess: &Excess,
        covers: &[Cover; 2],
    ) -> Option<Cause> {
        let set = side.of(&self.sets);
        let rule = match excess.refused_by {
            Some(id) => place::issuance(set, id, None),
            None => {
                let mut groups = side.of(covers).groups.iter();
                let demands = |id: &&crate::ir::ApprovalId| {
                    let group = &set.approvals[**id];
                    match excess.code {
                        ReasonCode::ReasonRequired => group.reason_required,
                        _ => group.ticket.is_some(),
                    }
                };
                place::approval(set, *groups.find(demands)?, None)
            }
        };
        Some(Cause { rule, side })
    }

    /// A policy that only one of the sets has there.
    pub(super) fn policy_cause(&self, covers: &[Cover; 2]) -> Option<Cause> {
        let name = |side: Side, id| side.of(&self.sets).issuances.name(id);
        let names = |side: Side| -> Vec<&str> {
            side.of(covers)
                .policies
                .iter()
                .map(|&id| name(side, id))
                .collect()
        };
        let alone = [Side::New, Side::Old].into_iter().find_map(|side| {
            let others = names(side.other());
            let mut own = side.of(covers).policies.iter();
            let id = own.find(|&&id| !others.contains(&name(side, id)))?;
            Some((side, *id))
        });
        let any = || {
            let side = Side::New;
            side.of(covers).policies.first().map(|&id| (side, id))
        };
        let (side, id) = alone.or_else(any)?;
        let set = *side.of(&self.sets);
        let rule = place::issuance(set, id, None);
        Some(Cause { rule, side })
    }

    pub(super) fn places(
        &self,
        issuances: &mut Issuances<'a>,
        subjects: Diagram,
        with: Option<&String>,
    ) -> (Vec<Place>, bool) {
        let care = issuances
            .diagrams
            .or(issuances.permitted(0), issuances.permitted(1));
        let care = care.unwrap_or(crate::space::diagram::TRUE);
        let Issuances {
            subjects: axes,
            diagrams,
            ..
        } = issuances;
        let (ways, complete) = axes
            .describe(diagrams, subjects, care, PLACES)
            .unwrap_or((Vec::new(), false));
        let places = ways.into_iter().map(|matching| Place {
            matching,
            from: Vec::new(),
            when: None,
            with: with.cloned(),
        });
        (places.collect(), !complete)
    }

    pub(super) fn region(&self, issuances: &mut Issuances<'a>, key: Key, found: Found) -> Region {
        let (places, and_more) = self.places(issuances, found.subjects, key.with.as_ref());
        let witness = issuances.request(found.first, &found.values);
        Region {
            class: key.class,
            kind: key.kind,
            before: key.before,
            after: key.after,
            places,
            and_more,
            witness: witness.map(Example::issuance),
            rule: key.rule,
            extent: Extent::Issuance(found.subjects),
        }
    }
}

/// The values of an excess, in words.
pub(super) fn field_words(excess: &Excess) -> String {
    let all = std::iter::once(&excess.value).chain(&excess.also);
    let words: Vec<Option<String>> = all.map(word).collect();
    match &excess.value {
        Value::KeyType(_) => one_of("key-type", words),
        Value::IssuerType(_) => one_of("issuer-type", words),
        Value::IssuerId(_) => one_of("issuer-id", words),
        Value::Name(_) => such_as("name", words),
        Value::Lifetime(_) => such_as("lifetime", words),
        Value::AutoRenew(_) => "auto-renew off".to_owned(),
        Value::San(names) if excess.code == ReasonCode::SanCount => {
            format!("{} names", names.len())
        }
        Value::San(_) => such_as("san", words),
        Value::SanCount(count) => format!("{count} names"),
        Value::Reason(_) => such_as("reason", words),
        Value::Ticket(_) => such_as("ticket", words),
    }
}

/// One value as it is written; none for an absent one.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::KeyType(one) => one.map(|one| one.word().to_owned()),
        Value::IssuerType(one) => one.map(|one| one.word().to_owned()),
        Value::Lifetime(one) => one.map(duration),
        Value::AutoRenew(one) => one.map(|one| one.to_string()),
        Value::San(names) => Some(names.join(", ")),
        Value::SanCount(count) => Some(count.to_string()),
        Value::IssuerId(one) | Value::Name(one) | Value::Reason(one) | Value::Ticket(one) => {
            one.as_ref().map(|one| quoted(one))
        }
    }
}

/// `key-type Ed25519`, `key-type in [Ed25519, RSA-2048] or none`, `no key-type`
fn one_of(field: &str, words: Vec<Option<String>>) -> String {
    let or_none = if words.contains(&None) {
        " or none"
    } else {
        ""
    };
    let words: Vec<String> = words.into_iter().flatten().collect();
    match words.as_slice() {
        [] => format!("no {field}"),
        [one] => format!("{field} {one}{or_none}"),
        many => format!("{field} in [{}]{or_none}", listed(many)),
    }
}

/// `lifetime such as 91d`, `no lifetime`
fn such_as(field: &str, words: Vec<Option<String>>) -> String {
    let words: Vec<String> = words.into_iter().flatten().collect();
    match words.is_empty() {
        true => format!("no {field}"),
        false => format!("{field} such as {}", listed(&words)),
    }
}
