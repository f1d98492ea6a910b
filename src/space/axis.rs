//! What holds where on a line of numbers: sorted boundaries, and what holds
//! from each of them on.

/// Values over all numbers of a kind: one before the first boundary, one from
/// each boundary on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis<N> {
    starts: Box<[N]>,
    /// One more than there are boundaries.
    values: Box<[u32]>,
}

impl<N: Copy + Ord> Axis<N> {
    /// An axis with `value` everywhere.
    pub fn uniform(value: u32) -> Self {
        Axis {
            starts: Box::default(),
            values: Box::new([value]),
        }
    }

    /// An axis with `first` before the first of `steps`, and from each step's
    /// boundary on its value. Boundaries ascend; of equal ones the last counts.
    pub fn new(first: u32, steps: impl IntoIterator<Item = (N, u32)>) -> Self {
        let (mut starts, mut values) = (Vec::new(), vec![first]);
        for (start, value) in steps {
            if starts.last() == Some(&start) {
                starts.pop();
                values.pop();
            }
            if values.last() != Some(&value) {
                starts.push(start);
                values.push(value);
            }
        }
        Axis {
            starts: starts.into_boxed_slice(),
            values: values.into_boxed_slice(),
        }
    }

    /// The value at `number`.
    pub fn at(&self, number: N) -> u32 {
        let after = self.starts.partition_point(|&start| start <= number);
        // INVARIANT: there is one value more than there are boundaries.
        self.values.get(after).copied().unwrap_or_default()
    }

    /// How many boundaries there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether one value holds everywhere.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.values)
    }
}
