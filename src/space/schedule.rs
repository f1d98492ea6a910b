//! When a schedule is open: each instant is judged by its own local time.
//!
//! So a window that starts in a gap of the clock starts after it, and in a
//! fold both passes count.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan};

use crate::ir::Schedule;
use crate::vocabulary::Weekday;

/// Whether `at` lies in a window: from its start on, before its end. A window
/// over midnight belongs to the day it starts on.
pub fn is_open(schedule: &Schedule, at: Timestamp) -> bool {
    is_open_locally(schedule, schedule.zone.to_datetime(at))
}

fn is_open_locally(schedule: &Schedule, local: DateTime) -> bool {
    let (Ok(hour), Ok(minute)) = (u16::try_from(local.hour()), u16::try_from(local.minute()))
    else {
        return false;
    };
    let minute = hour * 60 + minute;
    let day = weekday(local.date());
    let starts_on = |day: Weekday| schedule.days.contains(&day);
    if schedule.start < schedule.end {
        starts_on(day) && (schedule.start..schedule.end).contains(&minute)
    } else {
        (minute >= schedule.start && starts_on(day))
            || (minute < schedule.end && starts_on(day_before(day)))
    }
}

/// The first instant after `at` at which the schedule opens or closes; none
/// when it never does, or at the end of time.
pub fn next_change(schedule: &Schedule, at: Timestamp) -> Option<Timestamp> {
    let open = is_open(schedule, at);
    let horizon = at.checked_add((9 * 24).hours()).ok()?;
    let shifts = schedule
        .zone
        .following(at)
        .map(|transition| transition.timestamp())
        .take_while(|&instant| instant <= horizon);
    let mut instants: Vec<Timestamp> = boundaries(schedule, at).chain(shifts).collect();
    instants.sort_unstable();
    instants
        .into_iter()
        .find(|&instant| instant > at && is_open(schedule, instant) != open)
}

/// The instants of each local start and end in the nine days around and after
/// `at`, and of midnight, where a day begins or ends its windows.
fn boundaries(schedule: &Schedule, at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let today = schedule.zone.to_datetime(at).date();
    (0..=8)
        .filter_map(move |days| today.checked_add(days.days()).ok())
        .flat_map(|date| [0, schedule.start, schedule.end].map(|minute| local(date, minute)))
        .flatten()
        .flat_map(|moment| {
            let ambiguous = schedule.zone.to_ambiguous_timestamp(moment);
            [ambiguous.earlier().ok(), ambiguous.later().ok()]
        })
        .flatten()
}

fn local(date: Date, minute: u16) -> Option<DateTime> {
    date.at(0, 0, 0, 0)
        .checked_add(i64::from(minute).minutes())
        .ok()
}

fn weekday(date: Date) -> Weekday {
    match date.weekday() {
        jiff::civil::Weekday::Monday => Weekday::Mon,
        jiff::civil::Weekday::Tuesday => Weekday::Tue,
        jiff::civil::Weekday::Wednesday => Weekday::Wed,
        jiff::civil::Weekday::Thursday => Weekday::Thu,
        jiff::civil::Weekday::Friday => Weekday::Fri,
        jiff::civil::Weekday::Saturday => Weekday::Sat,
        jiff::civil::Weekday::Sunday => Weekday::Sun,
    }
}

fn day_before(day: Weekday) -> Weekday {
    match day {
        Weekday::Mon => Weekday::Sun,
        Weekday::Tue => Weekday::Mon,
        Weekday::Wed => Weekday::Tue,
        Weekday::Thu => Weekday::Wed,
        Weekday::Fri => Weekday::Thu,
        Weekday::Sat => Weekday::Fri,
        Weekday::Sun => Weekday::Sat,
    }
}
