//! The path of certificates without HTTP. [`csr`] says what a signing request
//! says, [`flow`] what becomes of a request, [`execute`] who carries it out,
//! and [`ca`] is the authority that panopol brings along. Other CAs stand in a
//! file ([`issuers`]): asked by [`webhook`], with a [`permit`], and what they
//! give back is read by [`foreign`]; or asking here before they sign ([`step_ca`]).
//!
//! `csr`, `ca` and `foreign` are pure: they know no policy, no state and no clock.

pub mod ca;
pub mod csr;
pub mod execute;
pub mod flow;
pub mod foreign;
pub mod issuers;
pub mod permit;
pub mod renewal;
pub mod step_ca;
pub mod webhook;
