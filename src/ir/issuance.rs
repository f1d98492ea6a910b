//! The issuance path: what may be asked for.

use regex::Regex;

use super::Header;
use super::selector::Selector;
use crate::san::SanPattern;
use crate::source::Span;
use crate::vocabulary::{IssuerType, KeyType, SanType};

/// An issuance policy; each absent rule restricts nothing.
#[derive(Clone, Debug)]
pub struct IssuancePolicy {
    /// Name and place.
    pub header: Header,
    /// Which requests.
    pub selector: Selector,
    /// Which key types, sorted.
    pub key_types: Option<Rule<Vec<KeyType>>>,
    /// Which issuer types, sorted.
    pub issuer_types: Option<Rule<Vec<IssuerType>>>,
    /// Which issuers, sorted.
    pub issuer_ids: Option<Rule<Vec<String>>>,
    /// Names, each type at most once.
    pub san: Vec<SanRule>,
    /// How many names at most.
    pub san_max: Option<Rule<u64>>,
    /// What the whole name must match.
    pub naming: Option<Rule<Naming>>,
    /// How many seconds at most.
    pub lifetime_max: Option<Rule<u64>>,
    /// Whether auto-renewal must be on.
    pub auto_renew_required: Option<Rule<()>>,
    /// Whether the private key stays.
    pub key_export_forbidden: Option<Rule<()>>,
}

/// One statement's demand and where it stands.
#[derive(Clone, Debug)]
pub struct Rule<T> {
    /// The demand.
    pub value: T,
    /// The whole statement.
    pub span: Span,
}

/// `san TYPE allow … deny …`
#[derive(Clone, Debug)]
pub struct SanRule {
    /// Which names.
    pub kind: SanType,
    /// What may be asked for; none: this rule allows nothing by itself and, if
    /// another type has one, this type fails. `Some` has at least one.
    pub allow: Option<Vec<SanPattern>>,
    /// What may not.
    pub deny: Vec<SanPattern>,
    /// The whole statement.
    pub span: Span,
}

/// A regular expression that the whole name must match.
#[derive(Clone, Debug)]
pub struct Naming {
    /// As written.
    pub text: String,
    /// Anchored at both ends.
    pub regex: Regex,
}
