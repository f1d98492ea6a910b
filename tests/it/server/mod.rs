//! The built server, met as its users meet it.
#![allow(
    clippy::disallowed_methods,
    reason = "a test waits for a process of its own"
)]

mod admin;
mod approval_hostile;
mod approval_terms;
mod approvals;
mod clevis;
mod client;
mod foreign_ca;
pub(crate) mod harness;
mod head;
mod hostile;
mod issuance;
mod issuance_asked;
mod issuance_crash;
mod issuance_holes;
mod issuance_renewals;
mod issuance_step_ca;
mod issuance_webhook;
mod legacy;
mod notify;
mod policy_life;
mod scarce;
mod settings;
mod state;
mod tls;
mod unlock_plane;
