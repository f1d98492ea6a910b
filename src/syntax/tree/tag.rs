//! Tags: what a tag may be.

use super::Name;

/// A tag and what it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct TagItem {
    /// The tag.
    pub name: Name,
    /// Its values.
    pub domain: TagDomain,
    /// Where `required` stands.
    pub required: bool,
}

/// What values a tag takes.
#[derive(Clone, Debug, PartialEq)]
pub enum TagDomain {
    /// Exactly these, at least one.
    Closed(Vec<Name>),
    /// `text`: any string.
    Text,
}
