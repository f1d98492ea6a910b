//! One-time unlocks.

use super::{Approver, Duration, Name, Selector};
use crate::source::Spanned;
use crate::vocabulary::Override;

/// Who may arm a one-time unlock.
#[derive(Clone, Debug, PartialEq)]
pub struct AllowOnceItem {
    /// Its name.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<AllowOnceStatement>>,
}

/// A line of an allow-once block.
#[derive(Clone, Debug, PartialEq)]
pub enum AllowOnceStatement {
    /// `where …`
    Where(Selector),
    /// `overrides [source, disabled]`
    Overrides(Vec<Spanned<Override>>),
    /// `by team dba`
    By(Vec<Approver>),
    /// `max 2h`
    Max(Duration),
}
