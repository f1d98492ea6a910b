//! The path of certificates: what a signing request says, and the authority
//! that panopol brings along.
//!
//! Both are pure: they know no policy, no state and no clock. Start reading in
//! [`csr`], for what is judged; [`ca`] makes what was approved.

pub mod ca;
pub mod csr;
