//! What is to be proved.

use super::{Name, SanPattern, Selector, Source};
use crate::source::Spanned;
use crate::vocabulary::{KeyType, SanType};

/// A set of statements to prove.
#[derive(Clone, Debug, PartialEq)]
pub struct InvariantItem {
    /// Its name.
    pub name: Name,
    /// The lines in order.
    pub lines: Vec<Spanned<InvariantLine>>,
}

/// One statement to prove.
#[derive(Clone, Debug, PartialEq)]
pub enum InvariantLine {
    /// `never allow unlock …`
    NeverAllowUnlock(UnlockRegion),
    /// `always reachable unlock …`
    AlwaysReachableUnlock(UnlockRegion),
    /// `never allow issuance …`
    NeverAllowIssuance(IssuanceRegion),
}

/// Some unlock requests.
#[derive(Clone, Debug, PartialEq)]
pub struct UnlockRegion {
    /// `where …`
    pub selector: Option<Selector>,
    /// `from …` or `from outside …`
    pub from: Option<RegionSources>,
    /// `without approval [by G]`
    pub without_approval: Option<WithoutApproval>,
}

/// Sources, or all but them.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionSources {
    /// Whether `outside` stands before them.
    pub outside: bool,
    /// The sources.
    pub sources: Vec<Source>,
}

/// `without approval [by G]`
#[derive(Clone, Debug, PartialEq)]
pub struct WithoutApproval {
    /// Whose approval.
    pub by: Option<Name>,
}

/// Some certificate requests.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuanceRegion {
    /// `where …`
    pub selector: Option<Selector>,
    /// `with key-type …`; empty when not given.
    pub key_types: Vec<Spanned<KeyType>>,
    /// `with san TYPE …`
    pub san: Option<(Spanned<SanType>, Vec<SanPattern>)>,
}
