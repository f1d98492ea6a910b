//! Sets of addresses in words, for people: few prefixes, each with what is left out of it.

use ipnet::IpNet;

use super::describe::{LISTED, listed};
use super::sources::named;
use crate::address::display_prefix;
use crate::ir::PolicySet;
use crate::space::partition::{EVERYWHERE, Range, join};
use crate::space::prefixes::PrefixSet;

/// Of more ranges than these the first prefixes are shown as they are.
const RANGES: usize = 64;

/// Addresses in words: a declared network where one is exactly these, else prefixes.
pub fn describe_addresses(sets: &[&PolicySet], ranges: &[Range]) -> Vec<String> {
    let joined = join(ranges.to_vec());
    if joined == join(EVERYWHERE.to_vec()) {
        return vec!["anywhere".to_owned()];
    }
    let addresses = PrefixSet::from_prefixes(prefixes_of(&joined));
    if let Some(name) = sets.iter().find_map(|set| named(set, &addresses)) {
        return vec![name.to_owned()];
    }
    let (v4, v6): (Vec<Range>, Vec<Range>) = joined.iter().partition(|range| !range.is_v6);
    let families = [(false, u128::from(u32::MAX), v4), (true, u128::MAX, v6)];
    let words = families.iter().flat_map(|(is_v6, last, ranges)| {
        let whole = Range {
            is_v6: *is_v6,
            first: 0,
            last: *last,
        };
        family_in_words(whole, ranges)
    });
    words.collect()
}

fn family_in_words(whole: Range, ranges: &[Range]) -> Vec<String> {
    let parts = if ranges.len() > RANGES {
        let prefixes = prefixes_of(ranges).into_iter();
        prefixes.map(Part::all_of).collect()
    } else {
        parts(whole, ranges)
    };
    let mut words: Vec<String> = parts.iter().take(LISTED).map(Part::words).collect();
    let more = parts.len().saturating_sub(LISTED);
    if more > 0 {
        words.push(format!("and {more} more prefixes"));
    }
    words
}

/// A prefix, and what of it is not meant.
struct Part {
    around: IpNet,
    without: Vec<IpNet>,
}

impl Part {
    fn all_of(around: IpNet) -> Self {
        Part {
            around,
            without: Vec::new(),
        }
    }

    fn words(&self) -> String {
        let around = display_prefix(self.around);
        let without = self.without.iter();
        let without: Vec<String> = without.map(|&prefix| display_prefix(prefix)).collect();
        match without.is_empty() {
            true => around,
            false => format!("{around} (except {})", listed(&without)),
        }
    }

    fn weight(&self) -> usize {
        1 + self.without.len()
    }
}

/// The shortest way to say what of `block`, a prefix, some ranges hold.
fn parts(block: Range, ranges: &[Range]) -> Vec<Part> {
    let inside: Vec<Range> = ranges
        .iter()
        .filter_map(|range| clip(*range, block))
        .collect();
    if inside.is_empty() {
        return Vec::new();
    }
    let around = block.prefixes().into_iter().next();
    if let Some(around) = around
        && inside == [block]
    {
        return vec![Part::all_of(around)];
    }
    let middle = block.first + (block.last - block.first) / 2;
    let mut found = parts(
        Range {
            last: middle,
            ..block
        },
        &inside,
    );
    let first = middle.saturating_add(1);
    found.extend(parts(Range { first, ..block }, &inside));
    let weight: usize = found.iter().map(Part::weight).sum();
    if weight > 2
        && let Some(around) = around
    {
        let without = prefixes_of(&gaps(block, &inside));
        let whole = Part { around, without };
        if whole.weight() < weight {
            return vec![whole];
        }
    }
    found
}

fn clip(range: Range, block: Range) -> Option<Range> {
    let clipped = Range {
        first: range.first.max(block.first),
        last: range.last.min(block.last),
        ..block
    };
    (clipped.first <= clipped.last).then_some(clipped)
}

fn prefixes_of(ranges: &[Range]) -> Vec<IpNet> {
    ranges.iter().flat_map(|range| range.prefixes()).collect()
}

/// What of `around` no range, sorted, covers.
fn gaps(around: Range, ranges: &[Range]) -> Vec<Range> {
    let mut gaps = Vec::new();
    let mut next = around.first;
    for range in ranges {
        if range.first > next {
            gaps.push(Range {
                first: next,
                last: range.first - 1,
                ..around
            });
        }
        next = range.last.saturating_add(1);
    }
    if ranges.last().is_some_and(|last| last.last < around.last) {
        gaps.push(Range {
            first: next,
            ..around
        });
    }
    gaps
}
