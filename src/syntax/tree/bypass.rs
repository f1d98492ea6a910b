//! Bypasses.

use super::{Moment, Name, Text, Trigger};
use crate::source::Spanned;

/// Approval switched off for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct BypassItem {
    /// Its name.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<BypassStatement>>,
}

/// A line of a bypass.
#[derive(Clone, Debug, PartialEq)]
pub enum BypassStatement {
    /// `on renew where …`
    On(Trigger),
    /// `reason "…"`
    Reason(Text),
    /// `until 2027-06-30`
    Until(Moment),
}
