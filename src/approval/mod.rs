//! What people decide: the state machine of approval requests, one for all
//! that asks for a person, and the grants and denials that come of it.
//!
//! Pure: a request, what the policy of the moment requires, who decides and
//! when go in; what becomes true of it comes out ([`Step`]), and applying that
//! to the row gives the next one. Knows no store, no clock and no policy
//! language: a policy's groups come resolved to persons ([`Requirement`]).
//!
//! [`ApprovalRequest`] is the row; `judge` says what an act does to it, `steps`
//! what a step leaves; `matching` counts persons.

mod grants;
mod judge;
mod matching;
mod request;
mod requirement;
mod steps;

pub use grants::{AllowOnce, Arming, TemporaryDenial};
pub use judge::{Act, By, Refused};
pub use request::{ApprovalRequest, Decision, NewRequest, Subject, Taken};
pub use requirement::{Clause, Escalation, GroupRequirement, Requirement, Terms};
pub use steps::{Step, Unfit};
