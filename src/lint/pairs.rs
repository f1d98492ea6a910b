//! Approval groups of which either suffices for one request.

use super::Context;
use super::demand::Demand;
use super::exact::{Exact, within};
use crate::analyze::issuance::Issuances;
use crate::analyze::witness::issuance_test_block;
use crate::ir::people::Coverage;
use crate::ir::{ApprovalId, PolicySet};
use crate::request::IssuanceFacts;
use crate::space::diagram::{Diagram, FALSE, OverBudget};
use crate::vocabulary::Action;

/// Pairs looked at before the question is given up.
const PAIRS: usize = 500_000;
/// Pairs told of: nobody reads more.
const TOLD: usize = 100;
/// Parts of what two groups cover in which a request that passes is looked for.
const PARTS: usize = 20;

/// What the tests that show a pair are called.
const TITLE: &str = "what both groups cover";

/// Two groups that cover one request, where neither is mandatory.
pub(super) struct Pair {
    /// The weaker one, where one is.
    pub(super) one: ApprovalId,
    pub(super) other: ApprovalId,
    /// Whether the first takes less.
    pub(super) is_weaker: bool,
    /// A request that both cover, as a test block.
    pub(super) witness: String,
}

/// What is known of the pairs.
pub(super) struct Pairs {
    pub(super) pairs: Vec<Pair>,
    /// Whether every pair was looked at.
    pub(super) is_decided: bool,
}

/// Every pair of groups of which either suffices for some request that comes so
/// far as to wait for them. Mandatory groups count as the one: where one of
/// those covers a request, the others decide nothing.
///
/// # Errors
/// The set is too large to be analysed.
pub(super) fn pairs(context: &Context<'_>, exact: &mut Exact<'_>) -> Result<Pairs, OverBudget> {
    let mut search = Search {
        context,
        left: PAIRS,
        found: Pairs {
            pairs: Vec::new(),
            is_decided: true,
        },
    };
    let unlocks = free_unlocks(context.set, exact)?;
    search.each(&unlocks, |both| {
        let diagrams = &mut exact.unlocks.as_mut().ok_or(OverBudget)?.diagrams;
        let both = diagrams.and(both.0, both.1)?;
        match both == FALSE {
            true => Ok(None),
            false => exact.pending(context, both, TITLE),
        }
    })?;
    let issuances = exact.issuances.as_mut().ok_or(OverBudget)?;
    let requests = free_requests(context.set, issuances)?;
    search.each(&requests, |both| {
        let both = issuances.diagrams.and(both.0, both.1)?;
        match both == FALSE {
            true => Ok(None),
            false => passing(context, issuances, both),
        }
    })?;
    Ok(search.found)
}

/// A group and what of it no mandatory group covers.
type Free = Vec<(ApprovalId, Diagram)>;

fn free_unlocks(set: &PolicySet, exact: &mut Exact<'_>) -> Result<Free, OverBudget> {
    let unlocks = exact.unlocks.as_mut().ok_or(OverBudget)?;
    let (mut free, mut mandatory) = (Vec::new(), Vec::new());
    for &(id, devices) in unlocks.groups(0) {
        match set.approvals[id].mandatory {
            true => mandatory.push(devices),
            false => free.push((id, devices)),
        }
    }
    let mandatory = unlocks.diagrams.any(&mandatory)?;
    let permitted = unlocks.permitted(0);
    let open = unlocks.diagrams.minus(permitted, mandatory)?;
    for (_, devices) in &mut free {
        *devices = unlocks.diagrams.and(*devices, open)?;
    }
    Ok(free)
}

fn free_requests(set: &PolicySet, issuances: &mut Issuances<'_>) -> Result<Free, OverBudget> {
    let (mut free, mut mandatory) = (Vec::new(), Vec::new());
    for (id, group) in set.approvals.iter() {
        let Coverage::Issuance(actions, selector) = &group.covers else {
            continue;
        };
        let matching = issuances.matching(0, selector)?;
        let acting = issuances.actions(actions)?;
        let covered = issuances.diagrams.and(matching, acting)?;
        match group.mandatory {
            true => mandatory.push(covered),
            false => free.push((id, covered)),
        }
    }
    let mandatory = issuances.diagrams.any(&mandatory)?;
    let permitted = issuances.permitted(0);
    let open = issuances.diagrams.minus(permitted, mandatory)?;
    for (_, covered) in &mut free {
        *covered = issuances.diagrams.and(*covered, open)?;
    }
    Ok(free)
}

/// A request of `both` that passes, as a test block; none where none does.
fn passing(
    context: &Context<'_>,
    issuances: &mut Issuances<'_>,
    both: Diagram,
) -> Result<Option<String>, OverBudget> {
    let partition = issuances.partition(0);
    let parts = within(&mut issuances.diagrams, partition, both)?;
    let numbers = issuances.diagrams.numbers(parts);
    for number in numbers.into_iter().filter(|&one| one != 0).take(PARTS) {
        let cover = issuances.cover(0, number);
        let part = issuances.diagrams.part(parts, &|one| one == number)?;
        for &action in Action::ALL {
            let acting = issuances.actions(&[action])?;
            let part = issuances.diagrams.and(part, acting)?;
            let passing = issuances.passing(0, action, &cover);
            if part == FALSE || passing.never().is_some() {
                continue;
            }
            let Some(values) = issuances.simplest(&passing)? else {
                continue;
            };
            if let Some(request) = issuances.request(part, &values) {
                let facts = IssuanceFacts::default();
                let at = jiff::Timestamp::UNIX_EPOCH;
                let decision = context.program.decide_issuance(&request, &facts, at);
                let expected = decision.expectation();
                return Ok(Some(issuance_test_block(&request, TITLE, &expected)));
            }
        }
    }
    Ok(None)
}

struct Search<'a, 'b> {
    context: &'a Context<'b>,
    left: usize,
    found: Pairs,
}

impl Search<'_, '_> {
    /// Takes the pairs for which there is a witness.
    fn each(
        &mut self,
        groups: &Free,
        mut witness: impl FnMut((Diagram, Diagram)) -> Result<Option<String>, OverBudget>,
    ) -> Result<(), OverBudget> {
        for (at, &(one, of_one)) in groups.iter().enumerate() {
            for &(other, of_other) in groups.iter().skip(at + 1) {
                if self.left == 0 || self.found.pairs.len() >= TOLD {
                    self.found.is_decided = false;
                    return Ok(());
                }
                self.left -= 1;
                if of_one == FALSE || of_other == FALSE {
                    continue;
                }
                if let Some(witness) = witness((of_one, of_other))? {
                    self.found
                        .pairs
                        .push(compare(self.context.set, one, other, witness));
                }
            }
        }
        Ok(())
    }
}

fn compare(set: &PolicySet, one: ApprovalId, other: ApprovalId, witness: String) -> Pair {
    let demand = |id| Demand::of(set, &set.approvals[id]);
    let (of_one, of_other) = (demand(one), demand(other));
    let (one, other, is_weaker) = if of_one.is_weaker_than(&of_other) {
        (one, other, true)
    } else if of_other.is_weaker_than(&of_one) {
        (other, one, true)
    } else {
        (one, other, false)
    };
    Pair {
        one,
        other,
        is_weaker,
        witness,
    }
}
