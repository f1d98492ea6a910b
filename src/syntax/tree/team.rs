//! Teams, and people as lists name them.

use super::Name;

/// A flat list of persons.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamItem {
    /// The team.
    pub name: Name,
    /// Its persons.
    pub members: Vec<Name>,
}

/// A team or a person where people are listed.
#[derive(Clone, Debug, PartialEq)]
pub enum Approver {
    /// `team dba`
    Team(Name),
    /// `person carol`
    Person(Name),
}
