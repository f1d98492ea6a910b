//! An approval's uses under fifty callers at once and a kill at any moment:
//! what was granted is in the journal, and never more than was allowed.
//!
//! The test binary runs itself again as the server that is to be killed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use panopol::approval::{Act, By};
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::journal::{Event, verify};
use panopol::store::Store;
use panopol::unlock::{Attempt, Endpoint, Waiting, draw_id, required_now};
use panopol::vocabulary::Verdict;

use crate::crash::{Chance, acknowledge, kill_after, spawn};
use crate::store::{context, enrollment, now, open};
use crate::support;

/// Three exchanges for each binding in a window that outlasts the test.
const POLICY: &str = r#"edition 2026

tag env = prod

person maria { email "maria@example.com" }

unlock all {
  allow from 192.0.2.0/24
}

approval everything {
  on        unlock
  approvers person maria
  claim     1h
  collect   1h up to 3
}
"#;
const ALLOWED: usize = 3;
const CALLERS: usize = 50;

fn attempt(store: &Store, program: &Arc<Program>) -> Attempt {
    Attempt {
        program: Arc::clone(program),
        endpoint: Endpoint::of(&store.device("d").unwrap()),
        source: IpAddr::from([192, 0, 2, 1]),
        kid: "kid".to_owned(),
        allow_bypass: false,
        clock_trusted: true,
    }
}

/// The request that stands for a waiting device; one that was cut off before
/// anybody decided is there still.
fn requested(store: &Store, attempt: &Attempt) -> String {
    let id = draw_id().unwrap();
    if let Waiting::Known(id) = store.read(|rows| attempt.wait(rows, &id, now())) {
        return id;
    }
    let (made, waits) = (id.clone(), attempt.clone());
    let asked = store.commit(context(), move |rows| {
        match waits.wait(rows, &made, now()) {
            Waiting::Ask(request) => Ok(Event::ApprovalRequested { request: *request }),
            other => panic!("{other:?}"),
        }
    });
    asked.unwrap();
    id
}

fn approve(store: &Store, attempt: &Attempt) {
    let id = requested(store, attempt);
    let program = Arc::clone(&attempt.program);
    let approved = store.commit(context(), move |rows| {
        let row = rows.approval(&id).unwrap();
        let current = required_now(&row, &program, rows, None, now());
        let act = Act {
            by: By {
                person: "maria".to_owned(),
                persons: ["maria".to_owned()].into(),
                credential: None,
            },
            verdict: Verdict::Approve,
            note: None,
            shown: String::new(),
            policy: String::new(),
        };
        let step = row.judge(&act, current.as_ref(), now()).unwrap();
        Ok(Event::ApprovalStepped { id, step })
    });
    approved.unwrap();
}

/// Fifty callers want the uses that are left; each that gets one is told.
fn race(store: &Store, attempt: &Attempt) -> usize {
    let granted: Vec<bool> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| scope.spawn(|| exchange(store, attempt)))
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect()
    });
    granted.into_iter().filter(|granted| *granted).count()
}

fn exchange(store: &Store, attempt: &Attempt) -> bool {
    let asked = attempt.clone();
    let refused = || panopol::store::Refusal::Senseless("not allowed".to_owned());
    let spent = store.commit(context(), move |rows| match asked.grant(rows, now()) {
        Ok((_, Some(event))) => Ok(event),
        Ok((_, None)) => panic!("an exchange without an approval"),
        Err(_) => Err(refused().into()),
    });
    let Ok(committed) = spent else {
        return false;
    };
    let Event::ExchangeGranted { approvals, .. } = committed.entry.event() else {
        unreachable!()
    };
    acknowledge(&format!("ack {}", approvals[0].id));
    true
}

fn prepare(directory: &Path) -> (Store, Attempt) {
    let store = open(directory).unwrap();
    if store.device("d").is_none() {
        store.enroll(context(), enrollment("d")).unwrap();
    }
    let policy = check_files(&mut support::one_file(POLICY)).set.unwrap();
    let program = Arc::new(Program::compile(policy));
    let attempt = attempt(&store, &program);
    (store, attempt)
}

/// The child that is to be killed; by itself, one race to its end.
#[test]
fn of_fifty_at_once_exactly_the_allowed_number_get_a_use() {
    let Some(directory) = std::env::var_os("PANOPOL_CRASH_STATE") else {
        let directory = tempfile::tempdir().unwrap();
        let (store, attempt) = prepare(directory.path());
        assert_eq!(race(&store, &attempt), 0);
        for _ in 0..5 {
            approve(&store, &attempt);
            assert_eq!(race(&store, &attempt), ALLOWED);
        }
        return;
    };
    let (store, attempt) = prepare(Path::new(&directory));
    // libtest leaves its line open.
    acknowledge("");
    acknowledge("ack ready");
    // What the one before left is taken first.
    race(&store, &attempt);
    loop {
        approve(&store, &attempt);
        assert_eq!(race(&store, &attempt), ALLOWED);
    }
}

/// The uses of each approval that the journal has.
fn journaled(store: &Store) -> BTreeMap<String, usize> {
    let mut uses = BTreeMap::new();
    for entry in store.audit(0, usize::MAX).unwrap() {
        if let Event::ExchangeGranted { approvals, .. } = entry.event() {
            for taken in approvals {
                *uses.entry(taken.id.clone()).or_insert(0) += 1;
            }
        }
    }
    uses
}

fn killed(rounds: u64, seed: u64) {
    let mut chance = Chance(seed);
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    let directory = tempfile::tempdir().unwrap();
    let name = "spend::of_fifty_at_once_exactly_the_allowed_number_get_a_use";
    for round in 0..rounds {
        let after = 1 + chance.below(8);
        let child = spawn(name, directory.path(), &[]);
        for id in kill_after(child, after, chance.delay(3_000)) {
            if id != "ready" {
                *told.entry(id).or_insert(0) += 1;
            }
        }
        if round % 50 != 49 && round + 1 != rounds {
            continue;
        }
        let store = open(directory.path()).unwrap();
        let uses = journaled(&store);
        for (id, told) in &told {
            let journaled = uses.get(id).copied().unwrap_or(0);
            assert!(
                *told <= journaled,
                "{id}: {told} told, {journaled} journaled"
            );
        }
        for (id, used) in &uses {
            assert!(*used <= ALLOWED, "{id} was used {used} times");
        }
        assert!(
            verify(&directory.path().join("journal"), None)
                .unwrap()
                .holds()
        );
    }
    let told: usize = told.values().sum();
    assert!(told as u64 > rounds, "{told} uses show little");
}

/// A few score at every run of the tests; `PANOPOL_KILLS` says how many more.
#[test]
fn killed_at_any_moment_it_never_grants_a_use_twice() {
    killed(support::asked("PANOPOL_KILLS", 80), 3);
}
