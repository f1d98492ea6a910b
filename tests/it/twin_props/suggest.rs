//! Suggested tests: they compile, pass, and reach what they are for; and what
//! none was found for is reached by no random request either.

use panopol::check::check_files;
use panopol::eval::Program;
use panopol::request::UnlockFacts;
use panopol::suite::coverage::{Kind, measure};
use panopol::suite::suggest::{Suggestions, suggest};
use panopol::suite::{self, TestResult};
use proptest::prelude::*;

use super::ask::{IssuanceAsk, UnlockAsk, issuances, unlocks};
use super::world::items;
use super::{compile, config};
use crate::support::one_file;

/// The set with these blocks, and what came of its tests.
fn tested(items: &[String], blocks: &str) -> (Program, Vec<TestResult>) {
    let text = format!("edition 2026\n{}\n{blocks}", items.join("\n"));
    let checked = check_files(&mut one_file(&text));
    let set = checked
        .set
        .unwrap_or_else(|| panic!("{:#?}\n{text}", checked.diagnostics));
    let program = Program::compile(set);
    let results = suite::run(&program, None);
    (program, results)
}

/// What is suggested for a set without tests.
fn suggested(items: &[String]) -> Suggestions {
    let (program, results) = tested(items, "");
    suggest(&program, &measure(&program, &results))
}

/// What a random request reaches, by kind and name.
fn reached_by_chance(
    items: &[String],
    unlocks: &[UnlockAsk],
    issuances: &[IssuanceAsk],
) -> Vec<(String, String)> {
    let program = compile(&[items.to_vec()]).program;
    let unlocks = unlocks.iter().map(|ask| {
        // As a test has it: no fact that it does not name.
        program.trace_unlock(&ask.request, &UnlockFacts::default(), ask.at)
    });
    let issuances = issuances
        .iter()
        .map(|ask| program.trace_issuance(&ask.request, &Default::default(), ask.at));
    let entries = unlocks.chain(issuances).flat_map(|one| one.trace.unwrap());
    let rules = entries.filter(|one| one.matched).filter_map(|one| one.rule);
    rules.map(|rule| (rule.kind, rule.name)).collect()
}

#[test]
fn a_group_is_reached_by_a_device_that_no_rule_denies() {
    let items = [
        "tag env = p | q | r",
        "person alice { role owner in org }",
        "unlock closed { where env != r  deny from [0.0.0.0/0, ::/0] }",
        "unlock open { allow from 0.0.0.0/0 }",
        "approval gate { on unlock  approvers person alice }",
    ]
    .map(str::to_owned);
    let missed = suggested(&items).not_found;
    assert!(missed.iter().all(|one| one.name != "gate"), "{missed:?}");
}

#[test]
fn two_lines_on_one_line_have_blocks_of_two_names() {
    let items = ["unlock open { allow from 192.0.2.0/24  allow from 10.0.0.0/8 }".to_owned()];
    let found = suggested(&items);
    let blocks: String = found.blocks.iter().map(|one| one.block.as_str()).collect();
    let (_, results) = tested(&items, &blocks);
    assert_eq!(results.len(), 7, "{blocks}");
}

#[test]
fn an_edge_that_is_an_ipv4_address_is_asked_from_as_one() {
    let items = [
        "person alice { role owner in org }",
        "schedule night = mon 00:00..01:30 in \"UTC\"",
        "unlock shut { deny from ::fffe:0:0/95 }",
        "unlock open { allow from ::fffe:0:0/95\n allow from 0.0.0.0/0 }",
        "unlock late { allow from 0.0.0.0/0 during night }",
        "allow-once again { overrides approval  by person alice  max 2h }",
        "approval gate { on unlock  approvers person alice }",
    ]
    .map(str::to_owned);
    let found = suggested(&items);
    let blocks: String = found.blocks.iter().map(|one| one.block.as_str()).collect();
    let (_, results) = tested(&items, &blocks);
    assert!(results.iter().all(|one| one.passed), "{blocks}");
}

#[test]
fn a_group_is_reached_at_a_time_when_nothing_is_denied() {
    let items = [
        "person alice { role owner in org }",
        "schedule days = mon..fri 01:30..24:00 in \"UTC\"",
        "unlock open { allow from 10.0.0.0/8  deny from 0.0.0.0/0 during days }",
        "approval gate { on unlock  approvers person alice }",
    ]
    .map(str::to_owned);
    let missed = suggested(&items).not_found;
    assert!(missed.iter().all(|one| one.name != "gate"), "{missed:?}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn suggested_tests_pass_and_reach_what_can_be_reached(
        items in items(), unlocks in unlocks(), issuances in issuances(),
    ) {
        let (program, results) = tested(&items, "");
        let coverage = measure(&program, &results);
        let found = suggest(&program, &coverage);
        let blocks: String = found.blocks.iter().map(|one| one.block.as_str()).collect();
        let (program, results) = tested(&items, &blocks);
        for result in &results {
            prop_assert!(result.passed, "{}: {} but {}\n{}", result.name, result.expected, result.found, blocks);
        }
        let left = measure(&program, &results);
        let missed = |one: &panopol::suite::coverage::Unreached| (one.kind, one.name.clone());
        let mut expected: Vec<(Kind, String)> = found.not_found.iter().map(missed).collect();
        let mut still: Vec<(Kind, String)> = left.unreached.iter().map(missed).collect();
        // What one block was not found for, another may reach by the way.
        expected.retain(|one| still.contains(one));
        expected.sort();
        still.sort();
        prop_assert_eq!(&still, &expected, "{}", items.join("\n"));
        let edges: usize = left.edges.iter().map(|edges| edges.missing.len()).sum();
        prop_assert!(edges <= found.edges_left, "{:?}", left.edges);
        let chance = reached_by_chance(&items, &unlocks, &issuances);
        for (kind, name) in still {
            prop_assert!(
                !chance.contains(&(kind.word().to_owned(), name.clone())),
                "{} {} can be reached\n{}", kind.word(), name, items.join("\n")
            );
        }
    }
}
