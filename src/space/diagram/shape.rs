//! Sets made from one set: without a coordinate, or simpler where nobody looks.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Coordinate, Diagram, Diagrams, FALSE, OverBudget, TRUE};

impl Diagrams {
    /// The points from which a change of `coordinate` alone leads into `set`.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn whatever(
        &mut self,
        set: Diagram,
        coordinate: Coordinate,
    ) -> Result<Diagram, OverBudget> {
        self.whatever_known(set, coordinate, &mut HashMap::new())
    }

    fn whatever_known(
        &mut self,
        set: Diagram,
        coordinate: Coordinate,
        memo: &mut HashMap<Diagram, Diagram>,
    ) -> Result<Diagram, OverBudget> {
        if set.as_constant().is_some() || self.get(set).coordinate > coordinate {
            return Ok(set);
        }
        if let Some(&known) = memo.get(&set) {
            return Ok(known);
        }
        let node = Rc::clone(self.get(set));
        self.work(node.listed.len())?;
        let made = if node.coordinate == coordinate {
            let children: Vec<_> = self.follow(set).collect();
            self.any(&children)?
        } else {
            let rest = self.whatever_known(node.rest, coordinate, memo)?;
            let mut listed = Vec::with_capacity(node.listed.len());
            for &(value, child) in &node.listed {
                listed.push((value, self.whatever_known(child, coordinate, memo)?));
            }
            listed.retain(|&(_, child)| child != rest);
            self.node(node.coordinate, rest, listed)?
        };
        memo.insert(set, made);
        Ok(made)
    }

    /// A set that has the same points among those of `care`, and looks at as
    /// little else as it can: what is shown to people.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn simplify(&mut self, set: Diagram, care: Diagram) -> Result<Diagram, OverBudget> {
        self.simplify_known(set, care, &mut HashMap::new())
    }

    fn simplify_known(
        &mut self,
        set: Diagram,
        care: Diagram,
        memo: &mut HashMap<(Diagram, Diagram), Diagram>,
    ) -> Result<Diagram, OverBudget> {
        if care == TRUE || set.as_constant().is_some() || care == FALSE {
            return Ok(set);
        }
        if let Some(&known) = memo.get(&(set, care)) {
            return Ok(known);
        }
        let top = self.top(set, care);
        let mut kept: Vec<(u32, Diagram)> = Vec::new();
        let values = self.listed_values(set, care, top);
        self.work(values.len())?;
        for value in values {
            let (child, cared) = (self.child(set, top, value), self.child(care, top, value));
            // A value that nobody asks about goes with the rest, and so is not shown.
            if cared != FALSE {
                kept.push((value, self.simplify_known(child, cared, memo)?));
            }
        }
        let (rest, cared) = (self.child(set, top, 0), self.child(care, top, 0));
        let rest = if cared == FALSE {
            most_common(&kept).unwrap_or(FALSE)
        } else {
            self.simplify_known(rest, cared, memo)?
        };
        kept.retain(|&(_, child)| child != rest);
        let made = self.node(top, rest, kept)?;
        memo.insert((set, care), made);
        Ok(made)
    }
}

fn most_common(kept: &[(u32, Diagram)]) -> Option<Diagram> {
    let mut counts: HashMap<Diagram, usize> = HashMap::new();
    for &(_, child) in kept {
        *counts.entry(child).or_default() += 1;
    }
    // The smaller number breaks ties, so that the same set is always shown alike.
    let best = counts
        .into_iter()
        .max_by_key(|&(child, count)| (count, std::cmp::Reverse(child)));
    best.map(|(child, _)| child)
}
