//! Sets of points with a few coordinates, exactly: hash-consed decision diagrams.
//!
//! A point gives each coordinate one of its values, numbered from 0. A diagram
//! maps points to numbers: a set maps them to [`FALSE`] or [`TRUE`], a
//! partition to whatever its maker numbers. Two diagrams that map alike are
//! one [`Diagram`], so equality is comparing two numbers.
//!
//! What the coordinates mean is not known here. Value 0 is special in one way
//! only: a value that a node does not list is treated as it treats 0, so let 0
//! be what most points have (for a tag: that it is absent).
//!
//! Diagrams of hostile sets grow exponentially. Every operation is paid for
//! from one budget, of nodes that are made and of values that are looked at on
//! the way: walking known nodes again and again makes none, and takes time all
//! the same. When either is spent the answer is [`OverBudget`], never a wrong one.

mod read;
mod shape;

use std::collections::HashMap;
use std::rc::Rc;

pub use read::Choice;

/// A map from points to numbers, kept in [`Diagrams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagram(u32);

/// No point.
pub const FALSE: Diagram = Diagram::constant(0);
/// Every point.
pub const TRUE: Diagram = Diagram::constant(1);

/// Diagrams grew beyond what they may; the question is not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exact answer takes more than it may")]
pub struct OverBudget;

/// Which coordinate of a point; lower ones are looked at first.
pub type Coordinate = u32;

const CONSTANT: u32 = 1 << 31;

/// Values that may be looked at for each node that may be made. Sets that people
/// write take fewer than twenty; a debug build looks at some millions a second.
const WORK_PER_NODE: usize = 60;

impl Diagram {
    /// Maps every point to `number`, which is less than 2³¹.
    pub const fn constant(number: u32) -> Self {
        Diagram(CONSTANT | number)
    }

    /// The number that every point is mapped to, where it is one.
    pub fn as_constant(self) -> Option<u32> {
        (self.0 & CONSTANT != 0).then_some(self.0 & !CONSTANT)
    }
}

/// One coordinate looked at, and what follows.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Node {
    coordinate: Coordinate,
    /// What follows value 0 and every value that is not listed.
    rest: Diagram,
    /// By value, sorted; at least one, none leading to `rest`.
    listed: Box<[(u32, Diagram)]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    And,
    Or,
    Minus,
}

/// Diagrams over one space, and what they may still cost.
pub struct Diagrams {
    nodes: Vec<Rc<Node>>,
    known: HashMap<Rc<Node>, Diagram>,
    memo: HashMap<(Operation, Diagram, Diagram), Diagram>,
    left: Allowance,
}

/// What operations may still cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowance {
    nodes: usize,
    /// Values looked at.
    work: usize,
}

impl Allowance {
    fn of_nodes(nodes: usize) -> Self {
        Allowance {
            nodes,
            work: nodes.saturating_mul(WORK_PER_NODE),
        }
    }
}

impl Diagrams {
    /// An empty space of diagrams that may come to `budget` nodes.
    pub fn new(budget: usize) -> Self {
        Diagrams {
            nodes: Vec::new(),
            known: HashMap::new(),
            memo: HashMap::new(),
            left: Allowance::of_nodes(budget),
        }
    }

    /// Gives operations a budget of their own, at most what is left in all; returns
    /// what [`Diagrams::end_allowance`] takes back.
    #[must_use]
    pub fn begin_allowance(&mut self, nodes: usize) -> Allowance {
        let given = Allowance::of_nodes(nodes);
        let kept = Allowance {
            nodes: self.left.nodes.saturating_sub(given.nodes),
            work: self.left.work.saturating_sub(given.work),
        };
        self.left.nodes -= kept.nodes;
        self.left.work -= kept.work;
        kept
    }

    /// Ends what [`Diagrams::begin_allowance`] began.
    pub fn end_allowance(&mut self, kept: Allowance) {
        self.left.nodes += kept.nodes;
        self.left.work += kept.work;
    }

    /// Pays for looking at one node and so many values.
    fn work(&mut self, values: usize) -> Result<(), OverBudget> {
        let left = self.left.work.checked_sub(values + 1);
        self.left.work = left.ok_or(OverBudget)?;
        Ok(())
    }

    /// The points whose `coordinate` has one of `values`: sorted, none of them 0.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn is_one_of(
        &mut self,
        coordinate: Coordinate,
        values: impl IntoIterator<Item = u32>,
    ) -> Result<Diagram, OverBudget> {
        let listed = values.into_iter().map(|value| (value, TRUE)).collect();
        self.node(coordinate, FALSE, listed)
    }

    /// The points whose `coordinate`, of `size` values, has one for which `is`.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn where_value(
        &mut self,
        coordinate: Coordinate,
        size: u32,
        is: impl Fn(u32) -> bool,
    ) -> Result<Diagram, OverBudget> {
        let as_set = |yes: bool| if yes { TRUE } else { FALSE };
        let rest = as_set(is(0));
        let listed = (1..size).map(|value| (value, as_set(is(value))));
        let listed = listed.filter(|&(_, set)| set != rest).collect();
        self.node(coordinate, rest, listed)
    }

    /// The points in both.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn and(&mut self, a: Diagram, b: Diagram) -> Result<Diagram, OverBudget> {
        self.apply(Operation::And, a, b)
    }

    /// The points in either.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn or(&mut self, a: Diagram, b: Diagram) -> Result<Diagram, OverBudget> {
        self.apply(Operation::Or, a, b)
    }

    /// The points of `a` that are not in `b`.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn minus(&mut self, a: Diagram, b: Diagram) -> Result<Diagram, OverBudget> {
        self.apply(Operation::Minus, a, b)
    }

    /// The points in any of `sets`.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn any(&mut self, sets: &[Diagram]) -> Result<Diagram, OverBudget> {
        // Halves first: many small unions cost less than one that grows with each step.
        match sets {
            [] => Ok(FALSE),
            [one] => Ok(*one),
            _ => {
                let (front, back) = sets.split_at(sets.len() / 2);
                let (front, back) = (self.any(front)?, self.any(back)?);
                self.or(front, back)
            }
        }
    }

    /// Maps each point to what `number` makes of what `a` and `b` map it to.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn combine(
        &mut self,
        a: Diagram,
        b: Diagram,
        number: &mut dyn FnMut(u32, u32) -> u32,
    ) -> Result<Diagram, OverBudget> {
        self.combine_known(a, b, number, &mut HashMap::new())
    }

    fn combine_known(
        &mut self,
        a: Diagram,
        b: Diagram,
        number: &mut dyn FnMut(u32, u32) -> u32,
        memo: &mut HashMap<(Diagram, Diagram), Diagram>,
    ) -> Result<Diagram, OverBudget> {
        if let (Some(a), Some(b)) = (a.as_constant(), b.as_constant()) {
            return Ok(Diagram::constant(number(a, b)));
        }
        if let Some(&known) = memo.get(&(a, b)) {
            return Ok(known);
        }
        let values = self.listed_values(a, b, self.top(a, b));
        let made = self.descend(a, b, values, &mut |diagrams, a, b| {
            diagrams.combine_known(a, b, number, memo)
        })?;
        memo.insert((a, b), made);
        Ok(made)
    }

    /// The points that `partition` maps to a number for which `is`.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn part(
        &mut self,
        partition: Diagram,
        is: &dyn Fn(u32) -> bool,
    ) -> Result<Diagram, OverBudget> {
        self.combine(partition, FALSE, &mut |number, _| u32::from(is(number)))
    }

    fn apply(&mut self, op: Operation, a: Diagram, b: Diagram) -> Result<Diagram, OverBudget> {
        let shortcut = match op {
            Operation::And if a == FALSE || b == FALSE => Some(FALSE),
            Operation::And if a == TRUE || a == b => Some(b),
            Operation::And if b == TRUE => Some(a),
            Operation::Or if a == TRUE || b == TRUE => Some(TRUE),
            Operation::Or if a == FALSE || a == b => Some(b),
            Operation::Or if b == FALSE => Some(a),
            Operation::Minus if a == FALSE || b == TRUE || a == b => Some(FALSE),
            Operation::Minus if b == FALSE => Some(a),
            Operation::And | Operation::Or | Operation::Minus => None,
        };
        if let Some(known) = shortcut {
            return Ok(known);
        }
        let key = match op {
            Operation::And | Operation::Or => (op, a.min(b), a.max(b)),
            Operation::Minus => (op, a, b),
        };
        if let Some(&known) = self.memo.get(&key) {
            return Ok(known);
        }
        let values = self.values_of(op, a, b);
        let made = self.descend(a, b, values, &mut |diagrams, a, b| diagrams.apply(op, a, b))?;
        self.memo.insert(key, made);
        Ok(made)
    }

    /// The values for which the answer may be another than for the rest, sorted.
    fn values_of(&self, op: Operation, a: Diagram, b: Diagram) -> Vec<u32> {
        let top = self.top(a, b);
        // Of such a set the answer has nothing at values that it does not list: a few
        // devices are taken out of very many without a look at all of those.
        let is_listed_alone = |set| self.child(set, top, 0) == FALSE;
        let is_wider = |a, b| self.listed(a, top).len() > self.listed(b, top).len();
        let and_b = is_listed_alone(b) && (is_wider(a, b) || !is_listed_alone(a));
        match op {
            Operation::And if and_b => self.listed_values(b, FALSE, top),
            Operation::And | Operation::Minus if is_listed_alone(a) => {
                self.listed_values(a, FALSE, top)
            }
            Operation::And | Operation::Or | Operation::Minus => self.listed_values(a, b, top),
        }
    }

    /// Joins two diagrams by `values` of the first coordinate that either looks at;
    /// every other value comes to what the rest does.
    fn descend(
        &mut self,
        a: Diagram,
        b: Diagram,
        values: Vec<u32>,
        join: &mut dyn FnMut(&mut Self, Diagram, Diagram) -> Result<Diagram, OverBudget>,
    ) -> Result<Diagram, OverBudget> {
        let top = self.top(a, b);
        let (rest_a, rest_b) = (self.child(a, top, 0), self.child(b, top, 0));
        let rest = join(self, rest_a, rest_b)?;
        let mut listed = Vec::new();
        self.work(values.len())?;
        for value in values {
            let (a, b) = (self.child(a, top, value), self.child(b, top, value));
            let child = join(self, a, b)?;
            if child != rest {
                listed.push((value, child));
            }
        }
        self.node(top, rest, listed)
    }

    /// The first coordinate that either looks at; one of them is no constant.
    fn top(&self, a: Diagram, b: Diagram) -> Coordinate {
        let of = |diagram: Diagram| match diagram.as_constant() {
            Some(_) => Coordinate::MAX,
            None => self.get(diagram).coordinate,
        };
        of(a).min(of(b))
    }

    /// The values at `top` that either lists, sorted.
    fn listed_values(&self, a: Diagram, b: Diagram, top: Coordinate) -> Vec<u32> {
        let (a, b) = (self.listed(a, top), self.listed(b, top));
        let mut values: Vec<u32> = Vec::with_capacity(a.len() + b.len());
        let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(&&(x, _)), Some(&&(y, _))) => x.min(y),
                (Some(&&(x, _)), None) | (None, Some(&&(x, _))) => x,
                (None, None) => return values,
            };
            a.next_if(|&&(x, _)| x == next);
            b.next_if(|&&(x, _)| x == next);
            values.push(next);
        }
    }

    fn listed(&self, diagram: Diagram, top: Coordinate) -> &[(u32, Diagram)] {
        if diagram.as_constant().is_some() {
            return &[];
        }
        let node = self.get(diagram);
        if node.coordinate == top {
            &node.listed
        } else {
            &[]
        }
    }

    /// What follows `value` at `top`: the diagram itself where it does not look there.
    fn child(&self, diagram: Diagram, top: Coordinate, value: u32) -> Diagram {
        if diagram.as_constant().is_some() {
            return diagram;
        }
        let node = self.get(diagram);
        if node.coordinate == top {
            child_of(node, value)
        } else {
            diagram
        }
    }

    fn follow(&self, diagram: Diagram) -> impl Iterator<Item = Diagram> + use<> {
        let node = Rc::clone(self.get(diagram));
        let listed: Vec<_> = node.listed.iter().map(|&(_, child)| child).collect();
        listed.into_iter().chain([node.rest])
    }

    /// The one diagram that looks at `coordinate` like this.
    fn node(
        &mut self,
        coordinate: Coordinate,
        rest: Diagram,
        listed: Vec<(u32, Diagram)>,
    ) -> Result<Diagram, OverBudget> {
        if listed.is_empty() {
            return Ok(rest);
        }
        let node = Rc::new(Node {
            coordinate,
            rest,
            listed: listed.into_boxed_slice(),
        });
        if let Some(&known) = self.known.get(&node) {
            return Ok(known);
        }
        // A wide node takes more memory than a narrow one, and is charged for it.
        let price = 1 + node.listed.len() / 8;
        let index = u32::try_from(self.nodes.len()).map_err(|_| OverBudget)?;
        if price > self.left.nodes || index >= CONSTANT {
            return Err(OverBudget);
        }
        self.left.nodes -= price;
        let made = Diagram(index);
        self.nodes.push(Rc::clone(&node));
        self.known.insert(node, made);
        Ok(made)
    }

    // INVARIANT: a `Diagram` that is no constant was made by `node` of these `Diagrams`.
    #[allow(
        clippy::indexing_slicing,
        reason = "diagrams of another space are a bug, never input"
    )]
    fn get(&self, diagram: Diagram) -> &Rc<Node> {
        &self.nodes[diagram.0 as usize]
    }
}

fn child_of(node: &Node, value: u32) -> Diagram {
    let found = node
        .listed
        .binary_search_by_key(&value, |&(known, _)| known);
    let listed = found.ok().and_then(|at| node.listed.get(at));
    listed.map_or(node.rest, |&(_, child)| child)
}
