//! Diagrams against the plain thing: every point of a small space, one by one.

use panopol::space::diagram::{Coordinate, Diagram, Diagrams, FALSE, OverBudget, TRUE};
use proptest::prelude::*;

/// Values of each of three coordinates.
const SIZES: [u32; 3] = [2, 5, 3];

fn points() -> Vec<[u32; 3]> {
    let [first, second, third] = SIZES;
    let points = (0..first).flat_map(|x| (0..second).map(move |y| (x, y)));
    points
        .flat_map(|(x, y)| (0..third).map(move |z| [x, y, z]))
        .collect()
}

/// How a set is made.
#[derive(Clone, Debug)]
enum Made {
    Atom(Coordinate, u8),
    And(Box<Made>, Box<Made>),
    Or(Box<Made>, Box<Made>),
    Minus(Box<Made>, Box<Made>),
    Whatever(Box<Made>, Coordinate),
}

fn made() -> impl Strategy<Value = Made> {
    let atom = (0..3_u32, any::<u8>()).prop_map(|(at, values)| Made::Atom(at, values));
    atom.prop_recursive(6, 40, 2, |inner| {
        let two = (
            inner.clone().prop_map(Box::new),
            inner.clone().prop_map(Box::new),
        );
        prop_oneof![
            two.clone().prop_map(|(a, b)| Made::And(a, b)),
            two.clone().prop_map(|(a, b)| Made::Or(a, b)),
            two.prop_map(|(a, b)| Made::Minus(a, b)),
            (inner.prop_map(Box::new), 0..3_u32).prop_map(|(a, at)| Made::Whatever(a, at)),
        ]
    })
}

impl Made {
    fn diagram(&self, diagrams: &mut Diagrams) -> Result<Diagram, OverBudget> {
        match self {
            Made::Atom(at, values) => {
                diagrams.where_value(*at, SIZES[*at as usize], |value| values >> value & 1 == 1)
            }
            Made::And(a, b) => {
                let (a, b) = (a.diagram(diagrams)?, b.diagram(diagrams)?);
                diagrams.and(a, b)
            }
            Made::Or(a, b) => {
                let (a, b) = (a.diagram(diagrams)?, b.diagram(diagrams)?);
                diagrams.or(a, b)
            }
            Made::Minus(a, b) => {
                let (a, b) = (a.diagram(diagrams)?, b.diagram(diagrams)?);
                diagrams.minus(a, b)
            }
            Made::Whatever(a, at) => {
                let a = a.diagram(diagrams)?;
                diagrams.whatever(a, *at)
            }
        }
    }

    fn holds(&self, point: [u32; 3]) -> bool {
        match self {
            Made::Atom(at, values) => values >> point[*at as usize] & 1 == 1,
            Made::And(a, b) => a.holds(point) && b.holds(point),
            Made::Or(a, b) => a.holds(point) || b.holds(point),
            Made::Minus(a, b) => a.holds(point) && !b.holds(point),
            Made::Whatever(a, at) => (0..SIZES[*at as usize]).any(|value| {
                let mut other = point;
                other[*at as usize] = value;
                a.holds(other)
            }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operations_hold_point_by_point_and_equal_sets_are_one(a in made(), b in made()) {
        let mut diagrams = Diagrams::new(100_000);
        let (of_a, of_b) = (a.diagram(&mut diagrams).unwrap(), b.diagram(&mut diagrams).unwrap());
        for point in points() {
            prop_assert_eq!(diagrams.at(of_a, &point) == 1, a.holds(point), "{:?}", point);
        }
        let are_equal = points().iter().all(|&point| a.holds(point) == b.holds(point));
        prop_assert_eq!(of_a == of_b, are_equal);
    }
}

/// Sets that nothing but a look at each value joins.
fn wide(diagrams: &mut Diagrams, offset: u32) -> Diagram {
    let values = (1..2_000).filter(|value| (value + offset).is_multiple_of(2));
    diagrams.is_one_of(0, values).unwrap()
}

#[test]
fn work_on_known_nodes_is_paid_for_too() {
    let mut diagrams = Diagrams::new(1_000_000);
    let (even, odd) = (wide(&mut diagrams, 0), wide(&mut diagrams, 1));
    let kept = diagrams.begin_allowance(10_000);
    // The answer is known each time, and made of nothing new.
    let spent = (0..10_000_u32).find(|_| {
        let asked = diagrams.combine(even, odd, &mut |a, b| a & b);
        assert!(asked == Ok(FALSE) || asked == Err(OverBudget));
        asked.is_err()
    });
    assert!(spent.is_some_and(|times| times > 10), "{spent:?}");
    diagrams.end_allowance(kept);
    assert_eq!(diagrams.or(even, TRUE), Ok(TRUE));
    assert_eq!(diagrams.combine(even, odd, &mut |a, b| a & b), Ok(FALSE));
}
