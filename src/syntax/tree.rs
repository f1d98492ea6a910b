//! The owned tree of one policy file: what was written, where, and its comments.
//!
//! Literals are already values (addresses, durations, strings); names are not
//! resolved. Lists are `Vec`s whether they were bracketed or stood bare.
//! Equality ignores places (see [`Spanned`]) and comments.

use ipnet::IpNet;

use crate::source::{Span, Spanned};
use crate::vocabulary::{
    Action, Binds, Effect, IssuerType, KeyType, Override, Role, SanType, Weekday,
};

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

/// A named set of addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkItem {
    /// The network.
    pub name: Name,
    /// Where its addresses come from.
    pub body: NetworkBody,
}

/// Where a network's addresses come from.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkBody {
    /// `file "networks/provider.txt"`
    File(Text),
    /// Addresses, CIDRs and other networks.
    List(Vec<Source>),
}

/// One element of a source list.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A declared network.
    Network(Name),
    /// A literal address (as a full-length prefix) or CIDR, IPv4-mapped folded to IPv4.
    Prefix(Spanned<IpNet>),
}

/// Weekly windows in a named zone.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleItem {
    /// The schedule.
    pub name: Name,
    /// The days it starts on.
    pub days: Vec<Spanned<DayRange>>,
    /// Local start, minutes from midnight, `0..=1439`.
    pub start: Spanned<u16>,
    /// Local end, exclusive, `0..=1440`; less than `start`: over midnight.
    pub end: Spanned<u16>,
    /// IANA zone name.
    pub zone: Text,
}

/// `mon` or `mon..fri` (`sat..mon` wraps); both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// First day.
    pub first: Weekday,
    /// Last day; the same as `first` for a single day.
    pub last: Weekday,
}

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

/// `defaults { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct DefaultsItem {
    /// `issuance allow|deny` lines; more than one is a fault that `check` reports.
    pub issuance: Vec<Spanned<Effect>>,
}

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

/// A date or a time as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The text as written.
    pub text: Text,
    /// What it says.
    pub value: MomentValue,
}

/// What a [`Moment`] says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MomentValue {
    /// A whole day in UTC: a `from` is at its start, an `until` at its end.
    Date(jiff::civil::Date),
    /// An RFC 3339 instant.
    Time(jiff::Timestamp),
}

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

/// A flat list of persons.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamItem {
    /// The team.
    pub name: Name,
    /// Its persons.
    pub members: Vec<Name>,
}

/// An unlock rule.
#[derive(Clone, Debug, PartialEq)]
pub struct UnlockItem {
    /// The rule.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<UnlockStatement>>,
}

/// A line of an unlock rule.
#[derive(Clone, Debug, PartialEq)]
pub enum UnlockStatement {
    /// `where …`
    Where(Selector),
    /// `allow from …` or `deny from …`
    Sources(SourceLine),
}

/// `allow from [office, 198.51.100.7] during business-hours`
#[derive(Clone, Debug, PartialEq)]
pub struct SourceLine {
    /// Allow or deny.
    pub effect: Effect,
    /// From where.
    pub sources: Vec<Source>,
    /// In which schedules, any of them; empty: always.
    pub during: Vec<Name>,
}

/// Who may arm a one-time unlock.
#[derive(Clone, Debug, PartialEq)]
pub struct AllowOnceItem {
    /// Its name.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<AllowOnceStatement>>,
}

/// A line of an allow-once block.
#[derive(Clone, Debug, PartialEq)]
pub enum AllowOnceStatement {
    /// `where …`
    Where(Selector),
    /// `overrides [source, disabled]`
    Overrides(Vec<Spanned<Override>>),
    /// `by team dba`
    By(Vec<Approver>),
    /// `max 2h`
    Max(Duration),
}

/// A team or a person where people are listed.
#[derive(Clone, Debug, PartialEq)]
pub enum Approver {
    /// `team dba`
    Team(Name),
    /// `person carol`
    Person(Name),
}

/// A duration as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    /// The text as written: `1h30m`.
    pub text: Text,
    /// Whole seconds, at least 1.
    pub seconds: u64,
}

/// An approval group.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalItem {
    /// The group.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<ApprovalStatement>>,
}

/// A line of an approval group.
#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalStatement {
    /// `on unlock where …`
    On(Trigger),
    /// `approvers tier-above or team security`
    Approvers(Approvers),
    /// `need 2`
    Need(Need),
    /// `expires 24h`
    Expires(Duration),
    /// `claim 15m`
    Claim(Duration),
    /// `collect 2m up to 1`
    Collect {
        /// The window from the first exchange.
        window: Duration,
        /// Exchanges for each binding.
        up_to: Spanned<u64>,
    },
    /// `binds address`
    Binds(Spanned<Binds>),
    /// `deny-for 30m`
    DenyFor(Duration),
    /// `escalate after 2h to team security`
    Escalate {
        /// How long pending.
        after: Duration,
        /// Whom it adds.
        to: Vec<Approver>,
    },
    /// `mandatory`
    Mandatory,
    /// `reason required`
    ReasonRequired,
    /// `comment required on reject`
    CommentRequired,
    /// `ticket required /…/`
    TicketRequired(Option<Text>),
}

/// What an approval group or a bypass is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Unlocks or some issuance actions.
    pub on: Spanned<TriggerOn>,
    /// `where …`
    pub selector: Option<Selector>,
}

/// Unlocks or some issuance actions, never both.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerOn {
    /// `unlock`
    Unlock,
    /// `[issue, renew]`
    Actions(Vec<Spanned<Action>>),
}

/// Who may approve.
#[derive(Clone, Debug, PartialEq)]
pub struct Approvers {
    /// Where `tier-above` stands, if it does.
    pub tier_above: Option<Spanned<()>>,
    /// Teams and persons.
    pub listed: Vec<Approver>,
}

/// How many must approve.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// So many distinct persons.
    Count(Spanned<u64>),
    /// Distinct persons, every clause.
    Clauses(Vec<NeedClause>),
}

/// `2 of team dba`
#[derive(Clone, Debug, PartialEq)]
pub struct NeedClause {
    /// How many.
    pub count: Spanned<u64>,
    /// Of which team.
    pub team: Name,
}

/// An issuance policy.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuanceItem {
    /// The policy.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<IssuanceStatement>>,
}

/// A line of an issuance policy.
#[derive(Clone, Debug, PartialEq)]
pub enum IssuanceStatement {
    /// `where …`
    Where(Selector),
    /// `key-types [ECDSA-P256]`
    KeyTypes(Vec<Spanned<KeyType>>),
    /// `issuer-types [acme]`
    IssuerTypes(Vec<Spanned<IssuerType>>),
    /// `issuer-ids "acme-prod"`
    IssuerIds(Vec<Text>),
    /// `san dns allow "…" deny "…"`
    San {
        /// Which names.
        kind: Spanned<SanType>,
        /// What may be asked for; empty when not given.
        allow: Vec<SanPattern>,
        /// What may not; empty when not given.
        deny: Vec<SanPattern>,
    },
    /// `san max 10`
    SanMax(Spanned<u64>),
    /// `naming /…/`: the pattern without its slashes, `\/` resolved.
    Naming(Text),
    /// `lifetime max 90d`
    LifetimeMax(Duration),
    /// `auto-renew required`
    AutoRenewRequired,
    /// `key-export forbidden`
    KeyExportForbidden,
}

/// A pattern of names.
#[derive(Clone, Debug, PartialEq)]
pub enum SanPattern {
    /// A pattern in quotes.
    Text(Text),
    /// A bare address or CIDR.
    Prefix(Spanned<IpNet>),
}

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

/// Approval switched off for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct BypassItem {
    /// Its name.
    pub name: Name,
    /// The statements in order.
    pub statements: Vec<Spanned<BypassStatement>>,
}

/// A line of a bypass.
#[derive(Clone, Debug, PartialEq)]
pub enum BypassStatement {
    /// `on renew where …`
    On(Trigger),
    /// `reason "…"`
    Reason(Text),
    /// `until 2027-06-30`
    Until(Moment),
}

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

/// A selector over tags and attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// `a or b`, two or more.
    Or(Vec<Selector>),
    /// `a and b`, two or more.
    And(Vec<Selector>),
    /// `not a`; the place of `not`.
    Not(Spanned<()>, Box<Selector>),
    /// `tag == value`, `tag != value`, `tag in […]`
    Compare(Compare),
    /// `has tag`
    Has(Name),
}

/// A comparison of a tag or attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Compare {
    /// The tag or attribute.
    pub subject: Name,
    /// How it is compared.
    pub op: Spanned<CompareOp>,
    /// With what: one value for `==` and `!=`, one or more for `in`.
    pub values: Vec<Value>,
}

/// How a tag is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `in`
    In,
}
