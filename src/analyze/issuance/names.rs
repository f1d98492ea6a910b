//! Names that stand for all names: every name decides like one of these.
//!
//! A DNS name's fate hangs on the longest mentioned suffix that it has and on
//! whether it has no, one or more labels before it. A mailbox's hangs on its
//! host and, at a mentioned host, its local part; a URI's on the longest
//! mentioned prefix and on its host; an address's on the mentioned prefixes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::ir::issuance::SanRule;
use crate::san::{Authority, Host, San, SanPattern, Uri, inside, meets, parse_name};

/// Names so that each name there is passes and fails the same of `patterns` as
/// one of them does; the simplest first.
pub(super) fn representatives(patterns: &[&SanPattern]) -> Vec<San> {
    let suffixes = suffixes(patterns);
    let mut found: Vec<String> = Vec::new();
    for suffix in &suffixes {
        let fresh = fresh_label(suffix, &suffixes);
        let below = join(&fresh, suffix);
        let deeper = join("a", &below);
        for host in [suffix.clone(), below.clone(), deeper.clone()] {
            if !host.is_empty() {
                found.push(format!("dns:{host}"));
                found.push(format!("email:witness@{host}"));
                found.push(format!("uri:https://{host}/"));
                found.push(format!("uri:x-witness://{host}/"));
            }
        }
        for base in [suffix, &below] {
            if !base.is_empty() {
                found.push(format!("dns:*.{base}"));
            }
        }
    }
    found.push("uri:urn:witness".to_owned());
    found.push("uri:https://192.0.2.1/".to_owned());
    found.extend(
        addresses(patterns)
            .into_iter()
            .map(|address| format!("ip:{address}")),
    );
    for pattern in patterns {
        match pattern {
            SanPattern::Email {
                local: Some(local),
                host,
            } => {
                found.push(format!("email:{local}@{host}"));
            }
            SanPattern::Uri(uri) => {
                let spelled = San::Uri(uri.clone()).to_string();
                found.push(format!("{spelled}witness"));
                found.push(spelled);
            }
            SanPattern::Email { local: None, .. } | SanPattern::Dns(_) | SanPattern::Ip(_) => {}
        }
    }
    let names: BTreeSet<San> = found
        .iter()
        .filter_map(|text| parse_name(text).ok())
        .collect();
    let mut names: Vec<San> = names.into_iter().collect();
    names.sort_by_cached_key(|name| {
        let text = name.to_string();
        (name.kind(), text.contains('*'), text.len(), text)
    });
    names
}

fn join(label: &str, suffix: &str) -> String {
    match suffix {
        "" => label.to_owned(),
        _ => format!("{label}.{suffix}"),
    }
}

/// Every suffix of every host that is mentioned, the empty one included.
fn suffixes(patterns: &[&SanPattern]) -> BTreeSet<String> {
    let mut found = BTreeSet::from([String::new()]);
    for pattern in patterns {
        let host = match pattern {
            SanPattern::Dns(set) => Some(set.base.as_str()),
            SanPattern::Email { host, .. } => Some(host.as_str()),
            SanPattern::Uri(Uri {
                authority:
                    Some(Authority {
                        host: Host::Name(name),
                        ..
                    }),
                ..
            }) => Some(name.as_str()),
            SanPattern::Uri(_) | SanPattern::Ip(_) => None,
        };
        let mut rest = host.unwrap_or_default();
        while !rest.is_empty() {
            found.insert(rest.to_owned());
            rest = rest.split_once('.').map_or("", |(_, up)| up);
        }
    }
    found
}

/// A label that makes no mentioned host before `suffix`.
fn fresh_label(suffix: &str, suffixes: &BTreeSet<String>) -> String {
    let is_free = |label: &String| !suffixes.contains(&join(label, suffix));
    let mut numbered = (1_u32..).map(|number| format!("x{number}"));
    let plain = Some("x".to_owned()).filter(&is_free);
    plain.or_else(|| numbered.find(is_free)).unwrap_or_default()
}

/// The first address of each prefix and the first after it, and one of each family.
fn addresses(patterns: &[&SanPattern]) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::from([
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ]);
    for pattern in patterns {
        let SanPattern::Ip(prefix) = pattern else {
            continue;
        };
        found.insert(prefix.network());
        found.extend(after(*prefix));
    }
    found
}

fn after(prefix: IpNet) -> Option<IpAddr> {
    match prefix {
        IpNet::V4(net) => u32::from(net.broadcast())
            .checked_add(1)
            .map(|next| IpAddr::V4(next.into())),
        IpNet::V6(net) => u128::from(net.broadcast())
            .checked_add(1)
            .map(|next| IpAddr::V6(next.into())),
    }
}

/// Every pattern of some rules.
pub(super) fn patterns<'a>(rules: impl IntoIterator<Item = &'a SanRule>) -> Vec<&'a SanPattern> {
    let rules = rules.into_iter();
    rules
        .flat_map(|rule| rule.allow.iter().flatten().chain(&rule.deny))
        .collect()
}

/// Whether one policy's rules let a single name through.
pub(super) fn passes(rules: &[SanRule], name: &San) -> bool {
    let denied = rules
        .iter()
        .flat_map(|rule| &rule.deny)
        .any(|pattern| meets(name, pattern));
    let any_allow = rules.iter().any(|rule| rule.allow.is_some());
    let own = rules.iter().filter(|rule| rule.kind == name.kind());
    let mut allowed = own.flat_map(|rule| rule.allow.iter().flatten());
    !denied && (!any_allow || allowed.any(|pattern| inside(name, pattern)))
}
