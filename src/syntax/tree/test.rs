//! In-file tests.

use super::{Duration, Moment, Name, TagAssign, Text};
use crate::source::Spanned;

/// A test block.
#[derive(Clone, Debug, PartialEq)]
pub struct TestItem {
    /// What it shows.
    pub name: Text,
    /// The lines in order.
    pub statements: Vec<Spanned<TestStatement>>,
}

/// A line of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum TestStatement {
    /// `device { env = production }`
    Device(Vec<TagAssign>),
    /// `request { action = issue, … }`
    Request(Vec<Member>),
    /// `unlock from … expect …`
    Unlock(UnlockExpectation),
    /// `issuance expect …`
    Issuance(IssuanceExpectation),
}

/// `unlock from 192.0.2.1 at … given … expect …`
#[derive(Clone, Debug, PartialEq)]
pub struct UnlockExpectation {
    /// The source address.
    pub from: Spanned<std::net::IpAddr>,
    /// When.
    pub at: Option<Moment>,
    /// Live facts.
    pub given: Vec<Spanned<Fact>>,
    /// What must come out.
    pub expect: Spanned<Expect>,
}

/// `issuance given … expect …`
#[derive(Clone, Debug, PartialEq)]
pub struct IssuanceExpectation {
    /// When.
    pub at: Option<Moment>,
    /// Live facts; only approvals make sense, which `check` holds.
    pub given: Vec<Spanned<Fact>>,
    /// What must come out.
    pub expect: Spanned<Expect>,
}

/// A live fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The device is disabled.
    Disabled,
    /// The device is revoked.
    Revoked,
    /// A temporary denial holds for this device from this source.
    Denied,
    /// `approved by G`
    ApprovedBy(Name),
    /// `allow-once N`
    AllowOnce(Name),
}

/// An expected outcome.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// `allow`
    Allow,
    /// `deny CODE` or `deny [CODES]`
    Deny(Vec<Name>),
    /// `pending by G` or `pending by [GROUPS]`
    Pending(Vec<Name>),
}

/// `name = value` in a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The member's name, with hyphens.
    pub name: Name,
    /// Its value.
    pub value: Spanned<MemberValue>,
}

/// A value in a request.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberValue {
    /// A bare word: a name, a key type, an action.
    Word(String),
    /// A string.
    Text(String),
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(u64),
    /// A duration.
    Duration(Duration),
    /// A list of strings (an empty one is allowed here: a request with no names).
    List(Vec<Text>),
    /// Nested members: `predecessor = { id = "…", san = […] }`.
    Members(Vec<Member>),
}
