//! Whether an instant lies in a schedule, by its own local time.

use jiff::Timestamp;
use jiff::civil::Weekday as CivilWeekday;
use panopol::ir::{PolicySet, Schedule, ScheduleId};
use panopol::vocabulary::Weekday;

/// Whether `at` lies in any of `during`, or `during` is empty.
pub(super) fn holds(set: &PolicySet, during: &[ScheduleId], at: Timestamp) -> bool {
    during.is_empty() || during.iter().any(|&id| within(&set.schedules[id], at))
}

fn within(schedule: &Schedule, at: Timestamp) -> bool {
    let local = at.to_zoned(schedule.zone.clone()).datetime();
    let minute = local.hour() as u16 * 60 + local.minute() as u16;
    let today = local.date().weekday();
    let yesterday = local.date().yesterday().unwrap().weekday();
    let starts_on = |day| schedule.days.contains(&weekday(day));
    if schedule.start < schedule.end {
        starts_on(today) && schedule.start <= minute && minute < schedule.end
    } else {
        (starts_on(today) && schedule.start <= minute)
            || (starts_on(yesterday) && minute < schedule.end)
    }
}

fn weekday(day: CivilWeekday) -> Weekday {
    match day {
        CivilWeekday::Monday => Weekday::Mon,
        CivilWeekday::Tuesday => Weekday::Tue,
        CivilWeekday::Wednesday => Weekday::Wed,
        CivilWeekday::Thursday => Weekday::Thu,
        CivilWeekday::Friday => Weekday::Fri,
        CivilWeekday::Saturday => Weekday::Sat,
        CivilWeekday::Sunday => Weekday::Sun,
    }
}
