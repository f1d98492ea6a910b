//! Projects and profiles, and the tags that are given a value there.

use super::{Name, Text};
use crate::source::Spanned;

/// A project or a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeItem {
    /// Its name.
    pub name: Name,
    /// `tags { … }` blocks; more than one is a fault that `check` reports. None without a body.
    pub tags: Vec<Spanned<Vec<TagAssign>>>,
}

/// `env = production`
#[derive(Clone, Debug, PartialEq)]
pub struct TagAssign {
    /// The tag.
    pub tag: Name,
    /// Its value.
    pub value: Value,
}

/// A value where a tag's value may stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A bare name.
    Word(Name),
    /// A string.
    Text(Text),
}
