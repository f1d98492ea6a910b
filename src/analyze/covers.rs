//! A space cut into parts by what covers them: sets laid over each other.

use std::collections::HashMap;
use std::hash::Hash;

use crate::space::diagram::{Diagram, Diagrams, OverBudget, TRUE};

/// Combinations of what covers a point, numbered as they are met; 0 is that nothing does.
#[derive(Debug)]
pub struct Covers<T> {
    numbered: Vec<Vec<T>>,
    known: HashMap<Vec<T>, u32>,
}

impl<T: Clone + Eq + Hash> Default for Covers<T> {
    fn default() -> Self {
        Covers {
            numbered: vec![Vec::new()],
            known: HashMap::from([(Vec::new(), 0)]),
        }
    }
}

impl<T: Clone + Ord + Hash> Covers<T> {
    /// Maps each point to the number of all those whose set it is in.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn lay(
        &mut self,
        diagrams: &mut Diagrams,
        layers: &[(Diagram, T)],
    ) -> Result<Diagram, OverBudget> {
        match layers {
            [] => Ok(Diagram::constant(0)),
            [(set, coverer)] => {
                let number = self.number(vec![coverer.clone()]);
                diagrams.combine(*set, TRUE, &mut |inside, _| {
                    if inside == 0 { 0 } else { number }
                })
            }
            _ => {
                // Halves first: what many have in common is then shared.
                let (front, back) = layers.split_at(layers.len() / 2);
                let (front, back) = (self.lay(diagrams, front)?, self.lay(diagrams, back)?);
                diagrams.combine(front, back, &mut |a, b| self.both(a, b))
            }
        }
    }

    /// What a number stands for, sorted.
    pub fn at(&self, number: u32) -> &[T] {
        self.numbered
            .get(number as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// A number that stands for nothing.
    pub fn unused(&self) -> u32 {
        u32::try_from(self.numbered.len()).unwrap_or(u32::MAX >> 1)
    }

    fn number(&mut self, cover: Vec<T>) -> u32 {
        let next = self.unused();
        let numbered = &mut self.numbered;
        *self.known.entry(cover).or_insert_with_key(|cover| {
            numbered.push(cover.clone());
            next
        })
    }

    fn both(&mut self, a: u32, b: u32) -> u32 {
        if a == 0 || b == 0 {
            return a.max(b);
        }
        let mut both = [self.at(a), self.at(b)].concat();
        both.sort_unstable();
        both.dedup();
        self.number(both)
    }
}
