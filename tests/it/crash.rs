//! A server killed at any moment: what it acknowledged is there, what it did
//! not is whole or absent, and the disk had it before the caller did.
//!
//! The test binary runs itself again as the server that is to be killed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use panopol::journal::{Event, NewToken, verify};
use panopol::store::Store;
use panopol::vocabulary::DeviceState;

use crate::store::{context, enrollment, hash, new_keys, open, secrets, tags};

/// Each device goes through these, one entry each, whoever is killed between.
const STEPS: u64 = 5;

/// Makes the change that is entry `seq`.
fn make_change(store: &Store, seq: u64) {
    let (device, step) = place(seq);
    let name = format!("d{device:06}");
    let made = match step {
        0 => store.enroll(context(), enrollment(&name)),
        1 => store.tag(context(), &name, tags("env", "lab"), None),
        2 => store.rotate(context(), &name, "0", new_keys("rotated"), None),
        3 => store.retire(context(), &name, "0", None),
        _ => store.revoke(context(), &name, None, None),
    };
    assert_eq!(made.unwrap().entry.seq, seq);
}

fn place(seq: u64) -> (u64, u64) {
    ((seq - 2) / STEPS, (seq - 2) % STEPS)
}

/// Holds one device against what the entries up to `last` say.
fn check_device(store: &Store, device: u64, last: u64) {
    let name = format!("d{device:06}");
    let enrolled = 2 + device * STEPS;
    if last < enrolled {
        assert!(store.device(&name).is_none(), "{name} at {last}");
        return;
    }
    let steps = (last - enrolled).min(STEPS - 1);
    let found = store.device(&name).unwrap();
    let env = if steps >= 1 { "lab" } else { "prod" };
    assert_eq!(found.tags, tags("env", env));
    assert_eq!(found.state == DeviceState::Revoked, steps == 4);
    let first = format!("secret {name} 0");
    let expected = match steps {
        0 | 1 => vec![first],
        2 => vec!["rotated".to_owned(), first],
        3 => vec!["rotated".to_owned()],
        _ => Vec::new(),
    };
    assert_eq!(secrets(store, &name, "0"), expected);
    let second = if steps == 4 {
        vec![]
    } else {
        vec![format!("secret {name} 1")]
    };
    assert_eq!(secrets(store, &name, "1"), second);
}

/// The slots in use: no key is left of what is not there.
fn used_slots(directory: &Path) -> usize {
    let bytes = std::fs::read(directory.join("keys")).unwrap();
    let slots = bytes.chunks(128).skip(1);
    slots
        .filter(|slot| slot.iter().any(|&byte| byte != 0))
        .count()
}

fn needed_slots(store: &Store) -> usize {
    let devices = store.devices(None, usize::MAX);
    let bindings = devices.iter().flat_map(|device| &device.bindings);
    1 + bindings.map(|binding| binding.keys.len()).sum::<usize>()
}

/// The part of the child: changes without end, each acknowledged by a line.
/// Without being told so, it makes a few and holds them against the same model.
#[test]
fn changes_made_one_after_another_are_as_the_model_says() {
    let Some(directory) = std::env::var_os("PANOPOL_CRASH_STATE") else {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        for seq in 2..14 {
            make_change(&store, seq);
            (0..4).for_each(|device| check_device(&store, device, seq));
            assert_eq!(used_slots(directory.path()), needed_slots(&store));
        }
        return;
    };
    let store = Arc::new(open(Path::new(&directory)).unwrap());
    let limit = std::env::var_os("PANOPOL_CRASH_CHANGES");
    let limit = limit.map_or(u64::MAX, |text| text.to_str().unwrap().parse().unwrap());
    // libtest leaves its line open.
    acknowledge("");
    if std::env::var_os("PANOPOL_CRASH_CROWD").is_some() {
        crowd(&store);
    }
    for _ in 0..limit {
        let seq = store.link().seq + 1;
        make_change(&store, seq);
        acknowledge(&format!("ack {seq}"));
    }
}

pub(crate) fn acknowledge(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Eight callers at once, so that they share syncs.
fn crowd(store: &Arc<Store>) {
    let begin = store.link().seq;
    std::thread::scope(|scope| {
        for caller in 0..8 {
            scope.spawn(move || {
                for number in 0.. {
                    let id = format!("{begin}-{caller}-{number}");
                    let token = NewToken {
                        hash: hash(&id),
                        person: "bob".to_owned(),
                        expires: None,
                        id: id.clone(),
                    };
                    let made = store.commit(context(), |_| Ok(Event::TokenCreated { token }));
                    made.unwrap();
                    acknowledge(&format!("ack {id}"));
                }
            });
        }
    });
}

/// Runs the test `name` of this binary as a server of `state`.
pub(crate) fn spawn(name: &str, state: &Path, set: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg(name)
        .env("PANOPOL_CRASH_STATE", state)
        .envs(set.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Kills the child after so many acknowledgements, or in its start where none
/// are waited for, and a while; returns all that it had acknowledged.
pub(crate) fn kill_after(mut child: Child, acks: u64, delay: Duration) -> Vec<String> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let mut seen = Vec::new();
    while (seen.len() as u64) < acks {
        let line = lines.next().unwrap();
        seen.extend(line.strip_prefix("ack ").map(str::to_owned));
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    seen.extend(lines.filter_map(|line| line.strip_prefix("ack ").map(str::to_owned)));
    seen
}

/// Numbers that look random; the moment of a kill needs no more.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }

    pub(crate) fn delay(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.below(most))
    }
}

/// The test that is the server to kill.
const CHILD: &str = "crash::changes_made_one_after_another_are_as_the_model_says";
const ROUNDS: u64 = 300;
const ROUNDS_PER_STATE: u64 = 25;

#[test]
fn killed_at_any_moment_it_keeps_what_it_acknowledged_and_no_half_key() {
    let mut chance = Chance(1);
    let mut acknowledged = 0;
    for _ in 0..ROUNDS / ROUNDS_PER_STATE {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path();
        let mut before = 1;
        for round in 0..ROUNDS_PER_STATE {
            // A third dies somewhere in its start.
            let dies_in_start = round % 3 == 0;
            let after = if dies_in_start {
                0
            } else {
                1 + chance.below(6)
            };
            let delay = chance.delay(if dies_in_start { 40_000 } else { 4_000 });
            let acks = kill_after(spawn(CHILD, state, &[]), after, delay);
            acknowledged += acks.len();
            let last_ack = acks.last().map_or(before, |seq| seq.parse().unwrap());
            if !state.join("journal").exists() {
                continue;
            }
            let store = open(state).unwrap();
            let last = store.link().seq;
            assert!(
                (last_ack..=last_ack + 1).contains(&last),
                "{last_ack} {last}"
            );
            let device = place(last.max(2)).0;
            (device.saturating_sub(2)..device + 2).for_each(|d| check_device(&store, d, last));
            if round == ROUNDS_PER_STATE - 1 {
                (0..device).for_each(|d| check_device(&store, d, last));
            }
            let needed = needed_slots(&store);
            drop(store);
            if used_slots(state) != needed {
                // Keys drawn for an entry that was never written outlive one start
                // whose index was lost with the server's memory, and no second.
                drop(open(state).unwrap());
                assert_eq!(used_slots(state), needed, "round {round}");
            }
            assert!(verify(&state.join("journal"), None).unwrap().holds());
            before = last;
        }
    }
    assert!(acknowledged > ROUNDS as usize, "too few to show anything");
}

#[test]
fn killed_while_many_share_a_sync_it_keeps_each_ones_change() {
    let mut chance = Chance(2);
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..40 {
        let child = spawn(CHILD, directory.path(), &[("PANOPOL_CRASH_CROWD", "1")]);
        let after = 1 + chance.below(40);
        let acks = kill_after(child, after, chance.delay(4_000));
        let store = open(directory.path()).unwrap();
        for id in &acks {
            assert!(store.token_by_hash(&hash(id)).is_some(), "{id}");
        }
    }
    assert!(
        verify(&directory.path().join("journal"), None)
            .unwrap()
            .holds()
    );
}

/// What a traced child did to its files, in the order that the calls ended.
fn traced_calls(trace: &str) -> Vec<(String, String)> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        let call = if rest.ends_with("<unfinished ...>") {
            begun.insert(thread, rest);
            continue;
        } else if rest.starts_with("<...") {
            let Some(call) = begun.remove(thread) else {
                continue;
            };
            assert!(!rest.contains("= -1"), "{line}");
            call
        } else {
            rest
        };
        let name = call.split('(').next().unwrap_or_default();
        calls.push((name.to_owned(), call.to_owned()));
    }
    calls
}

/// Debian's strace shows the order of the calls.
#[test]
fn each_change_is_synced_before_it_is_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let output = directory.path().join("trace");
    let traced = Command::new("strace")
        .args([
            "-f",
            "-y",
            "-s",
            "32",
            "-e",
            "trace=write,pwrite64,fdatasync,fsync",
            "-o",
        ])
        .arg(&output)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg(CHILD)
        .env("PANOPOL_CRASH_STATE", &state)
        .env("PANOPOL_CRASH_CHANGES", "10")
        .output();
    let traced = traced.expect("strace is to be installed");
    assert!(
        traced.status.success(),
        "strace is to be allowed to trace: {traced:?}"
    );
    let trace = std::fs::read_to_string(&output).unwrap();
    let mut unsynced: HashMap<&str, bool> = HashMap::new();
    let mut journal_syncs = 0;
    let mut acks = 0;
    for (name, call) in traced_calls(&trace) {
        let file = ["journal", "keys"]
            .into_iter()
            .find(|file| call.contains(&format!("/state/{file}>")));
        match (name.as_str(), file) {
            ("write" | "pwrite64", Some(file)) => {
                let keys_pending = unsynced.get("keys").copied().unwrap_or(false);
                assert!(
                    file == "keys" || !keys_pending,
                    "an entry before its keys: {call}"
                );
                unsynced.insert(file, true);
            }
            ("fdatasync" | "fsync", Some(file)) => {
                journal_syncs += u32::from(file == "journal");
                unsynced.insert(file, false);
            }
            ("write", None) if call.contains("\"ack ") => {
                acks += 1;
                assert!(
                    unsynced.values().all(|pending| !pending),
                    "{call} {unsynced:?}"
                );
                assert!(journal_syncs > acks, "{call}");
            }
            (_, _) => {}
        }
    }
    assert_eq!(acks, 10, "{trace}");
}
