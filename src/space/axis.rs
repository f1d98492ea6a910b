//! What holds where on a line of numbers: sorted boundaries, and what holds
//! from each of them on.
//!
//! The boundaries stand in leaves, each a line of the cache where numbers have
//! 32 bits. From the first to the last of them lie slots of equal width, about
//! as many as there are leaves, and each says in which leaves its numbers may
//! lie. Mostly that is one: a search then reads a slot and a leaf, whatever the
//! number of boundaries. Where many crowd into one slot, it is a binary search
//! among the leaves of that slot.

/// How many boundaries a leaf holds.
const LEAF: usize = 8;
/// Among so many leaves, counting without branching is faster than a binary search.
const FEW: usize = 16;

/// Numbers that boundaries may be.
pub trait Number: Copy + Ord {
    /// The least.
    const ZERO: Self;

    /// In which slot it lies, of those that are `2^shift` wide and begin at
    /// `from`; none where it lies below.
    fn slot(self, from: Self, shift: u32) -> Option<usize>;

    /// Where such a slot begins; none past the greatest number.
    fn start(slot: usize, from: Self, shift: u32) -> Option<Self>;

    /// The width of slots, as an exponent, with which about `count` of them
    /// reach from `from` to `to`.
    fn shift(from: Self, to: Self, count: usize) -> u32;
}

macro_rules! number {
    ($type:ty) => {
        impl Number for $type {
            const ZERO: Self = 0;

            #[inline]
            fn slot(self, from: Self, shift: u32) -> Option<usize> {
                let above = self.checked_sub(from)? >> shift;
                Some(usize::try_from(above).unwrap_or(usize::MAX))
            }

            fn start(slot: usize, from: Self, shift: u32) -> Option<Self> {
                let width = Self::from(1u8).checked_shl(shift)?;
                let above = Self::try_from(slot).ok()?.checked_mul(width)?;
                from.checked_add(above)
            }

            fn shift(from: Self, to: Self, count: usize) -> u32 {
                let bits = Self::BITS - to.saturating_sub(from).leading_zeros();
                let shift = bits.saturating_sub(count.max(1).next_power_of_two().ilog2());
                shift.min(Self::BITS - 1)
            }
        }
    };
}

number!(u32);
number!(u128);

/// Values over all numbers of a kind: one before the first boundary, one from
/// each boundary on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis<N> {
    before: u32,
    /// The first boundary, where the first slot begins.
    from: N,
    /// Slots are two to this wide.
    shift: u32,
    slots: Box<[Slot]>,
    /// The first boundary of each leaf.
    firsts: Box<[N]>,
    leaves: Box<[Leaf<N>]>,
}

/// In which leaves the numbers of a slot lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    /// The last that begins where the slot does, or before.
    leaf: u32,
    /// How many more begin in it.
    more: u32,
}

/// Boundaries, ascending, and what holds from each on. A last leaf is filled
/// with its last boundary, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
struct Leaf<N> {
    starts: [N; LEAF],
    values: [u32; LEAF],
}

impl<N: Number> Axis<N> {
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
        let bound = |step: Option<&(N, u32)>| step.map_or(N::ZERO, |step| step.0);
        let (from, to) = (bound(all.first()), bound(all.last()));
        let leaves: Box<[Leaf<N>]> = all.chunks(LEAF).filter_map(Leaf::of).collect();
        let firsts: Box<[N]> = leaves.iter().map(|leaf| leaf.starts[0]).collect();
        let shift = N::shift(from, to, leaves.len());
        let last = leaves.last().and_then(|_| to.slot(from, shift));
        let count = last.map_or(0, |last| last + 1);
        let begun = |end: Option<N>, is_begun: fn(N, N) -> bool| {
            end.map_or(firsts.len(), |end| {
                firsts.partition_point(|first| is_begun(*first, end))
            })
        };
        let slots = (0..count).map(|slot| {
            let here = begun(N::start(slot, from, shift), |first, start| first <= start);
            let past = begun(N::start(slot + 1, from, shift), |first, end| first < end);
            Slot {
                leaf: u32::try_from(here.saturating_sub(1)).unwrap_or(u32::MAX),
                more: u32::try_from(past.saturating_sub(here)).unwrap_or(u32::MAX),
            }
        });
        Axis {
            before: first,
            from,
            shift,
            slots: slots.collect(),
            firsts,
            leaves,
        }
    }

    /// The value at `number`.
    #[inline]
    pub fn at(&self, number: N) -> u32 {
        let found = self.leaf(number).and_then(|leaf| {
            let place = reached(&leaf.starts, number).checked_sub(1)?;
            leaf.values.get(place)
        });
        found.copied().unwrap_or(self.before)
    }

    /// The last leaf that begins at `number` or before.
    #[inline]
    fn leaf(&self, number: N) -> Option<&Leaf<N>> {
        let last = self.slots.len().checked_sub(1)?;
        let slot = number.slot(self.from, self.shift)?.min(last);
        let &Slot { leaf, more } = self.slots.get(slot)?;
        let leaf = leaf as usize;
        if more == 0 {
            return self.leaves.get(leaf);
        }
        let within = self.firsts.get(leaf + 1..=leaf + more as usize);
        let within = within.unwrap_or_default();
        let further = if within.len() <= FEW {
            reached(within, number)
        } else {
            within.partition_point(|first| *first <= number)
        };
        self.leaves.get(leaf + further)
    }

    /// Bytes that an axis of so many boundaries takes at most.
    pub const fn most_bytes(boundaries: usize) -> usize {
        // There are at most twice as many slots as leaves.
        let leaf = size_of::<Leaf<N>>() + size_of::<N>() + 2 * size_of::<Slot>();
        boundaries.div_ceil(LEAF) * leaf
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.slots) + size_of_val(&*self.firsts) + size_of_val(&*self.leaves)
    }
}

impl<N: Copy> Leaf<N> {
    fn of(steps: &[(N, u32)]) -> Option<Self> {
        let &(start, value) = steps.last()?;
        let mut leaf = Leaf {
            starts: [start; LEAF],
            values: [value; LEAF],
        };
        for ((start, value), step) in leaf.starts.iter_mut().zip(&mut leaf.values).zip(steps) {
            (*start, *value) = *step;
        }
        Some(leaf)
    }
}

/// How many of these are not past `number`; they ascend.
#[inline]
fn reached<N: Copy + Ord>(some: &[N], number: N) -> usize {
    some.iter().filter(|start| **start <= number).count()
}
