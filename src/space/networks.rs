//! The declared networks of a policy set, each stored once however many rules name it.

use std::collections::HashSet;
use std::net::IpAddr;

use super::prefixes::PrefixSet;
use crate::ir::table::Id;
use crate::ir::{NetworkId, PolicySet};

/// Every declared network's addresses.
#[derive(Debug)]
pub struct Networks {
    rows: Vec<Row>,
}

/// A network's own addresses, and those it names, deep (without itself).
#[derive(Debug)]
struct Row {
    own: PrefixSet,
    parts: Vec<NetworkId>,
}

impl Networks {
    /// Compiles the networks of `set`.
    pub fn compile(set: &PolicySet) -> Self {
        let rows = set.networks.iter().map(|(id, network)| Row {
            own: PrefixSet::new(network.v4.iter().copied(), network.v6.iter().copied()),
            parts: parts(set, id),
        });
        Networks {
            rows: rows.collect(),
        }
    }

    /// Whether `address`, folded, is in the network.
    pub fn contains(&self, id: NetworkId, address: IpAddr) -> bool {
        self.row(id).is_some_and(|row| {
            row.own.contains(address)
                || row.parts.iter().any(|&part| {
                    self.row(part)
                        .is_some_and(|part| part.own.contains(address))
                })
        })
    }

    fn row(&self, id: NetworkId) -> Option<&Row> {
        self.rows.get(id.index())
    }
}

/// The networks that `id` names, deep, without itself.
fn parts(set: &PolicySet, id: NetworkId) -> Vec<NetworkId> {
    let mut seen = HashSet::from([id]);
    let mut found = vec![id];
    let mut next = 0;
    while let Some(&part) = found.get(next) {
        let includes = set.networks[part].includes.iter();
        found.extend(includes.copied().filter(|&include| seen.insert(include)));
        next += 1;
    }
    found.split_off(1)
}
