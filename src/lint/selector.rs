//! What a `where` says of a device that lacks one tag, as far as that alone decides it.

use std::collections::BTreeMap;

use crate::source::Span;
use crate::syntax::tree::{Compare, CompareOp, Selector};

/// The tags whose absence lets a device pass `selector` by a negated
/// comparison, each with the place of its first one.
///
/// A comparison is negated when `!=` and `not` stand over it an odd number of
/// times in all. It counts when a device without the tag may pass the whole
/// formula, and could not, or not surely, were absent tags to fail it.
pub(super) fn unguarded(selector: &Selector) -> BTreeMap<&str, Span> {
    let mut negated = BTreeMap::new();
    collect(selector, false, &mut negated);
    negated.retain(|tag, _| {
        let absent = Absent { tag, fails: false };
        let guarded = Absent { tag, fails: true };
        absent.judge(selector, false) != Some(false) && guarded.judge(selector, false) != Some(true)
    });
    negated
}

fn collect<'a>(selector: &'a Selector, under_not: bool, found: &mut BTreeMap<&'a str, Span>) {
    match selector {
        Selector::Or(parts) | Selector::And(parts) => {
            for part in parts {
                collect(part, under_not, found);
            }
        }
        Selector::Not(_, inner) => collect(inner, !under_not, found),
        Selector::Compare(compare) => {
            if is_negated(compare, under_not) {
                let span = compare.subject.span.to(compare.op.span);
                found.entry(&compare.subject.value).or_insert(span);
            }
        }
        // `not has tag` names the absent tag: nobody overlooks it there.
        Selector::Has(_) => {}
    }
}

fn is_negated(compare: &Compare, under_not: bool) -> bool {
    under_not != (compare.op.value == CompareOp::NotEqual)
}

/// A device that lacks `tag` and of which nothing else is known.
struct Absent<'a> {
    tag: &'a str,
    /// Whether negated comparisons with the tag fail, as if they were guarded.
    fails: bool,
}

impl Absent<'_> {
    /// Whether the device passes, where the absent tag decides it. `under_not`
    /// says whether the formula stands under an odd number of `not`.
    fn judge(&self, selector: &Selector, under_not: bool) -> Option<bool> {
        match selector {
            Selector::And(parts) => self.join(parts, under_not, false),
            Selector::Or(parts) => self.join(parts, under_not, true),
            Selector::Not(_, inner) => self.judge(inner, !under_not).map(|holds| !holds),
            Selector::Compare(compare) if compare.subject.value != self.tag => None,
            // Under `not`, it is by being true that a comparison makes the whole fail.
            Selector::Compare(compare) if self.fails && is_negated(compare, under_not) => {
                Some(under_not)
            }
            Selector::Compare(compare) => Some(compare.op.value == CompareOp::NotEqual),
            Selector::Has(tag) => (tag.value == self.tag).then_some(false),
        }
    }

    /// `and` or `or` over what is known; one part that is `decisive` decides.
    fn join(&self, parts: &[Selector], under_not: bool, decisive: bool) -> Option<bool> {
        let judged: Vec<_> = parts
            .iter()
            .map(|part| self.judge(part, under_not))
            .collect();
        if judged.contains(&Some(decisive)) {
            Some(decisive)
        } else if judged.contains(&None) {
            None
        } else {
            Some(!decisive)
        }
    }
}
