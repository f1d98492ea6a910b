//! Networks that name networks: what they hold, and what holding it takes.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use panopol::check::check_files;
use panopol::ir::PolicySet;
use panopol::source::load::InMemory;
use panopol::space::networks::Networks;
use proptest::prelude::*;

fn compiled(text: &str) -> Arc<PolicySet> {
    let files = [("x.pano".to_owned(), text.as_bytes().to_vec())];
    let checked = check_files(&mut InMemory {
        files: files.into(),
    });
    checked.set.expect("a set without errors")
}

/// The `number`th of some addresses that do not touch each other.
fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + number * 2)
}

/// Each network has an address of its own and names those that `names` gives it.
fn policy(count: u32, names: impl Fn(u32) -> Vec<u32>) -> String {
    let mut text = String::from("edition 2026\n");
    for number in 0..count {
        let _ = write!(text, "network n{number} = [{}", address(number));
        for name in names(number) {
            let _ = write!(text, ", n{name}");
        }
        text.push_str("]\n");
    }
    text
}

#[test]
fn a_long_chain_is_held_in_space_of_its_own_length() {
    let stored = |count: u32| {
        let set = compiled(&policy(count, |number| {
            number.checked_sub(1).into_iter().collect()
        }));
        let networks = Networks::compile(&set);
        let last = set.networks.find(&format!("n{}", count - 1)).unwrap();
        for number in (0..count).step_by(97) {
            assert!(networks.contains(last, address(number).into()), "{number}");
        }
        assert!(!networks.contains(last, address(count).into()));
        format!("{networks:?}").len()
    };
    let (short, long) = (stored(1000), stored(5000));
    assert!(long < short * 6, "{short} bytes in words became {long}");
}

#[test]
fn a_net_of_diamonds_is_searched_without_going_round_twice() {
    // Each network names the two before it: as many ways down as Fibonacci numbers.
    let names = |number: u32| {
        (1..=2)
            .filter_map(|back| number.checked_sub(back))
            .collect()
    };
    let set = compiled(&policy(2000, names));
    let networks = Networks::compile(&set);
    let last = set.networks.find("n1999").unwrap();
    assert!(networks.contains(last, address(0).into()));
    assert!(!networks.contains(last, address(2000).into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_network_holds_what_it_and_those_below_it_are_written_to_hold(
        back in prop::collection::vec(prop::collection::vec(1..200_u32, 0..4), 200),
    ) {
        let below = |number: u32| -> Vec<u32> {
            let back = &back[number as usize];
            let mut names: Vec<u32> = back.iter().filter_map(|back| number.checked_sub(*back)).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let set = compiled(&policy(200, below));
        let networks = Networks::compile(&set);
        for number in [199, 198, 150, 100, 30] {
            let id = set.networks.find(&format!("n{number}")).unwrap();
            let mut reached = vec![false; 200];
            let mut open = vec![number];
            while let Some(one) = open.pop() {
                if !std::mem::replace(&mut reached[one as usize], true) {
                    open.extend(below(one));
                }
            }
            for (one, reached) in (0..).zip(reached) {
                let address = IpAddr::from(address(one));
                prop_assert_eq!(networks.contains(id, address), reached, "n{} and {}", number, address);
            }
        }
    }
}
