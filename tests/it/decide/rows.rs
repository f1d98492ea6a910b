//! The columns of a row: words, facts, and what is expected.

use ipnet::IpNet;
use jiff::Timestamp;
use panopol::address::parse_prefix;
use panopol::decision::{Decision, Obligation};
use panopol::request::Approved;
use panopol::vocabulary::{Outcome, ReasonCode};

use crate::twin::Verdict;

/// When a row without `at` is decided: a Wednesday, noon in Berlin.
pub(super) const NOW: &str = "2026-06-10T10:00:00Z";
/// When a fact without `until` ends.
const LATER: &str = "2030-01-01T00:00:00Z";

/// The columns of a row.
pub(super) fn columns(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

/// The words of a column; blanks and commas inside quotes are kept, the quotes are not.
pub(super) fn words(column: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for letter in column.chars() {
        if letter == '"' {
            quoted = !quoted;
            word.get_or_insert_default();
        } else if letter.is_whitespace() && !quoted {
            words.extend(word.take());
        } else {
            word.get_or_insert_default().push(letter);
        }
    }
    words.extend(word);
    words
}

pub(super) fn time(text: &str) -> Timestamp {
    text.parse()
        .unwrap_or_else(|_| panic!("`{text}` is not a time"))
}

/// One fact: its first words, then pairs of a word and its value.
pub(super) struct Fact {
    words: Vec<String>,
}

impl Fact {
    /// The facts of a column, `;` between them.
    pub(super) fn all(column: &str) -> Vec<Fact> {
        column
            .split(';')
            .map(|fact| Fact { words: words(fact) })
            .filter(|fact| !fact.words.is_empty())
            .collect()
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    pub(super) fn after(&self, word: &str) -> Option<&str> {
        let at = self.words.iter().position(|found| found == word)?;
        Some(self.word(at + 1))
    }

    pub(super) fn list(&self, word: &str) -> Vec<&str> {
        self.after(word)
            .map_or(Vec::new(), |list| list.split(',').collect())
    }

    pub(super) fn prefixes(&self, word: &str) -> Vec<IpNet> {
        self.list(word)
            .into_iter()
            .map(|one| parse_prefix(one).unwrap())
            .collect()
    }

    pub(super) fn until(&self) -> Timestamp {
        time(self.after("until").unwrap_or(LATER))
    }

    /// `approved ID by g,h from PREFIX until TIME`
    pub(super) fn approved(&self) -> Approved {
        Approved {
            id: self.word(1).to_owned(),
            groups: self.list("by").into_iter().map(str::to_owned).collect(),
            source: self.prefixes("from").first().copied(),
            until: self.until(),
        }
    }
}

/// The last column: `allow [by RULE] [via NETWORK] [OBLIGATION…]`,
/// `deny CODE… [by RULE]`, `pending GROUP…`.
pub(super) struct Expected {
    outcome: Outcome,
    codes: Vec<ReasonCode>,
    groups: Vec<String>,
    obligations: Vec<Obligation>,
    rule: Option<String>,
    network: Option<String>,
}

impl Expected {
    pub(super) fn read(column: &str) -> Expected {
        let mut words = words(column).into_iter();
        let outcome = Outcome::from_word(&words.next().unwrap()).unwrap();
        let mut expected = Expected {
            outcome,
            codes: match outcome {
                Outcome::Allow => vec![ReasonCode::Allowed],
                Outcome::Deny => Vec::new(),
                Outcome::Pending => vec![ReasonCode::ApprovalRequired],
            },
            groups: Vec::new(),
            obligations: Vec::new(),
            rule: None,
            network: None,
        };
        while let Some(word) = words.next() {
            let mut next = || words.next().unwrap();
            match word.as_str() {
                "by" => expected.rule = Some(next()),
                "via" => expected.network = Some(next()),
                "spend-allow-once" => {
                    expected
                        .obligations
                        .push(Obligation::SpendAllowOnce { id: next() });
                }
                "spend-approval" => {
                    expected
                        .obligations
                        .push(Obligation::SpendApproval { id: next() });
                }
                "record-bypass" => {
                    expected
                        .obligations
                        .push(Obligation::RecordBypass { name: next() });
                }
                group if outcome == Outcome::Pending => expected.groups.push(group.to_owned()),
                code => expected.codes.push(
                    ReasonCode::from_word(code).unwrap_or_else(|| panic!("`{code}` is no code")),
                ),
            }
        }
        expected.obligations.sort();
        expected
    }

    /// How `verdict` differs.
    pub(super) fn differs(&self, verdict: &Verdict) -> Option<String> {
        let same = verdict.outcome == self.outcome
            && verdict.codes == self.codes
            && verdict.groups == self.groups
            && verdict.obligations == self.obligations
            && (self.rule.is_none() || verdict.rule == self.rule);
        (!same).then(|| format!("{verdict:?}"))
    }

    /// How the network that `decision` names differs.
    pub(super) fn names_differ(&self, decision: &Decision) -> Option<String> {
        let network = decision
            .reasons
            .first()
            .and_then(|reason| reason.network.clone());
        let differs = self.network.is_some() && network != self.network;
        differs.then(|| format!("network {network:?}"))
    }
}
