//! What a device's unlock varies in, as coordinates: its tags, and the time.
//!
//! A tag takes its mentioned values, one value that stands for all those that
//! no selector mentions, and absence. That is exact: two values that no
//! selector tells apart decide alike, unless one policy set knows a value that
//! the other does not; such values stand for themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::ir::people::Coverage;
use crate::ir::selector::{Atom, Selector};
use crate::ir::table::Id;
use crate::ir::unlock::Claim;
use crate::ir::{Domain, PolicySet, Schedule, ScheduleId, TagId};
use crate::space::diagram::{Coordinate, Diagram, Diagrams, FALSE, OverBudget, TRUE};
use crate::space::moments::{Moment, moments};

/// Selectors that look at more different tags than this are not analysed:
/// diagrams are walked by recursion.
const MAX_TAGS: usize = 2_000;

/// The coordinates that the unlocks of one or more policy sets vary in.
#[derive(Debug)]
pub struct Axes {
    tags: Vec<TagAxis>,
    /// Distinct schedules of all sets.
    schedules: Vec<Schedule>,
    moments: Vec<Moment>,
}

/// One tag as a coordinate; value 0 is its absence.
#[derive(Debug)]
struct TagAxis {
    name: String,
    values: Vec<TagValue>,
    /// Whether some set permits a device without it.
    may_be_absent: bool,
    /// Whether some set takes any text for it.
    is_text: bool,
    /// The places of the values that stand for themselves.
    named: HashMap<String, u32>,
}

/// A value of a tag, or several that decide alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TagValue {
    /// The tag is absent.
    Absent,
    /// This one.
    Named(String),
    /// Any of these closed values; the first stands for them.
    AnyOf(Vec<String>),
    /// Any text that is not mentioned; this one stands for it.
    Other(String),
}

impl TagValue {
    /// The value that stands for them; none for absence.
    pub(super) fn example(&self) -> Option<&str> {
        match self {
            TagValue::Absent => None,
            TagValue::Named(value) | TagValue::Other(value) => Some(value),
            TagValue::AnyOf(values) => values.first().map(String::as_str),
        }
    }
}

impl Axes {
    /// The coordinates of the unlocks of `sets`.
    ///
    /// # Errors
    /// There are too many tags or schedules to look at.
    pub fn of(sets: &[&PolicySet]) -> Result<Self, OverBudget> {
        let mentioned = mentioned(sets);
        if mentioned.len() > MAX_TAGS {
            return Err(OverBudget);
        }
        let names: BTreeSet<&str> = sets.iter().flat_map(|set| set.tags.names()).collect();
        let mut tags: Vec<_> = names
            .into_iter()
            .map(|name| TagAxis::of(name, mentioned.get(name), sets))
            .collect();
        // A tag with few values first: what follows is then shared by more.
        tags.sort_by(|a, b| (a.values.len(), &a.name).cmp(&(b.values.len(), &b.name)));
        let mut schedules: Vec<Schedule> = Vec::new();
        for (_, schedule) in sets.iter().flat_map(|set| set.schedules.iter()) {
            if !schedules.iter().any(|known| is_alike(known, schedule)) {
                schedules.push(schedule.clone());
            }
        }
        let moments = moments(&schedules.iter().collect::<Vec<_>>())?;
        Ok(Axes {
            tags,
            schedules,
            moments,
        })
    }

    /// The coordinate of time, after every tag.
    pub fn time(&self) -> Coordinate {
        u32::try_from(self.tags.len()).unwrap_or(Coordinate::MAX)
    }

    /// The ways in which schedules are open together.
    pub(super) fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The schedules that moments tell of, in their order.
    pub(super) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// A tag's name and values, by coordinate.
    pub(super) fn tag(&self, coordinate: Coordinate) -> Option<(&str, &[TagValue])> {
        let tag = self.tags.get(coordinate as usize)?;
        Some((&tag.name, &tag.values))
    }

    /// Whether some set permits a device without the tag.
    pub(super) fn may_be_absent(&self, coordinate: Coordinate) -> bool {
        let tag = self.tags.get(coordinate as usize);
        tag.is_none_or(|tag| tag.may_be_absent)
    }

    /// Whether some set takes any text for the tag.
    pub(super) fn is_text(&self, coordinate: Coordinate) -> bool {
        let tag = self.tags.get(coordinate as usize);
        tag.is_some_and(|tag| tag.is_text)
    }

    fn find(&self, name: &str) -> Option<(Coordinate, &TagAxis)> {
        (0..).zip(&self.tags).find(|(_, tag)| tag.name == name)
    }

    /// The tags of a point, and an instant at which it is so.
    pub fn point(&self, point: &[(Coordinate, u32)]) -> (BTreeMap<String, String>, Timestamp) {
        let value_at = |wanted| {
            let found = point.iter().find(|&&(coordinate, _)| coordinate == wanted);
            found.map_or(0, |&(_, value)| value as usize)
        };
        let tags = (0..).zip(&self.tags).filter_map(|(coordinate, tag)| {
            let value = tag.values.get(value_at(coordinate))?.example()?;
            Some((tag.name.clone(), value.to_owned()))
        });
        let moment = self.moments.get(value_at(self.time()));
        (
            tags.collect(),
            moment.map_or(Timestamp::UNIX_EPOCH, |moment| moment.at),
        )
    }

    /// The values of a device of these tags, at the first of all moments; none
    /// where it has a tag or a value that no set knows.
    pub fn place_tags(&self, tags: &BTreeMap<String, String>) -> Option<Vec<u32>> {
        let mut point = vec![0; self.tags.len() + 1];
        for (name, value) in tags {
            let (coordinate, tag) = self.find(name)?;
            *point.get_mut(coordinate as usize)? = tag.place(value)?;
        }
        Some(point)
    }

    /// The values of a device of these tags at an instant, as a whole point;
    /// none where it has a tag or a value that no set knows.
    pub fn locate(&self, tags: &BTreeMap<String, String>, at: Timestamp) -> Option<Vec<u32>> {
        let mut point = self.place_tags(tags)?;
        let open = self.schedules.iter();
        let open: Box<[bool]> = open
            .map(|one| crate::space::schedule::is_open(one, at))
            .collect();
        let moment = self.moments.iter().position(|moment| moment.open == open)?;
        *point.last_mut()? = u32::try_from(moment).ok()?;
        Some(point)
    }
}

impl TagAxis {
    fn of(name: &str, mentioned: Option<&BTreeSet<&str>>, sets: &[&PolicySet]) -> Self {
        let domains: Vec<Option<&Domain>> = sets
            .iter()
            .map(|set| set.tags.find(name).map(|id| &set.tags[id].domain))
            .collect();
        let knows = |value: &str| -> Vec<bool> {
            let in_domain =
                |domain: &Option<&Domain>| domain.is_some_and(|domain| domain.contains(value));
            domains.iter().map(in_domain).collect()
        };
        let mut values = vec![TagValue::Absent];
        let named = mentioned.into_iter().flatten();
        values.extend(named.map(|value| TagValue::Named((*value).to_owned())));
        let is_mentioned =
            |value: &str| mentioned.is_some_and(|mentioned| mentioned.contains(value));
        // Unmentioned values decide alike if the same sets know them.
        let mut alike: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
        for value in domains.iter().flatten().flat_map(|domain| closed(domain)) {
            if !is_mentioned(value) {
                let group = alike.entry(knows(value)).or_default();
                if !group.contains(value) {
                    group.push(value.clone());
                }
            }
        }
        values.extend(alike.into_values().map(TagValue::AnyOf));
        let is_text = domains
            .iter()
            .flatten()
            .any(|domain| **domain == Domain::Text);
        if is_text {
            let is_free = |text: &String| {
                let is_closed = |domain: &&Domain| closed(domain).contains(text);
                !is_mentioned(text) && !domains.iter().flatten().any(is_closed)
            };
            let mut candidates = (1_u32..).map(|number| format!("other-{number}"));
            let free = Some("other".to_owned()).filter(&is_free);
            values.extend(
                free.or_else(|| candidates.find(is_free))
                    .map(TagValue::Other),
            );
        }
        let named = (0..).zip(&values).filter_map(|(place, value)| match value {
            TagValue::Named(value) => Some((value.clone(), place)),
            TagValue::Absent | TagValue::AnyOf(_) | TagValue::Other(_) => None,
        });
        TagAxis {
            name: name.to_owned(),
            may_be_absent: sets.iter().any(|set| {
                let own = set.tags.find(name).map(|id| &set.tags[id]);
                own.is_none_or(|tag| !tag.required)
            }),
            is_text,
            named: named.collect(),
            values,
        }
    }

    /// The place of the value that stands for `value`.
    fn place(&self, value: &str) -> Option<u32> {
        if let Some(&place) = self.named.get(value) {
            return Some(place);
        }
        let is_among = |known: &TagValue| match known {
            TagValue::AnyOf(values) => values.iter().any(|known| known == value),
            TagValue::Absent | TagValue::Named(_) | TagValue::Other(_) => false,
        };
        let is_other = |known: &TagValue| matches!(known, TagValue::Other(_));
        let among = self.values.iter().position(is_among);
        let place = among.or_else(|| self.values.iter().position(is_other));
        place.and_then(|place| u32::try_from(place).ok())
    }
}

fn closed(domain: &Domain) -> &[String] {
    match domain {
        Domain::Closed(values) => values,
        Domain::Text => &[],
    }
}

fn is_alike(a: &Schedule, b: &Schedule) -> bool {
    (&a.days, a.start, a.end, &a.zone) == (&b.days, b.start, b.end, &b.zone)
}

/// Every selector that looks at devices.
fn device_selectors(set: &PolicySet) -> impl Iterator<Item = &Selector> {
    let rules = set.unlocks.iter().map(|(_, rule)| &rule.selector);
    let armed = set.allow_onces.iter().map(|(_, rule)| &rule.selector);
    let groups = set.approvals.iter().map(|(_, group)| &group.covers);
    let bypasses = set.bypasses.iter().map(|(_, bypass)| &bypass.covers);
    let covers = groups.chain(bypasses).filter_map(|covers| match covers {
        Coverage::Unlock(selector) => Some(selector),
        Coverage::Issuance(..) => None,
    });
    let lines = set.invariants.iter().flat_map(|(_, one)| &one.lines);
    let claims = lines.filter_map(|(_, claim)| match claim {
        Claim::NeverAllowUnlock(region) | Claim::AlwaysReachableUnlock(region) => {
            Some(&region.selector)
        }
        Claim::NeverAllowIssuance(_) => None,
    });
    rules.chain(armed).chain(covers).chain(claims)
}

/// The values that some selector compares each tag with.
fn mentioned<'a>(sets: &[&'a PolicySet]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut found = BTreeMap::new();
    for set in sets {
        for selector in device_selectors(set) {
            mention(set, selector, &mut found);
        }
    }
    found
}

fn mention<'a>(
    set: &'a PolicySet,
    selector: &'a Selector,
    found: &mut BTreeMap<&'a str, BTreeSet<&'a str>>,
) {
    match selector {
        Selector::Any => {}
        Selector::Or(parts) | Selector::And(parts) => {
            parts.iter().for_each(|part| mention(set, part, found));
        }
        Selector::Not(part) => mention(set, part, found),
        Selector::Atom(Atom::Tag(id, values)) => {
            let values = values.iter().map(String::as_str);
            found.entry(set.tags.name(*id)).or_default().extend(values);
        }
        Selector::Atom(Atom::HasTag(id)) => {
            found.entry(set.tags.name(*id)).or_default();
        }
        Selector::Atom(
            Atom::Project(_)
            | Atom::HasProject
            | Atom::Profile(_)
            | Atom::HasProfile
            | Atom::Action(_)
            | Atom::HasAction
            | Atom::Requester(_)
            | Atom::HasRequester,
        ) => {}
    }
}

/// One policy set's view of the axes.
#[derive(Debug)]
pub(super) struct View<'a> {
    set: &'a PolicySet,
    /// The coordinate of each tag of the set.
    tags: Vec<Coordinate>,
    /// The place among the axes' schedules of each schedule of the set.
    schedules: Vec<usize>,
}

impl<'a> View<'a> {
    pub(super) fn new(axes: &Axes, set: &'a PolicySet) -> Self {
        let by_name: BTreeMap<&str, Coordinate> = axes
            .tags
            .iter()
            .map(|tag| tag.name.as_str())
            .zip(0..)
            .collect();
        let coordinate = |name| by_name.get(name).copied().unwrap_or(Coordinate::MAX);
        let place = |schedule: &Schedule| {
            let known = axes.schedules.iter();
            known.clone().position(|known| is_alike(known, schedule))
        };
        View {
            set,
            tags: set.tags.names().map(coordinate).collect(),
            schedules: (set.schedules.iter())
                .map(|(_, schedule)| place(schedule).unwrap_or(usize::MAX))
                .collect(),
        }
    }

    fn axis<'x>(&self, axes: &'x Axes, id: TagId) -> Option<(Coordinate, &'x TagAxis)> {
        let coordinate = *self.tags.get(id.index())?;
        Some((coordinate, axes.tags.get(coordinate as usize)?))
    }

    /// The devices that a selector matches; what a device has not is absent.
    pub(super) fn devices(
        &self,
        axes: &Axes,
        diagrams: &mut Diagrams,
        selector: &Selector,
    ) -> Result<Diagram, OverBudget> {
        match selector {
            Selector::Any => Ok(TRUE),
            Selector::Or(parts) => {
                let parts = self.each(axes, diagrams, parts)?;
                diagrams.any(&parts)
            }
            Selector::And(parts) => {
                let parts = self.each(axes, diagrams, parts)?;
                let mut all = TRUE;
                for part in parts {
                    all = diagrams.and(all, part)?;
                }
                Ok(all)
            }
            Selector::Not(part) => {
                let part = self.devices(axes, diagrams, part)?;
                diagrams.minus(TRUE, part)
            }
            Selector::Atom(atom) => self.atom(axes, diagrams, atom),
        }
    }

    fn each(
        &self,
        axes: &Axes,
        diagrams: &mut Diagrams,
        parts: &[Selector],
    ) -> Result<Vec<Diagram>, OverBudget> {
        let parts = parts.iter();
        parts
            .map(|part| self.devices(axes, diagrams, part))
            .collect()
    }

    fn atom(
        &self,
        axes: &Axes,
        diagrams: &mut Diagrams,
        atom: &Atom,
    ) -> Result<Diagram, OverBudget> {
        let (id, wanted) = match atom {
            Atom::Tag(id, values) => (*id, Some(values)),
            Atom::HasTag(id) => (*id, None),
            Atom::Project(_)
            | Atom::HasProject
            | Atom::Profile(_)
            | Atom::HasProfile
            | Atom::Action(_)
            | Atom::HasAction
            | Atom::Requester(_)
            | Atom::HasRequester => return Ok(FALSE),
        };
        let Some((coordinate, axis)) = self.axis(axes, id) else {
            return Ok(FALSE);
        };
        let Some(wanted) = wanted else {
            let present = 1..u32::try_from(axis.values.len()).map_err(|_| OverBudget)?;
            return diagrams.is_one_of(coordinate, present);
        };
        // Every value that a selector mentions stands for itself.
        let places = wanted.iter().filter_map(|text| axis.named.get(text));
        let places: BTreeSet<u32> = places.copied().collect();
        diagrams.is_one_of(coordinate, places)
    }

    /// The devices that enrollment permits: each tag declared, each value known,
    /// each required tag present.
    pub(super) fn permitted(
        &self,
        axes: &Axes,
        diagrams: &mut Diagrams,
    ) -> Result<Diagram, OverBudget> {
        let mut permitted = TRUE;
        for (coordinate, tag) in (0..).zip(&axes.tags) {
            let own = self.set.tags.find(&tag.name).map(|id| &self.set.tags[id]);
            let is_permitted = |value: &TagValue| match (value.example(), own) {
                (None, own) => own.is_none_or(|tag| !tag.required),
                (Some(_), None) => false,
                (Some(text), Some(tag)) => tag.domain.contains(text),
            };
            let size = u32::try_from(tag.values.len()).map_err(|_| OverBudget)?;
            let here = diagrams.where_value(coordinate, size, |place| {
                tag.values.get(place as usize).is_some_and(is_permitted)
            })?;
            permitted = diagrams.and(permitted, here)?;
        }
        Ok(permitted)
    }

    /// The times at which one of these schedules is open; all times where there is none.
    pub(super) fn open(
        &self,
        axes: &Axes,
        diagrams: &mut Diagrams,
        during: &[ScheduleId],
    ) -> Result<Diagram, OverBudget> {
        if during.is_empty() {
            return Ok(TRUE);
        }
        let size = u32::try_from(axes.moments.len()).map_err(|_| OverBudget)?;
        diagrams.where_value(axes.time(), size, |place| {
            let moment = axes.moments.get(place as usize);
            during.iter().any(|id| {
                let place = self.schedules.get(id.index());
                let open = moment
                    .zip(place)
                    .and_then(|(moment, &at)| moment.open.get(at));
                open.copied().unwrap_or(false)
            })
        })
    }
}
