//! Approval groups.

use super::{Approver, Duration, Name, Selector, Text};
use crate::source::Spanned;
use crate::vocabulary::{Action, Binds};

/// An approval group.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalItem {
    /// The group.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<ApprovalStatement>>,
}

/// A line of an approval group.
#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalStatement {
    /// `on unlock where …`
    On(Trigger),
    /// `approvers tier-above or team security`
    Approvers(Approvers),
    /// `need 2`
    Need(Need),
    /// `expires 24h`
    Expires(Duration),
    /// `claim 15m`
    Claim(Duration),
    /// `collect 2m up to 1`
    Collect {
        /// The window from the first exchange.
        window: Duration,
        /// Exchanges for each binding.
        up_to: Spanned<u64>,
    },
    /// `binds address`
    Binds(Spanned<Binds>),
    /// `deny-for 30m`
    DenyFor(Duration),
    /// `escalate after 2h to team security`
    Escalate {
        /// How long pending.
        after: Duration,
        /// Whom it adds.
        to: Vec<Approver>,
    },
    /// `mandatory`
    Mandatory,
    /// `reason required`
    ReasonRequired,
    /// `comment required on reject`
    CommentRequired,
    /// `ticket required /…/`
    TicketRequired(Option<Text>),
}

/// What an approval group or a bypass is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Unlocks or some issuance actions.
    pub on: Spanned<TriggerOn>,
    /// `where …`
    pub selector: Option<Selector>,
}

/// Unlocks or some issuance actions, never both.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerOn {
    /// `unlock`
    Unlock,
    /// `[issue, renew]`
    Actions(Vec<Spanned<Action>>),
}

/// Who may approve.
#[derive(Clone, Debug, PartialEq)]
pub struct Approvers {
    /// Where `tier-above` stands, if it does.
    pub tier_above: Option<Spanned<()>>,
    /// Teams and persons.
    pub listed: Vec<Approver>,
}

/// How many must approve.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// So many distinct persons.
    Count(Spanned<u64>),
    /// Distinct persons, every clause.
    Clauses(Vec<NeedClause>),
}

/// `2 of team dba`
#[derive(Clone, Debug, PartialEq)]
pub struct NeedClause {
    /// How many.
    pub count: Spanned<u64>,
    /// Of which team.
    pub team: Name,
}
