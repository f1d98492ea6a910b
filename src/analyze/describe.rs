//! Sets of devices and times in the words of the language, for people.

use super::axes::TagValue;
use super::unlock::Unlocks;
use crate::source::quoted;
use crate::space::diagram::{Choice, Diagram, OverBudget};
use crate::space::moments::Moment;

/// More alternatives than these are counted, not shown.
const WAYS: usize = 4;
/// More values, prefixes or the like in a list than these are counted, not shown.
pub(super) const LISTED: usize = 6;

/// Some devices and times, in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Described {
    /// A selector: `env == production and has role`; `any device`.
    pub devices: String,
    /// `during business-hours`; none: at any time.
    pub times: Option<String>,
}

impl Unlocks<'_> {
    /// A set of devices and times in words: alternatives, and whether these are all.
    /// What `care` leaves out is not spoken of.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn describe(
        &mut self,
        set: Diagram,
        care: Diagram,
    ) -> Result<(Vec<Described>, bool), OverBudget> {
        let simple = self.diagrams.simplify(set, care)?;
        let (ways, complete) = self.diagrams.ways(simple, WAYS);
        let described = ways.iter().map(|way| self.describe_way(way));
        Ok((described.collect(), complete))
    }

    fn describe_way(&self, way: &[Choice]) -> Described {
        let time = self.axes.time();
        let is_time = |choice: &&Choice| choice.coordinate == time;
        let tags = way.iter().filter(|choice| !is_time(choice));
        let parts: Vec<_> = tags
            .filter_map(|choice| self.describe_tag(choice))
            .collect();
        Described {
            devices: match parts.is_empty() {
                true => "any device".to_owned(),
                false => parts.join(" and "),
            },
            times: way
                .iter()
                .find(is_time)
                .map(|choice| self.describe_times(choice)),
        }
    }

    fn describe_tag(&self, choice: &Choice) -> Option<String> {
        let (name, values) = self.axes.tag(choice.coordinate)?;
        let present = values.len() - 1;
        let is_text = self.axes.is_text(choice.coordinate);
        // Where every device has the tag, what it is says more than what it is not.
        let positive = choice.others && !self.axes.may_be_absent(choice.coordinate);
        let choice = &match positive {
            true => Choice {
                coordinate: choice.coordinate,
                values: (1..=present as u32)
                    .filter(|place| !choice.values.contains(place))
                    .collect(),
                others: false,
            },
            false => choice.clone(),
        };
        let chosen: Vec<&TagValue> = (choice.values.iter())
            .filter_map(|&place| values.get(place as usize))
            .collect();
        if choice.others && chosen.len() == present {
            return Some(format!("not has {name}"));
        }
        if !choice.others && chosen.len() == present {
            return Some(format!("has {name}"));
        }
        let has_other = |values: &[&TagValue]| {
            values
                .iter()
                .any(|value| matches!(value, TagValue::Other(_)))
        };
        if !choice.others && has_other(&chosen) {
            // All texts but those of the other ways: said by what they are not.
            let missing: Vec<&TagValue> = (1_u32..)
                .zip(values.iter().skip(1))
                .filter(|(place, _)| !choice.values.contains(place))
                .map(|(_, value)| value)
                .collect();
            return Some(format!(
                "has {name} and {}",
                compared(name, &missing, true, is_text)
            ));
        }
        Some(compared(name, &chosen, choice.others, is_text))
    }

    fn describe_times(&self, choice: &Choice) -> String {
        let moments = self.axes.moments();
        let is_in = |place: usize| {
            let listed = u32::try_from(place).is_ok_and(|place| choice.values.contains(&place));
            listed != choice.others
        };
        let schedules = self.axes.schedules().iter().enumerate();
        for (at, schedule) in schedules {
            let open = |moment: &Moment| moment.open.get(at).copied().unwrap_or(false);
            let mut judged = moments.iter().enumerate();
            let name = &schedule.header.name;
            if judged
                .clone()
                .all(|(place, moment)| is_in(place) == open(moment))
            {
                return format!("during {name}");
            }
            if judged.all(|(place, moment)| is_in(place) != open(moment)) {
                return format!("outside {name}");
            }
        }
        let mut some = moments
            .iter()
            .enumerate()
            .filter(|(place, _)| is_in(*place));
        let first = some.next().map(|(_, moment)| moment.at.to_string());
        format!("at times such as {}", first.unwrap_or_default())
    }
}

/// `env == a`, `env in [a, b]`, and negated `env != a`, `not env in [a, b]`.
fn compared(name: &str, values: &[&TagValue], negated: bool, is_text: bool) -> String {
    let written = |value: &String| match is_text {
        true => quoted(value),
        false => value.clone(),
    };
    let mut words: Vec<String> = Vec::new();
    for value in values {
        match value {
            TagValue::Absent => {}
            TagValue::Named(value) => words.push(written(value)),
            TagValue::AnyOf(values) => words.extend(values.iter().map(written)),
            TagValue::Other(_) => words.push("any other".to_owned()),
        }
    }
    match (words.as_slice(), negated) {
        ([one], false) => format!("{name} == {one}"),
        ([one], true) => format!("{name} != {one}"),
        (_, false) => format!("{name} in [{}]", listed(&words)),
        (_, true) => format!("not {name} in [{}]", listed(&words)),
    }
}

/// Words with commas between them; after some, how many more there are.
pub fn listed(words: &[String]) -> String {
    let shown = words
        .iter()
        .take(LISTED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match words.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
