//! Armed one-time unlocks: what each still overrides, and which to spend.

use super::Case;
use crate::address::{covers, fold_prefix};
use crate::eval::Class;
use crate::eval::fewest::fewest;
use crate::request::ArmedAllowOnce;
use crate::vocabulary::Override;

/// A set of overrides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mask(u8);

impl Mask {
    const fn bit(what: Override) -> u8 {
        match what {
            Override::Source => 1,
            Override::Disabled => 2,
            Override::Approval => 4,
        }
    }

    /// This set and `what`.
    pub fn with(self, what: Override) -> Mask {
        Mask(self.0 | Self::bit(what))
    }

    /// Whether `what` is in it.
    pub fn has(self, what: Override) -> bool {
        self.0 & Self::bit(what) != 0
    }

    /// Those in it, in order.
    pub fn iter(self) -> impl Iterator<Item = Override> {
        let all = Override::ALL.iter().copied();
        all.filter(move |&what| self.has(what))
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What one armed allow-once overrides here and now: what it was armed for and
/// its rule still grants this device; nothing once it has ended or from
/// elsewhere. One that names no addresses never overrides `source`.
pub(crate) fn effective(case: &Case<'_>, class: &Class, armed: &ArmedAllowOnce) -> Mask {
    let set = &case.program.set;
    let here = armed.addresses.is_empty()
        || (armed.addresses.iter()).any(|&one| covers(fold_prefix(one), case.source));
    let rule = set.allow_onces.find(&armed.name);
    let Some(rule) = rule.filter(|id| class.allow_onces.contains(id)) else {
        return Mask::default();
    };
    if !here || case.at >= armed.until {
        return Mask::default();
    }
    set.allow_onces[rule]
        .overrides
        .iter()
        .filter(|what| armed.overrides.contains(what))
        .filter(|&&what| what != Override::Source || !armed.addresses.is_empty())
        .fold(Mask::default(), |mask, &what| mask.with(what))
}

/// What all of them together override.
pub(crate) fn available(case: &Case<'_>, class: &Class) -> Mask {
    let all = case.facts.allow_once.iter();
    Mask(all.fold(0, |bits, one| bits | effective(case, class, one).0))
}

/// Those to spend for `needed`: the fewest that together override it.
pub(crate) fn to_spend<'a>(
    case: &Case<'a>,
    class: &Class,
    needed: Mask,
) -> Vec<&'a ArmedAllowOnce> {
    let needs: Vec<Override> = needed.iter().collect();
    let key = |one: &'a ArmedAllowOnce| (one.until, one.id.as_str());
    fewest(
        case.facts.allow_once.iter(),
        key,
        needs.len(),
        |one, need| {
            let mask = effective(case, class, one);
            needs.get(need).is_some_and(|&what| mask.has(what))
        },
    )
}
