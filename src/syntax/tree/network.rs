//! Networks, and sources as lists name them.

use ipnet::IpNet;

use super::{Name, Text};
use crate::source::Spanned;

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
