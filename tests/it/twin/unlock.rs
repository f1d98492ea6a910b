//! May this device take part in an exchange? Seven steps; the first that
//! matches ends it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use panopol::decision::Obligation;
use panopol::ir::people::Coverage;
use panopol::ir::unlock::{SourceLine, UnlockRule};
use panopol::request::{Approved, ArmedAllowOnce, UnlockFacts, UnlockRequest};
use panopol::vocabulary::{DeviceState, Override, ReasonCode};

use super::address::{covers, source_covers};
use super::approval::Gate;
use super::fewest::{Candidate, fewest};
use super::selector::{Subject, matches};
use super::{Twin, Verdict, time};

impl Twin {
    /// Decides an unlock.
    pub(crate) fn unlock(
        &self,
        request: &UnlockRequest,
        facts: &UnlockFacts,
        at: Timestamp,
    ) -> Verdict {
        self.refused_at_once(request, facts, at)
            .unwrap_or_else(|| self.judged(request, facts, at))
    }

    /// Steps 1 and 2, and what cannot be evaluated.
    fn refused_at_once(
        &self,
        request: &UnlockRequest,
        facts: &UnlockFacts,
        at: Timestamp,
    ) -> Option<Verdict> {
        let denied = facts
            .denials
            .iter()
            .any(|denial| at < denial.until && covers(denial.source, request.source));
        let code = if request.state == DeviceState::Revoked {
            ReasonCode::DeviceRevoked
        } else if denied {
            ReasonCode::TemporarilyDenied
        } else if !self.enrollable(request) {
            ReasonCode::EvaluationIncomplete
        } else {
            return None;
        };
        Some(Verdict::deny(vec![code]))
    }

    /// Steps 3 to 7.
    fn judged(&self, request: &UnlockRequest, facts: &UnlockFacts, at: Timestamp) -> Verdict {
        let source = request.source;
        let subject = Subject {
            tags: request.tags.clone(),
            ..Subject::default()
        };
        let holds = |line: &SourceLine| {
            self.covers(line, source) && time::holds(&self.set, &line.during, at)
        };
        if let Some(rule) = self.first(&subject, |rule| rule.deny.iter().any(holds)) {
            return Verdict::deny(vec![ReasonCode::SourceDenied]).by(&rule);
        }
        let armed = self.armed(&subject, source, &facts.allow_once, at);
        let can = |what: Override| armed.iter().any(|one| one.holds.contains(&what));
        let mut needed = BTreeSet::new();
        if request.state == DeviceState::Disabled {
            needed.insert(Override::Disabled);
            if !can(Override::Disabled) {
                return Verdict::deny(vec![ReasonCode::DeviceDisabled]);
            }
        }
        let allowing = self.first(&subject, |rule| rule.allow.iter().any(holds));
        if allowing.is_none() {
            needed.insert(Override::Source);
            if !can(Override::Source) {
                return self.out_of_reach(&subject, source);
            }
        }
        let mut obligations = match self.unlock_gate(&subject, source, facts, at) {
            Gate::Open(obligations) => obligations,
            Gate::Closed(_) if can(Override::Approval) => {
                needed.insert(Override::Approval);
                Vec::new()
            }
            Gate::Closed(groups) => return Verdict::pending(groups),
        };
        let spent = fewest(&armed, |union| needed.is_subset(union)).unwrap();
        obligations.extend(
            spent
                .into_iter()
                .map(|id| Obligation::SpendAllowOnce { id }),
        );
        let verdict = Verdict::allow(obligations);
        allowing
            .iter()
            .fold(verdict, |verdict, rule| verdict.by(rule))
    }

    /// Step 5, where nothing allows the source: whether only the time was wrong.
    fn out_of_reach(&self, subject: &Subject, source: IpAddr) -> Verdict {
        let at_another_time = |rule: &UnlockRule| rule.allow.iter().any(|l| self.covers(l, source));
        match self.first(subject, at_another_time) {
            Some(rule) => Verdict::deny(vec![ReasonCode::OutsideSchedule]).by(&rule),
            None => Verdict::deny(vec![ReasonCode::SourceNotAllowed]),
        }
    }

    fn unlock_gate(
        &self,
        subject: &Subject,
        source: IpAddr,
        facts: &UnlockFacts,
        at: Timestamp,
    ) -> Gate {
        let here = |one: &&Approved| one.source.is_none_or(|good_for| covers(good_for, source));
        let approvals: Vec<&Approved> = facts.approvals.iter().filter(here).collect();
        let covered = |coverage: &Coverage| match coverage {
            Coverage::Unlock(selector) => matches(&self.set, selector, subject),
            Coverage::Issuance(..) => false,
        };
        self.gate(covered, &approvals, facts.allow_bypass, at)
    }

    /// The first by name of the matching rules that `test` accepts.
    fn first(&self, subject: &Subject, test: impl Fn(&UnlockRule) -> bool) -> Option<String> {
        self.set
            .unlocks
            .iter()
            .map(|(_, rule)| rule)
            .filter(|rule| matches(&self.set, &rule.selector, subject) && test(rule))
            .map(|rule| rule.header.name.clone())
            .min()
    }

    /// Whether enrollment would permit the device's tags.
    fn enrollable(&self, request: &UnlockRequest) -> bool {
        let declared = request.tags.iter().all(|(name, value)| {
            self.set
                .tags
                .find(name)
                .is_some_and(|tag| self.set.tags[tag].domain.contains(value))
        });
        let complete = self
            .set
            .tags
            .iter()
            .all(|(_, tag)| !tag.required || request.tags.contains_key(&tag.header.name));
        declared && complete
    }

    fn covers(&self, line: &SourceLine, source: IpAddr) -> bool {
        line.sources
            .iter()
            .any(|&one| source_covers(&self.set, one, source))
    }

    /// The live one-time unlocks, each with what it may override here: what it
    /// was armed for and the policy still grants to this device.
    fn armed(
        &self,
        subject: &Subject,
        source: IpAddr,
        armed: &[ArmedAllowOnce],
        at: Timestamp,
    ) -> Vec<Candidate<Override>> {
        let mut live = Vec::new();
        for one in armed {
            let Some(rule) = self.set.allow_onces.find(&one.name) else {
                continue;
            };
            let rule = &self.set.allow_onces[rule];
            let listed = one.addresses.iter().any(|&near| covers(near, source));
            if at >= one.until
                || !matches(&self.set, &rule.selector, subject)
                || !(listed || one.addresses.is_empty())
            {
                continue;
            }
            let mut holds: BTreeSet<Override> = one.overrides.iter().copied().collect();
            holds.retain(|what| rule.overrides.contains(what));
            holds.retain(|what| *what != Override::Source || listed);
            live.push(Candidate {
                until: one.until,
                id: one.id.clone(),
                holds,
            });
        }
        live
    }
}
