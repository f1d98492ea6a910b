//! Network files: one CIDR or address a line, up to millions of them.
//!
//! Works on bytes and allocates for bad lines alone.

use std::ops::Range;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::address::{AddressError, parse_prefix};

use super::network::sort_prefixes;

/// The prefixes of one file, each family sorted without repeats.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    pub(super) v4: Vec<Ipv4Net>,
    pub(super) v6: Vec<Ipv6Net>,
}

impl Prefixes {
    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// A line that is no prefix.
#[derive(Clone, Debug)]
pub(super) struct BadLine {
    /// From 1.
    pub(super) number: u32,
    /// The fault's bytes in the file.
    pub(super) range: Range<usize>,
    pub(super) problem: String,
    /// The right spelling, where there is one.
    pub(super) right: Option<String>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) prefixes: Prefixes,
    /// The first bad lines.
    pub(super) bad: Vec<BadLine>,
    /// How many bad lines there are.
    pub(super) bad_count: usize,
}

/// Reads a whole file; keeps at most `keep` bad lines.
pub(super) fn parse(bytes: &[u8], keep: usize) -> Parsed {
    let mut parsed = Parsed::default();
    reserve(bytes, &mut parsed.prefixes);
    let bom = if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let mut at = bom;
    let mut number = 0_u32;
    for line in bytes
        .get(bom..)
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
    {
        number = number.saturating_add(1);
        let start = at;
        at += line.len() + 1;
        let content = content_of(line);
        if content.is_empty() {
            continue;
        }
        match prefix_of(content) {
            Ok(IpNet::V4(prefix)) => parsed.prefixes.v4.push(prefix),
            Ok(IpNet::V6(prefix)) => parsed.prefixes.v6.push(prefix),
            Err(error) => {
                parsed.bad_count += 1;
                if parsed.bad.len() < keep {
                    let lead = line.len() - line.trim_ascii_start().len();
                    let range = start + lead..start + lead + content.len();
                    parsed.bad.push(bad_line(number, range, error));
                }
            }
        }
    }
    sort_prefixes(&mut parsed.prefixes.v4, &mut parsed.prefixes.v6);
    parsed.prefixes.v4.shrink_to_fit();
    parsed.prefixes.v6.shrink_to_fit();
    parsed
}

/// Makes room once: growing by doubling would hold old and new at one time.
fn reserve(bytes: &[u8], prefixes: &mut Prefixes) {
    let (mut v4, mut v6) = (0, 0);
    for line in bytes.split(|&byte| byte == b'\n') {
        // An IPv6 address has its first colon within five bytes, but for blanks before it.
        match line.first() {
            None | Some(b'#') => {}
            Some(_) if line.iter().take(8).any(|&byte| byte == b':') => v6 += 1,
            Some(_) => v4 += 1,
        }
    }
    prefixes.v4.reserve_exact(v4);
    prefixes.v6.reserve_exact(v6);
}

/// A line without its comment and the blanks around it.
fn content_of(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|&byte| byte == b'#');
    line.get(..end.unwrap_or(line.len()))
        .unwrap_or_default()
        .trim_ascii()
}

fn prefix_of(content: &[u8]) -> Result<IpNet, AddressError> {
    // No prefix is longer; what is longer is not quoted at length either.
    const LONGEST: usize = 64;
    match std::str::from_utf8(content) {
        Ok(text) if text.len() <= LONGEST => parse_prefix(text),
        Ok(_) | Err(_) => {
            let head = content.get(..LONGEST).unwrap_or(content);
            Err(AddressError::Malformed(
                String::from_utf8_lossy(head).into_owned(),
            ))
        }
    }
}

fn bad_line(number: u32, range: Range<usize>, error: AddressError) -> BadLine {
    BadLine {
        number,
        range,
        problem: error.to_string(),
        right: error.right(),
    }
}
