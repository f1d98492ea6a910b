//! What requests range over: addresses and times, and sets of all their points.
//!
//! [`prefixes`] is a set of addresses, [`networks`] the declared ones of a
//! policy set, [`axis`] what holds from boundary to boundary, [`schedule`] when
//! a schedule is open and [`hours`] the same remembered. For exact questions,
//! [`partition`] cuts the address space into classes, [`moments`] lists the ways
//! in which schedules are open together, and [`diagram`] holds sets of whole
//! requests. Names of certificates are sets already: see [`crate::san`].

pub mod axis;
pub mod diagram;
pub mod hours;
pub mod moments;
pub mod networks;
pub mod partition;
pub mod prefixes;
pub mod schedule;
