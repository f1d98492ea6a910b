//! Whether a prefix covers an address, bit by bit.

use std::net::IpAddr;

use ipnet::IpNet;
use panopol::ir::unlock::Source;
use panopol::ir::{NetworkId, PolicySet};

/// Whether `address`, folded, has the bits of `prefix`, folded.
pub(super) fn covers(prefix: IpNet, address: IpAddr) -> bool {
    let mut bytes = octets(prefix.addr());
    let mut length = usize::from(prefix.prefix_len());
    if is_mapped(&bytes) && length >= 96 {
        bytes.drain(..12);
        length -= 96;
    }
    let mut address = octets(address);
    if is_mapped(&address) {
        address.drain(..12);
    }
    bytes.len() == address.len() && (0..length).all(|at| bit(&bytes, at) == bit(&address, at))
}

/// Whether a source list's element covers `address`.
pub(super) fn source_covers(set: &PolicySet, source: Source, address: IpAddr) -> bool {
    match source {
        Source::Prefix(prefix) => covers(prefix, address),
        Source::Network(network) => network_covers(set, network, address),
    }
}

fn network_covers(set: &PolicySet, id: NetworkId, address: IpAddr) -> bool {
    let network = &set.networks[id];
    network.v4.iter().any(|&v4| covers(IpNet::V4(v4), address))
        || network.v6.iter().any(|&v6| covers(IpNet::V6(v6), address))
        || network
            .includes
            .iter()
            .any(|&include| network_covers(set, include, address))
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn is_mapped(bytes: &[u8]) -> bool {
    bytes.len() == 16 && bytes[..10].iter().all(|&byte| byte == 0) && bytes[10..12] == [0xff, 0xff]
}

fn bit(bytes: &[u8], at: usize) -> bool {
    bytes[at / 8] & (0x80 >> (at % 8)) != 0
}
