//! Names of certificates as sets.

use panopol::san::{inside, meets, parse_name, parse_pattern};
use panopol::vocabulary::SanType;

#[test]
fn a_requested_wildcard_meets_a_denied_name_it_covers() {
    let name = parse_name("dns:*.Example.COM.").unwrap();
    let denied = parse_pattern(SanType::Dns, "admin.example.com").unwrap();
    assert_eq!(name.to_string(), "dns:*.example.com");
    assert!(meets(&name, &denied));
    assert!(!inside(&name, &denied));
}
