//! Where a network, or a line's own addresses, begin and end: where a digit too
//! many or too few shows.
//!
//! Prefixes that touch are one range: between them nothing changes. Of each
//! range the first address, the last, and one beside it are asked for.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::coverage::Kind;
use crate::address::fold;
use crate::eval::Program;
use crate::ir::unlock::{Source, SourceLine};
use crate::source::Span;
use crate::space::prefixes::PrefixSet;

/// The edges of one network, or of the addresses that stand in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges {
    /// A network, or the unlock rule that the line is in.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Where the network or the line stands.
    pub span: Span,
    /// How many edges there are.
    pub total: usize,
    /// Those that no test asks from.
    pub missing: Vec<Edge>,
}

/// One edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The address.
    pub address: IpAddr,
    /// Which it is.
    pub side: Side,
}

/// Where an edge lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first address.
    First,
    /// The last address.
    Last,
    /// The only address.
    Only,
    /// One beside it, not covered.
    Outside,
}

impl Side {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Side::First => "first",
            Side::Last => "last",
            Side::Only => "only",
            Side::Outside => "outside",
        }
    }
}

/// The edges that are not among the addresses `asked`, of every declared
/// network that has addresses of its own and of every line that does.
pub(super) fn missing(program: &Program, asked: &BTreeSet<IpAddr>) -> Vec<Edges> {
    let set = program.set();
    let mut found = Vec::new();
    for (_, network) in set.networks.iter() {
        let own = PrefixSet::new(network.v4.iter().copied(), network.v6.iter().copied());
        let (name, span) = (network.header.name.clone(), network.header.span);
        found.extend(of(&own, asked).map(|(total, missing)| Edges {
            kind: Kind::Network,
            name,
            span,
            total,
            missing,
        }));
    }
    for (_, rule) in set.unlocks.iter() {
        for line in rule.allow.iter().chain(&rule.deny) {
            let own = literals(line);
            found.extend(of(&own, asked).map(|(total, missing)| Edges {
                kind: Kind::Unlock,
                name: rule.header.name.clone(),
                span: line.span,
                total,
                missing,
            }));
        }
    }
    found
}

/// The addresses that stand in a line itself.
fn literals(line: &SourceLine) -> PrefixSet {
    PrefixSet::from_prefixes(line.sources.iter().filter_map(|source| match source {
        Source::Prefix(prefix) => Some(*prefix),
        Source::Network(_) => None,
    }))
}

/// How many edges `own` has, and those not asked; none where none is missing.
fn of(own: &PrefixSet, asked: &BTreeSet<IpAddr>) -> Option<(usize, Vec<Edge>)> {
    let (mut total, mut missing) = (0, Vec::new());
    for range in ranges(own) {
        let mut needed = |addresses: &[IpAddr], side: Side| {
            // Written like this, an address is an IPv4 one, and asks as that.
            let Some(&address) = addresses.iter().find(|&&one| fold(one) == one) else {
                return;
            };
            total += 1;
            if !addresses.iter().any(|address| asked.contains(address)) {
                missing.push(Edge { address, side });
            }
        };
        if range.first == range.last {
            needed(&[range.first], Side::Only);
        } else {
            needed(&[range.first], Side::First);
            needed(&[range.last], Side::Last);
        }
        needed(&range.beside, Side::Outside);
    }
    (!missing.is_empty()).then_some((total, missing))
}

/// A range, and the addresses that touch it.
struct Range {
    first: IpAddr,
    last: IpAddr,
    beside: Vec<IpAddr>,
}

fn ranges(own: &PrefixSet) -> impl Iterator<Item = Range> {
    let v4 = own.v4().iter().map(|&(first, last)| {
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from(number));
        let beside = [last.checked_add(1), first.checked_sub(1)];
        Range {
            first: address(first),
            last: address(last),
            beside: beside.into_iter().flatten().map(address).collect(),
        }
    });
    let v6 = own.v6().iter().map(|&(first, last)| {
        let address = |number: u128| IpAddr::V6(Ipv6Addr::from(number));
        let beside = [last.checked_add(1), first.checked_sub(1)];
        Range {
            first: address(first),
            last: address(last),
            beside: beside.into_iter().flatten().map(address).collect(),
        }
    });
    v4.chain(v6)
}

/// Addresses of a prefix to try: its first and its last.
pub(super) fn samples(prefix: IpNet) -> [IpAddr; 2] {
    [prefix.network(), prefix.broadcast()]
}

/// The addresses that touch a prefix from outside.
pub(super) fn beside(prefix: IpNet) -> Vec<IpAddr> {
    let set = PrefixSet::from_prefixes([prefix]);
    ranges(&set).flat_map(|range| range.beside).collect()
}
