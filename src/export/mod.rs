//! A policy set in other languages: so far, its unlocks as Cedar.
//!
//! Knows no files and decides nothing: what it writes is decided by others, and
//! tests hold the two together. Start at [`cedar::export`].

pub mod cedar;
mod expression;
