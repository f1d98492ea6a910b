//! Machine identities.

use super::{Name, RoleGrant};
use crate::source::Spanned;

/// A machine identity.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceItem {
    /// Its name.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<ServiceStatement>>,
}

/// A line of a service's block.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceStatement {
    /// `owner alice`
    Owner(Name),
    /// `role operator in project web`
    Role(RoleGrant),
}
