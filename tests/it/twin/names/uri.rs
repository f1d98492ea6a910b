//! URI names: the scheme, the authority, and the rest as it stands.

use std::net::IpAddr;

use super::dns::{Dns, plain_dns};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::twin) struct Uri {
    pub(super) scheme: String,
    /// User, host and port of `//user@host:port`, if there is an authority.
    pub(super) authority: Option<(Option<String>, Host, Option<String>)>,
    pub(super) rest: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Dns(Dns),
    Ip(IpAddr),
}

pub(super) fn uri(text: &str) -> Option<Uri> {
    let (scheme, after) = text.split_once(':')?;
    let mut letters = scheme.chars();
    if !letters.next()?.is_ascii_alphabetic()
        || !letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let Some(hierarchy) = after.strip_prefix("//") else {
        return Some(Uri {
            scheme,
            authority: None,
            rest: after.to_owned(),
        });
    };
    let end = hierarchy.find(['/', '?', '#']).unwrap_or(hierarchy.len());
    let (authority, rest) = hierarchy.split_at(end);
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user.to_owned()), place),
        None => (None, authority),
    };
    let (host, port) = match place.rfind(':') {
        Some(at) if !place[at..].contains(']') => (&place[..at], Some(place[at + 1..].to_owned())),
        _ => (place, None),
    };
    let host = if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Host::Ip(IpAddr::V6(inner.parse().ok()?))
    } else if let Ok(v4) = host.parse() {
        Host::Ip(IpAddr::V4(v4))
    } else {
        Host::Dns(plain_dns(host)?)
    };
    Some(Uri {
        scheme,
        authority: Some((user, host, port)),
        rest: rest.to_owned(),
    })
}
