//! Numbers, durations, times and addresses.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Builder, Node};
use crate::address::{self, AddressError};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, Spanned};
use crate::syntax::codes;
use crate::syntax::parse::grammar::Rule;
use crate::syntax::tree::{Duration, Moment, MomentValue, Source};

/// The units of a duration, largest first, in seconds.
const UNITS: [(u8, u64); 5] = [
    (b'w', 604_800),
    (b'd', 86_400),
    (b'h', 3_600),
    (b'm', 60),
    (b's', 1),
];

impl Builder {
    fn bad_literal(&mut self, span: Span, message: String, help: &str) {
        let diagnostic = Diagnostic::new(&codes::LITERAL, span, message).help(help);
        self.diagnostics.push(diagnostic);
    }

    /// A whole number.
    pub(super) fn integer(&mut self, node: Node<'_>) -> Option<Spanned<u64>> {
        let text = node.as_str();
        let span = self.span(&node);
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.bad_literal(
                span,
                format!("`{text}` is not a whole number"),
                "write digits alone: `10`",
            );
            return None;
        }
        if text.len() > 1 && text.starts_with('0') {
            let right = text.trim_start_matches('0');
            let right = if right.is_empty() { "0" } else { right };
            self.diagnostics.push(
                Diagnostic::new(
                    &codes::LITERAL,
                    span,
                    format!("`{text}` has a leading zero"),
                )
                .help(format!("write `{right}`"))
                .fix(span, right),
            );
            return None;
        }
        match text.parse() {
            Ok(value) => Some(Spanned::new(value, span)),
            Err(_) => {
                self.bad_literal(
                    span,
                    format!("`{text}` is too large a number"),
                    "numbers go up to 18446744073709551615",
                );
                None
            }
        }
    }

    /// A duration: whole numbers with units, largest unit first.
    pub(super) fn duration(&mut self, node: Node<'_>) -> Option<Duration> {
        let text = node.as_str();
        let span = self.span(&node);
        match read_duration(text) {
            Ok(seconds) => Some(Duration {
                text: Spanned::new(text.to_owned(), span),
                seconds,
            }),
            Err((message, help)) => {
                self.bad_literal(span, message, help);
                None
            }
        }
    }

    /// A date or a time.
    pub(super) fn moment(&mut self, node: Node<'_>) -> Option<Moment> {
        let text = node.as_str();
        let span = self.span(&node);
        let is_date = text.len() == 10;
        let value = if is_date {
            text.parse().ok().map(MomentValue::Date)
        } else {
            read_time(text).map(MomentValue::Time)
        };
        if value.is_none() {
            self.bad_literal(
                span,
                format!("`{text}` is not a date or time"),
                "write a date as `2027-06-30`, a time as `2027-06-30T08:00:00Z`",
            );
        }
        Some(Moment {
            text: Spanned::new(text.to_owned(), span),
            value: value?,
        })
    }

    /// A time of day in minutes; `24:00` only where a window ends.
    pub(super) fn clock(&mut self, node: Node<'_>, is_end: bool) -> Option<Spanned<u16>> {
        let text = node.as_str();
        let span = self.span(&node);
        let minutes = read_clock(text);
        match minutes {
            Some(1440) if !is_end => {
                self.bad_literal(
                    span,
                    "a window cannot start at `24:00`".to_owned(),
                    "the day starts at `00:00`; `24:00` is its end",
                );
                None
            }
            Some(minutes) => Some(Spanned::new(minutes, span)),
            None => {
                self.bad_literal(
                    span,
                    format!("`{text}` is not a time of day"),
                    "write hours and minutes with two digits each: `08:00`",
                );
                None
            }
        }
    }

    /// An address or CIDR.
    pub(super) fn prefix(&mut self, node: &Node<'_>) -> Option<Spanned<IpNet>> {
        let span = self.span(node);
        match address::parse_prefix(node.as_str()) {
            Ok(prefix) => Some(Spanned::new(prefix, span)),
            Err(error) => {
                self.bad_address(span, &error);
                None
            }
        }
    }

    /// An address.
    pub(super) fn address(&mut self, node: &Node<'_>) -> Option<Spanned<IpAddr>> {
        let span = self.span(node);
        match address::parse_address(node.as_str()) {
            Ok(address) => Some(Spanned::new(address, span)),
            Err(error) => {
                self.bad_address(span, &error);
                None
            }
        }
    }

    fn bad_address(&mut self, span: Span, error: &AddressError) {
        let mut diagnostic = Diagnostic::new(&codes::ADDRESS, span, error.to_string());
        if let Some(right) = error.right() {
            diagnostic = diagnostic.help(format!("write `{right}`")).fix(span, right);
        }
        self.diagnostics.push(diagnostic);
    }

    /// An element of a source list.
    pub(super) fn source(&mut self, node: Node<'_>) -> Option<Source> {
        match node.as_rule() {
            Rule::addr => self.prefix(&node).map(Source::Prefix),
            _ => Some(Source::Network(self.name(node))),
        }
    }
}

/// Reads a duration in seconds, or says what is wrong and what helps.
pub(in crate::syntax::parse) fn read_duration(text: &str) -> Result<u64, (String, &'static str)> {
    let mut total: u64 = 0;
    let mut next_unit = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        let unit = after.bytes().next();
        let place = UNITS.iter().position(|&(letter, _)| Some(letter) == unit);
        let (Some(place), false) = (place, number.is_empty()) else {
            return Err((
                format!("`{text}` is not a duration"),
                "write a number with a unit: `90s`, `30m`, `24h`, `7d`, `2w`, `1h30m`",
            ));
        };
        if place < next_unit {
            return Err((
                format!("the units of `{text}` are repeated or out of order"),
                "write each unit once, the largest first: `1h30m`",
            ));
        }
        next_unit = place + 1;
        let seconds = UNITS.get(place).map_or(1, |&(_, seconds)| seconds);
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(seconds))
            .and_then(|part| total.checked_add(part))
            .filter(|&total| i64::try_from(total).is_ok())
            .ok_or((
                format!("`{text}` is too long a duration"),
                "durations stay below 292 billion years",
            ))?;
        rest = after.get(1..).unwrap_or_default();
    }
    if total == 0 {
        return Err((
            format!("`{text}` is no time at all"),
            "a duration is at least `1s`",
        ));
    }
    Ok(total)
}

/// Reads an RFC 3339 time.
fn read_time(text: &str) -> Option<jiff::Timestamp> {
    let shaped = text.get(10..11)?.eq_ignore_ascii_case("t") && text.get(13..14) == Some(":");
    text.parse().ok().filter(|_| shaped)
}

/// Reads `HH:MM`, up to `24:00`.
fn read_clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 1440).then_some(total)
}
