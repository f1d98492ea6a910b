//! What no test reaches: each rule, network and approval group that took part
//! in no decision, as the traces say.

use std::collections::BTreeSet;

use super::TestResult;
use crate::eval::Program;
use crate::ir::table::Id;
use crate::ir::test::{Subject, Test};
use crate::ir::unlock::Source;
use crate::ir::{Declared, Header, NetworkId, Table};
use crate::source::Span;
use crate::vocabulary::Effect;

/// Something that no test reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// `unlock`, `network`, `approval`, …
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
}

/// What none of `results`, the outcome of the set's whole suite or of a part
/// of it, reached. A rule is reached where it took part in a decision, a
/// network where a line through which a rule took part covers the source by it.
/// Bypasses stay out: tests run with them off.
pub fn unreached(program: &Program, results: &[TestResult]) -> Vec<Unreached> {
    let set = program.set();
    let mut reached = Reached::default();
    // Results come in the order of the tests, of which a filter leaves some out.
    let mut tests = set.tests.iter();
    for result in results {
        let test = tests.find(|test| test.span == result.span);
        reached.add(program, test, result);
    }
    let mut rows = Vec::new();
    reached.rest("unlock", &set.unlocks, &mut rows);
    reached.rest("allow-once", &set.allow_onces, &mut rows);
    reached.rest("approval", &set.approvals, &mut rows);
    reached.rest("issuance", &set.issuances, &mut rows);
    for (id, network) in set.networks.iter() {
        if !reached.networks.contains(&id) {
            rows.push(row("network", &network.header));
        }
    }
    rows
}

#[derive(Default)]
struct Reached {
    rules: BTreeSet<(String, String)>,
    networks: BTreeSet<NetworkId>,
}

impl Reached {
    fn add(&mut self, program: &Program, test: Option<&Test>, result: &TestResult) {
        let entries = result.decision.trace.iter().flatten();
        for entry in entries.filter(|entry| entry.matched) {
            let Some(rule) = &entry.rule else { continue };
            self.rules.insert((rule.kind.clone(), rule.name.clone()));
            if let Some(test) = test {
                self.add_networks(program, test, &entry.step, &rule.name);
            }
        }
    }

    /// The networks through which the lines of one rule and effect cover the source.
    fn add_networks(&mut self, program: &Program, test: &Test, step: &str, rule: &str) {
        let set = program.set();
        let (Subject::Unlock(subject), Some(id)) = (&test.subject, set.unlocks.find(rule)) else {
            return;
        };
        let lines = match Effect::from_word(step) {
            Some(Effect::Allow) => &set.unlocks[id].allow,
            Some(Effect::Deny) => &set.unlocks[id].deny,
            None => return,
        };
        for source in lines.iter().flat_map(|line| &line.sources) {
            if let Source::Network(network) = *source {
                self.add_network(program, network, subject.from);
            }
        }
    }

    /// A network and those it names, as far as they cover the source.
    fn add_network(&mut self, program: &Program, id: NetworkId, from: std::net::IpAddr) {
        // Without recursion: a chain of networks may be long.
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if program.covers(id, from) && self.networks.insert(id) {
                open.extend(&program.set().networks[id].includes);
            }
        }
    }

    fn rest<I: Id, T: Declared>(
        &self,
        kind: &'static str,
        table: &Table<I, T>,
        rows: &mut Vec<Unreached>,
    ) {
        for (_, declared) in table.iter() {
            let header = declared.header();
            if !self.rules.contains(&(kind.to_owned(), header.name.clone())) {
                rows.push(row(kind, header));
            }
        }
    }
}

fn row(kind: &'static str, header: &Header) -> Unreached {
    Unreached {
        kind,
        name: header.name.clone(),
        span: header.span,
    }
}
