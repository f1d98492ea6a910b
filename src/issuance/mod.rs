//! The path of certificates without HTTP. [`csr`] says what a signing request
//! says, [`flow`] what becomes of a request, [`execute`] who carries it out,
//! and [`ca`] is the authority that panopol brings along.
//!
//! `csr` and `ca` are pure: they know no policy, no state and no clock.

pub mod ca;
pub mod csr;
pub mod execute;
pub mod flow;
