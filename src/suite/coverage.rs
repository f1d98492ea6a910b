//! What no test reaches: each rule, network and approval group that took part
//! in no decision, as the traces say, and the edges of networks that no test
//! asks from.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::TestResult;
use super::edges::{self, Edges};
use crate::decision::Decision;
use crate::eval::Program;
use crate::ir::table::Id;
use crate::ir::test::{Subject, Test};
use crate::ir::unlock::Source;
use crate::ir::{Declared, Header, NetworkId, Table};
use crate::source::Span;
use crate::vocabulary::Effect;

/// What no test reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Rules, networks and groups.
    pub unreached: Vec<Unreached>,
    /// Where networks and lines begin and end, as far as no test asks from there.
    pub edges: Vec<Edges>,
}

/// What can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An unlock rule.
    Unlock,
    /// An allow-once rule.
    AllowOnce,
    /// An approval group.
    Approval,
    /// An issuance policy.
    Issuance,
    /// A network.
    Network,
}

impl Kind {
    /// Its word in policies.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Unlock => "unlock",
            Kind::AllowOnce => "allow-once",
            Kind::Approval => "approval",
            Kind::Issuance => "issuance",
            Kind::Network => "network",
        }
    }
}

/// Something that no test reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
}

/// What none of `results`, the outcome of the set's whole suite or of a part
/// of it, reached. A rule is reached where it took part in a decision, a
/// network where a line through which a rule took part covers the source by it,
/// an edge where a test asks from it. Bypasses stay out: tests run with them off.
pub fn measure(program: &Program, results: &[TestResult]) -> Coverage {
    let asked = asked(program, results);
    let sources: BTreeSet<IpAddr> = asked.iter().filter_map(|(from, _)| *from).collect();
    Coverage {
        unreached: rest(program, &asked),
        edges: edges::missing(program, &sources),
    }
}

/// The rules, networks and groups alone.
pub fn unreached(program: &Program, results: &[TestResult]) -> Vec<Unreached> {
    rest(program, &asked(program, results))
}

/// Each result's decision, with its source.
fn asked<'a>(program: &Program, results: &'a [TestResult]) -> Vec<(Option<IpAddr>, &'a Decision)> {
    // Results come in the order of the tests, of which a filter leaves some out.
    let mut tests = program.set().tests.iter();
    let asked = results.iter().map(|result| {
        let test = tests.find(|test| test.span == result.span);
        (test.and_then(source), &result.decision)
    });
    asked.collect()
}

fn rest(program: &Program, asked: &[(Option<IpAddr>, &Decision)]) -> Vec<Unreached> {
    let set = program.set();
    let mut reached = Reached::default();
    for (from, decision) in asked {
        reached.add(program, *from, decision);
    }
    let mut rows = Vec::new();
    reached.rest(Kind::Unlock, &set.unlocks, &mut rows);
    reached.rest(Kind::AllowOnce, &set.allow_onces, &mut rows);
    reached.rest(Kind::Approval, &set.approvals, &mut rows);
    reached.rest(Kind::Issuance, &set.issuances, &mut rows);
    for (id, network) in set.networks.iter() {
        if !reached.networks.contains(&id) {
            rows.push(row(Kind::Network, &network.header));
        }
    }
    rows
}

/// From where a test asks; none for a certificate request.
fn source(test: &Test) -> Option<IpAddr> {
    match &test.subject {
        Subject::Unlock(subject) => Some(subject.from),
        Subject::Issuance(..) => None,
    }
}

/// What decisions reached.
#[derive(Debug, Default)]
pub(super) struct Reached {
    rules: BTreeSet<(String, String)>,
    networks: BTreeSet<NetworkId>,
}

impl Reached {
    /// Adds what a traced decision reached.
    pub(super) fn add(&mut self, program: &Program, from: Option<IpAddr>, decision: &Decision) {
        let entries = decision.trace.iter().flatten();
        for entry in entries.filter(|entry| entry.matched) {
            let Some(rule) = &entry.rule else { continue };
            self.rules.insert((rule.kind.clone(), rule.name.clone()));
            if let Some(from) = from {
                self.add_networks(program, from, &entry.step, &rule.name);
            }
        }
    }

    /// Whether it is among them.
    pub(super) fn has(&self, program: &Program, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Network => {
                let network = program.set().networks.find(name);
                network.is_some_and(|id| self.networks.contains(&id))
            }
            Kind::Unlock | Kind::AllowOnce | Kind::Approval | Kind::Issuance => self
                .rules
                .contains(&(kind.word().to_owned(), name.to_owned())),
        }
    }

    /// The networks through which the lines of one rule and effect cover the source.
    fn add_networks(&mut self, program: &Program, from: IpAddr, step: &str, rule: &str) {
        let set = program.set();
        let Some(id) = set.unlocks.find(rule) else {
            return;
        };
        let lines = match Effect::from_word(step) {
            Some(Effect::Allow) => &set.unlocks[id].allow,
            Some(Effect::Deny) => &set.unlocks[id].deny,
            None => return,
        };
        for source in lines.iter().flat_map(|line| &line.sources) {
            if let Source::Network(network) = *source {
                self.add_network(program, network, from);
            }
        }
    }

    /// A network and those it names, as far as they cover the source.
    fn add_network(&mut self, program: &Program, id: NetworkId, from: IpAddr) {
        // Without recursion: a chain of networks may be long. What an earlier
        // source reached may name another that this one reaches.
        let mut seen = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if program.covers(id, from) && seen.insert(id) {
                open.extend(&program.set().networks[id].includes);
            }
        }
        self.networks.append(&mut seen);
    }

    fn rest<I: Id, T: Declared>(&self, kind: Kind, table: &Table<I, T>, rows: &mut Vec<Unreached>) {
        for (_, declared) in table.iter() {
            let header = declared.header();
            let key = (kind.word().to_owned(), header.name.clone());
            if !self.rules.contains(&key) {
                rows.push(row(kind, header));
            }
        }
    }
}

fn row(kind: Kind, header: &Header) -> Unreached {
    Unreached {
        kind,
        name: header.name.clone(),
        span: header.span,
    }
}
