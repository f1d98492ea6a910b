//! What certificate requests of one or more policy sets come to: for each
//! part of the subjects (action, project, profile, requester), which policies
//! and groups cover it, and so what of the other fields passes.
//!
//! Start at [`Issuances`].

mod names;
mod passing;
mod strings;
mod subjects;

use super::claims::{Verdict, Witness};
use super::covers::Covers;
use crate::ir::selector::{Atom, Selector};
use crate::ir::unlock::IssuanceRegion;
use crate::ir::{ApprovalId, BypassId, IssuanceId, PolicySet};
use crate::request::{IssuanceRequest, Predecessor};
use crate::space::diagram::{Diagram, Diagrams, FALSE, OverBudget};
use crate::vocabulary::Action;
pub use passing::{Excess, Passing, Value};
use strings::Automata;
pub use subjects::Subjects;

/// Nodes that all diagrams of subjects may come to.
const BUDGET: usize = 2_500_000;

/// The certificate requests of one or more policy sets, over common coordinates.
pub struct Issuances<'a> {
    /// What selectors look at.
    pub subjects: Subjects,
    /// Sets of subjects.
    pub diagrams: Diagrams,
    automata: Automata,
    sides: Vec<Side<'a>>,
}

/// What may cover a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Coverer {
    Policy(IssuanceId),
    Group(ApprovalId),
    Bypass(BypassId),
}

/// What covers a subject under one policy set; each list sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cover {
    /// The policies that match.
    pub policies: Vec<IssuanceId>,
    /// The approval groups that cover it.
    pub groups: Vec<ApprovalId>,
    /// The bypasses that cover it.
    pub bypasses: Vec<BypassId>,
}

struct Side<'a> {
    set: &'a PolicySet,
    permitted: Diagram,
    /// By number in `covers`.
    partition: Diagram,
    covers: Covers<Coverer>,
}

impl<'a> Issuances<'a> {
    /// Lays out the certificate requests of `sets`.
    ///
    /// # Errors
    /// The sets are too large to be analysed.
    pub fn of(sets: &[&'a PolicySet]) -> Result<Self, OverBudget> {
        let subjects = Subjects::of(sets);
        let mut diagrams = Diagrams::new(BUDGET);
        let sides = sets.iter();
        let sides: Result<Vec<_>, _> = sides
            .map(|set| Side::of(set, &subjects, &mut diagrams))
            .collect();
        Ok(Issuances {
            subjects,
            diagrams,
            automata: Automata::default(),
            sides: sides?,
        })
    }

    /// The subjects that one of the sets can evaluate.
    pub fn permitted(&self, side: usize) -> Diagram {
        self.side(side).permitted
    }

    /// Which [`Cover`] each subject has under one of the sets, by number.
    pub fn partition(&self, side: usize) -> Diagram {
        self.side(side).partition
    }

    /// What a number of [`Issuances::partition`] stands for.
    pub fn cover(&self, side: usize, number: u32) -> Cover {
        let mut cover = Cover::default();
        for coverer in self.side(side).covers.at(number) {
            match coverer {
                Coverer::Policy(id) => cover.policies.push(*id),
                Coverer::Group(id) => cover.groups.push(*id),
                Coverer::Bypass(id) => cover.bypasses.push(*id),
            }
        }
        cover
    }

    /// The subjects of these actions.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn actions(&mut self, actions: &[Action]) -> Result<Diagram, OverBudget> {
        self.subjects.actions(&mut self.diagrams, actions)
    }

    /// The subjects that a selector of one of the sets matches.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn matching(&mut self, side: usize, selector: &Selector) -> Result<Diagram, OverBudget> {
        let set = self.side(side).set;
        self.subjects.matching(set, &mut self.diagrams, selector)
    }

    /// What of an action passes under a cover.
    pub fn passing(&self, side: usize, action: Action, cover: &Cover) -> Passing<'a> {
        Passing::of(self.side(side).set, action, &cover.policies, &cover.groups)
    }

    /// The simplest values that pass; none where nothing does.
    ///
    /// # Errors
    /// Some regular expression or list of names is too large.
    pub fn simplest(&mut self, passing: &Passing<'_>) -> Result<Option<Vec<Value>>, OverBudget> {
        passing.simplest(&mut self.automata, None, None)
    }

    /// The simplest values that pass in both; none where nothing does.
    ///
    /// # Errors
    /// Some regular expression or list of names is too large.
    pub fn common(
        &mut self,
        here: &Passing<'a>,
        there: &Passing<'a>,
    ) -> Result<Option<Vec<Value>>, OverBudget> {
        here.and(there).simplest(&mut self.automata, None, None)
    }

    /// Values that pass in `here` and not in `there`; both let something pass.
    ///
    /// # Errors
    /// Some regular expression or list of names is too large.
    pub fn beyond(
        &mut self,
        here: &Passing<'_>,
        there: &Passing<'_>,
    ) -> Result<Vec<Excess>, OverBudget> {
        here.beyond(there, &mut self.automata)
    }

    /// The simplest request of some subjects with these values; none where it has
    /// too many names to be written.
    pub fn request(&self, subjects: Diagram, values: &[Value]) -> Option<IssuanceRequest> {
        let is_written = |value: &Value| !matches!(value, Value::SanCount(_));
        if !values.iter().all(is_written) {
            return None;
        }
        let mut request = self.subjects.request(&self.diagrams, subjects)?;
        values.iter().for_each(|value| value.put(&mut request));
        match request.action {
            // Without a predecessor that has its names it would be an issue.
            Action::Renew | Action::Reissue => {
                request.predecessor = Some(Predecessor {
                    id: "witness".to_owned(),
                    san: request.san.clone(),
                });
            }
            Action::Issue | Action::Revoke | Action::Export | Action::Distribute => {}
        }
        Some(request)
    }

    /// Looks for a request of the region that is allowed or pending.
    ///
    /// # Errors
    /// The budget is spent.
    pub(super) fn refute(&mut self, region: &IssuanceRegion) -> Result<Verdict, OverBudget> {
        let matching = self.matching(0, &region.selector)?;
        let permitted = self.permitted(0);
        let mut care = self.diagrams.and(matching, permitted)?;
        let named = names_action(&region.selector);
        let actions: &[Action] = match named {
            true => Action::ALL,
            false => &[Action::Issue, Action::Renew, Action::Reissue],
        };
        let of_actions = self.actions(actions)?;
        care = self.diagrams.and(care, of_actions)?;
        if care == FALSE {
            return Ok(Verdict::Vacuous);
        }
        let key_types = region.key_types.as_deref();
        let wanted = region.san.as_ref().map(|(_, patterns)| patterns.as_slice());
        let mut undecided = false;
        for &action in actions {
            let of_action = self.actions(&[action])?;
            let here = self.diagrams.and(care, of_action)?;
            for (number, part) in self.parts(0, here)? {
                let passing = self.passing(0, action, &self.cover(0, number));
                let found = passing.simplest(&mut self.automata, key_types, wanted);
                match found {
                    Ok(None) => {}
                    Err(OverBudget) => undecided = true,
                    Ok(Some(values)) => {
                        if let Some(request) = self.request(part, &values) {
                            return Ok(Verdict::FailsFor(Witness::Issuance(Box::new(request))));
                        }
                    }
                }
            }
        }
        Ok(if undecided {
            Verdict::NotDecided
        } else {
            Verdict::Holds
        })
    }

    /// The parts of `care` by what covers them under one of the sets.
    fn parts(&mut self, side: usize, care: Diagram) -> Result<Vec<(u32, Diagram)>, OverBudget> {
        let partition = self.partition(side);
        // Outside of `care` the number is one that no cover has.
        let outside = self.side(side).covers.unused();
        let within = self
            .diagrams
            .combine(partition, care, &mut |number, inside| {
                if inside == 0 { outside } else { number }
            })?;
        let numbers = self.diagrams.numbers(within);
        let numbers = numbers.into_iter().filter(|&number| number != outside);
        let mut parts = Vec::new();
        for number in numbers {
            parts.push((number, self.diagrams.part(within, &|one| one == number)?));
        }
        Ok(parts)
    }

    // INVARIANT: sides are numbered as the sets were given to `of`, and asked for by those numbers.
    #[allow(
        clippy::indexing_slicing,
        reason = "a side that was not given is a bug, never input"
    )]
    fn side(&self, side: usize) -> &Side<'a> {
        &self.sides[side]
    }
}

/// Whether a selector looks at the action.
fn names_action(selector: &Selector) -> bool {
    match selector {
        Selector::Any => false,
        Selector::Or(parts) | Selector::And(parts) => parts.iter().any(names_action),
        Selector::Not(part) => names_action(part),
        Selector::Atom(Atom::Action(_) | Atom::HasAction) => true,
        Selector::Atom(
            Atom::Tag(..)
            | Atom::HasTag(_)
            | Atom::Project(_)
            | Atom::HasProject
            | Atom::Profile(_)
            | Atom::HasProfile
            | Atom::Requester(_)
            | Atom::HasRequester,
        ) => false,
    }
}

impl<'a> Side<'a> {
    fn of(
        set: &'a PolicySet,
        subjects: &Subjects,
        diagrams: &mut Diagrams,
    ) -> Result<Self, OverBudget> {
        let mut layers = Vec::new();
        for (id, policy) in set.issuances.iter() {
            let matching = subjects.matching(set, diagrams, &policy.selector)?;
            layers.push((matching, Coverer::Policy(id)));
        }
        for (id, group) in set.approvals.iter() {
            if let Some(matching) = subjects.covered(set, diagrams, &group.covers)? {
                layers.push((matching, Coverer::Group(id)));
            }
        }
        for (id, bypass) in set.bypasses.iter() {
            if let Some(matching) = subjects.covered(set, diagrams, &bypass.covers)? {
                layers.push((matching, Coverer::Bypass(id)));
            }
        }
        let mut covers = Covers::default();
        Ok(Side {
            set,
            permitted: subjects.permitted(set, diagrams)?,
            partition: covers.lay(diagrams, &layers)?,
            covers,
        })
    }
}
