//! The declared networks of a policy set, each stored once however many rules name it.
//!
//! A network that names others takes over the small ones' ranges, up to a
//! budget, and points at the rest. So most networks are one search, and neither
//! a long chain nor a wide net of names costs more than its own length.

use std::net::IpAddr;

use super::prefixes::PrefixSet;
use crate::ir::table::Id;
use crate::ir::{NetworkId, PolicySet};

/// Ranges, and networks pointed at, up to which a row takes over what it names.
const BUDGET: usize = 64;

/// Every declared network's addresses.
#[derive(Debug)]
pub struct Networks {
    rows: Vec<Row>,
}

/// A network: the ranges that it holds itself, and the rows that hold the rest.
#[derive(Clone, Debug, Default)]
struct Row {
    ranges: PrefixSet,
    parts: Vec<NetworkId>,
}

impl Networks {
    /// Compiles the networks of `set`.
    pub fn compile(set: &PolicySet) -> Self {
        let mut networks = Networks {
            rows: vec![Row::default(); set.networks.len()],
        };
        for id in bottom_up(set) {
            let row = networks.compile_row(set, id);
            if let Some(place) = networks.rows.get_mut(id.index()) {
                *place = row;
            }
        }
        networks
    }

    /// A row, when those that it names are there.
    fn compile_row(&self, set: &PolicySet, id: NetworkId) -> Row {
        let network = &set.networks[id];
        let mut row = Row {
            ranges: PrefixSet::new(network.v4.iter().copied(), network.v6.iter().copied()),
            parts: Vec::new(),
        };
        let mut taken = Vec::new();
        let mut size = row.ranges.len();
        for &include in &network.includes {
            let Some(part) = self.row(include) else {
                continue;
            };
            let fits =
                size + part.ranges.len() <= BUDGET && row.parts.len() + part.parts.len() <= BUDGET;
            if fits {
                size += part.ranges.len();
                taken.push(&part.ranges);
                row.parts.extend(&part.parts);
            } else {
                row.parts.push(include);
            }
        }
        if !taken.is_empty() {
            row.ranges = PrefixSet::union(taken.into_iter().chain([&row.ranges]));
        }
        row.parts.sort_unstable();
        row.parts.dedup();
        row
    }

    /// Whether `address`, folded, is in the network.
    pub fn contains(&self, id: NetworkId, address: IpAddr) -> bool {
        let Some(row) = self.row(id) else {
            return false;
        };
        row.ranges.contains(address) || (!row.parts.is_empty() && self.below(row, address))
    }

    /// Sets that together hold the network's addresses.
    pub fn parts(&self, id: NetworkId) -> Vec<&PrefixSet> {
        let Some(row) = self.row(id) else {
            return Vec::new();
        };
        let mut sets = vec![&row.ranges];
        if !row.parts.is_empty() {
            sets.extend(self.pointed_at(row));
        }
        sets
    }

    /// Whether `address` is in what the row points at.
    fn below(&self, row: &Row, address: IpAddr) -> bool {
        let mut sets = self.pointed_at(row);
        sets.any(|ranges| ranges.contains(address))
    }

    /// The ranges of every row that `row` points at, however far, each once.
    fn pointed_at(&self, row: &Row) -> impl Iterator<Item = &PrefixSet> {
        let mut seen = vec![false; self.rows.len()];
        let mut open: Vec<NetworkId> = row.parts.clone();
        std::iter::from_fn(move || {
            while let Some(id) = open.pop() {
                let Some(seen) = seen.get_mut(id.index()) else {
                    continue;
                };
                let Some(part) = self.row(id).filter(|_| !std::mem::replace(seen, true)) else {
                    continue;
                };
                open.extend(&part.parts);
                return Some(&part.ranges);
            }
            None
        })
    }

    fn row(&self, id: NetworkId) -> Option<&Row> {
        self.rows.get(id.index())
    }
}

/// Every network after those that it names; without recursion, for a chain may be long.
fn bottom_up(set: &PolicySet) -> Vec<NetworkId> {
    let mut seen = vec![false; set.networks.len()];
    let mut order = Vec::with_capacity(seen.len());
    for (start, _) in set.networks.iter() {
        let mut path = vec![(start, false)];
        while let Some((id, is_done)) = path.pop() {
            if is_done {
                order.push(id);
                continue;
            }
            let seen = seen.get_mut(id.index());
            if seen.is_none_or(|seen| std::mem::replace(seen, true)) {
                continue;
            }
            path.push((id, true));
            let includes = set.networks[id].includes.iter();
            path.extend(includes.map(|&include| (include, false)));
        }
    }
    order
}
