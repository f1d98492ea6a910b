//! The simplest request that passes, for a witness.

use super::excess::Value;
use super::{Passing, bounded};
use crate::analyze::issuance::names::{patterns, representatives};
use crate::analyze::issuance::strings::Automata;
use crate::san::{San, SanPattern};
use crate::space::diagram::OverBudget;
use crate::vocabulary::KeyType;

impl Passing<'_> {
    /// The simplest values that pass together; none where nothing passes.
    /// `names` are the candidates for a name, `wanted` those of which one must be asked for.
    pub(in crate::analyze::issuance) fn simplest(
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
}
