//! Mailboxes: a local part, compared as written, at a host.
//!
//! Only dot-atoms are read. A quoted local part, a comment or anything beyond
//! ASCII has more than one spelling, and software that takes them apart differs.

use super::{San, SanError, SanPattern, dns};

/// The longest local part. Source: RFC 5321, 4.5.3.1.1.
const MAX_LOCAL: usize = 64;

/// Reads `ops@example.com`.
pub(super) fn parse_name(text: &str) -> Result<San, SanError> {
    let (local, host) = split(text)?;
    Ok(San::Email {
        local: parse_local(text, local)?,
        host: parse_host(text, host)?,
    })
}

/// Reads `ops@example.com` or `*@example.com`.
pub(super) fn parse_pattern(text: &str) -> Result<SanPattern, SanError> {
    let (local, host) = split(text)?;
    let local = match local {
        "*" => None,
        local => Some(parse_local(text, local)?),
    };
    Ok(SanPattern::Email {
        local,
        host: parse_host(text, host)?,
    })
}

fn parse_host(text: &str, host: &str) -> Result<String, SanError> {
    dns::normalise(host)
        .map_err(|error| SanError::new(text, format!("has a host that {}", error.problem)))
}

fn split(text: &str) -> Result<(&str, &str), SanError> {
    text.rsplit_once('@')
        .ok_or_else(|| SanError::new(text, "has no `@`"))
}

fn parse_local(text: &str, local: &str) -> Result<String, SanError> {
    if local.is_empty() || local.len() > MAX_LOCAL {
        return Err(SanError::new(
            text,
            format!("has a local part that is not 1 to {MAX_LOCAL} characters long"),
        ));
    }
    if local.contains('*') {
        return Err(SanError::new(
            text,
            "has a star; only a policy's `*@host` may",
        ));
    }
    let atoms = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-/=?^_`{|}~".contains(&byte);
    if !local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(atoms))
    {
        return Err(SanError::new(
            text,
            "has a local part that is not a plain one (letters, digits, `.`, `-`, `_`, `+` and the like)",
        ));
    }
    Ok(local.to_owned())
}
