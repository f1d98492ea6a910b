//! The one integration-test binary.
mod san;
