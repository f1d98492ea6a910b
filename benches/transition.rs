//! What people in the loop cost: the durable transition beside a bare append
//! and `fdatasync` of as many bytes, alone and with 64 at once; and an
//! exchange that waits or is denied beside one that is allowed.
//!
//! One table of medians and ratios. Ratios of one run mean something; bare
//! times of two machines do not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    missing_docs,
    reason = "a benchmark reads the clock, and fails by panicking"
)]

use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use panopol::approval::{Act, By};
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::journal::{Actor, Event};
use panopol::keyring::MasterKey;
use panopol::source::load::InMemory;
use panopol::store::{Context, Enrollment, Settings, Store};
use panopol::tang::{Exchange, OpenSsl, check_request};
use panopol::unlock::{Attempt, NewBinding, Rings, Waiting, draw_binding, draw_id, required_now};
use panopol::vocabulary::Verdict;

const POLICY: &str = r#"edition 2026
tag kind = open | covered
person maria { email "maria@example.com" }
unlock all { allow from 192.0.2.0/24 }
approval everything {
  on        unlock where kind == covered
  approvers person maria
  claim     1h
  collect   1h up to 50
  binds     device
}
"#;
const ROUNDS: usize = 1000;
const CALLERS: usize = 64;

fn context() -> Context {
    Context {
        actor: Actor::person("maria"),
        time: Timestamp::now(),
        policy: None,
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn time(rounds: usize, mut work: impl FnMut()) -> Duration {
    let each = (0..rounds).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed()
    });
    median(each.collect())
}

/// The time of each of all calls where so many callers call at once.
fn together(rounds: usize, work: impl Fn(usize) + Sync) -> Duration {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let work = &work;
            scope.spawn(move || (0..rounds / CALLERS).for_each(|_| work(caller)));
        }
    });
    began.elapsed() / u32::try_from(rounds / CALLERS * CALLERS).unwrap()
}

struct World {
    store: Store,
    program: Arc<Program>,
    rings: Rings,
}

impl World {
    fn new(directory: &std::path::Path) -> World {
        let settings = Settings {
            directory: directory.to_owned(),
            master_key: MasterKey::parse(&"5".repeat(64)).unwrap(),
            anchor: None,
        };
        let mut files = InMemory::default();
        files.files.insert("p.pano".to_owned(), POLICY.into());
        World {
            store: Store::open(settings, Timestamp::now()).unwrap(),
            program: Arc::new(Program::compile(check_files(&mut files).set.unwrap())),
            rings: Rings::default(),
        }
    }

    /// An attempt of a new device, and the body of its request.
    fn attempt(&self, name: &str, kind: &str, source: [u8; 4]) -> Attempt {
        let NewBinding { enroll, told } = draw_binding(1, None).unwrap();
        let kid = enroll.keys.public[1].thumbprint.clone();
        let enrollment = Enrollment {
            name: name.to_owned(),
            tags: [("kind".to_owned(), kind.to_owned())].into(),
            bindings: vec![enroll],
            enrollment_key: None,
        };
        self.store.enroll(context(), enrollment).unwrap();
        Attempt {
            program: Arc::clone(&self.program),
            endpoint: self.rings.find(&self.store, &told.token).unwrap().unwrap(),
            source: IpAddr::from(source),
            kid,
            allow_bypass: false,
            clock_trusted: true,
        }
    }

    fn approve(&self, attempt: &Attempt) {
        let id = draw_id().unwrap();
        let (asked, made) = (attempt.clone(), id.clone());
        let request = self.store.commit(context(), move |rows| {
            match asked.wait(rows, &made, Timestamp::now()) {
                Waiting::Ask(request) => Ok(Event::ApprovalRequested { request: *request }),
                other => panic!("{other:?}"),
            }
        });
        request.unwrap();
        let program = Arc::clone(&self.program);
        let approved = self.store.commit(context(), move |rows| {
            let now = Timestamp::now();
            let row = rows.approval(&id).unwrap();
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
            let current = required_now(&row, &program, rows, None, now);
            let step = row.judge(&act, current.as_ref(), now).unwrap();
            Ok(Event::ApprovalStepped { id, step })
        });
        approved.unwrap();
    }

    /// So many devices, each with an approval to spend.
    fn approved(&self, name: &str, count: usize) -> Vec<Attempt> {
        let named = (0..count).map(|number| format!("{name}-{number}"));
        let attempts = named.map(|name| self.attempt(&name, "covered", [192, 0, 2, 1]));
        attempts.inspect(|attempt| self.approve(attempt)).collect()
    }

    /// One spend, on disk; the bytes of its entry.
    fn spend(&self, attempt: &Attempt) -> usize {
        let asked = attempt.clone();
        let before = self.store.link().end;
        let spent = self.store.commit(context(), move |rows| {
            match asked.grant(rows, Timestamp::now()) {
                Ok((_, Some(event))) => Ok(event),
                other => panic!("{other:?}"),
            }
        });
        spent.unwrap();
        usize::try_from(self.store.link().end - before).unwrap()
    }

    /// What the unlock plane does between body and reply, without HTTP.
    fn exchange(&self, attempt: &Attempt, body: &[u8], backend: &dyn Exchange) -> &'static str {
        let now = Timestamp::now();
        let ring = attempt.endpoint.ring.clone().unwrap();
        let ((), point) =
            check_request(body, || ring.exchange_key(&attempt.kid).map(|_| ())).unwrap();
        let judged = self.store.read(|rows| attempt.judge(rows, now));
        match judged.decision.outcome.word() {
            "allow" => {
                let key = ring.exchange_key(&attempt.kid).unwrap();
                let product = backend.multiply(key, &point).unwrap();
                self.store.read(|rows| attempt.grant(rows, now)).unwrap();
                std::hint::black_box(product.to_reply());
                "allow"
            }
            "pending" => {
                let known = self.store.read(|rows| attempt.wait(rows, "id", now));
                assert!(matches!(known, Waiting::Known(_)));
                "pending"
            }
            other => other,
        }
    }
}

/// A client's request, as Clevis makes one.
fn body() -> Vec<u8> {
    let key = panopol::tang::ExchangeKey::generate().unwrap();
    let jwk: serde_json::Value = serde_json::from_str(&key.public().to_jwk()).unwrap();
    serde_json::json!({
        "alg": "ECMR", "crv": "P-521", "kty": "EC", "key_ops": ["deriveKey"],
        "x": jwk["x"], "y": jwk["y"],
    })
    .to_string()
    .into_bytes()
}

fn row(what: &str, time: Duration, peer: Duration) {
    let ratio = time.as_secs_f64() / peer.as_secs_f64();
    println!(
        "| {what} | {:.1} µs | {ratio:.2} |",
        time.as_secs_f64() * 1e6
    );
}

fn main() {
    let directory = tempfile::tempdir_in(std::env::current_dir().unwrap().join("target")).unwrap();
    let world = World::new(&directory.path().join("store"));
    let covered = world.attempt("covered", "covered", [192, 0, 2, 1]);
    world.approve(&covered);
    let bytes = vec![b'x'; world.spend(&covered)];
    let bare = Mutex::new(File::create(directory.path().join("bare")).unwrap());
    let append = || {
        let mut bare = bare.lock().unwrap();
        bare.write_all(&bytes).unwrap();
        bare.sync_data().unwrap();
    };
    println!(
        "| {} bytes an entry | time | ratio |\n|---|---|---|",
        bytes.len()
    );
    let alone = time(ROUNDS, append);
    row("append + fdatasync, alone", alone, alone);
    // Fifty uses of each of so many approvals.
    let several = world.approved("alone", ROUNDS / 50);
    let mut uses = several.iter().flat_map(|one| std::iter::repeat_n(one, 50));
    let spent = time(ROUNDS, || {
        world.spend(uses.next().unwrap());
    });
    row("a spend, alone", spent, alone);
    let crowd = together(ROUNDS, |_| append());
    row("append + fdatasync, 64 at once, each", crowd, crowd);
    let several = world.approved("crowd", CALLERS);
    let spent = together(ROUNDS, |caller| {
        world.spend(&several[caller]);
    });
    row("a spend, 64 at once, each", spent, crowd);

    let backend = OpenSsl::new().unwrap();
    let body = body();
    let open = world.attempt("open", "open", [192, 0, 2, 1]);
    let denied = world.attempt("denied", "open", [198, 51, 100, 1]);
    let pending = world.attempt("pending", "covered", [192, 0, 2, 9]);
    let made = pending.clone();
    let asked = world.store.commit(context(), move |rows| {
        match made.wait(rows, "waits", Timestamp::now()) {
            Waiting::Ask(request) => Ok(Event::ApprovalRequested { request: *request }),
            other => panic!("{other:?}"),
        }
    });
    asked.unwrap();
    let of = |attempt: &Attempt, outcome: &str| {
        time(ROUNDS, || {
            assert_eq!(world.exchange(attempt, &body, &backend), outcome)
        })
    };
    let allowed = of(&open, "allow");
    row("an allowed exchange", allowed, allowed);
    row("a denied one", of(&denied, "deny"), allowed);
    row("a pending one", of(&pending, "pending"), allowed);
}
