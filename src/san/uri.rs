//! URIs, cut into scheme, authority and rest. Source: RFC 3986, 3.
//!
//! Spellings that stand for another path (dot segments, an encoded letter) are
//! refused: a prefix could not tell what they lie in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Authority, Host, SanError, Uri, dns};

/// Schemes whose readers find a host even where `//` is missing: `https:/a.example/`.
/// Source: WHATWG URL, special schemes.
const HOSTED: &[&str] = &["http", "https", "ws", "wss", "ftp"];

/// Reads a requested URI.
pub(super) fn parse_name(text: &str) -> Result<Uri, SanError> {
    let uri = parse(text)?;
    if uri.is_scheme_alone() {
        return Err(SanError::new(text, "has nothing after its scheme"));
    }
    Ok(uri)
}

/// Reads a policy's prefix: scheme and authority whole, the rest as far as it goes.
pub(super) fn parse_pattern(text: &str) -> Result<Uri, SanError> {
    if text.contains('*') {
        return Err(SanError::new(
            text,
            "has a star; a `uri` pattern is a prefix and covers all that begins with it",
        ));
    }
    let uri = parse(text)?;
    if uri.is_scheme_alone() && uri.scheme != "urn" {
        return Err(SanError::new(
            text,
            "names no host and no path; scheme and host are compared whole, so say which",
        ));
    }
    Ok(uri)
}

fn parse(text: &str) -> Result<Uri, SanError> {
    let fault = |problem: &str| SanError::new(text, problem);
    let (scheme, after) = text
        .split_once(':')
        .filter(|(scheme, _)| is_scheme(scheme))
        .ok_or_else(|| fault("does not begin with a scheme, as in `https:`"))?;
    let (authority, rest) = match after.strip_prefix("//") {
        Some(after) => {
            let end = after.find(['/', '?', '#']).unwrap_or(after.len());
            let (authority, rest) = after.split_at(end);
            (Some(parse_authority(text, authority)?), rest)
        }
        None if HOSTED.contains(&scheme.to_ascii_lowercase().as_str()) => {
            return Err(fault("has no `//` and host after its scheme"));
        }
        None => (None, after),
    };
    check_characters(text, rest, b"/?#:@")?;
    if rest.matches('#').count() > 1 {
        return Err(fault("has two `#`"));
    }
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
        return Err(fault(
            "has a `.` or `..` segment, which stands for another path",
        ));
    }
    Ok(Uri {
        scheme: scheme.to_ascii_lowercase(),
        authority,
        rest: rest.to_owned(),
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn parse_authority(text: &str, authority: &str) -> Result<Authority, SanError> {
    let (userinfo, place) = match authority.rsplit_once('@') {
        Some((userinfo, place)) => (Some(userinfo), place),
        None => (None, authority),
    };
    if let Some(userinfo) = userinfo {
        check_characters(text, userinfo, b":")?;
    }
    let (host, port) = match place.rsplit_once(':') {
        // The colons inside `[…]` are the address's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(text, port)?)),
        Some(_) | None => (place, None),
    };
    Ok(Authority {
        userinfo: userinfo.map(str::to_owned),
        host: parse_host(text, host)?,
        port,
    })
}

fn parse_port(text: &str, port: &str) -> Result<u16, SanError> {
    let plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    port.parse()
        .ok()
        .filter(|_| plain)
        .ok_or_else(|| SanError::new(text, "has a port that is not a number from 1 to 65535"))
}

fn parse_host(text: &str, host: &str) -> Result<Host, SanError> {
    if host.is_empty() {
        return Err(SanError::new(text, "names no host after `//`"));
    }
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .and_then(|inner| inner.parse::<Ipv6Addr>().ok())
            .filter(|address| address.to_ipv4_mapped().is_none())
            .map(|address| Host::Ip(IpAddr::V6(address)))
            .ok_or_else(|| {
                SanError::new(text, "has a host in brackets that is not an IPv6 address")
            });
    }
    if host.contains('%') {
        return Err(SanError::new(text, "has a percent-encoded host"));
    }
    match host.parse::<Ipv4Addr>() {
        Ok(address) => Ok(Host::Ip(IpAddr::V4(address))),
        Err(_) => dns::normalise(host)
            .map(Host::Name)
            .map_err(|error| SanError::new(text, format!("has a host that {}", error.problem))),
    }
}

/// Holds `part` to unreserved characters, sub-delimiters, `extra`, and
/// percent-encodings that are needed and written one way.
fn check_characters(text: &str, part: &str, extra: &[u8]) -> Result<(), SanError> {
    let fault = |problem: &str| SanError::new(text, problem);
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let encoded = hex(bytes.next()).zip(hex(bytes.next()));
            let (high, low) = encoded.ok_or_else(|| {
                fault("has a `%` that is not followed by two hexadecimal digits in upper case")
            })?;
            if is_unreserved(high * 16 + low) {
                return Err(fault("percent-encodes a character that stands for itself"));
            }
        } else if !is_unreserved(byte) && !b"!$&'()*+,;=".contains(&byte) && !extra.contains(&byte)
        {
            return Err(fault("has a character that no URI has there"));
        }
    }
    Ok(())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn hex(byte: Option<u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        letter @ b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}

impl Uri {
    /// Whether `other` has this scheme and authority, and a rest that begins with this one's.
    pub fn begins(&self, other: &Uri) -> bool {
        self.scheme == other.scheme
            && self.authority == other.authority
            && other.rest.starts_with(&self.rest)
    }

    /// Whether it is a scheme and nothing more: a pattern (`urn:`), never a name.
    pub fn is_scheme_alone(&self) -> bool {
        self.authority.is_none() && self.rest.is_empty()
    }

    /// The host where it is a name, normalised.
    pub fn host_name(&self) -> Option<&str> {
        match &self.authority.as_ref()?.host {
            Host::Name(name) => Some(name),
            Host::Ip(_) => None,
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(authority) = &self.authority {
            write!(f, "//{authority}")?;
        }
        f.write_str(&self.rest)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(userinfo) = &self.userinfo {
            write!(f, "{userinfo}@")?;
        }
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::Ip(IpAddr::V4(address)) => address.fmt(f)?,
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}
