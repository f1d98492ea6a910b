//! The unlock path: source rules, one-time unlocks, and what is to be proved.

use ipnet::IpNet;

use super::people::Approver;
use super::selector::Selector;
use super::{ApprovalId, Header, NetworkId, ScheduleId};
use crate::san::SanPattern;
use crate::source::Span;
use crate::vocabulary::{KeyType, Override, SanType};

/// An unlock rule.
#[derive(Clone, Debug)]
pub struct UnlockRule {
    /// Name and place.
    pub header: Header,
    /// Which devices.
    pub selector: Selector,
    /// From where they may unlock.
    pub allow: Vec<SourceLine>,
    /// From where they may not; beats every rule's `allow`.
    pub deny: Vec<SourceLine>,
}

/// One `allow from` or `deny from`.
#[derive(Clone, Debug)]
pub struct SourceLine {
    /// Where the line stands.
    pub span: Span,
    /// From where, at least one.
    pub sources: Vec<Source>,
    /// In which schedules, any of them; empty: always.
    pub during: Vec<ScheduleId>,
}

/// One element of a source list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A declared network.
    Network(NetworkId),
    /// A literal prefix, folded.
    Prefix(IpNet),
}

/// Who may arm a one-time unlock, and what it may override.
#[derive(Clone, Debug)]
pub struct AllowOnceRule {
    /// Name and place.
    pub header: Header,
    /// Which devices.
    pub selector: Selector,
    /// What it may override, sorted, at least one.
    pub overrides: Vec<Override>,
    /// Who may arm it, at least one.
    pub by: Vec<Approver>,
    /// How long it may be armed, in seconds.
    pub max: u64,
}

/// A set of statements to prove.
#[derive(Clone, Debug)]
pub struct Invariant {
    /// Name and place.
    pub header: Header,
    /// The statements, at least one, with their places.
    pub lines: Vec<(Span, Claim)>,
}

/// One statement to prove.
#[derive(Clone, Debug)]
pub enum Claim {
    /// No request of the region is allowed (or, without `without_approval`, pending).
    NeverAllowUnlock(UnlockRegion),
    /// No request of the region is denied.
    AlwaysReachableUnlock(UnlockRegion),
    /// No certificate request of the region is allowed or pending.
    NeverAllowIssuance(IssuanceRegion),
}

/// Some unlock requests.
#[derive(Clone, Debug)]
pub struct UnlockRegion {
    /// Which devices.
    pub selector: Selector,
    /// From where; none: anywhere.
    pub from: Option<RegionSources>,
    /// `without approval [by G]`
    pub without_approval: Option<WithoutApproval>,
}

/// Sources, or all but them.
#[derive(Clone, Debug)]
pub struct RegionSources {
    /// Whether everything but these is meant.
    pub outside: bool,
    /// The sources, at least one.
    pub sources: Vec<Source>,
}

/// Whose approval a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutApproval {
    /// Any group's.
    Any,
    /// This group's.
    By(ApprovalId),
}

/// Some certificate requests.
#[derive(Clone, Debug)]
pub struct IssuanceRegion {
    /// Which requests.
    pub selector: Selector,
    /// With one of these key types; none: any.
    pub key_types: Option<Vec<KeyType>>,
    /// With some name in one of these sets; none: any.
    pub san: Option<(SanType, Vec<SanPattern>)>,
}
