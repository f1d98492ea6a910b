//! Sets of DNS names: one name, or the names below one.
//!
//! A set is a base and how far it reaches. Two sets are disjoint, equal or
//! nested, but for `*.a` and `**.a.b`-like pairs, which the methods tell apart
//! exactly. The bound on a whole name's length is left out of account: a base
//! so long that nothing fits below it is refused when it is read.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::SanError;

/// The longest DNS name, without a trailing dot. Source: RFC 1035, 2.3.4.
const MAX_NAME: usize = 253;
/// The longest label. Source: RFC 1035, 2.3.4.
const MAX_LABEL: usize = 63;
/// No text longer than this normalises to a DNS name that is short enough.
const MAX_TEXT: usize = 1024;

/// How far a set reaches from its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// The base alone.
    Exact,
    /// `*.`: each name with exactly one label more.
    One,
    /// `**.`: each name with one or more labels more.
    Many,
}

/// A set of DNS names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsSet {
    /// How far it reaches.
    pub reach: Reach,
    /// A-labels, lower case, no trailing dot.
    pub base: String,
}

impl DnsSet {
    /// Whether every name of `other` is one of these.
    pub fn covers(&self, other: &DnsSet) -> bool {
        match (self.reach, other.reach) {
            (_, Reach::Exact) => self.has(&other.base),
            (Reach::Exact, Reach::One | Reach::Many) | (Reach::One, Reach::Many) => false,
            (Reach::One, Reach::One) => self.base == other.base,
            (Reach::Many, Reach::One | Reach::Many) => {
                self.base == other.base || is_below(&other.base, &self.base)
            }
        }
    }

    /// Whether some name is in both.
    pub fn overlaps(&self, other: &DnsSet) -> bool {
        match (self.reach, other.reach) {
            (_, Reach::Exact) => self.has(&other.base),
            (Reach::Exact, Reach::One | Reach::Many) => other.has(&self.base),
            (Reach::One, Reach::One) => self.base == other.base,
            (Reach::Many, Reach::One | Reach::Many) | (Reach::One, Reach::Many) => {
                self.covers(other) || other.covers(self)
            }
        }
    }

    /// Whether the one name `name`, normalised, is in it.
    pub fn has(&self, name: &str) -> bool {
        match self.reach {
            Reach::Exact => name == self.base,
            Reach::One => name.split_once('.').is_some_and(|(_, up)| up == self.base),
            Reach::Many => is_below(name, &self.base),
        }
    }
}

impl fmt::Display for DnsSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reach {
            Reach::Exact => "",
            Reach::One => "*.",
            Reach::Many => "**.",
        })?;
        f.write_str(&self.base)
    }
}

/// Whether `name` has all labels of `base` at its end, and at least one more.
fn is_below(name: &str, base: &str) -> bool {
    name.strip_suffix(base)
        .is_some_and(|front| front.ends_with('.'))
}

/// Reads `example.com`, `*.example.com` or `**.example.com`.
pub(super) fn parse_pattern(text: &str) -> Result<DnsSet, SanError> {
    match text.strip_prefix("**.") {
        Some(base) => below(text, base, Reach::Many),
        None => parse_name(text),
    }
}

/// Reads `example.com` or `*.example.com`.
pub(super) fn parse_name(text: &str) -> Result<DnsSet, SanError> {
    match text.strip_prefix("*.") {
        Some(base) => below(text, base, Reach::One),
        None => Ok(DnsSet {
            reach: Reach::Exact,
            base: normalise(text)?,
        }),
    }
}

fn below(text: &str, base: &str, reach: Reach) -> Result<DnsSet, SanError> {
    let base = normalise(base).map_err(|error| SanError::new(text, error.problem))?;
    if base.len() + "*.".len() > MAX_NAME {
        return Err(SanError::new(text, "leaves no room for a label in front"));
    }
    Ok(DnsSet { reach, base })
}

/// A host's one spelling: UTS 46 (non-transitional, STD3, lengths verified),
/// A-labels, lower case, no trailing dot.
///
/// # Errors
/// Anything that is not a host name without doubt.
pub fn normalise(text: &str) -> Result<String, SanError> {
    let fault = |problem: &str| SanError::new(text, problem);
    if text.is_empty() {
        return Err(fault("is empty"));
    }
    if text.contains('*') {
        return Err(fault(
            "has a star that is not a whole label in front, as in `*.example.com`",
        ));
    }
    if text.len() > MAX_TEXT {
        return Err(fault("is too long for a DNS name"));
    }
    if let Some(name) = plain(text) {
        return Ok(name);
    }
    let ascii = Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::VerifyAllowRootDot,
        )
        .map_err(|_| fault(cause(text)))?;
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    if name.split('.').any(str::is_empty) {
        return Err(fault("has an empty label"));
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    if is_number(last) {
        return Err(fault("ends in a number, as an address does"));
    }
    Ok(name.to_owned())
}

/// The name that a text of plain ASCII labels stands for, as nearly all do:
/// UTS 46 maps nothing in it but capitals. None where that is in any doubt.
fn plain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    // The length of the label so far, its first byte, and the byte before.
    let (mut length, mut first, mut before) = (0, b'.', b'.');
    for byte in text.bytes() {
        match byte {
            b'.' if length == 0 || before == b'-' => return None,
            b'.' => length = 0,
            b'-' if length == 0 || (length == 3 && before == b'-') => return None,
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                if length == 0 {
                    first = byte;
                }
                length += 1;
                if length > MAX_LABEL {
                    return None;
                }
            }
            _ => return None,
        }
        before = byte;
    }
    // A last label that begins with a digit may be a number.
    let whole = length > 0 && before != b'-' && !first.is_ascii_digit();
    (whole && text.len() <= MAX_NAME).then(|| text.to_ascii_lowercase())
}

/// Whether a resolver may take a name that ends in `label` for an address.
/// Source: WHATWG URL, "ends in a number".
fn is_number(label: &str) -> bool {
    let digits = |text: &str, radix| text.chars().all(|c| c.is_digit(radix));
    digits(label, 10) || label.strip_prefix("0x").is_some_and(|hex| digits(hex, 16))
}

/// Whether certificates may not carry `label`. Source: RFC 5890, 2.3.1.
fn is_reserved(label: &str) -> bool {
    label.get(2..4) == Some("--") && !label.get(..2).is_some_and(|p| p.eq_ignore_ascii_case("xn"))
}

/// The likeliest reason why UTS 46 refuses `text`.
fn cause(text: &str) -> &'static str {
    let labels = || text.strip_suffix('.').unwrap_or(text).split('.');
    if labels().any(str::is_empty) {
        "has an empty label"
    } else if text.contains('_') {
        "has an underscore, which no host name has"
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        "has a space or a control character"
    } else if labels().any(|label| label.starts_with('-') || label.ends_with('-')) {
        "has a label that begins or ends with a hyphen"
    } else if labels().any(is_reserved) {
        "has a label with hyphens third and fourth that is no `xn--` label"
    } else if text.is_ascii() && labels().any(|label| label.len() > 63) {
        "has a label longer than 63 characters"
    } else if text.is_ascii() && text.len() > MAX_NAME {
        "is longer than 253 characters"
    } else if labels().any(|label| {
        label
            .get(..4)
            .is_some_and(|p| p.eq_ignore_ascii_case("xn--"))
    }) {
        "has an `xn--` label that decodes to no valid name"
    } else {
        "is not a DNS name"
    }
}
