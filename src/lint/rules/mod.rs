//! The rules: each file holds one, with its code, its check, and a bad and a good example.

mod allow_inside_deny;
mod always_matches;
mod bypass_expired;
mod bypass_in_production;
mod bypass_near_end;
mod dead_timer;
mod deny_without_effect;
mod double_star_without_apex;
mod duplicate_network;
mod ended_delegation;
mod invariant_not_decided;
mod invariant_violated;
mod ipv6_gap;
mod long_lifetime;
mod name_wholly_denied;
mod never_matches;
mod no_org_owner;
mod open_to_internet;
mod overlapping_approvals;
mod override_escapes_approval;
mod shadowed_network;
mod short_window;
mod single_approver;
mod unbounded_approval;
mod undecidable_request;
mod unguarded_negation;
mod unregulated_project;
mod untested_rule;
mod unused_declaration;
mod vacuous_invariant;
mod weak_key_type;
mod weakened_approval;
mod wildcard_over_public_suffix;

use super::Context;
use crate::diagnostic::{Code, Diagnostic};

/// One rule.
pub struct Rule {
    /// What it reports.
    pub code: &'static Code,
    /// Adds what it finds.
    pub check: fn(&Context<'_>, &mut Vec<Diagnostic>),
}

/// Every rule, by name.
pub static RULES: &[&Rule] = &[
    &allow_inside_deny::RULE,
    &always_matches::RULE,
    &bypass_expired::RULE,
    &bypass_in_production::RULE,
    &bypass_near_end::RULE,
    &dead_timer::RULE,
    &deny_without_effect::RULE,
    &double_star_without_apex::RULE,
    &duplicate_network::RULE,
    &ended_delegation::RULE,
    &invariant_not_decided::RULE,
    &invariant_violated::RULE,
    &ipv6_gap::RULE,
    &long_lifetime::RULE,
    &name_wholly_denied::RULE,
    &never_matches::RULE,
    &no_org_owner::RULE,
    &open_to_internet::RULE,
    &overlapping_approvals::RULE,
    &override_escapes_approval::RULE,
    &shadowed_network::RULE,
    &short_window::RULE,
    &single_approver::RULE,
    &unbounded_approval::RULE,
    &undecidable_request::RULE,
    &unguarded_negation::RULE,
    &unregulated_project::RULE,
    &untested_rule::RULE,
    &unused_declaration::RULE,
    &vacuous_invariant::RULE,
    &weak_key_type::RULE,
    &weakened_approval::RULE,
    &wildcard_over_public_suffix::RULE,
];
