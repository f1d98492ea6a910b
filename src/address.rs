//! Addresses and CIDRs as operators write them, with exact errors.
//!
//! The one place where text becomes an address: policy literals, network
//! files, command-line arguments and requests all come through here, so
//! IPv4-mapped IPv6 is folded to IPv4 everywhere. Knows nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why a text is not an address or CIDR.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither an address nor a CIDR.
    #[error("`{0}` is not an IP address or CIDR")]
    Malformed(String),
    /// Not an address, where no CIDR may stand either.
    #[error("`{0}` is not an IP address")]
    NotAddress(String),
    /// A CIDR where one address must stand.
    #[error("`{0}` is a CIDR, and one address must stand here")]
    Cidr(String),
    /// A decimal part with a leading zero, which some tools read as octal.
    #[error("`{text}` has a leading zero")]
    LeadingZero {
        /// As written.
        text: String,
        /// Without the zeros, where that is an address.
        right: Option<String>,
    },
    /// A prefix length past the family's.
    #[error("`{text}` has a prefix length above {limit}")]
    PrefixLength {
        /// As written.
        text: String,
        /// 32 or 128.
        limit: u8,
    },
    /// Bits set below the prefix.
    #[error("`{text}` has host bits set")]
    HostBits {
        /// As written.
        text: String,
        /// The network it lies in.
        right: IpNet,
    },
}

impl AddressError {
    /// The right spelling, where there is one.
    pub fn right(&self) -> Option<String> {
        match self {
            AddressError::Malformed(_)
            | AddressError::NotAddress(_)
            | AddressError::Cidr(_)
            | AddressError::PrefixLength { .. } => None,
            AddressError::LeadingZero { right, .. } => right.clone(),
            AddressError::HostBits { right, .. } => Some(display_prefix(*right)),
        }
    }
}

/// Folds an IPv4-mapped IPv6 address to IPv4. Source: RFC 4291, 2.5.5.2.
pub fn fold(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
    }
}

/// Folds a prefix inside `::ffff:0:0/96` to IPv4.
pub fn fold_prefix(prefix: IpNet) -> IpNet {
    if let IpNet::V6(v6) = prefix
        && v6.prefix_len() >= 96
        && let Some(v4) = v6.addr().to_ipv4_mapped()
        && let Ok(folded) = Ipv4Net::new(v4, v6.prefix_len() - 96)
    {
        return IpNet::V4(folded);
    }
    prefix
}

/// Reads one address, folded.
///
/// # Errors
/// `NotAddress`, `Cidr` or `LeadingZero`.
pub fn parse_address(text: &str) -> Result<IpAddr, AddressError> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(fold(address)),
        Err(_) if text.parse::<IpNet>().is_ok() => Err(AddressError::Cidr(text.to_owned())),
        Err(_) => Err(match malformed(text) {
            AddressError::Malformed(text) => AddressError::NotAddress(text),
            other => other,
        }),
    }
}

/// Reads an address (as a full-length prefix) or a CIDR, folded.
///
/// # Errors
/// Each of [`AddressError`].
pub fn parse_prefix(text: &str) -> Result<IpNet, AddressError> {
    let Some((address_text, length_text)) = text.split_once('/') else {
        let address = text.parse::<IpAddr>().map_err(|_| malformed(text))?;
        return Ok(IpNet::from(fold(address)));
    };
    let Ok(address) = address_text.parse::<IpAddr>() else {
        return Err(malformed(text));
    };
    if length_text.is_empty() || !length_text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AddressError::Malformed(text.to_owned()));
    }
    if length_text.len() > 1 && length_text.starts_with('0') {
        return Err(malformed(text));
    }
    let limit = if address.is_ipv4() { 32 } else { 128 };
    let prefix = length_text
        .parse::<u8>()
        .ok()
        .and_then(|length| IpNet::new(address, length).ok())
        .ok_or_else(|| AddressError::PrefixLength {
            text: text.to_owned(),
            limit,
        })?;
    let right = prefix.trunc();
    if right.addr() != address {
        return Err(AddressError::HostBits {
            text: text.to_owned(),
            right: fold_prefix(right),
        });
    }
    Ok(fold_prefix(prefix))
}

/// Writes a prefix as policies write it: an address bare, a CIDR with its length.
pub fn display_prefix(prefix: IpNet) -> String {
    if prefix.prefix_len() == prefix.max_prefix_len() {
        prefix.addr().to_string()
    } else {
        prefix.to_string()
    }
}

/// Whether `prefix` covers `address` (both folded): an IPv6 prefix never covers IPv4.
pub fn covers(prefix: IpNet, address: IpAddr) -> bool {
    prefix.contains(&address)
}

/// What one host has to itself: an IPv4 address, or the /64 of an IPv6 one.
pub fn host_range(source: IpAddr) -> IpNet {
    range(source, 32, 64)
}

/// The network about an address: IPv4 /24, IPv6 /64.
pub fn network_range(source: IpAddr) -> IpNet {
    range(source, 24, 64)
}

fn range(source: IpAddr, v4: u8, v6: u8) -> IpNet {
    let source = fold(source);
    let length = if source.is_ipv4() { v4 } else { v6 };
    IpNet::new(source, length).map_or_else(|_| IpNet::from(source), |net| net.trunc())
}

/// The first and last address of an IPv4 prefix as numbers.
pub fn range_v4(prefix: Ipv4Net) -> (u32, u32) {
    (u32::from(prefix.network()), u32::from(prefix.broadcast()))
}

/// The first and last address of an IPv6 prefix as numbers.
pub fn range_v6(prefix: Ipv6Net) -> (u128, u128) {
    (u128::from(prefix.network()), u128::from(prefix.broadcast()))
}

/// Tells a leading zero from plain nonsense.
fn malformed(text: &str) -> AddressError {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let strip = |part: &str| {
        let stripped = part.trim_start_matches('0');
        if stripped.is_empty() {
            "0".to_owned()
        } else {
            stripped.to_owned()
        }
    };
    // Only dotted parts are decimal; IPv6 groups are hexadecimal and may be padded.
    let (head, dotted) = match address.rfind(':') {
        Some(at) => address.split_at(at + 1),
        None => ("", address),
    };
    let right_address = if dotted.contains('.') {
        let parts: Vec<String> = dotted.split('.').map(strip).collect();
        format!("{head}{}", parts.join("."))
    } else {
        address.to_owned()
    };
    let right = match length {
        Some(length) => format!("{right_address}/{}", strip(length)),
        None => right_address,
    };
    let parses = right != text
        && (right.parse::<IpNet>().is_ok()
            || right.parse::<Ipv4Addr>().is_ok()
            || right.parse::<Ipv6Addr>().is_ok());
    if parses {
        AddressError::LeadingZero {
            text: text.to_owned(),
            right: parse_prefix(&right).ok().map(display_prefix),
        }
    } else {
        AddressError::Malformed(text.to_owned())
    }
}
