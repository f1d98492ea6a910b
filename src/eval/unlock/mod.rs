//! The unlock decision: its order of steps, and nothing else.
//!
//! Which line decides about the source is [`sources`]' to find: by a [`row`],
//! which is one search, or without one.

mod explain;
pub(super) mod lines;
pub(super) mod once;
pub(super) mod row;
mod sources;
mod sweep;

use std::net::IpAddr;

use jiff::Timestamp;

use super::approval::{Live, bypass_in_force};
use super::known::KnownClass;
use super::{Class, Classified, Program};
use crate::address::{covers, fold, fold_prefix};
use crate::ir::table::Id;
use crate::ir::{BypassId, UnlockId};
use crate::request::{Denial, UnlockFacts, UnlockRequest};
use crate::vocabulary::{DeviceState, Outcome, Override, ReasonCode};
pub(super) use explain::explain;
use once::Mask;
use row::Row;
use sources::Sources;

/// Everything that one evaluation is given.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub(super) program: &'a Program,
    pub(super) class: &'a Classified,
    pub(super) request: &'a UnlockRequest,
    pub(super) facts: &'a UnlockFacts,
    pub(super) at: Timestamp,
    /// The source, folded.
    pub(super) source: IpAddr,
    /// The class's lines by address, where they are laid out.
    pub(super) row: Option<&'a Row>,
}

/// What a decision comes to, without words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why; allow, deny and pending follow from it.
    pub code: ReasonCode,
    /// What brought it about.
    pub cause: Cause,
    /// What had to be overridden by allow-once, and was.
    pub overridden: Mask,
    /// How approval stands.
    pub gate: Gate,
}

/// What brought a verdict about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The code says all.
    Plain,
    /// This one of the temporary denials given.
    Denial(usize),
    /// This `allow` or `deny` line covers the source.
    Line(LineId),
    /// This rule matches, and does not cover the source.
    Rule(UnlockId),
}

/// A source line of a program, by its place in the order of decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(u32);

impl Id for LineId {
    fn from_index(index: usize) -> Self {
        LineId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// How approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// No group covers the device, or the decision fell before.
    Open,
    /// Live approvals suffice.
    Approved,
    /// A bypass stands in.
    Bypassed(BypassId),
    /// An allow-once overrides it.
    Overridden,
    /// People must decide.
    Waiting,
}

impl Verdict {
    /// Whether it allows, and obliges to nothing.
    pub fn is_free(self) -> bool {
        self.code == ReasonCode::Allowed && self.gate == Gate::Open && self.overridden.is_empty()
    }

    /// What it comes to.
    pub fn outcome(self) -> Outcome {
        match (self.code, self.gate) {
            (ReasonCode::Allowed, _) => Outcome::Allow,
            (_, Gate::Waiting) => Outcome::Pending,
            (_, Gate::Open | Gate::Approved | Gate::Bypassed(_) | Gate::Overridden) => {
                Outcome::Deny
            }
        }
    }
}

impl<'a> Case<'a> {
    /// Joins the parts of one evaluation.
    pub fn new(
        program: &'a Program,
        class: &'a Classified,
        request: &'a UnlockRequest,
        facts: &'a UnlockFacts,
        at: Timestamp,
    ) -> Self {
        Case {
            program,
            class,
            request,
            facts,
            at,
            source: fold(request.source),
            row: None,
        }
    }

    /// Joins them where the class is one that the program keeps.
    pub(super) fn known(
        program: &'a Program,
        known: &'a KnownClass,
        request: &'a UnlockRequest,
        facts: &'a UnlockFacts,
        at: Timestamp,
    ) -> Self {
        Case {
            row: known.row(),
            ..Case::new(program, known.class(), request, facts, at)
        }
    }

    /// The approvals that may be spent here.
    pub(super) fn live(&self) -> Live<'a> {
        Live {
            set: &self.program.set,
            approvals: &self.facts.approvals,
            source: Some(self.source),
            at: self.at,
        }
    }

    /// Whether a temporary denial holds here and now.
    pub(super) fn denied_by(&self, denial: &Denial) -> bool {
        self.at < denial.until && covers(fold_prefix(denial.source), self.source)
    }
}

/// What [`judge`] comes to by the row alone: for an active device that no group
/// covers, with nothing live beside the request, where no schedule matters.
/// Then only the steps about the source are left, and the row has taken them.
#[inline]
pub(super) fn plainly(
    known: &KnownClass,
    request: &UnlockRequest,
    facts: &UnlockFacts,
) -> Option<Verdict> {
    let nothing_live = facts.denials.is_empty() && facts.allow_once.is_empty();
    let is_plain = request.state == DeviceState::Active && nothing_live && !known.is_gated();
    let row = known.row().filter(|_| is_plain)?;
    let (code, cause) = row.plainly(request.source)?;
    Some(settled(code, cause))
}

/// Takes the steps in order; the first that matches ends it.
pub(super) fn judge(case: &Case<'_>) -> Verdict {
    if case.request.state == DeviceState::Revoked {
        return settled(ReasonCode::DeviceRevoked, Cause::Plain);
    }
    let denials = case.facts.denials.iter().enumerate();
    let live = denials.filter(|(_, one)| case.denied_by(one));
    if let Some((index, _)) = live.max_by_key(|(_, one)| one.until) {
        return settled(ReasonCode::TemporarilyDenied, Cause::Denial(index));
    }
    let Ok(class) = case.class else {
        return settled(ReasonCode::EvaluationIncomplete, Cause::Plain);
    };
    let sources = Sources::new(case, class);
    if let Some(line) = sources.denying() {
        return settled(ReasonCode::SourceDenied, line);
    }
    let armed = once::available(case, class);
    let mut overridden = Mask::default();
    if case.request.state == DeviceState::Disabled {
        if !armed.has(Override::Disabled) {
            return settled(ReasonCode::DeviceDisabled, Cause::Plain);
        }
        overridden = overridden.with(Override::Disabled);
    }
    let cause = match sources.allowing() {
        Some(line) => line,
        None if armed.has(Override::Source) => {
            overridden = overridden.with(Override::Source);
            Cause::Plain
        }
        None => return source_not_allowed(sources),
    };
    let gate = gate(case, class, armed);
    if gate == Gate::Overridden {
        overridden = overridden.with(Override::Approval);
    }
    Verdict {
        code: match gate {
            Gate::Waiting => ReasonCode::ApprovalRequired,
            Gate::Open | Gate::Approved | Gate::Bypassed(_) | Gate::Overridden => {
                ReasonCode::Allowed
            }
        },
        cause,
        overridden,
        gate,
    }
}

/// A verdict with which approval has nothing to do.
#[inline]
fn settled(code: ReasonCode, cause: Cause) -> Verdict {
    Verdict {
        code,
        cause,
        overridden: Mask::default(),
        gate: Gate::Open,
    }
}

/// No open line covers the source: says whether only the schedule failed.
fn source_not_allowed(sources: Sources<'_>) -> Verdict {
    if let Some(line) = sources.shut() {
        return settled(ReasonCode::OutsideSchedule, line);
    }
    settled(ReasonCode::SourceNotAllowed, sources.nearest())
}

/// A live approval is spent before a bypass is recorded, and that before an allow-once is spent.
fn gate(case: &Case<'_>, class: &Class, armed: Mask) -> Gate {
    if class.groups.is_empty() {
        return Gate::Open;
    }
    if case.live().suffice(&class.groups) {
        return Gate::Approved;
    }
    let set = &case.program.set;
    match bypass_in_force(set, &class.bypasses, case.facts.allow_bypass, case.at) {
        Some(id) => Gate::Bypassed(id),
        None if armed.has(Override::Approval) => Gate::Overridden,
        None => Gate::Waiting,
    }
}
