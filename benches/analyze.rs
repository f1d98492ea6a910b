//! Two sets of 10,000 rules and 100,000 prefixes compared, beside checking one
//! of them: what CI does anyway. Prints a Markdown table of medians and ratios.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark reads the clock, and stops where its own policy is wrong"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use panopol::analyze::claims::prove;
use panopol::check::check_files;
use panopol::diff::compare;
use panopol::eval::Program;
use panopol::source::load::InMemory;

const RULES: usize = 10_000;
const PREFIXES: usize = 10;
const RUNS: usize = 5;

/// Rules of sites, each with its own addresses, and some that all share.
fn policy(edit: impl Fn(usize) -> bool) -> InMemory {
    let mut text = String::from(
        "edition 2026\ntag env = production | staging | dev required\ntag role = database | web | cache\n\
         tag site = text\nnetwork corp = [10.0.0.0/8, 2001:db8::/32]\nperson alice {}\nperson bob {}\nteam dba = [alice, bob]\n\
         approval databases { on unlock where role == database\n approvers team dba }\n\
         invariant databases-wait { never allow unlock where role == database without approval }\n",
    );
    for rule in 0..RULES {
        let site = rule / 10;
        let env = ["production", "staging", "dev"][rule % 3];
        let prefixes: Vec<String> = (0..PREFIXES)
            .map(|at| {
                let number = rule * PREFIXES + at;
                format!(
                    "100.{}.{}.{}/30",
                    number >> 14 & 63 | 64,
                    number >> 6 & 255,
                    (number & 63) << 2
                )
            })
            .collect();
        let extra = if edit(rule) { ", 192.0.2.0/24" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "unlock r{rule} {{ where env == {env} and site == \"s{site}\"\n allow from [{}{extra}]\n deny from corp }}",
            prefixes.join(", ")
        );
    }
    InMemory {
        files: BTreeMap::from([("main.pano".to_owned(), text.into_bytes())]),
    }
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[RUNS / 2]
}

fn main() {
    let program = |edit: &dyn Fn(usize) -> bool| {
        let checked = check_files(&mut policy(edit));
        Program::compile(Arc::clone(checked.set.as_ref().expect("a right policy")))
    };
    let old = program(&|_| false);
    let one = program(&|rule| rule == 77);
    let some = program(&|rule| rule % 100 == 0);
    let all = program(&|_| true);
    let check = median(|| {
        black_box(check_files(&mut policy(|_| false)));
    });
    println!(
        "| work on {RULES} rules, {} prefixes | median | of checking one set |",
        RULES * PREFIXES
    );
    println!("|---|---|---|");
    let row = |name: &str, time: Duration| {
        println!(
            "| {name} | {time:.2?} | {:.2} × |",
            time.as_secs_f64() / check.as_secs_f64()
        );
    };
    row("check one set (without lints and tests)", check);
    row(
        "diff: the same",
        median(|| assert!(compare(&old, &old).regions.is_empty())),
    );
    row(
        "diff: one rule wider",
        median(|| assert_eq!(compare(&old, &one).regions.len(), 2)),
    );
    row(
        "diff: 100 rules wider",
        median(|| assert!(compare(&old, &some).regions.len() >= 100)),
    );
    row(
        "diff: every rule wider",
        median(|| assert!(!compare(&old, &all).regions.is_empty())),
    );
    row(
        "prove one invariant",
        median(|| assert_eq!(prove(old.set()).len(), 1)),
    );
}
