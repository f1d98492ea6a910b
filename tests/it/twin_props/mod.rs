//! The evaluator and its twin agree, on random policy sets and requests drawn
//! to stand at edges: of networks, of schedules, of live facts, of sets of names.
//!
//! A world is small on purpose: few tags, values and names, so that most
//! rules have something to say about most requests. [`world`] makes policy
//! text, [`ask`] what is asked of it. `PROPTEST_CASES` sets how many.

mod ask;
mod cedar;
mod exact;
mod lints;
mod pick;
mod replay;
mod suggest;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use panopol::check::check_files;
use panopol::decision::Decision;
use panopol::eval::Program;
use panopol::source::load::InMemory;
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::twin::{Twin, Verdict};
use ask::{IssuanceAsk, UnlockAsk, instants, issuances, unlocks};
use world::{items, renamed, scheduled};

/// A policy set, ready to decide twice.
struct Compiled {
    program: Program,
    twin: Twin,
}

/// Compiles items laid out in files; each of them must be right.
fn compile(files: &[Vec<String>]) -> Compiled {
    let files: BTreeMap<String, Vec<u8>> = files
        .iter()
        .enumerate()
        .map(|(at, items)| {
            let text = format!("edition 2026\n{}", items.join("\n"));
            (format!("{at}.pano"), text.into_bytes())
        })
        .collect();
    let shown = files.clone();
    let checked = check_files(&mut InMemory { files });
    let Some(set) = checked.set else {
        let messages: Vec<&str> = checked
            .diagnostics
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        let texts: Vec<_> = shown
            .values()
            .map(|text| String::from_utf8_lossy(text))
            .collect();
        panic!(
            "does not compile: {messages:#?}\n{}",
            texts.join("\n-- next file\n")
        );
    };
    Compiled {
        program: Program::compile(Arc::clone(&set)),
        twin: Twin::new(set, &checked.trees),
    }
}

impl Compiled {
    /// By the row of the device's class; the trace is made without one.
    fn unlock(&self, ask: &UnlockAsk) -> Decision {
        self.program.warm(&ask.request.tags);
        self.program.decide_unlock(&ask.request, &ask.facts, ask.at)
    }

    fn issuance(&self, ask: &IssuanceAsk) -> Decision {
        self.program
            .decide_issuance(&ask.request, &ask.facts, ask.at)
    }
}

/// Everything that a decision says but for where rules stand and the digest of the bytes.
fn placeless(mut decision: Decision) -> Decision {
    decision.policy.clear();
    decision.trace = None;
    for reason in &mut decision.reasons {
        let own = reason.rule.iter_mut();
        let within = reason
            .violations
            .iter_mut()
            .filter_map(|one| one.rule.as_mut());
        for rule in own.chain(within) {
            rule.file.clear();
            rule.line = 0;
        }
    }
    decision
}

/// Few cases, as each asks much of one policy set; `PROPTEST_CASES` says otherwise.
fn config() -> Config {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => config,
        None => Config {
            cases: 40,
            ..config
        },
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn unlocks_are_decided_as_by_the_twin(items in items(), asks in unlocks()) {
        let compiled = compile(std::slice::from_ref(&items));
        for ask in &asks {
            let decision = compiled.unlock(ask);
            let twin = compiled.twin.unlock(&ask.request, &ask.facts, ask.at);
            prop_assert_eq!(Verdict::of(&decision), twin, "evaluator, then twin: {:#?}\n{}", ask, items.join("\n"));
            let mut traced = compiled.program.trace_unlock(&ask.request, &ask.facts, ask.at);
            prop_assert!(traced.trace.take().is_some());
            prop_assert_eq!(traced, decision);
        }
    }

    #[test]
    fn a_verdict_is_the_same_with_a_row_and_without(items in items(), asks in unlocks(), budget in 0..6000usize) {
        let set = Arc::clone(compile(std::slice::from_ref(&items)).program.set());
        let walked = Program::compile_within(Arc::clone(&set), 0);
        for program in [Program::compile(Arc::clone(&set)), Program::compile_within(set, budget)] {
            for ask in &asks {
                let class = walked.classify(&ask.request.tags);
                let slow = walked.judge_unlock(&class, &ask.request, &ask.facts, ask.at);
                let known = program.warm(&ask.request.tags);
                let fast = program.judge_known(&known, &ask.request, &ask.facts, ask.at);
                prop_assert_eq!(fast, slow, "with a row, then without: {:#?}\n{}", ask, items.join("\n"));
            }
        }
    }

    #[test]
    fn schedules_are_open_as_by_the_twin(items in scheduled(), asks in instants()) {
        let compiled = compile(std::slice::from_ref(&items));
        for ask in &asks {
            let decision = compiled.unlock(ask);
            let twin = compiled.twin.unlock(&ask.request, &ask.facts, ask.at);
            prop_assert_eq!(Verdict::of(&decision), twin, "evaluator, then twin: {}\n{}", ask.at, items.join("\n"));
        }
    }

    #[test]
    fn certificate_requests_are_decided_as_by_the_twin(items in items(), asks in issuances()) {
        let compiled = compile(std::slice::from_ref(&items));
        for ask in &asks {
            let decision = compiled.issuance(ask);
            let twin = compiled.twin.issuance(&ask.request, &ask.facts, ask.at);
            prop_assert_eq!(Verdict::of(&decision), twin, "evaluator, then twin: {:#?}\n{}", ask, items.join("\n"));
            let mut traced = compiled.program.trace_issuance(&ask.request, &ask.facts, ask.at);
            prop_assert!(traced.trace.take().is_some());
            prop_assert_eq!(traced, decision);
        }
    }

    #[test]
    fn moving_items_between_files_changes_no_decision(
        (items, moved) in items().prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle())),
        places in prop::collection::vec(0..3usize, 64),
        on_unlock in unlocks(),
        on_issuance in issuances(),
    ) {
        let before = compile(std::slice::from_ref(&items));
        let mut files = vec![Vec::new(); 3];
        for (at, item) in moved.into_iter().enumerate() {
            files[places[at % places.len()]].push(item);
        }
        let after = compile(&files);
        for ask in &on_unlock {
            prop_assert_eq!(placeless(before.unlock(ask)), placeless(after.unlock(ask)));
        }
        for ask in &on_issuance {
            prop_assert_eq!(placeless(before.issuance(ask)), placeless(after.issuance(ask)));
        }
    }

    #[test]
    fn renaming_what_is_only_referred_to_changes_no_decision(
        items in items(),
        on_unlock in unlocks(),
        on_issuance in issuances(),
    ) {
        let before = compile(std::slice::from_ref(&items));
        let after = compile(&[renamed(&items)]);
        for ask in &on_unlock {
            prop_assert_eq!(Verdict::of(&before.unlock(ask)), Verdict::of(&after.unlock(ask)));
        }
        for ask in &on_issuance {
            prop_assert_eq!(Verdict::of(&before.issuance(ask)), Verdict::of(&after.issuance(ask)));
        }
    }
}
