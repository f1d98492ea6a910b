//! The evaluator's naive twin: both decisions by the most literal reading of
//! the language reference, with linear scans and nothing shared with `eval`,
//! `space` or `san` but plain types. Slow on purpose: it is here to be
//! obviously right, and to disagree with the evaluator where that is not.
//!
//! Patterns of names and regular expressions are taken from the trees as they
//! were written, so that the checker's reading of them is judged too.
//! Start at [`Twin`].

mod address;
mod approval;
mod fewest;
mod issuance;
mod names;
mod selector;
mod time;
mod unlock;

use std::collections::BTreeMap;
use std::sync::Arc;

use panopol::decision::{Decision, Obligation};
use panopol::ir::PolicySet;
use panopol::syntax::tree;
use panopol::vocabulary::{Outcome, ReasonCode};

use names::Written;

/// A policy set, and what its trees say that the resolved set does not keep as text.
pub(crate) struct Twin {
    set: Arc<PolicySet>,
    /// The `san TYPE …` statements of each issuance policy, by its name.
    written: BTreeMap<String, Vec<Written>>,
    /// The `naming` pattern of each issuance policy, by its name.
    naming: BTreeMap<String, String>,
    /// The `ticket required` patterns of each approval group, by its name.
    tickets: BTreeMap<String, Option<String>>,
}

/// What the twin answers, and the same drawn from a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) codes: Vec<ReasonCode>,
    pub(crate) groups: Vec<String>,
    /// Sorted: their order means nothing.
    pub(crate) obligations: Vec<Obligation>,
    /// The unlock rule that allowed, denied, or allows at another time.
    pub(crate) rule: Option<String>,
}

impl Verdict {
    fn deny(codes: Vec<ReasonCode>) -> Self {
        Verdict {
            outcome: Outcome::Deny,
            codes,
            groups: Vec::new(),
            obligations: Vec::new(),
            rule: None,
        }
    }

    fn pending(groups: Vec<String>) -> Self {
        Verdict {
            outcome: Outcome::Pending,
            codes: vec![ReasonCode::ApprovalRequired],
            groups,
            obligations: Vec::new(),
            rule: None,
        }
    }

    fn allow(mut obligations: Vec<Obligation>) -> Self {
        obligations.sort();
        Verdict {
            outcome: Outcome::Allow,
            codes: vec![ReasonCode::Allowed],
            groups: Vec::new(),
            obligations,
            rule: None,
        }
    }

    fn by(mut self, rule: &str) -> Self {
        self.rule = Some(rule.to_owned());
        self
    }

    /// What of `decision` the twin can tell.
    pub(crate) fn of(decision: &Decision) -> Self {
        let mut obligations = decision.obligations.clone();
        obligations.sort();
        // The language names a rule for these alone; a nearest miss beside
        // another code is the trace's affair.
        let named = [
            ReasonCode::Allowed,
            ReasonCode::SourceDenied,
            ReasonCode::OutsideSchedule,
        ];
        let rule = decision
            .reasons
            .iter()
            .filter(|reason| named.contains(&reason.code))
            .filter_map(|reason| reason.rule.as_ref())
            .find(|rule| rule.kind == "unlock")
            .map(|rule| rule.name.clone());
        Verdict {
            outcome: decision.outcome,
            codes: decision.reasons.iter().map(|reason| reason.code).collect(),
            groups: decision.groups.clone(),
            obligations,
            rule,
        }
    }
}

impl Twin {
    /// Reads `set`, and from `trees`, of which it was made, the patterns as written.
    pub(crate) fn new(set: Arc<PolicySet>, trees: &[tree::File]) -> Self {
        let mut twin = Twin {
            set,
            written: BTreeMap::new(),
            naming: BTreeMap::new(),
            tickets: BTreeMap::new(),
        };
        for item in trees.iter().flat_map(|file| &file.items) {
            if let tree::ItemKind::Issuance(item) = &item.value {
                twin.read_issuance(item);
            }
            if let tree::ItemKind::Approval(item) = &item.value {
                twin.read_approval(item);
            }
        }
        twin
    }

    fn read_issuance(&mut self, item: &tree::IssuanceItem) {
        let name = item.name.value.clone();
        let mut written = Vec::new();
        for statement in &item.statements {
            if let tree::IssuanceStatement::San { kind, allow, deny } = &statement.value {
                written.push(Written::read(kind.value, allow, deny));
            }
            if let tree::IssuanceStatement::Naming(pattern) = &statement.value {
                self.naming.insert(name.clone(), pattern.value.clone());
            }
        }
        self.written.insert(name, written);
    }

    fn read_approval(&mut self, item: &tree::ApprovalItem) {
        for statement in &item.statements {
            if let tree::ApprovalStatement::TicketRequired(pattern) = &statement.value {
                let pattern = pattern.as_ref().map(|pattern| pattern.value.clone());
                self.tickets.insert(item.name.value.clone(), pattern);
            }
        }
    }
}

/// Whether `pattern` matches the whole of `text`.
fn matches_whole(pattern: &str, text: &str) -> bool {
    regex::Regex::new(&format!(r"\A(?:{pattern})\z"))
        .unwrap()
        .is_match(text)
}
