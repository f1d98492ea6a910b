//! What holds from boundary to boundary: the search against looking through all.

use std::collections::BTreeMap;

use panopol::space::axis::Axis;
use proptest::prelude::*;

/// Numbers that lie together, apart, and at both ends.
fn number() -> impl Strategy<Value = u128> {
    prop_oneof![
        0..600u128,
        any::<u128>(),
        (0..40u128).prop_map(|far| u128::MAX - far),
        (0..40u128).prop_map(|far| u128::from(u32::MAX) - far),
    ]
}

fn steps() -> impl Strategy<Value = BTreeMap<u128, u32>> {
    let number = || prop_oneof![8 => number(), 1 => Just(0), 1 => Just(u128::MAX), 1 => Just(u128::from(u32::MAX))];
    prop_oneof![
        prop::collection::btree_map(number(), 0..4u32, 0..12),
        prop::collection::btree_map(number(), 0..4u32, 0..700),
    ]
}

/// The value of the last step that is not past `number`.
fn looked_through<N: Ord + Copy>(first: u32, steps: &[(N, u32)], number: N) -> u32 {
    let before = steps.iter().rev().find(|step| step.0 <= number);
    before.map_or(first, |step| step.1)
}

proptest! {
    #[test]
    fn a_search_finds_what_looking_through_all_finds(steps in steps(), first in 0..4u32, more in prop::collection::vec(number(), 50)) {
        let wide: Vec<(u128, u32)> = steps.into_iter().collect();
        let axis = Axis::new(first, wide.iter().copied());
        prop_assert!(axis.bytes() <= Axis::<u128>::most_bytes(wide.len()));
        let around = wide.iter().flat_map(|step| [step.0.saturating_sub(1), step.0, step.0.saturating_add(1)]);
        for number in around.chain(more).chain([0, u128::MAX]) {
            prop_assert_eq!(axis.at(number), looked_through(first, &wide, number));
        }
        let narrow: BTreeMap<u32, u32> = wide.iter().map(|step| (step.0 as u32, step.1)).collect();
        let narrow: Vec<(u32, u32)> = narrow.into_iter().collect();
        let axis = Axis::new(first, narrow.iter().copied());
        prop_assert!(axis.bytes() <= Axis::<u32>::most_bytes(narrow.len()));
        let around = narrow.iter().flat_map(|step| [step.0.saturating_sub(1), step.0, step.0.saturating_add(1)]);
        for number in around.chain([0, u32::MAX]) {
            prop_assert_eq!(axis.at(number), looked_through(first, &narrow, number));
        }
    }
}
