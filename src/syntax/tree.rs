//! The owned tree of one policy file: what was written, where, and its comments.
//!
//! Literals are already values (addresses, durations, strings); names are not
//! resolved. Lists are `Vec`s whether they were bracketed or stood bare.
//! Equality ignores places (see [`Spanned`]) and comments.
//!
//! One file a kind of declaration; each kind is named from here.

mod allow_once;
mod approval;
mod bypass;
mod defaults;
mod invariant;
mod issuance;
mod network;
mod person;
mod schedule;
mod scope;
mod selector;
mod service;
mod tag;
mod team;
mod test;
mod time;
mod unlock;

use crate::source::{Span, Spanned};

pub use allow_once::{AllowOnceItem, AllowOnceStatement};
pub use approval::{
    ApprovalItem, ApprovalStatement, Approvers, Need, NeedClause, Trigger, TriggerOn,
};
pub use bypass::{BypassItem, BypassStatement};
pub use defaults::DefaultsItem;
pub use invariant::{
    InvariantItem, InvariantLine, IssuanceRegion, RegionSources, UnlockRegion, WithoutApproval,
};
pub use issuance::{IssuanceItem, IssuanceStatement, SanPattern};
pub use network::{NetworkBody, NetworkItem, Source};
pub use person::{Delegate, PersonItem, PersonStatement, RoleGrant, Scope};
pub use schedule::{DayRange, ScheduleItem};
pub use scope::{ScopeItem, TagAssign, Value};
pub use selector::{Compare, CompareOp, Selector};
pub use service::{ServiceItem, ServiceStatement};
pub use tag::{TagDomain, TagItem};
pub use team::{Approver, TeamItem};
pub use test::{
    Expect, Fact, IssuanceExpectation, Member, MemberValue, TestItem, TestStatement,
    UnlockExpectation,
};
pub use time::{Duration, Moment, MomentValue};
pub use unlock::{SourceLine, UnlockItem, UnlockStatement};

/// A bare name as written: `prod-db`.
pub type Name = Spanned<String>;
/// A string's value, escapes resolved.
pub type Text = Spanned<String>;

/// One parsed file.
#[derive(Clone, Debug)]
pub struct File {
    /// The edition named by the first item; none when that was missing (reported).
    pub edition: Option<Spanned<u32>>,
    /// The declarations in the order written.
    pub items: Vec<Item>,
    /// Every comment, in order.
    pub comments: Vec<Comment>,
    /// Declarations that a syntax error left incomplete, each reported already.
    pub broken: Vec<Broken>,
    /// Where declarations and statements begin that follow a blank line, in order.
    pub blanks: Vec<u32>,
}

/// A declaration that a syntax error left incomplete or out of [`File::items`].
///
/// What is said of it must not grow from its missing parts: an item of this span
/// may lack statements and list elements ([`File::is_broken`]), and a reference to
/// what it declares is not unknown.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The whole declaration.
    pub span: Span,
    /// What it declares, as its keyword and name, where that much could be read.
    pub declares: Option<(String, Name)>,
}

impl File {
    /// Whether `item` may lack parts that were written with an error.
    pub fn is_broken(&self, item: &Item) -> bool {
        self.broken.iter().any(|broken| broken.span == item.span)
    }
}

impl PartialEq for File {
    fn eq(&self, other: &Self) -> bool {
        self.edition == other.edition && self.items == other.items
    }
}

/// A comment with its `#`, without the line's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Where it stands.
    pub span: Span,
    /// The text from `#` on, without trailing blanks.
    pub text: String,
    /// Whether nothing but blanks stands before it on its line.
    pub own_line: bool,
    /// Whether the line before it is blank.
    pub after_blank: bool,
}

/// A declaration and the place of the whole of it.
pub type Item = Spanned<ItemKind>;

/// The kinds of declaration.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `tag env = production | dev required`
    Tag(TagItem),
    /// `network office = [203.0.113.0/24]`
    Network(NetworkItem),
    /// `schedule s = mon..fri 08:00..18:00 in "UTC"`
    Schedule(ScheduleItem),
    /// `project web { tags { … } }`
    Project(ScopeItem),
    /// `profile cdn { tags { … } }`
    Profile(ScopeItem),
    /// `defaults { issuance deny }`
    Defaults(DefaultsItem),
    /// `person alice { … }`
    Person(PersonItem),
    /// `service renewals { … }`
    Service(ServiceItem),
    /// `team dba = [alice, bob]`
    Team(TeamItem),
    /// `unlock fixed { … }`
    Unlock(UnlockItem),
    /// `allow-once reboots { … }`
    AllowOnce(AllowOnceItem),
    /// `approval prod-db { … }`
    Approval(ApprovalItem),
    /// `issuance web { … }`
    Issuance(IssuanceItem),
    /// `invariant x { … }`
    Invariant(InvariantItem),
    /// `bypass x { … }`
    Bypass(BypassItem),
    /// `test "…" { … }`
    Test(TestItem),
}

impl ItemKind {
    /// What it declares, as its keyword and name: `unlock fixed-servers`.
    pub fn title(&self) -> String {
        let (keyword, name) = match self {
            ItemKind::Tag(item) => ("tag", &item.name.value),
            ItemKind::Network(item) => ("network", &item.name.value),
            ItemKind::Schedule(item) => ("schedule", &item.name.value),
            ItemKind::Project(item) => ("project", &item.name.value),
            ItemKind::Profile(item) => ("profile", &item.name.value),
            ItemKind::Defaults(_) => return "defaults".to_owned(),
            ItemKind::Person(item) => ("person", &item.name.value),
            ItemKind::Service(item) => ("service", &item.name.value),
            ItemKind::Team(item) => ("team", &item.name.value),
            ItemKind::Unlock(item) => ("unlock", &item.name.value),
            ItemKind::AllowOnce(item) => ("allow-once", &item.name.value),
            ItemKind::Approval(item) => ("approval", &item.name.value),
            ItemKind::Issuance(item) => ("issuance", &item.name.value),
            ItemKind::Invariant(item) => ("invariant", &item.name.value),
            ItemKind::Bypass(item) => ("bypass", &item.name.value),
            ItemKind::Test(item) => ("test", &item.name.value),
        };
        format!("{keyword} {name}")
    }
}
