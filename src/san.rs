//! Names of certificates as sets: read, normalised, compared. Knows no policy.

/// A set of names that a policy allows or denies, normalised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SanPattern {}
