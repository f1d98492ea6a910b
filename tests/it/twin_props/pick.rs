//! What both policies and requests are drawn from, so that they meet.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Prefixes that nest and touch. The last is wider than the IPv4-mapped
/// block and so covers no IPv4 source.
pub(super) const PREFIXES: &[&str] = &[
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "10.1.2.128/25",
    "10.1.2.200",
    "192.0.2.0/30",
    "::/0",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "2001:db8:1:2::/64",
    "::ffff:10.1.3.0/120",
    "::ffff:128.0.0.0/97",
    "::fffe:0:0/95",
];

/// First and last addresses of those, and their neighbours.
pub(super) const ADDRESSES: &[&str] = &[
    "0.0.0.0",
    "9.255.255.255",
    "10.0.0.0",
    "10.0.255.255",
    "10.1.0.0",
    "10.1.1.255",
    "10.1.2.0",
    "10.1.2.127",
    "10.1.2.128",
    "10.1.2.200",
    "10.1.2.255",
    "10.1.3.0",
    "10.1.4.0",
    "10.1.255.255",
    "127.255.255.255",
    "128.0.0.0",
    "10.255.255.255",
    "11.0.0.0",
    "192.0.2.0",
    "192.0.2.4",
    "255.255.255.255",
    "::",
    "::ffff:10.1.2.200",
    "::ffff:192.0.2.3",
    "::fffe:a01:2c8",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::",
    "2001:db8:1::",
    "2001:db8:1:1:ffff:ffff:ffff:ffff",
    "2001:db8:1:2::",
    "2001:db8:1:2:ffff:ffff:ffff:ffff",
    "2001:db8:1:3::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

pub(super) const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
];

/// Times of day where windows begin and end; the last stands only at an end.
pub(super) const CLOCK: &[&str] = &[
    "00:00", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00", "08:00", "18:00", "22:00",
    "24:00",
];

pub(super) const DNS_PATTERNS: &[&str] = &[
    "example.com",
    "a.example.com",
    "b.a.example.com",
    "*.com",
    "**.com",
    "*.example.com",
    "**.example.com",
    "*.a.example.com",
    "**.a.example.com",
    "*.bücher.example",
    "straße.example",
];

pub(super) const EMAIL_PATTERNS: &[&str] = &[
    "*@example.com",
    "root@example.com",
    "witness@example.com",
    "*@a.example.com",
    "root@bücher.example",
];

pub(super) const URI_PATTERNS: &[&str] = &[
    "https://example.com",
    "https://a.example.com/x",
    "https://example.com:8443/",
    "spiffe://prod/",
    "urn:",
    "urn:x:",
    "x-witness://a.example.com/",
];

/// Names that requests ask for: in the patterns and beside them.
const NAMES: &[&str] = &[
    "dns:example.com",
    "dns:EXAMPLE.com.",
    "dns:a.example.com",
    "dns:A.Example.Com",
    "dns:b.a.example.com",
    "dns:c.b.a.example.com",
    "dns:badexample.com",
    "dns:com",
    "dns:*.com",
    "dns:*.example.com",
    "dns:*.a.example.com",
    "dns:*.b.a.example.com",
    "dns:x.bücher.example",
    "dns:x.xn--bcher-kva.example",
    "dns:straße.example",
    "dns:strasse.example",
    "ip:10.1.2.200",
    "ip:10.1.2.127",
    "ip:192.0.2.3",
    "ip:2001:db8:1:2::1",
    "ip:::fffe:a01:203",
    "email:root@example.com",
    "email:Root@Example.com",
    "email:witness@example.com",
    "email:x@a.example.com",
    "email:x@b.a.example.com",
    "email:root@BÜCHER.example",
    "uri:https://example.com",
    "uri:HTTPS://EXAMPLE.com/y",
    "uri:https://example.com.evil.org/",
    "uri:https://a.example.com/xy",
    "uri:https://b.a.example.com/",
    "uri:https://example.com:8443/z",
    "uri:https://10.1.2.3/",
    "uri:spiffe://prod/a",
    "uri:spiffe://production/a",
    "uri:urn:x:y",
    "uri:urn:z",
    "uri:x-witness://a.example.com/",
];

/// Names that are malformed.
const MALFORMED: &[&str] = &[
    "dns:**.example.com",
    "dns:a_b.example.com",
    "dns:a..example.com",
    "dns:10.1.2.3",
    "dns:",
    "ip:::ffff:10.1.2.3",
    "ip:10.1.2",
    "email:root",
    "email:root@_",
    "uri:nothing",
    "upn:alice",
    "example.com",
];

pub(super) fn one(pool: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(pool).prop_map(str::to_owned)
}

/// A requested name, seldom a malformed one.
pub(super) fn name() -> impl Strategy<Value = String> {
    prop_oneof![12 => one(NAMES), 1 => one(MALFORMED)]
}

/// Some of `pool`, in its order, as a list is written.
pub(super) fn list(pool: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    subsequence(pool, 1..=most.min(pool.len())).prop_map(|some| format!("[{}]", some.join(", ")))
}

/// The same, each in quotes.
pub(super) fn quoted_list(
    pool: &'static [&'static str],
    most: usize,
) -> impl Strategy<Value = String> {
    subsequence(pool, 1..=most.min(pool.len())).prop_map(|some| {
        let quoted: Vec<String> = some.iter().map(|one| format!("\"{one}\"")).collect();
        format!("[{}]", quoted.join(", "))
    })
}

/// `text`, or nothing.
pub(super) fn maybe(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), text]
}
