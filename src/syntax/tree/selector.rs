//! Selectors over tags and attributes.

use super::{Name, Value};
use crate::source::Spanned;

/// A selector over tags and attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// `a or b`, two or more.
    Or(Vec<Selector>),
    /// `a and b`, two or more.
    And(Vec<Selector>),
    /// `not a`; the place of `not`.
    Not(Spanned<()>, Box<Selector>),
    /// `tag == value`, `tag != value`, `tag in […]`
    Compare(Compare),
    /// `has tag`
    Has(Name),
}

/// A comparison of a tag or attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Compare {
    /// The tag or attribute.
    pub subject: Name,
    /// How it is compared.
    pub op: Spanned<CompareOp>,
    /// With what: one value for `==` and `!=`, one or more for `in`.
    pub values: Vec<Value>,
}

/// How a tag is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `in`
    In,
}
