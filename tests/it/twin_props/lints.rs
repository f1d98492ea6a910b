//! What lints say of lines and selectors, held against deciding: a line that is
//! said to do nothing is taken out, and nothing is decided otherwise.

use std::collections::BTreeMap;

use panopol::check::check_files;
use panopol::diagnostic::Diagnostic;
use panopol::eval::Program;
use panopol::lint::levels::Chosen;
use panopol::lint::{Profile, Run, lint};
use panopol::suite;
use proptest::prelude::*;

use super::ask::unlocks;
use super::config;
use super::world::items;
use crate::support::one_file;

/// A policy as one text, compiled, and what its lints say.
struct Linted {
    text: String,
    program: Program,
    findings: Vec<Diagnostic>,
}

fn linted(text: String) -> Linted {
    let checked = check_files(&mut one_file(&text));
    assert!(checked.set.is_some(), "{:#?}\n{text}", checked.diagnostics);
    let program = Program::compile(checked.set.clone().unwrap());
    let run = Run {
        program: &program,
        tests: None,
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
        profile: Profile::Development,
        chosen: &Chosen::default(),
    };
    let (findings, _) = lint(&checked, &run);
    Linted {
        text,
        program,
        findings,
    }
}

impl Linted {
    fn of<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Diagnostic> {
        self.findings
            .iter()
            .filter(move |one| one.code.name == code)
    }

    /// The policy with the line of a finding about an address that nobody asks from.
    fn without_line(&self, finding: &Diagnostic) -> Program {
        let range = finding.primary.as_ref().unwrap().span.range();
        let line = &self.text[range.clone()];
        let effect = line.split(' ').next().unwrap();
        let mut text = self.text.clone();
        text.replace_range(range, &format!("{effect} from 203.0.113.250"));
        linted(text).program
    }
}

/// Every device of the small world, as far as selectors tell them apart.
fn devices() -> Vec<BTreeMap<String, String>> {
    let mut devices = Vec::new();
    for env in [None, Some("p"), Some("q"), Some("r")] {
        for role in [None, Some("a"), Some("b")] {
            for site in [None, Some("x"), Some(""), Some("other")] {
                let tags = [("env", env), ("role", role), ("site", site)];
                let tags = tags
                    .iter()
                    .filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
                devices.push(tags.collect());
            }
        }
    }
    devices
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_a_lint_calls_idle_changes_no_decision(items in items(), asks in unlocks()) {
        let linted = linted(format!("edition 2026\n{}", items.join("\n")));
        let idle = linted.of("allow-inside-deny").chain(linted.of("deny-without-effect"));
        for finding in idle {
            let without = linted.without_line(finding);
            for ask in &asks {
                let before = linted.program.decide_unlock(&ask.request, &ask.facts, ask.at);
                let after = without.decide_unlock(&ask.request, &ask.facts, ask.at);
                prop_assert_eq!(
                    before.outcome, after.outcome,
                    "{} for {:?}\n{}", finding.message, ask, linted.text
                );
            }
        }
    }

    #[test]
    fn a_rule_is_said_to_match_never_or_always_exactly_where_it_does(items in items()) {
        let linted = linted(format!("edition 2026\n{}", items.join("\n")));
        let set = linted.program.set().clone();
        let matched: Vec<_> = devices()
            .iter()
            .filter_map(|tags| linted.program.classify(tags).ok())
            .collect();
        for (id, rule) in set.unlocks.iter() {
            let says = |code| linted.of(code).any(|one| one.primary.as_ref().unwrap().span == rule.header.span);
            let count = matched.iter().filter(|class| class.rules.contains(&id)).count();
            let has_where = rule.selector != panopol::ir::selector::Selector::Any;
            prop_assert_eq!(says("never-matches"), has_where && count == 0, "{}", linted.text);
            prop_assert_eq!(
                says("always-matches"),
                has_where && count == matched.len(),
                "{}", linted.text
            );
        }
    }

    #[test]
    fn the_witness_of_a_lint_is_a_test_that_passes(items in items()) {
        let text = format!("edition 2026\n{}", items.join("\n"));
        let linted = linted(text.clone());
        for finding in &linted.findings {
            let expected = match finding.code.name {
                "open-to-internet" => "expect allow",
                "weakened-approval" | "overlapping-approvals" => "expect pending by [",
                _ => continue,
            };
            let Some(witness) = &finding.witness else { continue };
            prop_assert!(witness.contains(expected), "{witness}\n{text}");
            let with = self::linted(format!("{text}\n{witness}"));
            for result in suite::run(&with.program, None) {
                prop_assert!(result.passed, "{witness}\n{text}");
            }
        }
    }
}
