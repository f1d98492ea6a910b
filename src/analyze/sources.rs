//! From where: every address set that some line of a policy names, once, and
//! the classes of addresses that they cut the space into.

use std::collections::HashMap;

use crate::ir::unlock::Source;
use crate::ir::{NetworkId, PolicySet};
use crate::space::partition::{AddressClass, partition};
use crate::space::prefixes::PrefixSet;

/// Which address set.
pub(super) type Place = u32;

/// Address sets, numbered as they are named.
#[derive(Debug, Default)]
pub(super) struct Sources {
    sets: Vec<PrefixSet>,
    known: HashMap<PrefixSet, Place>,
}

impl Sources {
    /// The sets that together are `sources`; a network is its own prefixes and
    /// those of each network that it names.
    pub(super) fn name(
        &mut self,
        set: &PolicySet,
        sources: &[Source],
        networks: &mut HashMap<NetworkId, Vec<Place>>,
    ) -> Vec<Place> {
        let mut places = Vec::new();
        let mut literals = Vec::new();
        for source in sources {
            match source {
                Source::Prefix(prefix) => literals.push(*prefix),
                Source::Network(id) => {
                    let known = networks.entry(*id);
                    places.extend_from_slice(known.or_insert_with(|| self.network(set, *id)));
                }
            }
        }
        if !literals.is_empty() {
            places.push(self.intern(PrefixSet::from_prefixes(literals)));
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    fn network(&mut self, set: &PolicySet, id: NetworkId) -> Vec<Place> {
        let parts = set.network_parts(id).into_iter();
        let own =
            parts.map(|part| PrefixSet::new(part.v4.iter().copied(), part.v6.iter().copied()));
        own.filter(|own| !own.is_empty())
            .map(|own| self.intern(own))
            .collect()
    }

    fn intern(&mut self, addresses: PrefixSet) -> Place {
        if let Some(&place) = self.known.get(&addresses) {
            return place;
        }
        let place = Place::try_from(self.sets.len()).unwrap_or(Place::MAX);
        self.known.insert(addresses.clone(), place);
        self.sets.push(addresses);
        place
    }

    /// How many sets there are.
    pub(super) fn len(&self) -> usize {
        self.sets.len()
    }

    /// The classes that all of them cut the address space into.
    pub(super) fn classes(&self) -> Vec<AddressClass> {
        partition(&self.sets)
    }
}

/// Whether two sorted lists share an element.
pub(super) fn meet(a: &[Place], b: &[Place]) -> bool {
    let (shorter, longer) = if a.len() < b.len() { (a, b) } else { (b, a) };
    shorter.iter().any(|one| longer.binary_search(one).is_ok())
}

/// The name of the declared network that is exactly these addresses, if one is.
pub(super) fn named<'a>(set: &'a PolicySet, addresses: &PrefixSet) -> Option<&'a str> {
    let mut networks = set.networks.iter();
    let found = networks.find(|&(id, _)| {
        let parts: Vec<_> = set
            .network_parts(id)
            .into_iter()
            .map(|part| PrefixSet::new(part.v4.iter().copied(), part.v6.iter().copied()))
            .collect();
        PrefixSet::union(&parts) == *addresses
    });
    found.map(|(id, _)| set.networks.name(id))
}
