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

/// Why an armed allow-once overrides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Idle {
    /// Its rule is gone.
    #[error("its rule is no longer declared")]
    Undeclared,
    /// Its rule does not match.
    #[error("its rule does not match this device")]
    OtherDevice,
    /// It is over.
    #[error("it has ended")]
    Ended,
    /// It holds from elsewhere.
    #[error("it is armed for other addresses")]
    Elsewhere,
    /// Nothing is left of what it was armed for.
    #[error("its rule grants nothing of what it was armed for")]
    NothingGranted,
}

/// What one armed allow-once overrides here and now: what it was armed for and
/// its rule still grants this device. One that names no addresses never
/// overrides `source`.
pub(crate) fn standing(
    case: &Case<'_>,
    class: &Class,
    armed: &ArmedAllowOnce,
) -> Result<Mask, Idle> {
    let set = &case.program.set;
    let here = armed.addresses.is_empty()
        || (armed.addresses.iter()).any(|&one| covers(fold_prefix(one), case.source));
    let rule = set.allow_onces.find(&armed.name).ok_or(Idle::Undeclared)?;
    if !class.allow_onces.contains(&rule) {
        return Err(Idle::OtherDevice);
    }
    if case.at >= armed.until {
        return Err(Idle::Ended);
    }
    if !here {
        return Err(Idle::Elsewhere);
    }
    let mask = set.allow_onces[rule]
        .overrides
        .iter()
        .filter(|what| armed.overrides.contains(what))
        .filter(|&&what| what != Override::Source || !armed.addresses.is_empty())
        .fold(Mask::default(), |mask, &what| mask.with(what));
    if mask.is_empty() {
        return Err(Idle::NothingGranted);
    }
    Ok(mask)
}

/// What one of them overrides; nothing where it is idle.
pub(crate) fn effective(case: &Case<'_>, class: &Class, armed: &ArmedAllowOnce) -> Mask {
    standing(case, class, armed).unwrap_or_default()
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
