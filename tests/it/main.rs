//! The one integration-test binary.
mod architecture;
mod output;
mod san;
mod support;
