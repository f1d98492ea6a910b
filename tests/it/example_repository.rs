//! `examples/repository`: its README is walked through, every command of it run
//! in a copy under git, and what comes out is what it shows.
//!
//! A block marked `console` has commands after `$ ` and their output below them,
//! between four backticks, for an output may have three; a command's line that
//! ends in `\` goes on. `PANOPOL_UPDATE_DOCS=1` writes the outputs,
//! and the recorded requests, anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use panopol::check::check_files;
use panopol::decision::Decision;
use panopol::eval::Program;
use panopol::record::{Asked, Record, Repeats, VERSION};
use panopol::request::UnlockFacts;
use panopol::source::load::Directory;
use serde_json::{Value, json};

use crate::cli::run;
use crate::support::{expect_generated, files_below, root};

const README: &str = "examples/repository/README.md";
const END: &str = "````";

fn repository() -> PathBuf {
    root().join("examples/repository")
}

/// A copy of the repository under git, on `main`.
fn copy() -> tempfile::TempDir {
    let here = tempfile::tempdir().unwrap();
    let mut open = vec![repository()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let from = entry.unwrap().path();
            let to = here.path().join(from.strip_prefix(repository()).unwrap());
            if from.is_dir() {
                fs::create_dir(&to).unwrap();
                open.push(from);
            } else {
                fs::copy(&from, &to).unwrap();
            }
        }
    }
    for command in [
        "git init -q -b main",
        "git add -A",
        "git commit -q -m 'Policies as they are'",
    ] {
        assert_eq!(shell(here.path(), command), "", "{command}");
    }
    here
}

/// What a command prints, on both streams.
fn shell(here: &Path, command: &str) -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_panopol")).parent().unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(here)
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/local/bin:/usr/bin:/bin", built.display()),
        )
        .env("HOME", here)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Carol")
        .env("GIT_AUTHOR_EMAIL", "carol@example.com")
        .env("GIT_COMMITTER_NAME", "Carol")
        .env("GIT_COMMITTER_EMAIL", "carol@example.com")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The README with the output of each of its commands as it is.
fn walked(here: &Path, readme: &str) -> String {
    let mut text = String::new();
    let mut lines = readme.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("$ ").filter(|_| inside) else {
            inside = line == "````console" || (inside && line != END);
            text.push_str(&format!("{line}\n"));
            continue;
        };
        text.push_str(&format!("{line}\n"));
        let mut command = first.to_owned();
        while command.ends_with('\\') {
            let more = lines.next().expect("the command goes on");
            text.push_str(&format!("{more}\n"));
            command.push_str(&format!("\n{more}"));
        }
        while lines
            .next_if(|line| !line.starts_with("$ ") && *line != END)
            .is_some()
        {}
        text.push_str(&shell(here, &command));
    }
    text
}

#[test]
fn every_command_of_the_readme_prints_what_it_shows() {
    let readme = fs::read_to_string(root().join(README)).unwrap();
    let commands = readme.lines().filter(|line| line.starts_with("$ ")).count();
    assert!(commands > 10, "the commands are not found");
    let here = copy();
    expect_generated(README, &walked(here.path(), &readme));
}

#[test]
fn what_init_writes_is_what_the_repository_began_with() {
    let here = tempfile::tempdir().unwrap();
    assert_eq!(run(here.path(), &["init"]).code, 0);
    let mut files = files_below(here.path(), "pano");
    for extension in ["txt", "yml", "yaml"] {
        files.extend(files_below(here.path(), extension));
    }
    assert!(files.len() > 6, "{files:?}");
    for file in files {
        let name = file.strip_prefix(here.path()).unwrap();
        let ours = fs::read_to_string(repository().join(name)).unwrap();
        assert_eq!(
            ours,
            fs::read_to_string(&file).unwrap(),
            "{}",
            name.display()
        );
    }
}

/// One recorded unlock: who, with which tags, from where, when, how often.
struct Unlock {
    device: &'static str,
    tags: [&'static str; 2],
    source: &'static str,
    time: &'static str,
    facts: Value,
    times: u64,
}

const fn unlock(
    device: &'static str,
    tags: [&'static str; 2],
    source: &'static str,
    time: &'static str,
    times: u64,
) -> Unlock {
    Unlock {
        device,
        tags,
        source,
        time,
        facts: Value::Null,
        times,
    }
}

fn unlocks() -> Vec<Unlock> {
    let approved = json!({"approvals": [{
        "id": "7fk2q-0vw3m", "groups": ["prod-db"], "source": "198.51.100.20/32",
        "until": "2026-11-16T02:31:00Z",
    }]});
    vec![
        unlock(
            "web-1",
            ["production", "web"],
            "198.51.100.11",
            "2026-11-16T02:11:04Z",
            1,
        ),
        unlock(
            "web-2",
            ["production", "web"],
            "198.51.100.12",
            "2026-11-16T02:11:09Z",
            1,
        ),
        unlock(
            "cache-1",
            ["production", "cache"],
            "198.51.100.15",
            "2026-11-16T02:11:15Z",
            1,
        ),
        unlock(
            "db-1",
            ["production", "database"],
            "198.51.100.20",
            "2026-11-16T02:11:31Z",
            1,
        ),
        unlock(
            "db-1",
            ["production", "database"],
            "198.51.100.20",
            "2026-11-16T02:16:02Z",
            52,
        ),
        Unlock {
            facts: approved,
            ..unlock(
                "db-1",
                ["production", "database"],
                "198.51.100.20",
                "2026-11-16T02:17:40Z",
                1,
            )
        },
        unlock(
            "dev-7",
            ["dev", "web"],
            "203.0.113.41",
            "2026-11-17T08:02:55Z",
            1,
        ),
        unlock(
            "dev-8",
            ["dev", "cache"],
            "203.0.113.44",
            "2026-11-17T21:40:12Z",
            1,
        ),
        unlock(
            "staging-1",
            ["staging", "web"],
            "198.51.100.61",
            "2026-11-18T03:30:07Z",
            1,
        ),
        unlock(
            "staging-1",
            ["staging", "web"],
            "198.51.100.61",
            "2026-11-18T03:35:02Z",
            61,
        ),
        unlock(
            "staging-2",
            ["staging", "database"],
            "198.51.100.62",
            "2026-11-18T03:30:11Z",
            1,
        ),
        unlock(
            "dev-8",
            ["dev", "cache"],
            "198.51.100.200",
            "2026-11-19T23:12:48Z",
            1,
        ),
        unlock(
            "dev-8",
            ["dev", "cache"],
            "198.51.100.200",
            "2026-11-19T23:14:20Z",
            18,
        ),
        unlock(
            "web-2",
            ["production", "web"],
            "192.0.2.77",
            "2026-11-20T14:05:33Z",
            1,
        ),
    ]
}

fn record(program: &Program, number: usize, asked: &Unlock) -> Record {
    let request = serde_json::from_value(json!({
        "device": asked.device,
        "tags": {"env": asked.tags[0], "role": asked.tags[1]},
        "state": "active",
        "source": asked.source,
        "kid": "Ef6YqGOMcXLPCKWZNjTxmOBNV0WbzSBbQYMkFdRfLqU",
    }));
    let request = request.unwrap();
    let facts: UnlockFacts = match &asked.facts {
        Value::Null => UnlockFacts::default(),
        facts => serde_json::from_value(facts.clone()).unwrap(),
    };
    let time = asked.time.parse().unwrap();
    let decision = program.decide_unlock(&request, &facts, time);
    written(
        number,
        time,
        Asked::Unlock { request, facts },
        decision,
        asked.times,
    )
}

fn written(
    number: usize,
    time: jiff::Timestamp,
    asked: Asked,
    decision: Decision,
    times: u64,
) -> Record {
    let first = time - jiff::SignedDuration::from_mins(4);
    Record {
        v: VERSION,
        id: format!("187a9e0b61c2f000-{number:x}"),
        time,
        asked,
        decision,
        repeats: (times > 1).then_some(Repeats {
            n: times,
            first,
            last: time,
        }),
    }
}

fn certificate(program: &Program, number: usize, name: &str) -> Record {
    let request = serde_json::from_value(json!({
        "action": "issue", "project": "web", "requester": "carol", "name": "site",
        "key_type": "ECDSA-P256", "issuer_type": "acme", "san": [name],
        "lifetime_s": 7_776_000, "reason": "new site",
    }));
    let request = Box::new(request.unwrap());
    let facts = Default::default();
    let time = "2026-11-20T09:15:00Z".parse().unwrap();
    let decision = program.decide_issuance(&request, &facts, time);
    written(
        number,
        time,
        Asked::Issuance { request, facts },
        decision,
        1,
    )
}

#[test]
fn the_recorded_week_is_what_its_policies_decided() {
    let policies = repository().join("policies");
    let checked = check_files(&mut Directory::open(&policies).unwrap());
    let program = Program::compile(checked.set.unwrap());
    let unlocks = unlocks();
    let unlocks = unlocks.iter().enumerate();
    let unlocks = unlocks.map(|(number, asked)| record(&program, number, asked));
    let names = ["dns:www.example.com", "dns:x.admin.example.com"]
        .iter()
        .enumerate();
    let certificates = names.map(|(number, name)| certificate(&program, 100 + number, name));
    let lines = unlocks.chain(certificates);
    let lines = lines.map(|record| format!("{}\n", serde_json::to_string(&record).unwrap()));
    expect_generated(
        "examples/repository/recorded/week.jsonl",
        &lines.collect::<String>(),
    );
}
