//! The one integration-test binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod approval;
mod architecture;
mod axis;
mod check;
mod cli;
mod coverage;
mod crash;
mod decide;
mod diagrams;
mod diff;
mod docs;
mod eval;
mod example_repository;
mod export;
mod format;
mod issuance;
mod issue_index;
mod journal;
mod keyring;
mod levels;
mod lint;
mod lint_limits;
mod load;
mod many_findings;
mod networks;
mod notify;
mod output;
mod parse;
mod policies;
mod pool;
mod prefixes;
mod proxy_header;
mod random_tree;
mod record;
mod replay;
mod san;
mod scarcity;
mod schedule;
mod server;
mod spend;
mod store;
mod suite;
mod support;
mod syntax_properties;
mod tang;
mod tang_peer;
mod twin;
mod twin_props;
mod waiting;
