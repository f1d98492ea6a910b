//! The addresses of each declared network, found once for all rules.

use ipnet::IpNet;

use crate::ir::table::Id;
use crate::ir::unlock::Source;
use crate::ir::{NetworkId, PolicySet};
use crate::space::prefixes::PrefixSet;

/// Networks within networks, and ranges, that are looked at in one run: a long
/// chain of large networks would hold each address as often as it is long.
const BUDGET: usize = 4_000_000;

/// Every declared network's addresses, as far as the budget lasted.
pub(super) struct Addresses {
    rows: Vec<PrefixSet>,
    /// Whether all networks are there.
    pub(super) is_whole: bool,
}

impl Addresses {
    pub(super) fn of(set: &PolicySet) -> Self {
        let mut left = BUDGET;
        let mut rows = Vec::with_capacity(set.networks.len());
        for (id, _) in set.networks.iter() {
            let parts = set.network_parts(id);
            let size: usize = parts
                .iter()
                .map(|part| 1 + part.v4.len() + part.v6.len())
                .sum();
            let Some(rest) = left.checked_sub(size) else {
                break;
            };
            left = rest;
            let v4 = parts.iter().flat_map(|part| part.v4.iter().copied());
            let v6 = parts.iter().flat_map(|part| part.v6.iter().copied());
            rows.push(PrefixSet::new(v4, v6));
        }
        let is_whole = rows.len() == set.networks.len();
        Addresses { rows, is_whole }
    }

    /// A network's addresses.
    pub(super) fn network(&self, id: NetworkId) -> Option<&PrefixSet> {
        self.rows.get(id.index())
    }

    /// The addresses of a list.
    pub(super) fn list<'a>(&self, sources: impl Iterator<Item = &'a Source>) -> Option<PrefixSet> {
        let mut prefixes: Vec<IpNet> = Vec::new();
        let mut networks = Vec::new();
        for source in sources {
            match source {
                Source::Network(id) => networks.push(self.network(*id)?),
                Source::Prefix(prefix) => prefixes.push(*prefix),
            }
        }
        let literal = PrefixSet::from_prefixes(prefixes);
        Some(PrefixSet::union(networks.into_iter().chain([&literal])))
    }
}

/// Whether each of `inner`'s ranges lies in one of `outer`'s; both are sorted
/// and joined, so that is whether every address does.
pub(super) fn covers<N: Ord + Copy>(outer: &[(N, N)], inner: &[(N, N)]) -> bool {
    inner.iter().all(|&(first, last)| {
        let after = outer.partition_point(|range| range.0 <= first);
        let before = after.checked_sub(1).and_then(|at| outer.get(at));
        before.is_some_and(|range| last <= range.1)
    })
}

/// Whether some range of one meets some range of the other.
pub(super) fn meets<N: Ord + Copy>(a: &[(N, N)], b: &[(N, N)]) -> bool {
    let (shorter, longer) = if a.len() < b.len() { (a, b) } else { (b, a) };
    shorter.iter().any(|&(first, last)| {
        let from = longer.partition_point(|range| range.1 < first);
        longer.get(from).is_some_and(|range| range.0 <= last)
    })
}

/// Whether it is every IPv4 address.
pub(super) fn is_all_v4(addresses: &PrefixSet) -> bool {
    addresses.v4() == [(u32::MIN, u32::MAX)]
}

/// Whether it is every IPv6 address.
pub(super) fn is_all_v6(addresses: &PrefixSet) -> bool {
    addresses.v6() == [(u128::MIN, u128::MAX)]
}
