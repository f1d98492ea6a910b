//! What requests range over: addresses and times.
//!
//! [`prefixes`] is a set of addresses, [`networks`] the declared ones of a
//! policy set, [`schedule`] when a schedule is open. Names of certificates are
//! sets already: see [`crate::san`].

pub mod networks;
pub mod prefixes;
pub mod schedule;
