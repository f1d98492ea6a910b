//! Unlock rules.

use super::{Name, Selector, Source};
use crate::source::Spanned;
use crate::vocabulary::Effect;

/// An unlock rule.
#[derive(Clone, Debug, PartialEq)]
pub struct UnlockItem {
    /// The rule.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<UnlockStatement>>,
}

/// A line of an unlock rule.
#[derive(Clone, Debug, PartialEq)]
pub enum UnlockStatement {
    /// `where …`
    Where(Selector),
    /// `allow from …` or `deny from …`
    Sources(SourceLine),
}

/// `allow from [office, 198.51.100.7] during business-hours`
#[derive(Clone, Debug, PartialEq)]
pub struct SourceLine {
    /// Allow or deny.
    pub effect: Effect,
    /// From where.
    pub sources: Vec<Source>,
    /// In which schedules, any of them; empty: always.
    pub during: Vec<Name>,
}
