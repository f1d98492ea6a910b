//! Which schedules can be open together, with an instant for each way.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::civil::date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::diagram::OverBudget;
use super::schedule::is_open;
use crate::ir::Schedule;

/// A way in which schedules are open and closed, and when it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For each schedule whether it is open.
    pub open: Box<[bool]>,
    /// The first instant found at which it is so.
    pub at: Timestamp,
}

/// The first instant looked at: the language's edition began then.
const FROM: jiff::civil::Date = date(2026, 1, 1);
/// The first instant no longer looked at. Zones' rules are known for so long
/// only as a forecast; whatever happens once a year has happened by then.
const UNTIL: jiff::civil::Date = date(2100, 1, 1);
/// How many times a schedule is looked at before the question is given up.
const BUDGET: usize = 20_000_000;

/// Every way in which `schedules` are open and closed at some instant of the
/// years 2026 to 2099; at least one.
///
/// Schedules change at a local start, end or midnight, or where a zone's offset
/// changes; between two changes of offset all of it repeats each week.
///
/// # Errors
/// There are too many schedules.
pub fn moments(schedules: &[&Schedule]) -> Result<Vec<Moment>, OverBudget> {
    let start = FROM
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp());
    let end = UNTIL
        .to_zoned(TimeZone::UTC)
        .map_or(start, |at| at.timestamp());
    let mut found = Found::default();
    let mut weeks: HashSet<Vec<Offset>> = HashSet::new();
    let changes = offset_changes(schedules, start, end);
    for (&from, &until) in changes.iter().zip(changes.iter().skip(1)) {
        let week_later = from.checked_add((8 * 24).hours()).unwrap_or(until);
        let offsets = schedules
            .iter()
            .map(|one| one.zone.to_offset(from))
            .collect();
        // A stretch of a whole week shows all that these offsets can.
        if week_later <= until && !weeks.insert(offsets) {
            continue;
        }
        for at in instants(schedules, from, until.min(week_later)) {
            found.look(schedules, at)?;
        }
    }
    if found.moments.is_empty() {
        found.look(schedules, start)?;
    }
    Ok(found.moments)
}

#[derive(Default)]
struct Found {
    moments: Vec<Moment>,
    known: HashMap<Box<[bool]>, ()>,
    looked: usize,
}

impl Found {
    fn look(&mut self, schedules: &[&Schedule], at: Timestamp) -> Result<(), OverBudget> {
        self.looked += schedules.len();
        if self.looked > BUDGET {
            return Err(OverBudget);
        }
        let open: Box<[bool]> = schedules.iter().map(|one| is_open(one, at)).collect();
        if self.known.insert(open.clone(), ()).is_none() {
            self.moments.push(Moment { open, at });
        }
        Ok(())
    }
}

/// `start`, `end`, and between them each instant at which some zone's offset changes.
fn offset_changes(schedules: &[&Schedule], start: Timestamp, end: Timestamp) -> Vec<Timestamp> {
    let mut changes = BTreeSet::from([start, end]);
    let mut zones: Vec<&TimeZone> = Vec::new();
    for schedule in schedules {
        if !zones.contains(&&schedule.zone) {
            zones.push(&schedule.zone);
        }
    }
    for zone in zones {
        let following = zone.following(start).map(|change| change.timestamp());
        changes.extend(following.take_while(|&at| at < end));
    }
    changes.into_iter().collect()
}

/// `from`, and each local start, end and midnight before `until`; no offset changes between.
fn instants(schedules: &[&Schedule], from: Timestamp, until: Timestamp) -> BTreeSet<Timestamp> {
    let mut found = BTreeSet::from([from]);
    for schedule in schedules {
        let offset = schedule.zone.to_offset(from);
        let today = offset.to_datetime(from).date();
        let days = (0..=9).filter_map(|days| today.checked_add(days.days()).ok());
        for day in days {
            for minute in [0, schedule.start, schedule.end] {
                let local = day.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes());
                let at = local.and_then(|local| offset.to_timestamp(local));
                found.extend(at.ok().filter(|&at| from < at && at < until));
            }
        }
    }
    found
}
