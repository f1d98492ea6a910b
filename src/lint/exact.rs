//! Exact sets of requests, laid out once for all rules that ask for them.

use super::Context;
use crate::analyze::covers::Covers;
use crate::analyze::issuance::Issuances;
use crate::analyze::unlock::{Standings, Unlocks};
use crate::analyze::witness::UnlockWitness;
use crate::ir::people::Coverage;
use crate::ir::selector::Selector;
use crate::ir::{ApprovalId, PolicySet};
use crate::request::UnlockFacts;
use crate::space::diagram::{Diagram, Diagrams, FALSE, OverBudget};
use crate::space::partition::AddressClass;
use crate::vocabulary::Action;

/// Unlocks and certificate requests of one set; none of either where the set is
/// too large to be analysed.
pub(super) struct Exact<'a> {
    pub(super) unlocks: Option<Unlocks<'a>>,
    pub(super) issuances: Option<Issuances<'a>>,
    /// How often what becomes of a class of addresses may still be asked for
    /// by rules that look for a witness.
    left: usize,
}

const BUDGET: usize = 300_000;

/// Nodes by which diagrams may grow for one rule's question: about 25 MiB.
const ALLOWANCE: usize = 300_000;

impl<'a> Exact<'a> {
    pub(super) fn of(set: &'a PolicySet) -> Self {
        Exact {
            unlocks: Unlocks::of(&[set]).ok(),
            issuances: Issuances::of(&[set]).ok(),
            left: BUDGET,
        }
    }

    /// Answers one rule's question, for which diagrams may grow by so much: a rule
    /// of a hostile set takes neither long nor what the next rule needs.
    pub(super) fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut Self) -> Result<T, OverBudget>,
    ) -> Result<T, OverBudget> {
        let unlocks = self.unlocks.as_mut();
        let of_unlocks = unlocks.map(|one| one.diagrams.begin_allowance(ALLOWANCE));
        let issuances = self.issuances.as_mut();
        let of_issuances = issuances.map(|one| one.diagrams.begin_allowance(ALLOWANCE));
        let answer = question(self);
        if let (Some(unlocks), Some(kept)) = (&mut self.unlocks, of_unlocks) {
            unlocks.diagrams.end_allowance(kept);
        }
        if let (Some(issuances), Some(kept)) = (&mut self.issuances, of_issuances) {
            issuances.diagrams.end_allowance(kept);
        }
        answer
    }

    /// The simplest unlock of `care` that comes to what `part` picks, from the
    /// first of `classes` where one does.
    pub(super) fn witness<'c>(
        &mut self,
        classes: impl Iterator<Item = &'c AddressClass>,
        care: Diagram,
        part: impl Fn(&Standings) -> Diagram,
    ) -> Result<Option<UnlockWitness>, OverBudget> {
        let unlocks = self.unlocks.as_mut().ok_or(OverBudget)?;
        for class in classes {
            self.left = self.left.checked_sub(1).ok_or(OverBudget)?;
            let found = part(&unlocks.standings(0, &class.members, care)?);
            if found != FALSE {
                return Ok(UnlockWitness::of(unlocks, found, class));
            }
        }
        Ok(None)
    }

    /// A test block of some unlock of `care` that waits for people; none where none does.
    pub(super) fn pending(
        &mut self,
        context: &Context<'_>,
        care: Diagram,
        title: &str,
    ) -> Result<Option<String>, OverBudget> {
        let witness = self.with_classes(|exact, classes| {
            exact.witness(classes.iter(), care, |standings| standings.pending)
        })?;
        Ok(witness.map(|witness| test_block(context, &witness, title)))
    }

    /// Lends the classes of addresses to `ask`.
    pub(super) fn with_classes<T>(
        &mut self,
        ask: impl FnOnce(&mut Self, &[AddressClass]) -> Result<T, OverBudget>,
    ) -> Result<T, OverBudget> {
        let classes = std::mem::take(&mut self.unlocks.as_mut().ok_or(OverBudget)?.classes);
        let answer = ask(self, &classes);
        if let Some(unlocks) = &mut self.unlocks {
            unlocks.classes = classes;
        }
        answer
    }

    /// How much of what there can be a selector over devices matches.
    pub(super) fn devices(&mut self, selector: &Selector) -> Result<Share, OverBudget> {
        let unlocks = self.unlocks.as_mut().ok_or(OverBudget)?;
        let devices = unlocks.devices(0, selector)?;
        let all = unlocks.permitted(0);
        Share::of(
            unlocks.diagrams.and(all, devices)?,
            unlocks.diagrams.minus(all, devices)?,
        )
    }

    /// How much of what there can be a selector over certificate requests
    /// matches, among those of some actions.
    pub(super) fn requests(
        &mut self,
        actions: &[Action],
        selector: &Selector,
    ) -> Result<Share, OverBudget> {
        let issuances = self.issuances.as_mut().ok_or(OverBudget)?;
        let matching = issuances.matching(0, selector)?;
        let acting = issuances.actions(actions)?;
        let permitted = issuances.permitted(0);
        let all = issuances.diagrams.and(permitted, acting)?;
        Share::of(
            issuances.diagrams.and(all, matching)?,
            issuances.diagrams.minus(all, matching)?,
        )
    }

    /// The same of a group's or a bypass's coverage.
    pub(super) fn covered(&mut self, coverage: &Coverage) -> Result<Share, OverBudget> {
        match coverage {
            Coverage::Unlock(selector) => self.devices(selector),
            Coverage::Issuance(actions, selector) => self.requests(actions, selector),
        }
    }
}

/// How much a selector matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Nothing,
    Some,
    Everything,
}

impl Share {
    fn of(inside: Diagram, outside: Diagram) -> Result<Self, OverBudget> {
        Ok(if inside == FALSE {
            Share::Nothing
        } else if outside == FALSE {
            Share::Everything
        } else {
            Share::Some
        })
    }
}

/// Combinations of mandatory groups that are looked at.
const COMBINATIONS: usize = 200;

/// Every choice of two or more mandatory groups that cover some unlock together,
/// with the devices.
pub(super) fn mandatory_together(
    set: &PolicySet,
    exact: &mut Exact<'_>,
) -> Result<Vec<(Vec<ApprovalId>, Diagram)>, OverBudget> {
    let unlocks = exact.unlocks.as_mut().ok_or(OverBudget)?;
    let mandatory = unlocks.groups(0).iter();
    let mandatory = mandatory.filter(|(id, _)| set.approvals[*id].mandatory);
    let layers: Vec<(Diagram, ApprovalId)> = mandatory.map(|&(id, of)| (of, id)).collect();
    let permitted = unlocks.permitted(0);
    let mut covers = Covers::default();
    let partition = covers.lay(&mut unlocks.diagrams, &layers)?;
    let partition = within(&mut unlocks.diagrams, partition, permitted)?;
    let numbers = unlocks.diagrams.numbers(partition);
    let several = numbers.into_iter().filter(|&one| covers.at(one).len() > 1);
    let several: Vec<u32> = several.collect();
    if several.len() > COMBINATIONS {
        return Err(OverBudget);
    }
    let mut together = Vec::new();
    for number in several {
        let devices = unlocks.diagrams.part(partition, &|one| one == number)?;
        together.push((covers.at(number).to_vec(), devices));
    }
    Ok(together)
}

/// A partition where `care` holds, and 0 elsewhere.
pub(super) fn within(
    diagrams: &mut Diagrams,
    partition: Diagram,
    care: Diagram,
) -> Result<Diagram, OverBudget> {
    diagrams.combine(partition, care, &mut |number, inside| {
        if inside == 0 { 0 } else { number }
    })
}

/// An unlock as a test block that says what the policy decides today.
pub(super) fn test_block(context: &Context<'_>, witness: &UnlockWitness, title: &str) -> String {
    let at = witness.at.unwrap_or_default();
    let facts = UnlockFacts::default();
    let decision = context
        .program
        .decide_unlock(&witness.request(), &facts, at);
    witness.test_block(context.set, title, &decision.expectation())
}
