//! Sets of addresses, held against looking at each prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use panopol::address::{covers, parse_prefix};
use panopol::analyze::addresses::describe_addresses;
use panopol::space::partition::Range;
use panopol::space::prefixes::PrefixSet;
use proptest::prelude::*;

fn set(prefixes: &[&str]) -> PrefixSet {
    PrefixSet::from_prefixes(prefixes.iter().map(|text| text.parse::<IpNet>().unwrap()))
}

#[test]
fn prefixes_that_touch_or_overlap_become_one_range() {
    let joined = set(&["10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25", "10.0.3.0/24"]);
    assert_eq!(joined.v4().len(), 2);
    let nested = set(&["2001:db8::/32", "2001:db8:1::/48", "2001:db9::/32"]);
    assert_eq!(nested.v6().len(), 1);
}

#[test]
fn everything_reaches_both_ends_of_its_family() {
    let all = set(&["0.0.0.0/0", "255.255.255.255/32", "::/0", "ffff::/16"]);
    assert_eq!((all.v4().len(), all.v6().len()), (1, 1));
    for address in [
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        assert!(all.contains(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn a_family_never_covers_the_other() {
    assert!(!set(&["::/0"]).contains("192.0.2.1".parse().unwrap()));
    assert!(!set(&["0.0.0.0/0"]).contains("::1".parse().unwrap()));
    assert!(set(&[]).is_empty());
}

/// Prefixes of a small corner of each family, so that they often meet.
fn prefix() -> impl Strategy<Value = IpNet> {
    let v4 = (0u32..256, 24u8..=32).prop_map(|(last, length)| {
        IpNet::V4(Ipv4Net::new(Ipv4Addr::from(last), length).unwrap().trunc())
    });
    let v6 = (0u128..256, 120u8..=128).prop_map(|(last, length)| {
        IpNet::V6(Ipv6Net::new(Ipv6Addr::from(last), length).unwrap().trunc())
    });
    prop_oneof![v4, v6]
}

proptest! {
    #[test]
    fn a_set_holds_what_one_of_its_prefixes_holds(prefixes in proptest::collection::vec(prefix(), 0..12)) {
        let set = PrefixSet::from_prefixes(prefixes.iter().copied());
        for last in 0u16..300 {
            for address in [IpAddr::V4(u32::from(last).into()), IpAddr::V6(u128::from(last).into())] {
                let expected = prefixes.iter().any(|prefix| prefix.contains(&address));
                prop_assert_eq!(set.contains(address), expected, "{}", address);
            }
        }
        prop_assert!(set.v4().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
    }
}

/// Whether words such as `10.0.0.0/29 (except 10.0.0.4/31)` hold an address.
fn says(words: &str, address: IpAddr) -> bool {
    let holds = |text: &str| covers(parse_prefix(text).unwrap(), address);
    match words.split_once(" (except ") {
        None => holds(words),
        Some((around, without)) => {
            let mut without = without.trim_end_matches(')').split(", ");
            holds(around) && !without.any(holds)
        }
    }
}

proptest! {
    #[test]
    fn addresses_in_words_are_the_addresses(inside in proptest::collection::vec(any::<bool>(), 14), low in any::<bool>()) {
        let base = if low { 0x0a00_0000 } else { u32::MAX - 31 };
        let number = |at: usize| base + at as u32;
        let ranges: Vec<Range> = (0..14).filter(|&at| inside[at]).map(|at| {
            let only = number(at).into();
            Range { is_v6: false, first: only, last: only }
        }).collect();
        let words = describe_addresses(&[], &ranges);
        prop_assume!(!words.iter().any(|words| words.contains("more")));
        for (at, &inside) in inside.iter().enumerate() {
            let address = Ipv4Addr::from(number(at)).into();
            prop_assert_eq!(words.iter().any(|words| says(words, address)), inside, "{:?}", words);
        }
    }
}
