//! What a diagram says: of a point, of its cheapest point, and as ways for
//! people to read. Nothing is made here, and nothing paid.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Coordinate, Diagram, Diagrams, FALSE, TRUE, child_of};

/// One choice on a way through a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The coordinate that is looked at.
    pub coordinate: Coordinate,
    /// The values that lead on, sorted; or, where `others`, those that do not.
    pub values: Vec<u32>,
    /// Whether every value but `values` leads on; 0 is among those.
    pub others: bool,
}

/// For each diagram what its cheapest point costs, and the value and diagram that lead
/// there; none where it is empty.
type Prices = HashMap<Diagram, Option<(u32, (u32, Diagram))>>;

impl Diagrams {
    /// Every number that some point may be mapped to, sorted.
    pub fn numbers(&self, diagram: Diagram) -> Vec<u32> {
        let mut seen = std::collections::HashSet::from([diagram]);
        let mut open = vec![diagram];
        let mut found = Vec::new();
        while let Some(next) = open.pop() {
            match next.as_constant() {
                Some(number) => found.push(number),
                None => open.extend(self.follow(next).filter(|&child| seen.insert(child))),
            }
        }
        found.sort_unstable();
        found
    }

    /// The number that `diagram` maps a point to; a coordinate past the end is 0.
    pub fn at(&self, diagram: Diagram, point: &[u32]) -> u32 {
        let mut here = diagram;
        loop {
            if let Some(number) = here.as_constant() {
                return number;
            }
            let node = self.get(here);
            let value = point.get(node.coordinate as usize).copied().unwrap_or(0);
            here = child_of(node, value);
        }
    }

    /// A point of `set` that costs least, as the coordinates that are not 0; none
    /// where the set is empty. A value of 0 costs nothing.
    pub fn cheapest(
        &self,
        set: Diagram,
        cost: &dyn Fn(Coordinate, u32) -> u32,
    ) -> Option<Vec<(Coordinate, u32)>> {
        let mut best = Prices::new();
        self.price(set, cost, &mut best);
        let mut here = set;
        let mut point = Vec::new();
        loop {
            if here == TRUE {
                return Some(point);
            }
            let (_, step) = (*best.get(&here)?)?;
            let coordinate = self.get(here).coordinate;
            let (value, next) = step;
            if value != 0 {
                point.push((coordinate, value));
            }
            here = next;
        }
    }

    fn price(
        &self,
        set: Diagram,
        cost: &dyn Fn(Coordinate, u32) -> u32,
        best: &mut Prices,
    ) -> Option<u32> {
        if let Some(number) = set.as_constant() {
            return (number != 0).then_some(0);
        }
        if let Some(known) = best.get(&set) {
            return known.map(|(price, _)| price);
        }
        let node = Rc::clone(self.get(set));
        let mut cheapest = self
            .price(node.rest, cost, best)
            .map(|price| (price, (0, node.rest)));
        for &(value, child) in &node.listed {
            let Some(price) = self.price(child, cost, best) else {
                continue;
            };
            let price = price.saturating_add(cost(node.coordinate, value));
            if cheapest.is_none_or(|(known, _)| price < known) {
                cheapest = Some((price, (value, child)));
            }
        }
        best.insert(set, cheapest);
        cheapest.map(|(price, _)| price)
    }

    /// Up to `limit` ways through a set, each a conjunction of choices, together
    /// the set; and whether these are all.
    pub fn ways(&self, set: Diagram, limit: usize) -> (Vec<Vec<Choice>>, bool) {
        let mut found = Vec::new();
        let complete = self.walk(set, &mut Vec::new(), &mut found, limit);
        (found, complete)
    }

    fn walk(
        &self,
        here: Diagram,
        way: &mut Vec<Choice>,
        found: &mut Vec<Vec<Choice>>,
        limit: usize,
    ) -> bool {
        if here == FALSE {
            return true;
        }
        if here.as_constant().is_some() {
            if found.len() >= limit {
                return false;
            }
            found.push(way.clone());
            return true;
        }
        let node = Rc::clone(self.get(here));
        let mut groups: Vec<(Diagram, Vec<u32>)> = Vec::new();
        for &(value, child) in &node.listed {
            match groups.iter_mut().find(|(known, _)| *known == child) {
                Some((_, values)) => values.push(value),
                None => groups.push((child, vec![value])),
            }
        }
        for (child, values) in groups {
            way.push(Choice {
                coordinate: node.coordinate,
                values,
                others: false,
            });
            let complete = self.walk(child, way, found, limit);
            way.pop();
            if !complete {
                return false;
            }
        }
        way.push(Choice {
            coordinate: node.coordinate,
            values: node.listed.iter().map(|&(value, _)| value).collect(),
            others: true,
        });
        let complete = self.walk(node.rest, way, found, limit);
        way.pop();
        complete
    }
}
