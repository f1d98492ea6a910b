//! The one integration-test binary.

mod architecture;
mod output;
mod parse;
mod san;
mod support;
