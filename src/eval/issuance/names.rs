//! The names asked for, held against policies.

use super::report::violation;
use super::{Case, Scope};
use crate::decision::Violation;
use crate::eval::{describe, place};
use crate::ir::IssuanceId;
use crate::ir::issuance::SanRule;
use crate::san::{San, SanPattern, inside, parse_name_of};
use crate::source::Span;
use crate::vocabulary::ReasonCode;

/// Names that cannot be normalised.
pub(super) fn malformed(case: &Case<'_>) -> Vec<Violation> {
    let bad = case.names.iter().filter_map(|(text, name)| {
        let error = name.as_ref().err()?;
        Some(Violation {
            found: Some((*text).to_owned()),
            ..violation(ReasonCode::SanMalformed, error.to_string())
        })
    });
    bad.collect()
}

/// A common name that is none of the names, as each one's type normalises.
pub(super) fn common_name(case: &Case<'_>) -> Option<Violation> {
    let common = case.request.common_name.as_ref()?;
    let equal = |(_, name): &&(&str, Result<San, _>)| {
        name.as_ref().is_ok_and(|name| {
            parse_name_of(name.kind(), common).is_ok_and(|common| common == *name)
        })
    };
    if case.names.iter().any(|name| equal(&name)) {
        return None;
    }
    let message = format!(
        "common name `{}` is none of the names",
        common.escape_debug()
    );
    Some(Violation {
        found: Some(common.clone()),
        allowed: case.request.san.clone(),
        ..violation(ReasonCode::CommonName, message)
    })
}

/// How many names a policy wants.
pub(super) fn count(case: &Case<'_>, id: IssuanceId) -> Option<Violation> {
    let policy = &case.set.issuances[id];
    let number = case.names.len();
    let name = case.set.issuances.name(id);
    let max = policy.san_max.as_ref();
    let too_many = max.filter(|max| u64::try_from(number).is_ok_and(|number| number > max.value));
    let (span, message) = if number == 0 {
        let first = policy.san.first().map(|rule| rule.span);
        let span = first.or(max.map(|max| max.span))?;
        (
            span,
            format!("the request has no name; `{name}` has rules for names"),
        )
    } else {
        let max = too_many?;
        let message = format!(
            "{number} names are more than {}, the most that `{name}` allows",
            max.value
        );
        (max.span, message)
    };
    Some(Violation {
        rule: Some(place::issuance(case.set, id, Some(span))),
        found: Some(number.to_string()),
        allowed: max
            .map(|max| format!("max {}", max.value))
            .into_iter()
            .collect(),
        ..violation(ReasonCode::SanCount, message)
    })
}

/// Each name that a policy denies, by its index, with what is said of it.
pub(super) fn denied(case: &Case<'_>, scope: &Scope<'_>) -> Vec<(usize, Violation)> {
    let mut found = Vec::new();
    for &id in &scope.policies {
        let rules = case.set.issuances[id].san.iter();
        for (rule, names) in rules.zip(case.index.names(id)) {
            for (index, name) in well_formed(case) {
                let Some(pattern) = names.denies(rule, name) else {
                    continue;
                };
                let policy = case.set.issuances.name(id);
                let message = format!(
                    "`{name}` {} `{pattern}`, which `{policy}` denies",
                    relation(name, pattern)
                );
                found.push((
                    index,
                    fail(case, id, rule.span, ReasonCode::SanDenied, name, message),
                ));
            }
        }
    }
    found
}

fn relation(name: &San, pattern: &SanPattern) -> &'static str {
    if inside(name, pattern) {
        "is in"
    } else if name.kind() == pattern.kind() {
        "covers names of"
    } else {
        "has a host in"
    }
}

/// Each name that lies in no set that one policy allows, and is not denied anyway.
pub(super) fn not_allowed(
    case: &Case<'_>,
    id: IssuanceId,
    denied: &[(usize, Violation)],
) -> Vec<Violation> {
    let rules = &case.set.issuances[id].san;
    let Some(some) = rules.iter().find(|rule| rule.allow.is_some()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (index, name) in well_formed(case) {
        let lines = rules.iter().zip(case.index.names(id));
        let own = lines.into_iter().find(|(rule, _)| rule.kind == name.kind());
        let lies = own.is_some_and(|(rule, names)| names.allows(rule, name));
        let own = own.map(|(rule, _)| rule);
        let allow = own
            .and_then(|rule| rule.allow.as_deref())
            .unwrap_or_default();
        let is_denied = denied.iter().any(|&(at, _)| at == index);
        if is_denied || lies {
            continue;
        }
        let policy = case.set.issuances.name(id);
        let message = if allow.is_empty() {
            let kind = name.kind();
            format!("`{name}` is not allowed: `{policy}` allows no {kind} name")
        } else {
            let listed = describe::list(allow.iter().map(SanPattern::to_string));
            format!("`{name}` lies in none of the sets that `{policy}` allows: {listed}")
        };
        let span = own.map_or(some, |rule: &SanRule| rule).span;
        found.push(Violation {
            allowed: allow.iter().map(SanPattern::to_string).collect(),
            ..fail(case, id, span, ReasonCode::SanNotAllowed, name, message)
        });
    }
    found
}

fn well_formed<'a>(case: &'a Case<'_>) -> impl Iterator<Item = (usize, &'a San)> {
    let names = case.names.iter().enumerate();
    names.filter_map(|(index, (_, name))| Some((index, name.as_ref().ok()?)))
}

fn fail(
    case: &Case<'_>,
    id: IssuanceId,
    span: Span,
    code: ReasonCode,
    name: &San,
    message: String,
) -> Violation {
    Violation {
        rule: Some(place::issuance(case.set, id, Some(span))),
        found: Some(name.to_string()),
        ..violation(code, message)
    }
}
