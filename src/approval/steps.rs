//! What becomes true of a request, and the row that it leaves. A step holds
//! all that is needed: applying it asks neither policy nor clock, so a journal
//! read back gives the same rows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::judge::{after, seconds};
use super::request::{ApprovalRequest, Decision, NewRequest, Taken};
use crate::vocabulary::ApprovalState;

/// One step of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// A person said something.
    Decided {
        /// What.
        decision: Decision,
        /// Where the request stands now.
        to: ApprovalState,
        /// Once approved: the first instant at which it is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// One exchange was taken.
    Spent {
        /// For which binding, from where, and when.
        taken: Taken,
        /// Where the request stands now.
        to: ApprovalState,
        /// While others may follow: the first instant at which they may not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// It ended without a person's word.
    Ended {
        /// How.
        to: ApprovalState,
        /// Why.
        cause: String,
    },
    /// What was approved is being done, or is done.
    Moved {
        /// Where the request stands now.
        to: ApprovalState,
    },
    /// More persons may decide from now on.
    Escalated {
        /// Who.
        to: BTreeSet<String>,
        /// How many escalations that makes.
        announced: u32,
    },
}

impl Step {
    /// Where it leaves the request; none where it stays.
    pub fn to(&self) -> Option<ApprovalState> {
        match self {
            Step::Decided { to, .. }
            | Step::Spent { to, .. }
            | Step::Moved { to }
            | Step::Ended { to, .. } => Some(*to),
            Step::Escalated { .. } => None,
        }
    }
}

/// A step does not fit the request it meets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request that is {from} cannot become {to}")]
pub struct Unfit {
    /// Where it stands.
    pub from: ApprovalState,
    /// Where the step would have it.
    pub to: ApprovalState,
}

impl ApprovalRequest {
    /// The request as it begins, by entry `version`.
    pub fn begin(new: NewRequest, now: Timestamp, version: u64) -> Self {
        let expires = after(now, seconds(new.requirement.terms.expires_s));
        ApprovalRequest {
            new,
            state: ApprovalState::Pending,
            created: now,
            expires,
            until: None,
            decisions: Vec::new(),
            taken: Vec::new(),
            escalated: 0,
            cause: None,
            version,
        }
    }

    /// The request after `step`, by entry `version`.
    ///
    /// # Errors
    /// The state it is in has no such exit; a terminal one has none.
    pub fn after(&self, step: &Step, version: u64) -> Result<Self, Unfit> {
        let to = step.to().unwrap_or(self.state);
        // INVARIANT: no exit from a terminal state, whatever the entry says.
        let stays = to == self.state && self.state.is_open();
        if !stays && !self.state.may_become(to) {
            return Err(Unfit {
                from: self.state,
                to,
            });
        }
        let mut next = self.clone();
        next.state = to;
        next.version = version;
        match step {
            Step::Decided {
                decision, until, ..
            } => {
                next.decisions.push(decision.clone());
                if until.is_some() {
                    next.until = *until;
                }
            }
            Step::Spent { taken, until, .. } => {
                next.taken.push(taken.clone());
                next.until = *until;
            }
            Step::Moved { .. } => next.until = None,
            Step::Ended { cause, .. } => next.cause = Some(cause.clone()),
            Step::Escalated { announced, .. } => next.escalated = *announced,
        }
        Ok(next)
    }
}
