//! Names of certificates as sets: read, normalised, compared. Knows no policy.
//!
//! A [`San`] is what a request asks for, a [`SanPattern`] what a policy allows
//! or denies. Both are sets: a requested wildcard stands for every name that it
//! covers. [`inside`] asks whether the one lies in the other, [`meets`] whether
//! they share a name; [`SanPattern::covers`] and [`SanPattern::overlaps`] ask
//! the same of two patterns, so that policies can be compared exactly.
//!
//! Whatever cannot be normalised without doubt is an error, never a pass.

pub mod dns;
mod email;
mod uri;

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::vocabulary::SanType;
use dns::DnsSet;

/// Longer texts are refused before any work is done on them.
pub const MAX_BYTES: usize = 4096;

/// One requested name, normalised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum San {
    /// A DNS name, or a wildcard: [`dns::Reach::Exact`] or [`dns::Reach::One`].
    Dns(DnsSet),
    /// An address; never IPv4-mapped.
    Ip(IpAddr),
    /// A mailbox.
    Email {
        /// The local part, as written.
        local: String,
        /// The host, normalised.
        host: String,
    },
    /// A URI.
    Uri(Uri),
}

/// A URI cut where patterns compare it. Source: RFC 3986.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri {
    /// Lower case, without its `:`.
    pub scheme: String,
    /// What stands after `//`; none: no `//` was given.
    pub authority: Option<Authority>,
    /// Path, query and fragment, as written.
    pub rest: String,
}

/// A URI's authority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    /// As written, before the `@`.
    pub userinfo: Option<String>,
    /// Who is named.
    pub host: Host,
    /// Without leading zeros.
    pub port: Option<u16>,
}

/// A URI's host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name, normalised like a DNS name.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

/// A set of names that a policy allows or denies, normalised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SanPattern {
    /// `example.com`, `*.example.com`, `**.example.com`
    Dns(DnsSet),
    /// The addresses of a prefix.
    Ip(IpNet),
    /// `ops@example.com`, `*@example.com`
    Email {
        /// The local part; none: any.
        local: Option<String>,
        /// The host, exact.
        host: String,
    },
    /// Scheme and authority exact, the rest a prefix: `spiffe://prod/`.
    Uri(Uri),
}

/// Why a text is not a name, or not a set of names, in words that follow it:
/// "`a..b` has an empty label".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {problem}")]
pub struct SanError {
    /// The text at fault, shortened if very long.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl SanError {
    fn new(text: &str, problem: impl Into<String>) -> Self {
        let mut shown: String = text
            .chars()
            .take(256)
            .flat_map(char::escape_debug)
            .collect();
        if text.chars().nth(256).is_some() {
            shown.push('…');
        }
        SanError {
            text: shown,
            problem: problem.into(),
        }
    }
}

/// Reads a pattern of a policy.
///
/// # Errors
/// What cannot be normalised, or has a star where none may stand. An `ip`
/// pattern is never text: use [`SanPattern::ip`].
pub fn parse_pattern(kind: SanType, text: &str) -> Result<SanPattern, SanError> {
    bounded(text)?;
    match kind {
        SanType::Dns => dns::parse_pattern(text).map(SanPattern::Dns),
        SanType::Ip => Err(SanError::new(
            text,
            "is quoted; an address or CIDR stands bare, as in `san ip allow 10.0.0.0/8`",
        )),
        SanType::Email => email::parse_pattern(text),
        SanType::Uri => uri::parse_pattern(text).map(SanPattern::Uri),
    }
}

/// Reads a requested name with its type: `dns:api.example.com`.
///
/// # Errors
/// What cannot be normalised without doubt.
pub fn parse_name(text: &str) -> Result<San, SanError> {
    bounded(text)?;
    let typed = text
        .split_once(':')
        .and_then(|(word, rest)| Some((SanType::from_word(word)?, rest)));
    match typed {
        Some((kind, rest)) => parse_name_of(kind, rest),
        None => Err(SanError::new(
            text,
            "does not begin with `dns:`, `ip:`, `email:` or `uri:`",
        )),
    }
}

/// Reads a requested name of a known type, without its type's word.
///
/// # Errors
/// What cannot be normalised without doubt.
pub fn parse_name_of(kind: SanType, text: &str) -> Result<San, SanError> {
    bounded(text)?;
    match kind {
        SanType::Dns => dns::parse_name(text).map(San::Dns),
        SanType::Ip => parse_ip(text).map(San::Ip),
        SanType::Email => email::parse_name(text),
        SanType::Uri => uri::parse_name(text).map(San::Uri),
    }
}

fn bounded(text: &str) -> Result<(), SanError> {
    if text.len() > MAX_BYTES {
        return Err(SanError::new(
            text,
            format!("is longer than {MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}

fn parse_ip(text: &str) -> Result<IpAddr, SanError> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| SanError::new(text, "is not an IP address"))?;
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
    {
        return Err(SanError::new(
            text,
            format!("is an IPv4-mapped IPv6 address; ask for `{v4}`"),
        ));
    }
    Ok(address)
}

/// Whether every name that `name` stands for lies in `pattern`. Types must agree.
pub fn inside(name: &San, pattern: &SanPattern) -> bool {
    match (name, pattern) {
        (San::Dns(name), SanPattern::Dns(set)) => set.covers(name),
        (San::Ip(address), SanPattern::Ip(prefix)) => prefix.contains(address),
        (
            San::Email { local, host },
            SanPattern::Email {
                local: of,
                host: at,
            },
        ) => host == at && of.as_ref().is_none_or(|of| of == local),
        (San::Uri(uri), SanPattern::Uri(prefix)) => prefix.begins(uri),
        (San::Dns(_) | San::Ip(_) | San::Email { .. } | San::Uri(_), _) => false,
    }
}

/// Whether some name that `name` stands for lies in `pattern`. A DNS pattern
/// also meets the e-mail and URI names whose host lies in it.
pub fn meets(name: &San, pattern: &SanPattern) -> bool {
    match (name, pattern) {
        (San::Dns(name), SanPattern::Dns(set)) => set.overlaps(name),
        (San::Email { host, .. }, SanPattern::Dns(set)) => set.has(host),
        (San::Uri(uri), SanPattern::Dns(set)) => uri.host_name().is_some_and(|host| set.has(host)),
        // Every other name is a single one.
        (San::Dns(_) | San::Ip(_) | San::Email { .. } | San::Uri(_), _) => inside(name, pattern),
    }
}

impl San {
    /// Its type.
    pub fn kind(&self) -> SanType {
        match self {
            San::Dns(_) => SanType::Dns,
            San::Ip(_) => SanType::Ip,
            San::Email { .. } => SanType::Email,
            San::Uri(_) => SanType::Uri,
        }
    }

    /// The normalised name without its type's word.
    pub fn text(&self) -> String {
        match self {
            San::Dns(name) => name.to_string(),
            San::Ip(address) => address.to_string(),
            San::Email { local, host } => format!("{local}@{host}"),
            San::Uri(uri) => uri.to_string(),
        }
    }
}

impl SanPattern {
    /// The addresses of `prefix`.
    pub fn ip(prefix: IpNet) -> Self {
        SanPattern::Ip(prefix)
    }

    /// Its type.
    pub fn kind(&self) -> SanType {
        match self {
            SanPattern::Dns(_) => SanType::Dns,
            SanPattern::Ip(_) => SanType::Ip,
            SanPattern::Email { .. } => SanType::Email,
            SanPattern::Uri(_) => SanType::Uri,
        }
    }

    /// Whether every name of `other` is one of these; `other` of another type never is.
    pub fn covers(&self, other: &SanPattern) -> bool {
        match (self, other) {
            (SanPattern::Dns(a), SanPattern::Dns(b)) => a.covers(b),
            (SanPattern::Ip(a), SanPattern::Ip(b)) => a.contains(b),
            (SanPattern::Email { local: a, host }, SanPattern::Email { local: b, host: at }) => {
                host == at && (a.is_none() || a == b)
            }
            (SanPattern::Uri(a), SanPattern::Uri(b)) => a.begins(b),
            (
                SanPattern::Dns(_)
                | SanPattern::Ip(_)
                | SanPattern::Email { .. }
                | SanPattern::Uri(_),
                _,
            ) => false,
        }
    }

    /// Whether some name is in both, of the same type. Sets of one type are
    /// nested or apart, but for `*.example.com` and the names below it.
    pub fn overlaps(&self, other: &SanPattern) -> bool {
        match (self, other) {
            (SanPattern::Dns(a), SanPattern::Dns(b)) => a.overlaps(b),
            (
                SanPattern::Dns(_)
                | SanPattern::Ip(_)
                | SanPattern::Email { .. }
                | SanPattern::Uri(_),
                _,
            ) => self.covers(other) || other.covers(self),
        }
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.text())
    }
}

impl fmt::Display for SanPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SanPattern::Dns(set) => set.fmt(f),
            SanPattern::Ip(prefix) => f.write_str(&crate::address::display_prefix(*prefix)),
            SanPattern::Email { local, host } => {
                write!(f, "{}@{host}", local.as_deref().unwrap_or("*"))
            }
            SanPattern::Uri(uri) => uri.fmt(f),
        }
    }
}
