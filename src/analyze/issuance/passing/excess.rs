//! What one side lets pass and the other does not, field by field: a value of
//! each sort is enough to show it.

use std::collections::BTreeSet;

use super::{Passing, bounded};
use crate::analyze::issuance::names::{patterns, representatives};
use crate::analyze::issuance::strings::Automata;
use crate::ir::IssuanceId;
use crate::request::IssuanceRequest;
use crate::san::{San, SanPattern};
use crate::space::diagram::OverBudget;
use crate::vocabulary::{IssuerType, KeyType, ReasonCode};

/// A witness has at most so many names.
const WRITTEN: usize = 10_000;

/// One field's value that one side lets pass and the other does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excess {
    /// The code under which the other side refuses it.
    pub code: ReasonCode,
    /// The value.
    pub value: Value,
    /// More values of the field of which the same is to be said.
    pub also: Vec<Value>,
    /// The policy that refuses it, where one does.
    pub refused_by: Option<IssuanceId>,
}

/// A value of one field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the field of the same name")]
pub enum Value {
    KeyType(Option<KeyType>),
    IssuerType(Option<IssuerType>),
    IssuerId(Option<String>),
    Name(Option<String>),
    Lifetime(Option<u64>),
    AutoRenew(Option<bool>),
    San(Vec<String>),
    /// So many names that no request is written with them.
    SanCount(u64),
    Reason(Option<String>),
    Ticket(Option<String>),
}

impl Value {
    /// Whether the two are said best in one breath: words of a list, or names of one type.
    fn is_beside(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::San(a), Value::San(b)) => match (a.as_slice(), b.as_slice()) {
                ([a], [b]) => sort_of(a) == sort_of(b),
                (_, _) => false,
            },
            (Value::KeyType(_), Value::KeyType(_))
            | (Value::IssuerType(_), Value::IssuerType(_))
            | (Value::IssuerId(_), Value::IssuerId(_)) => true,
            (
                Value::KeyType(_)
                | Value::IssuerType(_)
                | Value::IssuerId(_)
                | Value::Name(_)
                | Value::Lifetime(_)
                | Value::AutoRenew(_)
                | Value::San(_)
                | Value::SanCount(_)
                | Value::Reason(_)
                | Value::Ticket(_),
                _,
            ) => false,
        }
    }

    /// Gives a request this value.
    pub fn put(&self, request: &mut IssuanceRequest) {
        match self.clone() {
            Value::KeyType(value) => request.key_type = value.map(|one| one.word().to_owned()),
            Value::IssuerType(value) => {
                request.issuer_type = value.map(|one| one.word().to_owned());
            }
            Value::IssuerId(value) => request.issuer_id = value,
            Value::Name(value) => request.name = value,
            Value::Lifetime(value) => request.lifetime_s = value,
            Value::AutoRenew(value) => request.auto_renew = value,
            Value::San(names) => request.san = names,
            Value::SanCount(_) => {}
            Value::Reason(value) => request.reason = value,
            Value::Ticket(value) => request.ticket = value,
        }
    }
}

impl Passing<'_> {
    /// Names that both refuse, one as denied and the other as not allowed: one of
    /// each sort, with both codes.
    ///
    /// # Errors
    /// There are too many names to look at.
    pub fn relabelled_names(
        &self,
        there: &Passing<'_>,
    ) -> Result<Vec<(String, [ReasonCode; 2])>, OverBudget> {
        let rules = self.san.iter().chain(&there.san).copied().flatten();
        let mentioned = patterns(rules);
        let candidates = bounded(representatives(&mentioned), mentioned.len())?;
        let mut seen = BTreeSet::new();
        let code = |denied| match denied {
            true => ReasonCode::SanDenied,
            false => ReasonCode::SanNotAllowed,
        };
        let refused = candidates
            .iter()
            .filter(|name| !self.lets_through(name) && !there.lets_through(name));
        let found = refused.filter_map(|name| {
            let denied = [self.denies(name), there.denies(name)];
            let [here, other] = denied;
            (here != other && seen.insert(denied)).then(|| (name.to_string(), denied.map(code)))
        });
        Ok(found.collect())
    }

    /// Values that pass here and not there, each with the others left free. Both
    /// must let something pass. Empty exactly if all that passes here passes there.
    pub(in crate::analyze::issuance) fn beyond(
        &self,
        there: &Passing<'_>,
        automata: &mut Automata,
    ) -> Result<Vec<Excess>, OverBudget> {
        let mut found: Vec<Excess> = Vec::new();
        let mut add = |code, value: Value| {
            let refused_by = there.refusing(code, &value);
            let mut known = found.iter_mut();
            let beside = known.find(|known| {
                (known.code, known.refused_by) == (code, refused_by)
                    && known.value.is_beside(&value)
            });
            match beside {
                Some(beside) => beside.also.push(value),
                None => found.push(Excess {
                    code,
                    value,
                    also: Vec::new(),
                    refused_by,
                }),
            }
        };
        for value in beyond(&self.key_types, &there.key_types, KeyType::ALL) {
            add(ReasonCode::KeyType, Value::KeyType(value));
        }
        for value in beyond(&self.issuer_types, &there.issuer_types, IssuerType::ALL) {
            add(ReasonCode::IssuerType, Value::IssuerType(value));
        }
        for value in self.ids_beyond(there) {
            add(ReasonCode::IssuerId, Value::IssuerId(value));
        }
        for value in self.names_beyond(there, automata)? {
            add(ReasonCode::Naming, Value::Name(value));
        }
        if let Some(max) = there.lifetime_max {
            match self.lifetime_max {
                None => {
                    add(ReasonCode::Lifetime, Value::Lifetime(None));
                    add(
                        ReasonCode::Lifetime,
                        Value::Lifetime(Some(max.saturating_add(1))),
                    );
                }
                Some(own) if own > max => add(ReasonCode::Lifetime, Value::Lifetime(Some(own))),
                Some(_) => {}
            }
        }
        if there.auto_renew && !self.auto_renew {
            add(ReasonCode::AutoRenew, Value::AutoRenew(None));
        }
        for (code, value) in self.sans_beyond(there)? {
            add(code, value);
        }
        if there.reason && !self.reason {
            add(ReasonCode::ReasonRequired, Value::Reason(None));
        }
        if let Some(forms) = &there.ticket {
            for ticket in self.tickets_beyond(forms, automata)? {
                add(ReasonCode::TicketRequired, Value::Ticket(ticket));
            }
        }
        Ok(found)
    }

    fn ids_beyond(&self, there: &Passing<'_>) -> Vec<Option<String>> {
        let Some(theirs) = &there.issuer_ids else {
            return Vec::new();
        };
        match &self.issuer_ids {
            Some(own) => own
                .difference(theirs)
                .map(|id| Some((*id).to_owned()))
                .collect(),
            None => {
                let mut numbered = (1_u32..).map(|number| format!("other-{number}"));
                let fresh = numbered.find(|id| !theirs.contains(id.as_str()));
                vec![None, fresh]
            }
        }
    }

    fn names_beyond(
        &self,
        there: &Passing<'_>,
        automata: &mut Automata,
    ) -> Result<Vec<Option<String>>, OverBudget> {
        if there.naming.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: Vec<_> = self.naming.is_empty().then_some(None).into_iter().collect();
        for unwanted in &there.naming {
            if !self.naming.contains(unwanted) {
                found.extend(automata.shortest(&self.naming, Some(unwanted))?.map(Some));
            }
        }
        Ok(found)
    }

    fn tickets_beyond(
        &self,
        theirs: &[&str],
        automata: &mut Automata,
    ) -> Result<Vec<Option<String>>, OverBudget> {
        let Some(own) = &self.ticket else {
            return Ok(vec![None]);
        };
        let mut forms = own.clone();
        forms.push(r"\A(?s:.)*\S(?s:.)*\z");
        let mut found = Vec::new();
        for unwanted in theirs {
            if !own.contains(unwanted) {
                found.extend(automata.shortest(&forms, Some(unwanted))?.map(Some));
            }
        }
        Ok(found)
    }

    /// Lists of names that pass here and not there: a name, or a number of names.
    fn sans_beyond(&self, there: &Passing<'_>) -> Result<Vec<(ReasonCode, Value)>, OverBudget> {
        let mut found = Vec::new();
        let rules = self.san.iter().chain(&there.san).copied().flatten();
        let mentioned = patterns(rules);
        let candidates = bounded(representatives(&mentioned), mentioned.len())?;
        let may_ask = self.max_names != Some(0);
        let passing = candidates.iter().filter(|name| self.lets_through(name));
        let passing: Vec<&San> = passing.collect();
        if may_ask && there.max_names != Some(0) {
            let mut kinds = BTreeSet::new();
            for name in passing.iter().filter(|name| !there.lets_through(name)) {
                // One of each sort for each pattern that makes the difference shows it.
                let denied = there.denying(name);
                let pattern = denied.or_else(|| self.allowing(name));
                let text = name.to_string();
                if kinds.insert((name.kind(), text.contains('*'), pattern)) {
                    let code = match denied {
                        Some(_) => ReasonCode::SanDenied,
                        None => ReasonCode::SanNotAllowed,
                    };
                    found.push((code, Value::San(vec![text])));
                }
            }
        }
        let repeat = |count: u64| {
            let name = passing.first().map(|name| name.to_string());
            let value = match usize::try_from(count) {
                Ok(few) if few <= WRITTEN => {
                    Value::San(name.into_iter().cycle().take(few).collect())
                }
                Ok(_) | Err(_) => Value::SanCount(count),
            };
            (ReasonCode::SanCount, value)
        };
        if self.min_names < there.min_names {
            found.push(repeat(self.min_names));
        }
        if let Some(max) = there.max_names
            && self.max_names.is_none_or(|own| own > max)
            && !passing.is_empty()
        {
            found.push(repeat(max.saturating_add(1)));
        }
        Ok(found)
    }

    fn denies(&self, name: &San) -> bool {
        self.denying(name).is_some()
    }

    /// The first pattern that denies a name.
    fn denying(&self, name: &San) -> Option<&SanPattern> {
        let rules = self.san.iter().copied().flatten();
        let mut denied = rules.flat_map(|rule| &rule.deny);
        denied.find(|pattern| crate::san::meets(name, pattern))
    }

    /// The first pattern that allows a name; none where any is allowed.
    fn allowing(&self, name: &San) -> Option<&SanPattern> {
        let rules = self.san.iter().copied().flatten();
        let mut allowed = rules.filter_map(|rule| rule.allow.as_ref()).flatten();
        allowed.find(|pattern| crate::san::inside(name, pattern))
    }

    /// The first policy that refuses such a value.
    fn refusing(&self, code: ReasonCode, value: &Value) -> Option<IssuanceId> {
        let refuses = |id: &&IssuanceId| {
            let mut alone = Passing::unrestricted(self.set);
            alone.restrict(**id);
            alone.refuses(code, value)
        };
        self.policies.iter().find(refuses).copied()
    }

    fn refuses(&self, code: ReasonCode, value: &Value) -> bool {
        match value {
            Value::Reason(_) | Value::Ticket(_) => false,
            Value::KeyType(one) => self
                .key_types
                .as_ref()
                .is_some_and(|types| one.is_none_or(|one| !types.contains(&one))),
            Value::IssuerType(one) => self
                .issuer_types
                .as_ref()
                .is_some_and(|types| one.is_none_or(|one| !types.contains(&one))),
            Value::IssuerId(one) => self
                .issuer_ids
                .as_ref()
                .is_some_and(|ids| one.as_ref().is_none_or(|one| !ids.contains(one.as_str()))),
            Value::Name(one) => self.naming.iter().any(|pattern| {
                let regex = regex::Regex::new(pattern);
                one.as_ref()
                    .is_none_or(|one| regex.is_ok_and(|regex| !regex.is_match(one)))
            }),
            Value::Lifetime(one) => self
                .lifetime_max
                .is_some_and(|max| one.is_none_or(|one| one > max)),
            Value::AutoRenew(_) => self.auto_renew,
            Value::SanCount(count) => self.refuses_count(*count),
            Value::San(names) if code == ReasonCode::SanCount => {
                self.refuses_count(names.len() as u64)
            }
            Value::San(names) => names
                .iter()
                .filter_map(|name| crate::san::parse_name(name).ok())
                .any(|name| !self.lets_through(&name)),
        }
    }

    fn refuses_count(&self, count: u64) -> bool {
        count < self.min_names || self.max_names.is_some_and(|max| count > max)
    }
}

/// A written name's type, and whether it is a wildcard.
fn sort_of(name: &str) -> (&str, bool) {
    let kind = name.split_once(':').map_or("", |(kind, _)| kind);
    (kind, name.contains('*'))
}

/// Closed words, and absence, that pass here and not there.
fn beyond<T: Ord + Copy>(
    own: &Option<BTreeSet<T>>,
    theirs: &Option<BTreeSet<T>>,
    all: &[T],
) -> Vec<Option<T>> {
    let Some(theirs) = theirs else {
        return Vec::new();
    };
    let own_has = |one: &T| own.as_ref().is_none_or(|own| own.contains(one));
    let words = all
        .iter()
        .filter(|one| own_has(one) && !theirs.contains(one));
    let absent = own.is_none().then_some(None);
    words.map(|&one| Some(one)).chain(absent).collect()
}
