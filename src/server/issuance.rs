//! Jobs of the certificate side, carried out: judged once more and claimed,
//! done by whoever the issuer is, and written down. The scheduler of a start
//! and of every sweep comes through here like everybody else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::app::App;
use super::clock;
use super::config::Settings;
use super::secrets;
use crate::issuance::execute::{Connectors, Tried, carry_out, draw_serial};
use crate::issuance::flow;
use crate::issuance::issuers::{self, Issuers, IssuersError, Named, StepCa};
use crate::issuance::step_ca::Asking;
use crate::issuance::webhook::pause;
use crate::journal::{Actor, Event, JobResult};
use crate::keyring::{self, SecretBytes};
use crate::store::{Context, StoreError};
use crate::vocabulary::{Action, JobState};

/// How long whoever sets a job going waits for what comes of it; it goes on
/// without them.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest file of issuers or of certificates.
const LONGEST: u64 = 1 << 20;

/// A job that was tried, and is not over.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// How often it was tried.
    pub count: u32,
    /// What went wrong the last time.
    pub cause: String,
    /// When it is tried again.
    next: Instant,
}

#[derive(Debug, Default)]
struct Standing {
    /// Whether somebody is at it.
    busy: bool,
    attempts: Option<Attempts>,
}

/// Jobs that are being carried out by this process, and those that wait to be
/// tried again.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashMap<String, Standing>>);

impl Running {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Standing>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a job, so that nobody else carries it out meanwhile.
    pub fn begin(&self, id: &str, now: Instant) -> bool {
        self.with(|jobs| {
            let job = jobs.entry(id.to_owned()).or_default();
            let early = job.attempts.as_ref().is_some_and(|past| now < past.next);
            if job.busy || early {
                return false;
            }
            job.busy = true;
            true
        })
    }

    /// Lets a job go that was taken.
    pub fn end(&self, id: &str, again: Option<Attempts>) {
        self.with(|jobs| match again {
            None => drop(jobs.remove(id)),
            Some(attempts) => {
                let job = jobs.entry(id.to_owned()).or_default();
                job.busy = false;
                job.attempts = Some(attempts);
            }
        });
    }

    /// What is known of a job that was tried and is not over.
    pub fn attempts(&self, id: &str) -> Option<Attempts> {
        self.with(|jobs| jobs.get(id)?.attempts.clone())
    }
}

/// What an attempt at a job came to.
enum Came {
    /// Nothing is left to do.
    Settled,
    /// It is to be tried again.
    Again {
        cause: String,
        after: Option<Duration>,
    },
}

impl App {
    /// Carries out a job that is queued, or that a crash cut off; does nothing
    /// with any other, nor where this process is at it already, nor while the
    /// clock is not trusted. Waits a little for what comes of it.
    pub async fn run_job(self: &Arc<Self>, id: &str) {
        if let Some(task) = self.start_job(id) {
            // Whoever waits may go: the job goes on.
            let _ = tokio::time::timeout(PATIENCE, task).await;
        }
    }

    fn start_job(self: &Arc<Self>, id: &str) -> Option<tokio::task::JoinHandle<()>> {
        let job = self.store.read(|rows| rows.job(id))?;
        if job.state == JobState::Queued && self.connectors.asks(&job.new.request) {
            return None;
        }
        // A certificate begins and ends by the clock, and waits for one that is
        // right; to end one does not.
        let ends = job.new.request.action == Action::Revoke;
        if !ends && !self.clock.trusts(clock::now()) {
            return None;
        }
        if !self.running.begin(id, clock::instant()) {
            return None;
        }
        let (app, id) = (Arc::clone(self), id.to_owned());
        Some(tokio::spawn(async move {
            let came = app.claim_and_run(&id).await;
            let again = match came {
                Ok(Came::Settled) => None,
                Ok(Came::Again { cause, after }) => Some(app.again(&id, cause, after)),
                Err(error) => Some(app.again(&id, error.to_string(), None)),
            };
            app.running.end(&id, again);
        }))
    }

    fn again(&self, id: &str, cause: String, after: Option<Duration>) -> Attempts {
        let count = self.running.attempts(id).map_or(0, |past| past.count);
        // Without chance the pauses are only less spread.
        let chance = keyring::random::<1>().map_or(0, |[byte]| byte);
        let pause = pause(count, after, chance);
        tracing::warn!(job = id, %cause, again_in_s = pause.as_secs(), "a job will be tried again");
        Attempts {
            count: count.saturating_add(1),
            cause,
            next: clock::instant() + pause,
        }
    }

    async fn claim_and_run(self: &Arc<Self>, id: &str) -> Result<Came, StoreError> {
        let state = self.store.read(|rows| rows.job(id)).map(|job| job.state);
        if state == Some(JobState::Queued) {
            let claimed = self.claim_job(id).await?;
            if !matches!(claimed, Event::JobClaimed { .. }) {
                return Ok(Came::Settled);
            }
        } else if state != Some(JobState::Executing) {
            return Ok(Came::Settled);
        }
        let Some(job) = self.store.read(|rows| rows.job(id)) else {
            return Ok(Came::Settled);
        };
        let Some(claim) = job.claim.clone() else {
            return Ok(Came::Settled);
        };
        let (app, now) = (Arc::clone(self), clock::now());
        let done = tokio::task::spawn_blocking(move || {
            carry_out(&app.store, &app.connectors, &job, &claim, now)
        });
        let result = match done.await {
            Ok(Ok(Tried::Over(result))) => result,
            Ok(Ok(Tried::Later { cause, after })) => return Ok(Came::Again { cause, after }),
            Ok(Err(error)) => return Err(error),
            Err(fault) => JobResult::Failed {
                cause: format!("a fault of the server: {fault}"),
            },
        };
        if let JobResult::Failed { cause } = &result {
            tracing::error!(job = id, %cause, "a job failed");
        }
        let event = Event::JobFinished {
            id: id.to_owned(),
            result,
        };
        self.submit_and_wait(self.context(Actor::server()), move |_| Ok(event))
            .await?;
        Ok(Came::Settled)
    }

    /// Judges a job once more and claims it, or ends it.
    pub(super) async fn claim_job(self: &Arc<Self>, id: &str) -> Result<Event, StoreError> {
        let policy = self.policy.current();
        let now = clock::now();
        let drawn = draw_serial().map_err(|error| {
            StoreError::from(crate::store::Refusal::Senseless(error.to_string()))
        })?;
        let job = self.store.read(|rows| rows.job(id));
        let elsewhere = job.is_some_and(|job| self.connectors.draws_serial(&job.new.request));
        let serial = (!elsewhere).then_some(drawn);
        let context = Context {
            actor: Actor::server(),
            time: now,
            policy: Some(policy.set.digest.clone()),
        };
        let (program, allow_bypass) = (Arc::clone(&policy.program), self.allow_bypass);
        let id = id.to_owned();
        let committed = self.submit_and_wait(context, move |rows| {
            Ok(flow::claim(
                rows,
                &id,
                &program,
                serial.as_deref(),
                allow_bypass,
                now,
            )?)
        });
        Ok(committed.await?.entry.event().clone())
    }

    /// Sets going whatever waits to be carried out: after a start, and as
    /// sweeps go by. No sweep waits for another CA.
    pub fn run_jobs(self: &Arc<Self>) {
        for id in self.store.unfinished_jobs() {
            let _ = self.start_job(&id);
        }
    }
}

/// Why the issuers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IssuersFileError {
    /// The file cannot be read.
    #[error("`issuers`: cannot read `{path}`: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file makes no sense.
    #[error("`issuers`: `{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        cause: IssuersError,
    },
}

/// What the file of issuers names, from where it stands.
struct OnDisk;

impl Named for OnDisk {
    fn secret(&self, source: &str) -> Result<SecretBytes, String> {
        secrets::read(source).map_err(|error| error.to_string())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = read_text(Path::new(path)).map_err(|error| error.to_string())?;
        Ok(text.into_bytes())
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LONGEST {
        true => Err(std::io::Error::other("it is longer than 1 MiB")),
        false => Ok(text),
    }
}

/// Reads the issuers that the settings name; none where they name no file.
///
/// # Errors
/// The file, with the line.
pub fn read(settings: &Settings) -> Result<Issuers, IssuersFileError> {
    let Some(path) = settings.issuers.clone() else {
        return Ok(Issuers::default());
    };
    match read_text(&path) {
        Err(cause) => Err(IssuersFileError::Read { path, cause }),
        Ok(text) => {
            issuers::parse(&text, &OnDisk).map_err(|cause| IssuersFileError::File { path, cause })
        }
    }
}

/// The issuers that this server can have carry something out.
pub fn connectors(issuers: Issuers) -> (Connectors, Vec<StepCa>) {
    let mut connectors = Connectors::default();
    for (issuer_type, webhook) in issuers.webhooks {
        let id = webhook.id.clone();
        connectors.add(issuer_type.word(), &id, Arc::new(webhook));
    }
    for asking in &issuers.step_cas {
        connectors.add(asking.issuer_type.word(), &asking.id, Arc::new(Asking));
    }
    (connectors, issuers.step_cas)
}
