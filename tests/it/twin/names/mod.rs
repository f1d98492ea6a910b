//! Names of certificates as lists of labels, and the sets that patterns stand for.

use std::net::IpAddr;

use ipnet::IpNet;
use panopol::syntax::tree::SanPattern;
use panopol::vocabulary::SanType;

mod dns;
mod uri;

use dns::{Dns, Star, dns_set, plain_dns};
use uri::{Host, Uri, uri};

use super::address;

/// A requested name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Dns(Dns),
    Ip(IpAddr),
    Email { local: String, host: Dns },
    Uri(Uri),
}

/// What a pattern allows or denies.
#[derive(Clone, Debug)]
pub(super) enum Set {
    Dns(Dns),
    Ip(IpNet),
    /// No local part: any.
    Email {
        local: Option<String>,
        host: Dns,
    },
    Uri(Uri),
}

/// One `san TYPE …` statement.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) allow: Vec<Set>,
    pub(super) deny: Vec<Set>,
}

impl Written {
    pub(super) fn read(kind: SanType, allow: &[SanPattern], deny: &[SanPattern]) -> Self {
        let sets =
            |patterns: &[SanPattern]| patterns.iter().map(|one| read_set(kind, one)).collect();
        Written {
            allow: sets(allow),
            deny: sets(deny),
        }
    }
}

fn read_set(kind: SanType, pattern: &SanPattern) -> Set {
    let text = match pattern {
        SanPattern::Prefix(prefix) => return Set::Ip(prefix.value),
        SanPattern::Text(text) => text.value.as_str(),
    };
    match kind {
        SanType::Dns => Set::Dns(dns_set(text).unwrap()),
        SanType::Ip => Set::Ip(panopol::address::parse_prefix(text).unwrap()),
        SanType::Email => {
            let (local, host) = text.rsplit_once('@').unwrap();
            Set::Email {
                local: (local != "*").then(|| local.to_owned()),
                host: plain_dns(host).unwrap(),
            }
        }
        SanType::Uri => Set::Uri(uri(text).unwrap()),
    }
}

/// A requested name, normalised; none where it is malformed.
pub(super) fn parse_name(text: &str) -> Option<Name> {
    let (kind, text) = text.split_once(':')?;
    parse_typed(SanType::from_word(kind)?, text)
}

fn parse_typed(kind: SanType, text: &str) -> Option<Name> {
    match kind {
        SanType::Dns => match dns_set(text)? {
            Dns {
                star: Star::Many, ..
            } => None,
            name => Some(Name::Dns(name)),
        },
        SanType::Ip => match text.parse::<IpAddr>().ok()? {
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => None,
            address => Some(Name::Ip(address)),
        },
        SanType::Email => {
            let (local, host) = text.rsplit_once('@')?;
            let host = plain_dns(host)?;
            let local = local.to_owned();
            (!local.is_empty()).then_some(Name::Email { local, host })
        }
        SanType::Uri => uri(text).map(Name::Uri),
    }
}

impl Name {
    /// Whether everything the name stands for lies in `set`.
    pub(super) fn inside(&self, set: &Set) -> bool {
        match (self, set) {
            (Name::Dns(name), Set::Dns(set)) => name.inside(set),
            (Name::Ip(name), Set::Ip(prefix)) => address::covers(*prefix, *name),
            (
                Name::Email { local, host },
                Set::Email {
                    local: wanted,
                    host: at,
                },
            ) => host == at && wanted.as_ref().is_none_or(|wanted| wanted == local),
            (Name::Uri(name), Set::Uri(set)) => {
                name.scheme == set.scheme
                    && name.authority == set.authority
                    && name.rest.starts_with(&set.rest)
            }
            _ => false,
        }
    }

    /// Whether anything the name stands for lies in `set`.
    fn meets(&self, set: &Set) -> bool {
        match (self, set) {
            (Name::Dns(name), Set::Dns(set)) => name.meets(set),
            _ => self.inside(set),
        }
    }

    /// The host of an e-mail or URI name, where it is a DNS name.
    fn host(&self) -> Option<Name> {
        match self {
            Name::Dns(_) | Name::Ip(_) => None,
            Name::Email { host, .. } => Some(Name::Dns(host.clone())),
            Name::Uri(uri) => match &uri.authority {
                Some((_, Host::Dns(host), _)) => Some(Name::Dns(host.clone())),
                Some((_, Host::Ip(_), _)) | None => None,
            },
        }
    }

    /// Whether `text`, read as this type of name, is this name.
    pub(super) fn is_written_as(&self, text: &str) -> bool {
        let kind = match self {
            Name::Dns(_) => SanType::Dns,
            Name::Ip(_) => SanType::Ip,
            Name::Email { .. } => SanType::Email,
            Name::Uri(_) => SanType::Uri,
        };
        parse_typed(kind, text).as_ref() == Some(self)
    }
}

/// Whether a `deny` of `rules` meets `name`: one of its own type, or a DNS one and its host.
pub(super) fn deny_meets(rules: &[Written], name: &Name) -> bool {
    let host = name.host();
    rules
        .iter()
        .flat_map(|rule| &rule.deny)
        .any(|set| name.meets(set) || host.as_ref().is_some_and(|host| host.meets(set)))
}

/// Whether `rules` let `name` pass: where any type has an `allow`, one must hold it.
pub(super) fn allow_covers(rules: &[Written], name: &Name) -> bool {
    rules.iter().all(|rule| rule.allow.is_empty())
        || rules
            .iter()
            .flat_map(|rule| &rule.allow)
            .any(|set| name.inside(set))
}
