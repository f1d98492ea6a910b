//! Who may do what, who stands in for whom, and who answers for what: compared by name.

use std::collections::{BTreeMap, BTreeSet};

use super::region::{Cause, Class, Extent, Kind, Place, Region, Side};
use crate::eval::place;
use crate::ir::people::{Delegation, RoleGrant, Scope};
use crate::ir::{PersonId, PolicySet};
use crate::source::Span;

/// What a policy says of one person or service, in words, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    facts: BTreeSet<String>,
    place: Option<(&'static str, Span)>,
}

/// Every person and service of whom the sets say different things.
pub(super) fn compare(sets: [&PolicySet; 2]) -> Vec<Region> {
    let [old, new] = sets.map(said);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let nothing = Said::default();
    let differing = names.into_iter().filter_map(|name| {
        let (before, after) = (old.get(name), new.get(name));
        let facts = |said: Option<&Said>| said.unwrap_or(&nothing).facts.clone();
        let (lost, won) = (facts(before), facts(after));
        if lost == won {
            return None;
        }
        let side = if after.is_some() {
            Side::New
        } else {
            Side::Old
        };
        let said = after.or(before)?;
        let set = *side.of(&sets);
        Some(Region {
            class: Class::Changed,
            kind: Kind::Role,
            before: words(&lost, &won, before.is_some()),
            after: words(&won, &lost, after.is_some()),
            places: vec![Place {
                matching: format!("{} {name}", said.place.map_or("person", |(kind, _)| kind)),
                from: Vec::new(),
                when: None,
                with: None,
            }],
            and_more: false,
            witness: None,
            rule: said.place.map(|(kind, span)| Cause {
                rule: place::rule(set, kind, name, span),
                side,
            }),
            extent: Extent::Whole,
        })
    });
    differing.collect()
}

/// What one side says and the other does not.
fn words(own: &BTreeSet<String>, other: &BTreeSet<String>, declared: bool) -> String {
    let own: Vec<&str> = own.difference(other).map(String::as_str).collect();
    match (declared, own.is_empty()) {
        (false, _) => "not declared".to_owned(),
        (true, true) => "nothing more".to_owned(),
        (true, false) => own.join(", "),
    }
}

fn said(set: &PolicySet) -> BTreeMap<String, Said> {
    let mut found = BTreeMap::new();
    for (_, person) in set.persons.iter() {
        let mut facts = roles(set, &person.roles);
        facts.insert("a person".to_owned());
        facts.extend(stand_ins(set, &person.delegations));
        let place = Some(("person", person.header.span));
        found.insert(person.header.name.clone(), Said { facts, place });
    }
    for (_, service) in set.services.iter() {
        let mut facts = roles(set, &service.roles);
        facts.insert(format!("owner {}", person_name(set, service.owner)));
        let place = Some(("service", service.header.span));
        found.insert(service.header.name.clone(), Said { facts, place });
    }
    found
}

/// Who stands in and when, periods that touch as one.
fn stand_ins(set: &PolicySet, delegations: &[Delegation]) -> Vec<String> {
    let mut sorted: Vec<&Delegation> = delegations.iter().collect();
    sorted.sort_by_key(|one| (one.to, one.period.from));
    let mut joined: Vec<Delegation> = Vec::new();
    for one in sorted {
        match joined.last_mut() {
            Some(last) if last.to == one.to && last.period.until >= one.period.from => {
                last.period.until = last.period.until.max(one.period.until);
            }
            Some(_) | None => joined.push(*one),
        }
    }
    let words = joined.iter().map(|Delegation { to, period }| {
        let (from, until) = (period.from, period.until);
        format!(
            "delegate {} from {from} until {until}",
            person_name(set, *to)
        )
    });
    words.collect()
}

fn person_name(set: &PolicySet, id: PersonId) -> &str {
    set.persons.name(id)
}

/// The roles as they hold: the highest on each scope.
fn roles(set: &PolicySet, grants: &[RoleGrant]) -> BTreeSet<String> {
    let mut highest = BTreeMap::new();
    for grant in grants {
        let known = highest.entry(grant.scope).or_insert(grant.role);
        *known = (*known).max(grant.role);
    }
    let words = highest.into_iter().map(|(scope, role)| match scope {
        Scope::Org => format!("role {role} in org"),
        Scope::Project(id) => format!("role {role} in project {}", set.projects.name(id)),
    });
    words.collect()
}
