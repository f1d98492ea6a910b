//! Who there is, who may decide, and what is decided without them.

use std::num::NonZeroU32;

use jiff::Timestamp;
use regex::Regex;

use super::selector::Selector;
use super::{Header, Period, PersonId, ProjectId, TeamId};
use crate::source::Span;
use crate::vocabulary::{Action, Binds, Role};

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Name and place.
    pub header: Header,
    /// Where notices go.
    pub email: Option<String>,
    /// What they may do where.
    pub roles: Vec<RoleGrant>,
    /// Who stands in for them, and when.
    pub delegations: Vec<Delegation>,
}

/// A machine identity; its owner is the person behind it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Name and place.
    pub header: Header,
    /// Who answers for it.
    pub owner: PersonId,
    /// What it may do where.
    pub roles: Vec<RoleGrant>,
}

/// A role on one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleGrant {
    /// Where it holds.
    pub scope: Scope,
    /// The role.
    pub role: Role,
}

/// Where a role holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere.
    Org,
    /// In one project.
    Project(ProjectId),
}

/// Someone who stands in for a person for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Who stands in.
    pub to: PersonId,
    /// When.
    pub period: Period,
}

/// A flat team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Name and place.
    pub header: Header,
    /// Its persons, sorted, each once, at least one.
    pub members: Vec<PersonId>,
}

/// A team or a person where people are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Approver {
    /// Everyone in a team.
    Team(TeamId),
    /// One person.
    Person(PersonId),
}

/// An approval group.
#[derive(Clone, Debug)]
pub struct ApprovalGroup {
    /// Name and place.
    pub header: Header,
    /// What it gates.
    pub covers: Coverage,
    /// Whether a role one tier above the requester's entitles. Never on unlocks.
    pub tier_above: bool,
    /// Who is listed, including the teams of `need`'s clauses.
    pub approvers: Vec<Approver>,
    /// How many must approve.
    pub need: Need,
    /// Whether it must be satisfied besides others.
    pub mandatory: bool,
    /// Pending this long ends it, in seconds.
    pub expires: u64,
    /// Terms of an approved unlock.
    pub terms: UnlockTerms,
    /// Who is added after a while, by time.
    pub escalations: Vec<Escalation>,
    /// Whether the requester must give a reason.
    pub reason_required: bool,
    /// Whether rejecting takes a comment.
    pub comment_required: bool,
    /// Whether the requester must name a ticket, and of what form.
    pub ticket: Option<TicketRule>,
}

/// What an approval group or a bypass is about.
#[derive(Clone, Debug)]
pub enum Coverage {
    /// Unlocks of matching devices.
    Unlock(Selector),
    /// These actions (sorted, at least one) on matching requests.
    Issuance(Vec<Action>, Selector),
}

impl Coverage {
    /// Which devices' unlocks; none where it is about certificates.
    pub fn unlocks(&self) -> Option<&Selector> {
        match self {
            Coverage::Unlock(selector) => Some(selector),
            Coverage::Issuance(..) => None,
        }
    }
}

/// How many distinct persons must approve; every clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// So many of all approvers.
    Count(NonZeroU32),
    /// So many of each team, no person in two clauses. At least one clause.
    Clauses(Vec<(NonZeroU32, TeamId)>),
}

/// Terms of an approved unlock, in seconds where they are times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnlockTerms {
    /// Approval to first exchange.
    pub claim: u64,
    /// Window from the first exchange.
    pub collect: u64,
    /// Exchanges for each binding in the window.
    pub up_to: NonZeroU32,
    /// What an approval is good for.
    pub binds: Binds,
    /// How long a denial blocks.
    pub deny_for: u64,
}

impl UnlockTerms {
    /// What holds where a group says nothing: claim 15m, collect 2m up to 1,
    /// binds address, deny-for 30m.
    pub const DEFAULT: UnlockTerms = UnlockTerms {
        claim: 15 * 60,
        collect: 2 * 60,
        up_to: NonZeroU32::MIN,
        binds: Binds::Address,
        deny_for: 30 * 60,
    };
}

/// How long an unlock stays pending where a group says nothing: 24 hours.
pub const UNLOCK_EXPIRES: u64 = 24 * 3600;
/// How long an issuance action stays pending where a group says nothing: 7 days.
pub const ISSUANCE_EXPIRES: u64 = 7 * 24 * 3600;

/// Approvers added after a while; never lowers what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// After so many seconds pending.
    pub after: u64,
    /// Whom it adds.
    pub to: Vec<Approver>,
}

/// `ticket required [/…/]`
#[derive(Clone, Debug)]
pub struct TicketRule {
    /// What the whole ticket must match; none: any text.
    pub pattern: Option<Regex>,
    /// Where it stands.
    pub span: Span,
}

/// Approval switched off for a while.
#[derive(Clone, Debug)]
pub struct Bypass {
    /// Name and place.
    pub header: Header,
    /// What it bypasses.
    pub covers: Coverage,
    /// Why.
    pub reason: String,
    /// The first instant at which it is inert.
    pub until: Timestamp,
}
