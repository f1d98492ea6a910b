//! Declarations of one kind, sorted by name, indexed by their own id type.

use std::marker::PhantomData;
use std::ops::Index;

use super::Header;

/// A declaration that has a name.
pub trait Declared {
    /// Its name and place.
    fn header(&self) -> &Header;
}

/// An index into one [`Table`].
pub trait Id: Copy {
    /// The id of the `index`th declaration by name.
    fn from_index(index: usize) -> Self;
    /// Which declaration by name it is.
    fn index(self) -> usize;
}

/// Declares id types.
macro_rules! declare_ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $crate::ir::table::Id for $name {
            fn from_index(index: usize) -> Self {
                $name(u32::try_from(index).unwrap_or(u32::MAX))
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+ };
}
pub(super) use declare_ids;

/// Declarations sorted by name.
#[derive(Clone, Debug)]
pub struct Table<I, T> {
    rows: Vec<T>,
    id: PhantomData<I>,
}

impl<I: Id, T: Declared> Table<I, T> {
    /// Makes a table of declarations whose names differ; sorts them.
    pub fn new(mut rows: Vec<T>) -> Self {
        rows.sort_by(|a, b| a.header().name.cmp(&b.header().name));
        Table {
            rows,
            id: PhantomData,
        }
    }

    /// The declaration named `name`.
    pub fn find(&self, name: &str) -> Option<I> {
        self.rows
            .binary_search_by(|row| row.header().name.as_str().cmp(name))
            .ok()
            .map(I::from_index)
    }

    /// The name of `id`.
    pub fn name(&self, id: I) -> &str {
        &self[id].header().name
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| row.header().name.as_str())
    }

    /// Every declaration with its id, by name.
    pub fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(index, row)| (I::from_index(index), row))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;

    // INVARIANT: an id is only made for a row of the table it indexes, and tables never shrink.
    #[allow(
        clippy::indexing_slicing,
        reason = "ids of another table are a bug, never input"
    )]
    fn index(&self, id: I) -> &T {
        &self.rows[id.index()]
    }
}
