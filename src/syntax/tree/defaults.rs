//! Defaults.

use crate::source::Spanned;
use crate::vocabulary::Effect;

/// `defaults { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct DefaultsItem {
    /// `issuance allow|deny` lines; more than one is a fault that `check` reports.
    pub issuance: Vec<Spanned<Effect>>,
}
