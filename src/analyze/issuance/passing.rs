//! What the policies and groups that cover a request let pass: a product of
//! one set for each field, so two of them are compared field by field.

use std::collections::BTreeSet;

use super::names::{passes, patterns, representatives};
use super::strings::Automata;
use crate::ir::issuance::SanRule;
use crate::ir::{ApprovalId, IssuanceId, PolicySet};
use crate::request::IssuanceRequest;
use crate::san::{San, SanPattern};
use crate::space::diagram::OverBudget;
use crate::vocabulary::{Action, Effect, IssuerType, KeyType, ReasonCode};

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

/// One field's value that one side lets pass and the other does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excess {
    /// The code under which the other side refuses it.
    pub code: ReasonCode,
    /// The value.
    pub value: Value,
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
    Reason(Option<String>),
    Ticket(Option<String>),
}

impl Value {
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
            Value::Reason(value) => request.reason = value,
            Value::Ticket(value) => request.ticket = value,
        }
    }
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

    /// The simplest values that pass together; none where nothing passes.
    /// `names` are the candidates for a name, `wanted` those of which one must be asked for.
    pub(super) fn simplest(
        &self,
        automata: &mut Automata,
        key_types: Option<&[KeyType]>,
        wanted: Option<&[SanPattern]>,
    ) -> Result<Option<Vec<Value>>, OverBudget> {
        if self.never.is_some() {
            return Ok(None);
        }
        let Some(key_type) = self.simplest_key_type(key_types) else {
            return Ok(None);
        };
        let issuer_type = self
            .issuer_types
            .as_ref()
            .map(|types| types.first().copied());
        let issuer_id = self.issuer_ids.as_ref().map(|ids| ids.first().copied());
        // A list that must hold a value and holds none lets nothing pass.
        if issuer_type == Some(None) || issuer_id == Some(None) {
            return Ok(None);
        }
        let Some(san) = self.simplest_names(wanted)? else {
            return Ok(None);
        };
        let name = match self.naming.is_empty() {
            true => None,
            false => match automata.shortest(&self.naming, None)? {
                Some(name) => Some(name),
                None => return Ok(None),
            },
        };
        let ticket = match self.simplest_ticket(automata)? {
            Some(ticket) => ticket,
            None => return Ok(None),
        };
        Ok(Some(vec![
            Value::KeyType(key_type),
            Value::IssuerType(issuer_type.flatten()),
            Value::IssuerId(issuer_id.flatten().map(str::to_owned)),
            Value::Name(name),
            Value::Lifetime(self.lifetime_max.map(|max| max.min(24 * 3600))),
            Value::AutoRenew(self.auto_renew.then_some(true)),
            Value::San(san),
            Value::Reason(self.reason.then(|| "witness".to_owned())),
            Value::Ticket(ticket),
        ]))
    }

    /// The outer none: there is none.
    fn simplest_key_type(&self, wanted: Option<&[KeyType]>) -> Option<Option<KeyType>> {
        let allowed = |one: &KeyType| {
            self.key_types
                .as_ref()
                .is_none_or(|types| types.contains(one))
        };
        match (wanted, &self.key_types) {
            (Some(wanted), _) => wanted.iter().copied().find(allowed).map(Some),
            (None, Some(types)) => types.first().copied().map(Some),
            (None, None) => Some(None),
        }
    }

    /// The outer none: there is none.
    fn simplest_ticket(
        &self,
        automata: &mut Automata,
    ) -> Result<Option<Option<String>>, OverBudget> {
        let Some(forms) = &self.ticket else {
            return Ok(Some(None));
        };
        if forms.is_empty() {
            return Ok(Some(Some("witness".to_owned())));
        }
        // A ticket of blanks alone counts as none.
        let mut forms = forms.clone();
        forms.push(r"\A(?s:.)*\S(?s:.)*\z");
        Ok(automata.shortest(&forms, None)?.map(Some))
    }

    /// Names that pass; where `wanted`, with one that lies in it or covers part of it.
    fn simplest_names(
        &self,
        wanted: Option<&[SanPattern]>,
    ) -> Result<Option<Vec<String>>, OverBudget> {
        let least = self.min_names.max(u64::from(wanted.is_some()));
        if self.max_names.is_some_and(|max| max < least) {
            return Ok(None);
        }
        if least == 0 {
            return Ok(Some(Vec::new()));
        }
        let mut mentioned = patterns(self.san.iter().copied().flatten());
        mentioned.extend(wanted.into_iter().flatten());
        let is_wanted = |name: &San| {
            wanted.is_none_or(|patterns| {
                let mut same = patterns
                    .iter()
                    .filter(|pattern| pattern.kind() == name.kind());
                same.any(|pattern| crate::san::meets(name, pattern))
            })
        };
        let candidates = bounded(representatives(&mentioned), mentioned.len())?;
        let mut passing = candidates
            .iter()
            .filter(|name| is_wanted(name) && self.lets_through(name));
        Ok(passing.next().map(|name| vec![name.to_string()]))
    }

    fn lets_through(&self, name: &San) -> bool {
        self.san.iter().all(|rules| passes(rules, name))
    }

    /// Values that pass here and not there, each with the others left free. Both
    /// must let something pass. Empty exactly if all that passes here passes there.
    pub(super) fn beyond(
        &self,
        there: &Passing<'_>,
        automata: &mut Automata,
    ) -> Result<Vec<Excess>, OverBudget> {
        let mut found = Vec::new();
        let mut add = |code, value: Value| {
            let refused_by = there.refusing(code, &value);
            found.push(Excess {
                code,
                value,
                refused_by,
            });
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
        for (code, names) in self.sans_beyond(there)? {
            add(code, Value::San(names));
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
    fn sans_beyond(
        &self,
        there: &Passing<'_>,
    ) -> Result<Vec<(ReasonCode, Vec<String>)>, OverBudget> {
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
                let denied = there.denies(name);
                // One of each type and code is enough to show it.
                let is_wildcard = name.to_string().contains('*');
                if kinds.insert((name.kind(), denied, is_wildcard)) {
                    let code = match denied {
                        true => ReasonCode::SanDenied,
                        false => ReasonCode::SanNotAllowed,
                    };
                    found.push((code, vec![name.to_string()]));
                }
            }
        }
        let repeat = |count: u64| {
            let name = passing.first().map(|name| name.to_string());
            let count = usize::try_from(count.min(10_000)).unwrap_or(0);
            (
                ReasonCode::SanCount,
                name.into_iter().cycle().take(count).collect::<Vec<_>>(),
            )
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
        let rules = self.san.iter().copied().flatten();
        let mut denied = rules.flat_map(|rule| &rule.deny);
        denied.any(|pattern| crate::san::meets(name, pattern))
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
            Value::San(names) => {
                let count = names.len() as u64;
                let parsed = names
                    .iter()
                    .filter_map(|name| crate::san::parse_name(name).ok());
                match code {
                    ReasonCode::SanCount => {
                        count < self.min_names || self.max_names.is_some_and(|max| count > max)
                    }
                    _ => parsed.into_iter().any(|name| !self.lets_through(&name)),
                }
            }
        }
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
