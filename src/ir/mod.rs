//! A policy set with its names resolved and its types known.
//!
//! A wrong policy cannot be represented: every id points at a declaration of
//! the right kind, every list that must not be empty is not, every regular
//! expression compiles. Only `check` builds a [`PolicySet`]. Declarations of
//! a kind are sorted by name, so moving a block or a file changes nothing.
//!
//! Start at [`PolicySet`]; [`selector`] is what `where` means, [`people`] who
//! may decide, [`unlock`] and [`issuance`] the two paths, [`mod@test`] the
//! in-file tests.

pub mod issuance;
pub mod people;
pub mod selector;
pub mod table;
pub mod test;
pub mod unlock;

use std::collections::HashSet;
use std::sync::Arc;

use ipnet::{Ipv4Net, Ipv6Net};
use jiff::Timestamp;

use crate::source::{SourceMap, Span};
use crate::vocabulary::{Effect, Weekday};
use table::declare_ids;
pub use table::{Declared, Table};

declare_ids! {
    /// A tag.
    TagId,
    /// A named network.
    NetworkId,
    /// A schedule.
    ScheduleId,
    /// A project.
    ProjectId,
    /// A profile.
    ProfileId,
    /// A person.
    PersonId,
    /// A service.
    ServiceId,
    /// A team.
    TeamId,
    /// An unlock rule.
    UnlockId,
    /// An allow-once rule.
    AllowOnceId,
    /// An approval group.
    ApprovalId,
    /// An issuance policy.
    IssuanceId,
    /// A bypass.
    BypassId,
    /// An invariant.
    InvariantId,
}

/// Everything one policy set says.
#[derive(Debug)]
pub struct PolicySet {
    /// Digest of the very bytes that were compiled and of the zone database: `sha256:…`.
    pub digest: String,
    /// The policy files themselves (not the network files), for places in messages.
    pub sources: Arc<SourceMap>,
    /// The tags.
    pub tags: Table<TagId, Tag>,
    /// The named networks.
    pub networks: Table<NetworkId, Network>,
    /// The schedules.
    pub schedules: Table<ScheduleId, Schedule>,
    /// The projects.
    pub projects: Table<ProjectId, Scoped>,
    /// The profiles. No project and profile give one tag two values.
    pub profiles: Table<ProfileId, Scoped>,
    /// What an issuance request that no policy matches gets.
    pub issuance_default: Effect,
    /// The persons.
    pub persons: Table<PersonId, people::Person>,
    /// The services.
    pub services: Table<ServiceId, people::Service>,
    /// The teams.
    pub teams: Table<TeamId, people::Team>,
    /// The unlock rules.
    pub unlocks: Table<UnlockId, unlock::UnlockRule>,
    /// The allow-once rules.
    pub allow_onces: Table<AllowOnceId, unlock::AllowOnceRule>,
    /// The approval groups, of both paths.
    pub approvals: Table<ApprovalId, people::ApprovalGroup>,
    /// The issuance policies.
    pub issuances: Table<IssuanceId, issuance::IssuancePolicy>,
    /// The bypasses.
    pub bypasses: Table<BypassId, people::Bypass>,
    /// The invariants.
    pub invariants: Table<InvariantId, unlock::Invariant>,
    /// The in-file tests, in the order of files and lines.
    pub tests: Vec<test::Test>,
}

/// A declaration's name and places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The declared name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
}

/// A tag and what it may be.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Name and place.
    pub header: Header,
    /// Its values.
    pub domain: Domain,
    /// Whether no device is enrolled without it.
    pub required: bool,
}

/// What values a tag takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Exactly these, sorted, at least one.
    Closed(Vec<String>),
    /// Any string.
    Text,
}

impl Domain {
    /// Whether `value` is one of them.
    pub fn contains(&self, value: &str) -> bool {
        match self {
            Domain::Closed(values) => values
                .binary_search_by(|known| known.as_str().cmp(value))
                .is_ok(),
            Domain::Text => true,
        }
    }
}

/// A named set of addresses: its own prefixes and the networks it names.
#[derive(Clone, Debug)]
pub struct Network {
    /// Name and place.
    pub header: Header,
    /// The networks it names; no cycles.
    pub includes: Vec<NetworkId>,
    /// Its own IPv4 prefixes, sorted, without repeats.
    pub v4: Vec<Ipv4Net>,
    /// Its own IPv6 prefixes, sorted, without repeats; none lies in `::ffff:0:0/96`.
    pub v6: Vec<Ipv6Net>,
}

/// Weekly windows in a zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Name and place.
    pub header: Header,
    /// The days a window starts on, sorted, at least one.
    pub days: Vec<Weekday>,
    /// Local start, minutes from midnight, `0..=1439`.
    pub start: u16,
    /// Local end, exclusive, `0..=1440`; less than `start`: over midnight. Never equal to it.
    pub end: u16,
    /// The zone its times are local in.
    pub zone: jiff::tz::TimeZone,
}

/// A project or a profile and the tags it gives.
#[derive(Clone, Debug)]
pub struct Scoped {
    /// Name and place.
    pub header: Header,
    /// The tags, sorted by id, each once.
    pub tags: Vec<(TagId, String)>,
}

/// A time span, both ends as instants; `from` is before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
}

impl PolicySet {
    /// Each own prefix list of `id` and of the networks it names, deep.
    pub fn network_parts(&self, id: NetworkId) -> Vec<&Network> {
        let mut seen = HashSet::from([id]);
        let mut found = vec![id];
        let mut next = 0;
        while let Some(&current) = found.get(next) {
            let includes = self.networks[current].includes.iter();
            found.extend(includes.copied().filter(|&include| seen.insert(include)));
            next += 1;
        }
        found.into_iter().map(|id| &self.networks[id]).collect()
    }
}

macro_rules! declared {
    ($($type:ty),+ $(,)?) => { $(
        impl Declared for $type {
            fn header(&self) -> &Header { &self.header }
        }
    )+ };
}
declared!(
    Tag,
    Network,
    Schedule,
    Scoped,
    people::Person,
    people::Service,
    people::Team,
    people::ApprovalGroup,
    people::Bypass,
    unlock::UnlockRule,
    unlock::AllowOnceRule,
    unlock::Invariant,
    issuance::IssuancePolicy,
);
