//! Persons: their roles, and who stands in for them.

use super::{Moment, Name, Text};
use crate::source::Spanned;
use crate::vocabulary::Role;

/// A person.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonItem {
    /// Their name.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<PersonStatement>>,
}

/// A line of a person's block.
#[derive(Clone, Debug, PartialEq)]
pub enum PersonStatement {
    /// `email "alice@example.com"`
    Email(Text),
    /// `role admin in project web`
    Role(RoleGrant),
    /// `delegate alice from 2026-12-20 until 2027-01-02`
    Delegate(Delegate),
}

/// A role on some scopes.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleGrant {
    /// The role.
    pub role: Spanned<Role>,
    /// Where it holds.
    pub scopes: Vec<Spanned<Scope>>,
}

/// Where a role holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// Everywhere.
    Org,
    /// In one project.
    Project(Name),
}

/// Someone who stands in for a person for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Delegate {
    /// Who stands in.
    pub to: Name,
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
}
