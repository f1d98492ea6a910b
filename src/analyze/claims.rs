//! Invariants, proved or refuted with a witness.

use super::issuance::Issuances;
use super::unlock::Unlocks;
use super::witness::UnlockWitness;
use crate::ir::unlock::{Claim, UnlockRegion, WithoutApproval};
use crate::ir::{ApprovalId, InvariantId, PolicySet};
use crate::request::IssuanceRequest;
use crate::source::Span;
use crate::space::diagram::{Diagram, FALSE, OverBudget};

/// What was found of one line of an invariant.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The invariant.
    pub invariant: InvariantId,
    /// The line.
    pub span: Span,
    /// Whether it holds.
    pub verdict: Verdict,
}

/// Whether a claim holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// For every request there can be.
    Holds,
    /// There is no request that it is about.
    Vacuous,
    /// Not for this one.
    FailsFor(Witness),
    /// It takes more to know than it may.
    NotDecided,
}

/// A request that refutes a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// An unlock.
    Unlock(UnlockWitness),
    /// A certificate request.
    Issuance(Box<IssuanceRequest>),
}

/// Proves every invariant of a set, in the order of names and lines.
pub fn prove(set: &PolicySet) -> Vec<Proof> {
    let mut prover = Prover {
        set,
        unlocks: None,
        issuances: None,
    };
    let mut proofs = Vec::new();
    for (invariant, declared) in set.invariants.iter() {
        for (span, claim) in &declared.lines {
            proofs.push(Proof {
                invariant,
                span: *span,
                verdict: prover.judge(claim).unwrap_or(Verdict::NotDecided),
            });
        }
    }
    proofs
}

/// Lays out only what some claim asks about.
struct Prover<'a> {
    set: &'a PolicySet,
    unlocks: Option<Result<Unlocks<'a>, OverBudget>>,
    issuances: Option<Result<Issuances<'a>, OverBudget>>,
}

impl<'a> Prover<'a> {
    fn judge(&mut self, claim: &Claim) -> Result<Verdict, OverBudget> {
        let set = self.set;
        match claim {
            Claim::NeverAllowUnlock(region) => {
                let without = region.without_approval;
                refute(
                    self.unlocks()?,
                    region,
                    |unlocks, standings, care| match without {
                        None => unlocks.diagrams.or(standings.pending, standings.allowed),
                        Some(WithoutApproval::Any) => Ok(standings.allowed),
                        Some(WithoutApproval::By(group)) => {
                            let passing =
                                unlocks.diagrams.or(standings.pending, standings.allowed)?;
                            let needed = needs(unlocks, set, group, care)?;
                            unlocks.diagrams.minus(passing, needed)
                        }
                    },
                )
            }
            Claim::AlwaysReachableUnlock(region) => {
                refute(self.unlocks()?, region, |unlocks, standings, care| {
                    let passing = unlocks.diagrams.or(standings.pending, standings.allowed)?;
                    unlocks.diagrams.minus(care, passing)
                })
            }
            Claim::NeverAllowIssuance(region) => {
                let issuances = self.issuances.get_or_insert_with(|| Issuances::of(&[set]));
                let issuances = issuances.as_mut().map_err(|error| *error)?;
                issuances.refute(region)
            }
        }
    }

    fn unlocks(&mut self) -> Result<&mut Unlocks<'a>, OverBudget> {
        let set = self.set;
        let unlocks = self.unlocks.get_or_insert_with(|| Unlocks::of(&[set]));
        // One set, laid out once; the claims share its diagrams.
        unlocks.as_mut().map_err(|error| *error)
    }
}

/// Looks for a request of the region that `bad` finds, from each class of addresses.
fn refute(
    unlocks: &mut Unlocks<'_>,
    region: &UnlockRegion,
    bad: impl Fn(&mut Unlocks<'_>, super::unlock::Standings, Diagram) -> Result<Diagram, OverBudget>,
) -> Result<Verdict, OverBudget> {
    let devices = unlocks.devices(0, &region.selector)?;
    let permitted = unlocks.permitted(0);
    let care = unlocks.diagrams.and(devices, permitted)?;
    let mut is_vacuous = true;
    let mut found: Option<UnlockWitness> = None;
    let mut undecided = false;
    let classes = std::mem::take(&mut unlocks.classes);
    for class in &classes {
        if care == FALSE || !unlocks.is_within(0, &class.members, region.from.as_ref()) {
            continue;
        }
        is_vacuous = false;
        let refuting = unlocks
            .standings(0, &class.members, care)
            .and_then(|standings| bad(unlocks, standings, care));
        match refuting {
            Ok(refuting) => {
                let witness = UnlockWitness::of(unlocks, refuting, class);
                let simpler = |one: &UnlockWitness| (one.tags.len(), one.at.is_some());
                if let Some(witness) = witness
                    && found
                        .as_ref()
                        .is_none_or(|known| simpler(&witness) < simpler(known))
                {
                    found = Some(witness);
                }
            }
            Err(OverBudget) => undecided = true,
        }
    }
    unlocks.classes = classes;
    Ok(match found {
        Some(witness) => Verdict::FailsFor(Witness::Unlock(witness)),
        None if undecided => Verdict::NotDecided,
        None if is_vacuous => Verdict::Vacuous,
        None => Verdict::Holds,
    })
}

/// The devices whose approval always takes this group's: it is mandatory, or no
/// other group covers them.
fn needs(
    unlocks: &mut Unlocks<'_>,
    set: &PolicySet,
    group: ApprovalId,
    care: Diagram,
) -> Result<Diagram, OverBudget> {
    let groups = unlocks.groups(0).to_vec();
    let own = groups.iter().find(|(id, _)| *id == group);
    let mut needed = unlocks
        .diagrams
        .and(own.map_or(FALSE, |&(_, devices)| devices), care)?;
    if set.approvals[group].mandatory {
        return Ok(needed);
    }
    for (_, devices) in groups.iter().filter(|(id, _)| *id != group) {
        needed = unlocks.diagrams.minus(needed, *devices)?;
    }
    Ok(needed)
}
