//! What the policies and groups that cover a request let pass: a product of
//! one set for each field, so two of them are compared field by field.

mod excess;
mod simplest;

use std::collections::BTreeSet;

use super::names::passes;
use crate::ir::issuance::SanRule;
use crate::ir::{ApprovalId, IssuanceId, PolicySet};
use crate::san::San;
use crate::space::diagram::OverBudget;
use crate::vocabulary::{Action, Effect, IssuerType, KeyType, ReasonCode};
pub use excess::{Excess, Value};

/// Names held against patterns, at most, before a question is given up.
const NAME_TESTS: usize = 50_000_000;

/// What passes; no value at all where nothing does.
#[derive(Clone, Debug)]
pub struct Passing<'a> {
    set: &'a PolicySet,
    /// Whether every request fails whatever its fields: `unregulated`, or a key that stays.
    pub(super) never: Option<ReasonCode>,
    policies: Vec<IssuanceId>,
    key_types: Option<BTreeSet<KeyType>>,
    issuer_types: Option<BTreeSet<IssuerType>>,
    issuer_ids: Option<BTreeSet<&'a str>>,
    naming: Vec<&'a str>,
    lifetime_max: Option<u64>,
    auto_renew: bool,
    san: Vec<&'a [SanRule]>,
    min_names: u64,
    max_names: Option<u64>,
    reason: bool,
    /// Whether a ticket is demanded, and of which forms.
    ticket: Option<Vec<&'a str>>,
}

impl<'a> Passing<'a> {
    /// What passes of an action under these policies and groups.
    pub(super) fn of(
        set: &'a PolicySet,
        action: Action,
        policies: &[IssuanceId],
        groups: &[ApprovalId],
    ) -> Self {
        let mut passing = Passing::unrestricted(set);
        let is_judged = match action {
            Action::Issue | Action::Renew | Action::Reissue => true,
            Action::Export => false,
            Action::Revoke | Action::Distribute => {
                passing.demand(groups);
                return passing;
            }
        };
        if policies.is_empty() && set.issuance_default == Effect::Deny {
            passing.never = Some(ReasonCode::Unregulated);
            return passing;
        }
        passing.policies = policies.to_vec();
        for &id in policies {
            if is_judged {
                passing.restrict(id);
            } else if set.issuances[id].key_export_forbidden.is_some() {
                passing.never = Some(ReasonCode::KeyExport);
            }
        }
        passing.demand(groups);
        passing
    }

    fn unrestricted(set: &'a PolicySet) -> Self {
        Passing {
            set,
            never: None,
            policies: Vec::new(),
            key_types: None,
            issuer_types: None,
            issuer_ids: None,
            naming: Vec::new(),
            lifetime_max: None,
            auto_renew: false,
            san: Vec::new(),
            min_names: 0,
            max_names: None,
            reason: false,
            ticket: None,
        }
    }

    fn restrict(&mut self, id: IssuanceId) {
        let policy = &self.set.issuances[id];
        narrow(
            &mut self.key_types,
            policy
                .key_types
                .as_ref()
                .map(|rule| rule.value.iter().copied()),
        );
        let issuers = policy.issuer_types.as_ref();
        narrow(
            &mut self.issuer_types,
            issuers.map(|rule| rule.value.iter().copied()),
        );
        let ids = policy.issuer_ids.as_ref();
        narrow(
            &mut self.issuer_ids,
            ids.map(|rule| rule.value.iter().map(String::as_str)),
        );
        self.naming
            .extend(policy.naming.as_ref().map(|rule| rule.value.regex.as_str()));
        self.lifetime_max = least(
            self.lifetime_max,
            policy.lifetime_max.as_ref().map(|rule| rule.value),
        );
        self.auto_renew |= policy.auto_renew_required.is_some();
        if !policy.san.is_empty() {
            self.san.push(&policy.san);
        }
        let counts = !policy.san.is_empty() || policy.san_max.is_some();
        self.min_names = self.min_names.max(u64::from(counts));
        self.max_names = least(
            self.max_names,
            policy.san_max.as_ref().map(|rule| rule.value),
        );
    }

    fn demand(&mut self, groups: &[ApprovalId]) {
        for &id in groups {
            let group = &self.set.approvals[id];
            self.reason |= group.reason_required;
            if let Some(ticket) = &group.ticket {
                let forms = self.ticket.get_or_insert_default();
                forms.extend(ticket.pattern.as_ref().map(regex::Regex::as_str));
            }
        }
    }

    /// Why every request fails whatever its fields, if it does.
    pub fn never(&self) -> Option<ReasonCode> {
        self.never
    }

    /// Whether the same passes there for the same reasons, by the same demands;
    /// two that are not alike may still come to the same.
    pub fn is_alike(&self, there: &Passing<'_>) -> bool {
        let sets = |passing: &Passing<'_>| -> BTreeSet<String> {
            let rules = passing.san.iter();
            let words = |rules: &&[SanRule]| {
                let each = rules
                    .iter()
                    .map(|rule| (rule.kind, &rule.allow, &rule.deny));
                format!("{:?}", each.collect::<Vec<_>>())
            };
            rules.map(words).collect()
        };
        let texts = |texts: &[&str]| -> BTreeSet<String> {
            texts.iter().map(|text| (*text).to_owned()).collect()
        };
        let tickets = |passing: &Passing<'_>| passing.ticket.as_ref().map(|forms| texts(forms));
        let ids = |passing: &Passing<'_>| {
            let ids = passing.issuer_ids.as_ref();
            ids.map(|ids| texts(&ids.iter().copied().collect::<Vec<_>>()))
        };
        self.never == there.never
            && self.key_types == there.key_types
            && self.issuer_types == there.issuer_types
            && ids(self) == ids(there)
            && texts(&self.naming) == texts(&there.naming)
            && self.lifetime_max == there.lifetime_max
            && self.auto_renew == there.auto_renew
            && (self.min_names, self.max_names) == (there.min_names, there.max_names)
            && self.reason == there.reason
            && tickets(self) == tickets(there)
            && sets(self) == sets(there)
    }

    /// What passes here and there.
    pub(super) fn and(&self, there: &Passing<'a>) -> Self {
        let mut both = self.clone();
        both.never = self.never.or(there.never);
        narrow(
            &mut both.key_types,
            there.key_types.as_ref().map(|types| types.iter().copied()),
        );
        let issuers = there.issuer_types.as_ref();
        narrow(
            &mut both.issuer_types,
            issuers.map(|types| types.iter().copied()),
        );
        narrow(
            &mut both.issuer_ids,
            there.issuer_ids.as_ref().map(|ids| ids.iter().copied()),
        );
        both.naming.extend(&there.naming);
        both.lifetime_max = least(self.lifetime_max, there.lifetime_max);
        both.auto_renew |= there.auto_renew;
        both.san.extend(&there.san);
        both.min_names = self.min_names.max(there.min_names);
        both.max_names = least(self.max_names, there.max_names);
        both.reason |= there.reason;
        if let Some(forms) = &there.ticket {
            both.ticket.get_or_insert_default().extend(forms);
        }
        both
    }

    fn lets_through(&self, name: &San) -> bool {
        self.san.iter().all(|rules| passes(rules, name))
    }
}

fn bounded(names: Vec<San>, patterns: usize) -> Result<Vec<San>, OverBudget> {
    let tests = names.len().saturating_mul(patterns.max(1));
    if tests > NAME_TESTS {
        Err(OverBudget)
    } else {
        Ok(names)
    }
}

fn narrow<T: Ord>(all: &mut Option<BTreeSet<T>>, more: Option<impl Iterator<Item = T>>) {
    let Some(more) = more else { return };
    let more: BTreeSet<T> = more.collect();
    match all {
        None => *all = Some(more),
        Some(all) => all.retain(|one| more.contains(one)),
    }
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}
