//! Schedules: both edges, midnight, and both changes of the clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use panopol::ir::{Header, Schedule};
use panopol::source::{FileId, Span};
use panopol::space::schedule::{is_open, next_change};
use panopol::vocabulary::Weekday;
use proptest::prelude::*;

fn schedule(days: &[Weekday], start: u16, end: u16, zone: &str) -> Schedule {
    Schedule {
        header: Header {
            name: "s".to_owned(),
            span: Span::new(FileId(0), 0..0),
        },
        days: days.to_vec(),
        start,
        end,
        zone: TimeZone::get(zone).unwrap(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Holds each `instant open|closed` line against the schedule.
fn assert_open(schedule: &Schedule, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (instant, expected) = line.split_once(' ').unwrap();
        let found = if is_open(schedule, at(instant)) {
            "open"
        } else {
            "closed"
        };
        assert_eq!(found, expected.trim(), "{instant}");
    }
}

const WORKDAYS: &[Weekday] = &[
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
];

#[test]
fn a_window_is_open_from_its_start_and_closed_at_its_end() {
    let office = schedule(WORKDAYS, 8 * 60, 18 * 60, "Europe/Berlin");
    assert_open(
        &office,
        "2026-11-20T07:59:59.999999999+01:00 closed
         2026-11-20T08:00:00+01:00 open
         2026-11-20T17:59:59.999999999+01:00 open
         2026-11-20T18:00:00+01:00 closed
         2026-11-21T12:00:00+01:00 closed
         2026-11-22T12:00:00+01:00 closed
         2026-11-23T08:00:00+01:00 open
         2026-07-20T06:00:00Z open
         2026-07-20T05:59:59Z closed",
    );
}

#[test]
fn an_end_at_24_00_is_the_end_of_the_day() {
    let evening = schedule(&[Weekday::Fri], 20 * 60, 24 * 60, "UTC");
    assert_open(
        &evening,
        "2026-11-20T19:59:59Z closed
         2026-11-20T20:00:00Z open
         2026-11-20T23:59:59.999Z open
         2026-11-21T00:00:00Z closed",
    );
}

#[test]
fn a_whole_day_has_no_hole() {
    let day = schedule(&[Weekday::Sun], 0, 24 * 60, "Europe/Berlin");
    assert_open(
        &day,
        "2026-03-28T23:59:59+01:00 closed
         2026-03-29T00:00:00+01:00 open
         2026-03-29T01:59:59+01:00 open
         2026-03-29T03:00:00+02:00 open
         2026-03-29T23:59:59+02:00 open
         2026-03-30T00:00:00+02:00 closed",
    );
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_starts_on() {
    let night = schedule(&[Weekday::Fri], 22 * 60, 6 * 60, "UTC");
    assert_open(
        &night,
        "2026-11-20T05:00:00Z closed
         2026-11-20T21:59:59Z closed
         2026-11-20T22:00:00Z open
         2026-11-21T00:00:00Z open
         2026-11-21T05:59:59Z open
         2026-11-21T06:00:00Z closed
         2026-11-21T22:00:00Z closed",
    );
}

#[test]
fn a_window_over_midnight_runs_from_sunday_into_monday() {
    let night = schedule(&[Weekday::Sun], 23 * 60, 60, "UTC");
    assert_open(
        &night,
        "2026-11-22T22:59:59Z closed
         2026-11-22T23:00:00Z open
         2026-11-23T00:59:59Z open
         2026-11-23T01:00:00Z closed",
    );
}

#[test]
fn a_window_that_ends_at_midnight_may_say_so_either_way() {
    let to_zero = schedule(&[Weekday::Fri], 22 * 60, 0, "UTC");
    let to_24 = schedule(&[Weekday::Fri], 22 * 60, 24 * 60, "UTC");
    for instant in [
        "2026-11-20T21:59:59Z",
        "2026-11-20T22:00:00Z",
        "2026-11-20T23:59:59Z",
        "2026-11-21T00:00:00Z",
    ] {
        assert_eq!(
            is_open(&to_zero, at(instant)),
            is_open(&to_24, at(instant)),
            "{instant}"
        );
    }
}

#[test]
fn in_a_gap_the_window_starts_after_it() {
    // Berlin skips 02:00 to 03:00 on 29 March 2026.
    let window = schedule(&[Weekday::Sun], 2 * 60 + 30, 4 * 60, "Europe/Berlin");
    assert_open(
        &window,
        "2026-03-29T00:59:59Z closed
         2026-03-29T01:00:00Z open
         2026-03-29T01:59:59Z open
         2026-03-29T02:00:00Z closed",
    );
    assert_eq!(
        next_change(&window, at("2026-03-28T12:00:00Z")),
        Some(at("2026-03-29T01:00:00Z"))
    );
}

#[test]
fn a_window_that_lies_in_a_gap_never_opens_that_day() {
    let window = schedule(&[Weekday::Sun], 2 * 60 + 10, 2 * 60 + 50, "Europe/Berlin");
    assert_open(
        &window,
        "2026-03-29T00:59:59Z closed
         2026-03-29T01:00:00Z closed
         2026-03-29T01:30:00Z closed
         2026-03-22T01:10:00Z open",
    );
    assert_eq!(
        next_change(&window, at("2026-03-29T00:00:00Z")),
        Some(at("2026-04-05T00:10:00Z"))
    );
}

#[test]
fn in_a_fold_both_passes_count() {
    // Berlin repeats 02:00 to 03:00 on 25 October 2026.
    let window = schedule(&[Weekday::Sun], 2 * 60 + 15, 2 * 60 + 45, "Europe/Berlin");
    assert_open(
        &window,
        "2026-10-25T00:14:59Z closed
         2026-10-25T00:15:00Z open
         2026-10-25T00:44:59Z open
         2026-10-25T00:45:00Z closed
         2026-10-25T01:14:59Z closed
         2026-10-25T01:15:00Z open
         2026-10-25T01:44:59Z open
         2026-10-25T01:45:00Z closed",
    );
    assert_eq!(
        next_change(&window, at("2026-10-25T00:50:00Z")),
        Some(at("2026-10-25T01:15:00Z"))
    );
}

#[test]
fn a_window_that_ends_in_a_fold_closes_and_opens_again() {
    let window = schedule(&[Weekday::Sun], 60, 2 * 60 + 30, "Europe/Berlin");
    assert_open(
        &window,
        "2026-10-25T00:29:59Z open
         2026-10-25T00:30:00Z closed
         2026-10-25T00:59:59Z closed
         2026-10-25T01:00:00Z open
         2026-10-25T01:29:59Z open
         2026-10-25T01:30:00Z closed",
    );
    assert_eq!(
        next_change(&window, at("2026-10-25T00:40:00Z")),
        Some(at("2026-10-25T01:00:00Z"))
    );
}

#[test]
fn a_zone_may_skip_a_whole_day() {
    // Samoa had no 30 December 2011, a Friday.
    let friday = schedule(&[Weekday::Fri], 0, 24 * 60, "Pacific/Apia");
    assert_open(
        &friday,
        "2011-12-30T09:59:59Z closed
         2011-12-30T10:00:00Z closed
         2012-01-05T10:00:00Z open",
    );
}

#[test]
fn a_schedule_that_is_always_open_never_changes() {
    let always = schedule(Weekday::ALL, 0, 24 * 60, "Europe/Berlin");
    assert_eq!(next_change(&always, at("2026-03-28T12:00:00Z")), None);
}

#[test]
fn the_ends_of_time_are_judged_without_a_fault() {
    let office = schedule(WORKDAYS, 8 * 60, 18 * 60, "Europe/Berlin");
    for instant in [Timestamp::MIN, Timestamp::MAX] {
        is_open(&office, instant);
        next_change(&office, instant);
    }
}

proptest! {
    /// Between an instant and the next change nothing changes; at it, it does.
    #[test]
    fn the_next_change_is_the_first(
        days in proptest::sample::subsequence(Weekday::ALL, 1..=7),
        start in 0u16..1440,
        end in 0u16..=1440,
        zone in prop_oneof![Just("Europe/Berlin"), Just("UTC"), Just("Australia/Lord_Howe"), Just("America/St_Johns")],
        second in 1_767_225_600i64..1_798_761_600,
        part in 0.0f64..1.0,
    ) {
        prop_assume!(start != end);
        let schedule = schedule(&days, start, end, zone);
        let instant = Timestamp::from_second(second).unwrap();
        let open = is_open(&schedule, instant);
        match next_change(&schedule, instant) {
            Some(change) => {
                prop_assert_ne!(is_open(&schedule, change), open);
                let between = (change.as_second() - second) as f64 * part;
                let between = Timestamp::from_second(second + between as i64).unwrap();
                prop_assert_eq!(is_open(&schedule, between), open);
            }
            None => {
                let later = second + (9.0 * 86_400.0 * part) as i64;
                prop_assert_eq!(is_open(&schedule, Timestamp::from_second(later).unwrap()), open);
            }
        }
    }
}
