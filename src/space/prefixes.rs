//! A set of addresses, made of prefixes: sorted ranges, IPv4 apart from IPv6.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::address::{range_v4, range_v6};

/// A set of addresses as disjoint ranges, both ends inclusive, none touching
/// the next: 8 bytes an IPv4 range, 32 an IPv6 one. An IPv6 range never covers
/// an IPv4 address; both are folded before they come here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrefixSet {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl PrefixSet {
    /// The addresses of all these prefixes.
    pub fn new(
        v4: impl IntoIterator<Item = Ipv4Net>,
        v6: impl IntoIterator<Item = Ipv6Net>,
    ) -> Self {
        PrefixSet {
            v4: join(v4.into_iter().map(range_v4).collect(), |end| {
                end.checked_add(1)
            }),
            v6: join(v6.into_iter().map(range_v6).collect(), |end| {
                end.checked_add(1)
            }),
        }
    }

    /// The addresses of all these sets.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a PrefixSet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for set in sets {
            v4.extend_from_slice(&set.v4);
            v6.extend_from_slice(&set.v6);
        }
        PrefixSet {
            v4: join(v4, |end| end.checked_add(1)),
            v6: join(v6, |end| end.checked_add(1)),
        }
    }

    /// The addresses of prefixes of either family.
    pub fn from_prefixes(prefixes: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for prefix in prefixes {
            match prefix {
                IpNet::V4(net) => v4.push(net),
                IpNet::V6(net) => v6.push(net),
            }
        }
        PrefixSet::new(v4, v6)
    }

    /// Whether `address`, folded, is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => holds(&self.v4, u32::from(address)),
            IpAddr::V6(address) => holds(&self.v6, u128::from(address)),
        }
    }

    /// The IPv4 ranges, sorted, both ends inclusive.
    pub fn v4(&self) -> &[(u32, u32)] {
        &self.v4
    }

    /// The IPv6 ranges, sorted, both ends inclusive.
    pub fn v6(&self) -> &[(u128, u128)] {
        &self.v6
    }

    /// How many ranges there are, of both families.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is no address in it.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// Sorts ranges and joins those that overlap or touch.
fn join<N: Ord + Copy>(mut ranges: Vec<(N, N)>, next: impl Fn(N) -> Option<N>) -> Box<[(N, N)]> {
    ranges.sort_unstable();
    ranges.dedup_by(|later, earlier| {
        // The end of the address space touches nothing after it, and holds all that begins before.
        let joined = next(earlier.1).is_none_or(|after| later.0 <= after);
        if joined {
            earlier.1 = earlier.1.max(later.1);
        }
        joined
    });
    ranges.into_boxed_slice()
}

fn holds<N: Ord + Copy>(ranges: &[(N, N)], number: N) -> bool {
    let after = ranges.partition_point(|range| range.0 <= number);
    after
        .checked_sub(1)
        .and_then(|at| ranges.get(at))
        .is_some_and(|range| number <= range.1)
}
