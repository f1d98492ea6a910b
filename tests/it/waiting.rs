//! An hour of a thousand devices that wait, on a clock of the test's own: one
//! request each, one notice each, few records, and no memory for each retry.

use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::journal::{Actor, Event};
use panopol::record::aggregate::Aggregator;
use panopol::record::{Asked, Record, VERSION};
use panopol::server::people::Sightings;
use panopol::store::{Context, Store};
use panopol::unlock::{Attempt, Endpoint, Waiting, draw_id};
use panopol::vocabulary::Outcome;

use crate::store::{enrollment, now, settings};
use crate::support;

const POLICY: &str = r#"edition 2026

tag env = prod

person maria { email "maria@example.com" }

unlock all {
  allow from 192.0.2.0/24
}

approval everything {
  on        unlock
  approvers person maria
}
"#;
const DEVICES: usize = 1000;

/// What the process holds in memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// What the server does with an attempt, on a clock that is told.
fn retry(store: &Store, attempt: &Attempt, sightings: &Sightings, at: Timestamp) -> Record {
    let judged = store.read(|rows| attempt.judge(rows, at));
    assert_eq!(judged.decision.outcome, Outcome::Pending);
    let id = draw_id().unwrap();
    match store.read(|rows| attempt.wait(rows, &id, at)) {
        Waiting::Known(id) => sightings.note(&id, at),
        Waiting::Ask(request) => {
            let context = Context {
                actor: Actor::server(),
                time: at,
                policy: None,
            };
            let event = Event::ApprovalRequested { request: *request };
            store.commit(context, move |_| Ok(event)).unwrap();
        }
        other => panic!("{other:?}"),
    }
    Record {
        v: VERSION,
        id: String::new(),
        time: at,
        asked: Asked::Unlock {
            request: judged.request,
            facts: judged.facts,
        },
        decision: judged.decision,
        repeats: None,
    }
}

/// In a process of its own: other tests would count to its memory.
#[test]
fn an_hour_of_a_thousand_waiting_devices_is_a_thousand_requests() {
    if std::env::var_os("PANOPOL_ALONE").is_some() {
        return an_hour();
    }
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("waiting::an_hour_of_a_thousand_waiting_devices_is_a_thousand_requests")
        .env("PANOPOL_ALONE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(alone.status.success(), "{said}");
    let ran = String::from_utf8_lossy(&alone.stdout).contains("1 passed");
    assert!(ran, "the child ran no test");
}

fn an_hour() {
    // Clevis asks every five seconds; a run of all tests looks at each fourth.
    let every: u32 = support::asked("PANOPOL_RETRY_S", 20);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(settings(directory.path()), now()).unwrap();
    let policy = check_files(&mut support::one_file(POLICY)).set.unwrap();
    let program = Arc::new(Program::compile(policy));
    let attempts: Vec<Attempt> = (0..DEVICES)
        .map(|number| {
            let name = format!("d{number:04}");
            store
                .enroll(crate::store::context(), enrollment(&name))
                .unwrap();
            Attempt {
                program: Arc::clone(&program),
                endpoint: Endpoint::of(&store.device(&name).unwrap()),
                source: IpAddr::from([192, 0, 2, 1]),
                kid: "kid".to_owned(),
                allow_bypass: false,
                clock_trusted: true,
            }
        })
        .collect();
    let enrolled = store.link().seq;
    let sightings = Sightings::default();
    let mut aggregator = Aggregator::new(SignedDuration::from_mins(5));
    let (mut lines, mut settled) = (0, 0);
    for second in (0..3600_i64).step_by(every as usize) {
        let at = now() + SignedDuration::from_secs(second);
        for attempt in &attempts {
            let record = retry(&store, attempt, &sightings, at);
            lines += aggregator.push(Arc::new(record)).len();
        }
        if settled == 0 && second >= 600 {
            settled = resident();
        }
    }
    lines += aggregator.flush().len();
    assert_eq!(store.approvals().len(), DEVICES);
    assert_eq!(
        store.link().seq - enrolled,
        DEVICES as u64,
        "one entry a device"
    );
    let retries = u64::from(3600 / every) - 1;
    for request in store.approvals() {
        assert_eq!(sightings.of(request.id()).unwrap().count, retries);
    }
    // The first answer, and one line for each window of five minutes.
    assert!(lines <= DEVICES * 26, "{lines} records");
    let grown = resident().saturating_sub(settled);
    assert!(grown < 16 << 20, "{grown} bytes more after an hour");
}
