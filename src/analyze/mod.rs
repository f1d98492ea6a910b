//! Exact sets of requests: what is empty, what covers what, what differs, and
//! a witness for each.
//!
//! [`unlock`] lays out the unlocks of one or more policy sets, [`issuance`]
//! their certificate requests; both answer about every request there can be,
//! or say [`crate::space::diagram::OverBudget`] where that takes too much.
//! [`claims`] proves invariants with them. What is asked of two sets is in
//! [`crate::diff`]. Knows nothing of `eval`: tests hold the two against each
//! other.

pub mod addresses;
mod axes;
pub mod claims;
pub mod covers;
pub mod describe;
pub mod issuance;
mod sources;
pub mod unlock;
pub mod witness;
