//! The address space cut into classes: addresses that lie in the same sets.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::prefixes::PrefixSet;

/// A range of addresses of one family, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// Whether the addresses are IPv6.
    pub is_v6: bool,
    /// The first address as a number.
    pub first: u128,
    /// The last address as a number.
    pub last: u128,
}

/// Addresses that lie in the same sets.
#[derive(Clone, Debug)]
pub struct AddressClass {
    /// Which sets, by place, sorted.
    pub members: Box<[u32]>,
    /// The addresses, IPv4 first, sorted, at least one range, none touching the next.
    pub ranges: Vec<Range>,
}

/// IPv6 addresses that are IPv4 ones in disguise: a source is folded, so it is
/// never one of them. Source: RFC 4291, 2.5.5.2.
const MAPPED: (u128, u128) = (0xffff_0000_0000, 0xffff_ffff_ffff);

/// Every address a source may have, as ranges.
pub const EVERYWHERE: [Range; 3] = [
    Range {
        is_v6: false,
        first: 0,
        last: u32::MAX as u128,
    },
    Range {
        is_v6: true,
        first: 0,
        last: MAPPED.0 - 1,
    },
    Range {
        is_v6: true,
        first: MAPPED.1 + 1,
        last: u128::MAX,
    },
];

impl Range {
    /// An address of it that reads well: the second one of a wide range, as
    /// the first often names a network rather than a host.
    pub fn example(self) -> IpAddr {
        self.address(if self.last - self.first > 2 {
            self.first + 1
        } else {
            self.first
        })
    }

    /// Its first address.
    pub fn first_address(self) -> IpAddr {
        self.address(self.first)
    }

    fn address(self, number: u128) -> IpAddr {
        match (self.is_v6, u32::try_from(number)) {
            (false, Ok(number)) => IpAddr::V4(Ipv4Addr::from(number)),
            (true, _) | (false, Err(_)) => IpAddr::V6(Ipv6Addr::from(number)),
        }
    }

    /// The fewest prefixes that make it up.
    pub fn prefixes(self) -> Vec<IpNet> {
        match (self.address(self.first), self.address(self.last)) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Vec::new(),
        }
    }

    /// Whether `address`, folded, is one of it.
    pub fn contains(self, address: IpAddr) -> bool {
        let (is_v6, number) = match address {
            IpAddr::V4(address) => (false, u128::from(u32::from(address))),
            IpAddr::V6(address) => (true, u128::from(address)),
        };
        is_v6 == self.is_v6 && (self.first..=self.last).contains(&number)
    }
}

/// Joins ranges that touch or overlap; across the hole of the mapped addresses too,
/// where no source ever is.
pub fn join(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last)
                if last.is_v6 == range.is_v6 && reaches(last.last, range.first, last.is_v6) =>
            {
                last.last = last.last.max(range.last);
            }
            Some(_) | None => joined.push(range),
        }
    }
    joined
}

fn reaches(end: u128, start: u128, is_v6: bool) -> bool {
    end.checked_add(1).is_none_or(|after| start <= after)
        || (is_v6 && end == MAPPED.0 - 1 && start == MAPPED.1 + 1)
}

/// Cuts the address space by `sets`. Classes come in the order of their first
/// address; each address is in exactly one, those in no set included.
pub fn partition(sets: &[PrefixSet]) -> Vec<AddressClass> {
    let mut sweep = Sweep::default();
    for universe in EVERYWHERE {
        let mut edges = Vec::new();
        for (place, set) in (0_u32..).zip(sets) {
            collect_edges(&mut edges, universe, place, set);
        }
        edges.sort_unstable();
        sweep.run(universe, &edges);
    }
    sweep.classes
}

/// Where a set begins (`true`) or has ended, as number, place.
type Edge = (u128, u32, bool);

fn collect_edges(edges: &mut Vec<Edge>, universe: Range, place: u32, set: &PrefixSet) {
    let mut add = |first: u128, last: u128| {
        let (first, last) = (first.max(universe.first), last.min(universe.last));
        if first <= last {
            edges.push((first, place, true));
            if last < universe.last {
                edges.push((last + 1, place, false));
            }
        }
    };
    if universe.is_v6 {
        set.v6().iter().for_each(|&(first, last)| add(first, last));
    } else {
        let ranges = set.v4().iter();
        ranges.for_each(|&(first, last)| add(first.into(), last.into()));
    }
}

#[derive(Default)]
struct Sweep {
    classes: Vec<AddressClass>,
    known: HashMap<Box<[u32]>, usize>,
}

impl Sweep {
    fn run(&mut self, universe: Range, edges: &[Edge]) {
        let mut active = BTreeSet::new();
        let mut first = universe.first;
        for edges in edges.chunk_by(|a, b| a.0 == b.0) {
            let here = edges.first().map_or(first, |edge| edge.0);
            if here > first {
                self.add(
                    &active,
                    Range {
                        first,
                        last: here - 1,
                        ..universe
                    },
                );
                first = here;
            }
            for &(_, place, begins) in edges {
                if begins {
                    active.insert(place);
                } else {
                    active.remove(&place);
                }
            }
        }
        self.add(&active, Range { first, ..universe });
    }

    fn add(&mut self, active: &BTreeSet<u32>, range: Range) {
        let members: Box<[u32]> = active.iter().copied().collect();
        let next = self.classes.len();
        let at = *self.known.entry(members).or_insert_with_key(|members| {
            self.classes.push(AddressClass {
                members: members.clone(),
                ranges: Vec::new(),
            });
            next
        });
        if let Some(class) = self.classes.get_mut(at) {
            class.ranges.push(range);
        }
    }
}
