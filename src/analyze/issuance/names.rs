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
    let mailbox = fresh("witness", |local| is_mentioned_mailbox(patterns, local));
    let scheme = fresh("x-witness", |scheme| is_mentioned_scheme(patterns, scheme));
    let mut found: Vec<String> = Vec::new();
    for suffix in &suffixes {
        let free_label = fresh("x", |label| suffixes.contains(&join(label, suffix)));
        let below = join(&free_label, suffix);
        let deeper = join("a", &below);
        for host in [suffix.clone(), below.clone(), deeper.clone()] {
            if !host.is_empty() {
                found.push(format!("dns:{host}"));
                found.push(format!("email:{mailbox}@{host}"));
                found.push(format!("uri:https://{host}/"));
                found.push(format!("uri:{scheme}://{host}/"));
            }
        }
        for base in [suffix, &below] {
            if !base.is_empty() {
                found.push(format!("dns:*.{base}"));
            }
        }
    }
    found.push("uri:urn:witness".to_owned());
    found.push(format!("uri:{scheme}:witness"));
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
                let end = if uri.is_scheme_alone() {
                    unmentioned_rest(patterns, uri)
                } else {
                    String::new()
                };
                found.push(format!("{}{end}", San::Uri(uri.clone())));
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

/// `word`, with a number behind it where it is taken.
fn fresh(word: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (1_u32..).map(|number| format!("{word}{number}"));
    let mut words = std::iter::once(word.to_owned()).chain(numbered);
    words.find(|word| !is_taken(word)).unwrap_or_default()
}

fn is_mentioned_mailbox(patterns: &[&SanPattern], name: &str) -> bool {
    let mut locals = patterns.iter().filter_map(|pattern| match pattern {
        SanPattern::Email { local, .. } => local.as_deref(),
        SanPattern::Dns(_) | SanPattern::Ip(_) | SanPattern::Uri(_) => None,
    });
    locals.any(|local| local == name)
}

fn uris<'a>(patterns: &'a [&SanPattern]) -> impl Iterator<Item = &'a Uri> {
    patterns.iter().filter_map(|pattern| match pattern {
        SanPattern::Uri(uri) => Some(uri),
        SanPattern::Dns(_) | SanPattern::Ip(_) | SanPattern::Email { .. } => None,
    })
}

fn is_mentioned_scheme(patterns: &[&SanPattern], scheme: &str) -> bool {
    uris(patterns).any(|uri| uri.scheme == scheme)
}

/// What follows a scheme that is a pattern by itself, and no name, so that no
/// longer pattern covers it: a word, or the first character that is free.
fn unmentioned_rest(patterns: &[&SanPattern], alone: &Uri) -> String {
    let is_longer =
        |uri: &&Uri| uri.scheme == alone.scheme && uri.authority.is_none() && !uri.rest.is_empty();
    let longer: Vec<&Uri> = uris(patterns).filter(is_longer).collect();
    let is_free = |rest: &String| !longer.iter().any(|uri| rest.starts_with(&uri.rest));
    let characters = (b'a'..=b'z').chain(b'!'..=b'~');
    let characters = characters.map(|byte| char::from(byte).to_string());
    let encoded = (0..=u8::MAX).map(|byte| format!("%{byte:02X}"));
    let mut rests = std::iter::once("witness".to_owned())
        .chain(characters)
        .chain(encoded);
    let is_name = |rest: &String| parse_name(&format!("uri:{}:{rest}", alone.scheme)).is_ok();
    rests
        .find(|rest| is_free(rest) && is_name(rest))
        .unwrap_or_default()
}

/// The first address behind the IPv4-mapped ones, which are no names: it stands
/// for those of a range that begins among them.
const AFTER_MAPPED: IpAddr = IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 1, 0, 0, 0));

/// The first address of each prefix and the first after it, and one of each family.
fn addresses(patterns: &[&SanPattern]) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::from([
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        AFTER_MAPPED,
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
