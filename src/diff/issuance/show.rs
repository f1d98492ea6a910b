//! What is shown of a difference between certificate requests: where it is, by
//! which rule, with which value.

use super::{Comparer, Found, Key};
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

pub(super) fn field_words(excess: &Excess) -> String {
    let text = |value: &Option<String>| value.as_ref().map_or("none".to_owned(), |one| quoted(one));
    match &excess.value {
        Value::KeyType(one) => format!("key-type {}", one.map_or("none", |one| one.word())),
        Value::IssuerType(one) => format!("issuer-type {}", one.map_or("none", |one| one.word())),
        Value::IssuerId(one) => format!("issuer-id {}", text(one)),
        Value::Name(one) => format!("name such as {}", text(one)),
        Value::Lifetime(None) => "no lifetime".to_owned(),
        Value::Lifetime(Some(one)) => {
            format!("lifetime such as {}", duration(*one))
        }
        Value::AutoRenew(_) => "auto-renew off".to_owned(),
        Value::San(names) => match (excess.code, names.as_slice()) {
            (ReasonCode::SanCount, names) => format!("{} names", names.len()),
            (_, names) => format!("san such as {}", names.join(", ")),
        },
        Value::Reason(_) => "no reason".to_owned(),
        Value::Ticket(None) => "no ticket".to_owned(),
        Value::Ticket(Some(one)) => format!("ticket such as {}", quoted(one)),
    }
}
