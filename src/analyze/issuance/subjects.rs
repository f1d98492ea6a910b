//! What issuance selectors look at, as coordinates: action, project, profile, requester.
//!
//! A request's tags are its project's and profile's, so they vary with those.
//! Requesters that no selector names decide alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ir::people::Coverage;
use crate::ir::selector::{Actor, Atom, Selector};
use crate::ir::table::{Declared, Id, Table};
use crate::ir::unlock::Claim;
use crate::ir::{PolicySet, Scoped, TagId};
use crate::request::IssuanceRequest;
use crate::space::diagram::{Coordinate, Diagram, Diagrams, FALSE, OverBudget, TRUE};
use crate::vocabulary::Action;

const ACTION: Coordinate = 0;
const PROJECT: Coordinate = 1;
const PROFILE: Coordinate = 2;
const REQUESTER: Coordinate = 3;

/// The names that each coordinate takes; value 0 of all but the action is absence.
#[derive(Debug)]
pub struct Subjects {
    projects: Names,
    profiles: Names,
    requesters: Names,
    /// The requester that stands for all those who are not told apart.
    other_requester: Option<String>,
}

/// Names in order, the first at value 1.
#[derive(Debug)]
struct Names {
    names: Vec<String>,
    places: HashMap<String, u32>,
}

impl Names {
    fn new(names: BTreeSet<&str>) -> Self {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        Names {
            places: names.iter().cloned().zip(1..).collect(),
            names,
        }
    }

    fn at(&self, value: u32) -> Option<&String> {
        self.names.get((value as usize).checked_sub(1)?)
    }

    fn size(&self) -> Result<u32, OverBudget> {
        u32::try_from(self.names.len() + 1).map_err(|_| OverBudget)
    }
}

impl Subjects {
    /// The coordinates of the requests of `sets`.
    pub(super) fn of(sets: &[&PolicySet]) -> Self {
        let (requesters, other_requester) = requesters(sets);
        Subjects {
            projects: Names::new(sets.iter().flat_map(|set| set.projects.names()).collect()),
            profiles: Names::new(sets.iter().flat_map(|set| set.profiles.names()).collect()),
            requesters: Names::new(requesters),
            other_requester: other_requester.map(str::to_owned),
        }
    }

    fn names(&self, coordinate: Coordinate) -> Option<(&'static str, &Names)> {
        match coordinate {
            PROJECT => Some(("project", &self.projects)),
            PROFILE => Some(("profile", &self.profiles)),
            REQUESTER => Some(("requester", &self.requesters)),
            _ => None,
        }
    }

    /// The requests that a set can evaluate: each name declared.
    pub(super) fn permitted(
        &self,
        set: &PolicySet,
        diagrams: &mut Diagrams,
    ) -> Result<Diagram, OverBudget> {
        let declares = |coordinate, name: &str| match coordinate {
            PROJECT => set.projects.find(name).is_some(),
            PROFILE => set.profiles.find(name).is_some(),
            _ => set.persons.find(name).is_some() || set.services.find(name).is_some(),
        };
        let mut permitted = TRUE;
        for coordinate in [PROJECT, PROFILE, REQUESTER] {
            let Some((_, names)) = self.names(coordinate) else {
                continue;
            };
            let here = diagrams.where_value(coordinate, names.size()?, |value| {
                names
                    .at(value)
                    .is_none_or(|name| declares(coordinate, name))
            })?;
            permitted = diagrams.and(permitted, here)?;
        }
        Ok(permitted)
    }

    /// The requests of these actions.
    pub(super) fn actions(
        &self,
        diagrams: &mut Diagrams,
        actions: &[Action],
    ) -> Result<Diagram, OverBudget> {
        diagrams.where_value(
            ACTION,
            u32::try_from(Action::ALL.len()).unwrap_or(0),
            |value| action_at(value).is_some_and(|action| actions.contains(&action)),
        )
    }

    /// The requests that a group or a bypass of `set` is about; none where it is about unlocks.
    pub(super) fn covered(
        &self,
        set: &PolicySet,
        diagrams: &mut Diagrams,
        covers: &Coverage,
    ) -> Result<Option<Diagram>, OverBudget> {
        match covers {
            Coverage::Unlock(_) => Ok(None),
            Coverage::Issuance(actions, selector) => {
                let matching = self.matching(set, diagrams, selector)?;
                let of_actions = self.actions(diagrams, actions)?;
                diagrams.and(matching, of_actions).map(Some)
            }
        }
    }

    /// The requests that a selector of `set` matches.
    pub(super) fn matching(
        &self,
        set: &PolicySet,
        diagrams: &mut Diagrams,
        selector: &Selector,
    ) -> Result<Diagram, OverBudget> {
        match selector {
            Selector::Any => Ok(TRUE),
            Selector::Or(parts) => {
                let parts: Result<Vec<_>, _> = (parts.iter())
                    .map(|part| self.matching(set, diagrams, part))
                    .collect();
                diagrams.any(&parts?)
            }
            Selector::And(parts) => {
                let mut all = TRUE;
                for part in parts {
                    let part = self.matching(set, diagrams, part)?;
                    all = diagrams.and(all, part)?;
                }
                Ok(all)
            }
            Selector::Not(part) => {
                let part = self.matching(set, diagrams, part)?;
                diagrams.minus(TRUE, part)
            }
            Selector::Atom(atom) => self.atom(set, diagrams, atom),
        }
    }

    fn atom(
        &self,
        set: &PolicySet,
        diagrams: &mut Diagrams,
        atom: &Atom,
    ) -> Result<Diagram, OverBudget> {
        match atom {
            Atom::Tag(id, values) => self.tagged(set, diagrams, *id, &|value| {
                values.iter().any(|one| one == value)
            }),
            Atom::HasTag(id) => self.tagged(set, diagrams, *id, &|_| true),
            Atom::Project(ids) => {
                let names = ids.iter().map(|&id| set.projects.name(id));
                self.one_of(diagrams, PROJECT, names)
            }
            Atom::Profile(ids) => {
                let names = ids.iter().map(|&id| set.profiles.name(id));
                self.one_of(diagrams, PROFILE, names)
            }
            Atom::Requester(actors) => {
                let names = actors.iter().map(|&actor| actor_name(set, actor));
                self.one_of(diagrams, REQUESTER, names)
            }
            Atom::Action(actions) => self.actions(diagrams, actions),
            Atom::HasProject => self.present(diagrams, PROJECT),
            Atom::HasProfile => self.present(diagrams, PROFILE),
            Atom::HasRequester => self.present(diagrams, REQUESTER),
            Atom::HasAction => Ok(TRUE),
        }
    }

    /// The requests whose project or profile gives the tag such a value.
    fn tagged(
        &self,
        set: &PolicySet,
        diagrams: &mut Diagrams,
        id: TagId,
        is: &dyn Fn(&str) -> bool,
    ) -> Result<Diagram, OverBudget> {
        fn giving<'a, I: Id>(
            table: &'a Table<I, Scoped>,
            id: TagId,
            is: &'a dyn Fn(&str) -> bool,
        ) -> impl Iterator<Item = &'a str> {
            let gives = move |scoped: &&Scoped| {
                (scoped.tags.iter()).any(|(tag, value)| *tag == id && is(value))
            };
            let rows = table.iter().map(|(_, scoped)| scoped);
            rows.filter(gives)
                .map(|scoped| scoped.header().name.as_str())
        }
        let projects = self.one_of(diagrams, PROJECT, giving(&set.projects, id, is))?;
        let profiles = self.one_of(diagrams, PROFILE, giving(&set.profiles, id, is))?;
        diagrams.or(projects, profiles)
    }

    fn one_of<'a>(
        &self,
        diagrams: &mut Diagrams,
        coordinate: Coordinate,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Diagram, OverBudget> {
        let Some((_, known)) = self.names(coordinate) else {
            return Ok(FALSE);
        };
        let places: BTreeSet<u32> = names
            .filter_map(|name| known.places.get(name))
            .copied()
            .collect();
        diagrams.is_one_of(coordinate, places)
    }

    fn present(
        &self,
        diagrams: &mut Diagrams,
        coordinate: Coordinate,
    ) -> Result<Diagram, OverBudget> {
        match self.names(coordinate) {
            Some((_, names)) => diagrams.is_one_of(coordinate, 1..names.size()?),
            None => Ok(TRUE),
        }
    }

    /// A request of `set`'s simplest point, with nothing but its subject.
    pub(super) fn request(&self, diagrams: &Diagrams, set: Diagram) -> Option<IssuanceRequest> {
        let point = diagrams.cheapest(set, &|coordinate, _| 1 + u32::from(coordinate == ACTION))?;
        let value = |wanted| {
            let found = point.iter().find(|&&(coordinate, _)| coordinate == wanted);
            found.map_or(0, |&(_, value)| value)
        };
        let name = |coordinate| {
            let (_, names) = self.names(coordinate)?;
            names.at(value(coordinate)).cloned()
        };
        Some(IssuanceRequest {
            project: name(PROJECT),
            profile: name(PROFILE),
            requester: name(REQUESTER),
            ..IssuanceRequest::of(action_at(value(ACTION))?)
        })
    }

    /// The point of a request's subject; none where no set declares a name.
    pub fn locate(&self, request: &IssuanceRequest, action: Action) -> Option<Vec<u32>> {
        let place = |coordinate, name: &Option<String>| match name {
            None => Some(0),
            Some(name) => {
                let (_, names) = self.names(coordinate)?;
                let other = self
                    .other_requester
                    .as_ref()
                    .filter(|_| coordinate == REQUESTER);
                let known = names.places.get(name);
                known.or_else(|| names.places.get(other?)).copied()
            }
        };
        let action = Action::ALL.iter().position(|one| *one == action)?;
        Some(vec![
            u32::try_from(action).ok()?,
            place(PROJECT, &request.project)?,
            place(PROFILE, &request.profile)?,
            place(REQUESTER, &request.requester)?,
        ])
    }

    /// A set of subjects in words, one line an alternative, and whether these are all.
    ///
    /// # Errors
    /// The budget is spent.
    pub fn describe(
        &self,
        diagrams: &mut Diagrams,
        set: Diagram,
        care: Diagram,
        limit: usize,
    ) -> Result<(Vec<String>, bool), OverBudget> {
        let simple = diagrams.simplify(set, care)?;
        let (ways, complete) = diagrams.ways(simple, limit);
        let described = ways.iter().map(|way| {
            let parts = way.iter().map(|choice| {
                let word = |&value: &u32| self.word(choice.coordinate, value);
                let words: Vec<String> = choice.values.iter().filter_map(word).collect();
                let Some((name, _)) = self.names(choice.coordinate) else {
                    return actions_text(&words, choice.others);
                };
                selector_text(name, &words, choice.others, self.size(choice.coordinate))
            });
            let text = parts.collect::<Vec<_>>().join(" and ");
            if text.is_empty() {
                "any request".to_owned()
            } else {
                text
            }
        });
        Ok((described.collect(), complete))
    }

    fn size(&self, coordinate: Coordinate) -> usize {
        self.names(coordinate)
            .map_or(usize::MAX, |(_, names)| names.names.len())
    }

    fn word(&self, coordinate: Coordinate, value: u32) -> Option<String> {
        match self.names(coordinate) {
            Some((_, names)) => names.at(value).cloned(),
            None => action_at(value).map(|action| action.word().to_owned()),
        }
    }
}

fn selector_text(name: &str, words: &[String], others: bool, all: usize) -> String {
    match (words, others) {
        (words, true) if words.len() == all => format!("not has {name}"),
        (words, false) if words.len() == all => format!("has {name}"),
        ([one], false) => format!("{name} == {one}"),
        ([one], true) => format!("{name} != {one}"),
        (words, false) => format!("{name} in [{}]", words.join(", ")),
        (words, true) => format!("not {name} in [{}]", words.join(", ")),
    }
}

/// Every request has an action: what it is says more than what it is not.
fn actions_text(words: &[String], others: bool) -> String {
    let all = Action::ALL.iter().map(|action| action.word().to_owned());
    let meant: Vec<String> = all.filter(|word| words.contains(word) != others).collect();
    selector_text("action", &meant, false, usize::MAX)
}

fn action_at(value: u32) -> Option<Action> {
    Action::ALL.get(value as usize).copied()
}

pub(super) fn actor_name(set: &PolicySet, actor: Actor) -> &str {
    match actor {
        Actor::Person(id) => set.persons.name(id),
        Actor::Service(id) => set.services.name(id),
    }
}

/// The requesters that must be told apart: those named in selectors, those that
/// not every set declares, and one that stands for all others, where there are others.
fn requesters<'a>(sets: &[&'a PolicySet]) -> (BTreeSet<&'a str>, Option<&'a str>) {
    let mut found = BTreeSet::new();
    for set in sets {
        for selector in selectors(set) {
            mention(set, selector, &mut found);
        }
    }
    let mut declared: BTreeMap<&str, usize> = BTreeMap::new();
    for name in sets
        .iter()
        .flat_map(|set| set.persons.names().chain(set.services.names()))
    {
        *declared.entry(name).or_default() += 1;
    }
    let partial = declared.iter().filter(|(_, count)| **count < sets.len());
    found.extend(partial.map(|(name, _)| *name));
    let other = declared
        .keys()
        .find(|name| !found.contains(**name))
        .copied();
    found.extend(other);
    (found, other)
}

fn mention<'a>(set: &'a PolicySet, selector: &Selector, found: &mut BTreeSet<&'a str>) {
    match selector {
        Selector::Or(parts) | Selector::And(parts) => {
            parts.iter().for_each(|part| mention(set, part, found));
        }
        Selector::Not(part) => mention(set, part, found),
        Selector::Atom(Atom::Requester(actors)) => {
            found.extend(actors.iter().map(|&actor| actor_name(set, actor)));
        }
        Selector::Any
        | Selector::Atom(
            Atom::Tag(..)
            | Atom::HasTag(_)
            | Atom::Project(_)
            | Atom::HasProject
            | Atom::Profile(_)
            | Atom::HasProfile
            | Atom::Action(_)
            | Atom::HasAction
            | Atom::HasRequester,
        ) => {}
    }
}

fn selectors(set: &PolicySet) -> impl Iterator<Item = &Selector> {
    let policies = set.issuances.iter().map(|(_, policy)| &policy.selector);
    let groups = set.approvals.iter().map(|(_, group)| &group.covers);
    let bypasses = set.bypasses.iter().map(|(_, bypass)| &bypass.covers);
    let covers = groups.chain(bypasses).filter_map(|covers| match covers {
        Coverage::Issuance(_, selector) => Some(selector),
        Coverage::Unlock(_) => None,
    });
    let lines = set.invariants.iter().flat_map(|(_, one)| &one.lines);
    let claims = lines.filter_map(|(_, claim)| match claim {
        Claim::NeverAllowIssuance(region) => Some(&region.selector),
        Claim::NeverAllowUnlock(_) | Claim::AlwaysReachableUnlock(_) => None,
    });
    policies.chain(covers).chain(claims)
}
