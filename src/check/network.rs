//! Networks: their own prefixes, the networks they name, and source lists.

use std::fmt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::address::display_prefix;
use crate::diagnostic::Diagnostic;
use crate::ir::unlock::Source;
use crate::ir::{Network, NetworkId};
use crate::syntax::tree::{self, Name, NetworkBody, NetworkItem};

use super::codes::networks as codes;
use super::files::Files;
use super::lists::expect_distinct;
use super::report::Report;
use super::scope::{Scope, header};

pub(super) fn resolve_network(
    item: &NetworkItem,
    files: &mut Files<'_>,
    scope: &Scope,
    report: &mut Report,
) -> Option<Network> {
    let name = &item.name;
    if name.value == "outside" {
        let message = "a network may not be named `outside`";
        let diagnostic = Diagnostic::new(&codes::RESERVED_NETWORK_NAME, name.span, message);
        report.push(diagnostic.help("`from outside …` means every address but those that follow"));
    }
    match &item.body {
        NetworkBody::File(path) => {
            let prefixes = files.network(path, report)?;
            Some(Network {
                header: header(name),
                includes: Vec::new(),
                v4: prefixes.v4,
                v6: prefixes.v6,
            })
        }
        NetworkBody::List(elements) => resolve_list(name, elements, scope, report),
    }
}

fn resolve_list(
    name: &Name,
    elements: &[tree::Source],
    scope: &Scope,
    report: &mut Report,
) -> Option<Network> {
    let mut network = Network {
        header: header(name),
        includes: Vec::new(),
        v4: Vec::new(),
        v6: Vec::new(),
    };
    for source in resolve_sources(elements, scope, report)? {
        match source {
            Source::Network(id) => network.includes.push(id),
            Source::Prefix(IpNet::V4(prefix)) => network.v4.push(prefix),
            Source::Prefix(IpNet::V6(prefix)) => network.v6.push(prefix),
        }
    }
    network.includes.sort();
    network.includes.dedup();
    sort_prefixes(&mut network.v4, &mut network.v6);
    Some(network)
}

/// Sorts both families and drops repeats.
pub(super) fn sort_prefixes(v4: &mut Vec<Ipv4Net>, v6: &mut Vec<Ipv6Net>) {
    v4.sort_unstable();
    v4.dedup();
    v6.sort_unstable();
    v6.dedup();
}

/// One element of a list as written, to find repeats.
#[derive(PartialEq, Eq, Hash)]
enum Element<'a> {
    Network(&'a str),
    Prefix(IpNet),
}

impl fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Network(name) => f.write_str(name),
            Element::Prefix(prefix) => f.write_str(&display_prefix(*prefix)),
        }
    }
}

/// The sources of a list, in the order written.
pub(super) fn resolve_sources(
    sources: &[tree::Source],
    scope: &Scope,
    report: &mut Report,
) -> Option<Vec<Source>> {
    let elements = sources.iter().map(|source| match source {
        tree::Source::Network(name) => (Element::Network(&name.value), name.span),
        tree::Source::Prefix(prefix) => (Element::Prefix(prefix.value), prefix.span),
    });
    expect_distinct(elements, Element::to_string, report);
    let resolved: Vec<Option<Source>> = sources
        .iter()
        .map(|source| match source {
            tree::Source::Network(name) => scope
                .resolve::<NetworkId>(name, report)
                .map(Source::Network),
            tree::Source::Prefix(prefix) => Some(Source::Prefix(prefix.value)),
        })
        .collect();
    resolved.into_iter().collect()
}
