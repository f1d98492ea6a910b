//! What holds where on a line of numbers: sorted boundaries, and what holds
//! from each of them on.
//!
//! The boundaries stand in leaves of [`FANOUT`], and above them the first of
//! each leaf, then the first of each so many of those, up to a single node: a
//! search reads one node a level, and counts in it without branching. Against a
//! binary search over one array it misses the cache a quarter as often.

/// How many numbers a node holds: 32-bit ones fill a line of the cache.
const FANOUT: usize = 16;

/// Values over all numbers of a kind: one before the first boundary, one from
/// each boundary on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis<N> {
    before: u32,
    leaves: Box<[Leaf<N>]>,
    /// The nodes over the leaves, the root's level first.
    levels: Box<[Box<[[N; FANOUT]]>]>,
}

/// Boundaries, ascending, and what holds from each on. A last leaf is filled
/// with its last boundary, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaf<N> {
    starts: [N; FANOUT],
    values: [u32; FANOUT],
}

impl<N: Copy + Ord> Axis<N> {
    /// An axis with `first` before the first of `steps`, and from each step's
    /// boundary on its value. Boundaries ascend; of equal ones the last counts.
    pub fn new(first: u32, steps: impl IntoIterator<Item = (N, u32)>) -> Self {
        let mut all: Vec<(N, u32)> = Vec::new();
        for (start, value) in steps {
            all.pop_if(|last| last.0 == start);
            if all.last().map_or(first, |last| last.1) != value {
                all.push((start, value));
            }
        }
        let leaves: Box<[Leaf<N>]> = all.chunks(FANOUT).filter_map(Leaf::of).collect();
        let mut levels = Vec::new();
        let mut firsts: Vec<N> = leaves.iter().map(|leaf| leaf.starts[0]).collect();
        while firsts.len() > 1 {
            let level: Box<[[N; FANOUT]]> = firsts.chunks(FANOUT).filter_map(filled).collect();
            firsts = level.iter().map(|node| node[0]).collect();
            levels.push(level);
        }
        levels.reverse();
        Axis {
            before: first,
            leaves,
            levels: levels.into_boxed_slice(),
        }
    }

    /// The value at `number`.
    pub fn at(&self, number: N) -> u32 {
        let mut at = 0;
        for level in &self.levels {
            // Below the first boundary every way leads to the first leaf; past
            // the last one, what a last node is filled with counts, too.
            let last = level.len().saturating_sub(1);
            let node = level.get(at.min(last));
            let child = node.map_or(0, |node| reached(node, number));
            at = at.min(last) * FANOUT + child.saturating_sub(1);
        }
        let last = self.leaves.len().saturating_sub(1);
        let Some(leaf) = self.leaves.get(at.min(last)) else {
            return self.before;
        };
        let place = reached(&leaf.starts, number).checked_sub(1);
        let value = place.and_then(|place| leaf.values.get(place));
        value.copied().unwrap_or(self.before)
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let levels = self.levels.iter().map(|level| size_of_val(&**level));
        size_of_val(&*self.leaves) + levels.sum::<usize>()
    }
}

impl<N: Copy> Leaf<N> {
    fn of(steps: &[(N, u32)]) -> Option<Self> {
        let starts: Vec<N> = steps.iter().map(|step| step.0).collect();
        let values: Vec<u32> = steps.iter().map(|step| step.1).collect();
        Some(Leaf {
            starts: filled(&starts)?,
            values: filled(&values)?,
        })
    }
}

/// A node of these, at least one, its last repeated to the end.
fn filled<T: Copy>(some: &[T]) -> Option<[T; FANOUT]> {
    let mut node = [*some.last()?; FANOUT];
    node.iter_mut().zip(some).for_each(|(to, from)| *to = *from);
    Some(node)
}

/// How many of a node are not past `number`.
fn reached<N: Copy + Ord>(node: &[N; FANOUT], number: N) -> usize {
    node.iter().filter(|start| **start <= number).count()
}
