//! Issuance policies.

use ipnet::IpNet;

use super::{Duration, Name, Selector, Text};
use crate::source::Spanned;
use crate::vocabulary::{IssuerType, KeyType, SanType};

/// An issuance policy.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuanceItem {
    /// The policy.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<IssuanceStatement>>,
}

/// A line of an issuance policy.
#[derive(Clone, Debug, PartialEq)]
pub enum IssuanceStatement {
    /// `where …`
    Where(Selector),
    /// `key-types [ECDSA-P256]`
    KeyTypes(Vec<Spanned<KeyType>>),
    /// `issuer-types [acme]`
    IssuerTypes(Vec<Spanned<IssuerType>>),
    /// `issuer-ids "acme-prod"`
    IssuerIds(Vec<Text>),
    /// `san dns allow "…" deny "…"`
    San {
        /// Which names.
        kind: Spanned<SanType>,
        /// What may be asked for; empty when not given.
        allow: Vec<SanPattern>,
        /// What may not; empty when not given.
        deny: Vec<SanPattern>,
    },
    /// `san max 10`
    SanMax(Spanned<u64>),
    /// `naming /…/`: the pattern without its slashes, `\/` resolved.
    Naming(Text),
    /// `lifetime max 90d`
    LifetimeMax(Duration),
    /// `auto-renew required`
    AutoRenewRequired,
    /// `key-export forbidden`
    KeyExportForbidden,
}

/// A pattern of names.
#[derive(Clone, Debug, PartialEq)]
pub enum SanPattern {
    /// A pattern in quotes.
    Text(Text),
    /// A bare address or CIDR.
    Prefix(Spanned<IpNet>),
}
