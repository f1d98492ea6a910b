//! The built server, met as its users meet it.

mod clevis;
pub(crate) mod harness;
mod head;
