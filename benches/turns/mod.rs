//! Contestants that take turns in one run, so that what disturbs one disturbs
//! all; the figure of each is the median of its turns.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

/// What takes turns: a name, and a pass over all that it asks, which says how
/// much of that it found.
pub(crate) struct Contestant<'a> {
    name: &'static str,
    pass: Box<dyn FnMut() -> usize + 'a>,
    /// How much a pass asks.
    asks: usize,
    nanos: Vec<f64>,
}

impl<'a> Contestant<'a> {
    /// One whose every pass asks so often.
    pub(crate) fn new(name: &'static str, asks: usize, pass: impl FnMut() -> usize + 'a) -> Self {
        Contestant {
            name,
            pass: Box::new(pass),
            asks,
            nanos: Vec::new(),
        }
    }

    fn median(&mut self) -> f64 {
        self.nanos.sort_by(f64::total_cmp);
        self.nanos[self.nanos.len() / 2]
    }
}

/// Lets all of them take turns: the nanoseconds of each for one thing asked.
/// All that ask as much find as much.
pub(crate) fn compete(
    contestants: &mut [Contestant<'_>],
    turns: usize,
) -> BTreeMap<&'static str, f64> {
    let found: Vec<(usize, usize)> = contestants
        .iter_mut()
        .map(|one| (one.asks, (one.pass)()))
        .collect();
    for &(asks, count) in &found {
        let peer = found.iter().find(|other| other.0 == asks).unwrap();
        assert_eq!(count, peer.1, "all contestants agree");
    }
    for _ in 0..turns {
        for one in &mut *contestants {
            let began = Instant::now();
            black_box((one.pass)());
            let nanos = began.elapsed().as_nanos() as f64;
            one.nanos.push(nanos / one.asks as f64);
        }
    }
    contestants
        .iter_mut()
        .map(|one| (one.name, one.median()))
        .collect()
}
