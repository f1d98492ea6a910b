//! The one integration-test binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod architecture;
mod check;
mod decide;
mod docs;
mod output;
mod parse;
mod policies;
mod san;
mod support;
mod tang;
mod tang_peer;
mod twin;
mod twin_props;
