//! What every request of both planes shares.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::access::Access;
use crate::eval::Program;
use crate::journal::Actor;
use crate::store::{Context, Store, StoreError};
use crate::unlock::Rings;
use crate::vocabulary::DeviceState;

use super::clock;
use super::legacy::Legacy;
use super::limits::Limits;
use super::metrics::Metrics;
use super::people::Sightings;
use super::policy::{PolicyLife, Reload};
use super::pool::Pool;
use super::problem::Problem;
use super::records::Records;

/// How many devices are looked at between two looks at the store.
const PAGE: usize = 1024;

/// The server's state. Nothing here is replaced while it runs but what says so.
pub struct App {
    /// The policy that decides; replaced whole by a reload.
    pub policy: PolicyLife,
    /// Durable state.
    pub store: Store,
    /// Who may do what.
    pub access: Access,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where decisions are recorded.
    pub records: Records,
    /// How often one may ask.
    pub limits: Limits,
    /// Where exchanges are computed.
    pub pool: Pool,
    /// Keys that are open.
    pub rings: Rings,
    /// A Tang server whose hosts are served too.
    pub legacy: Option<Legacy>,
    /// The unlock plane as devices reach it, without a trailing slash.
    pub unlock_url: String,
    /// Where backups are written.
    pub backups: std::path::PathBuf,
    /// Where the first owner's claim is written.
    pub claim_file: std::path::PathBuf,
    /// Whether forwarding headers are passed over rather than refused.
    pub ignore_forwarded: bool,
    /// Whether bypasses hold.
    pub allow_bypass: bool,
    /// Whether the wall clock is trusted.
    pub clock: clock::Watch,
    /// Jobs that are being carried out.
    pub running: super::issuance::Running,
    /// Who carries them out.
    pub connectors: crate::issuance::execute::Connectors,
    /// CAs that ask here before they sign.
    pub step_cas: Vec<crate::issuance::issuers::StepCa>,
    /// They ask one after the other: what one is told depends on the last.
    pub step_ca_turn: tokio::sync::Mutex<()>,
    /// Standing orders that were refused.
    pub resting: super::renewals::Resting,
    /// How often devices that wait have asked.
    pub sightings: Sightings,
    /// Answers to calls with an idempotency key, of this run.
    pub answered: Mutex<BTreeMap<(String, String), Answered>>,
    /// Who listens to what happens.
    pub streams: super::streams::Streams,
    /// The last CRL of each authority.
    pub revocation_lists: Mutex<BTreeMap<String, MadeList>>,
}

/// A CRL that was made.
#[derive(Clone, Debug)]
pub struct MadeList {
    /// The version of the authority's row.
    pub version: u64,
    /// When it was made.
    pub made: jiff::Timestamp,
    /// The list, PEM.
    pub pem: String,
}

/// What was asked under an idempotency key, and what was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The request's body.
    pub asked: serde_json::Value,
    /// The answer's.
    pub answer: serde_json::Value,
}

impl App {
    /// What a change made by `actor` now is written with.
    pub fn context(&self, actor: Actor) -> Context {
        Context {
            actor,
            time: clock::now(),
            policy: Some(self.policy.current().set.digest.clone()),
        }
    }

    /// Runs work that waits for the disk away from the async threads.
    ///
    /// # Errors
    /// What the work says; an internal problem where it panics.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(done) => done,
            Err(fault) => {
                tracing::error!(%fault, "a request ended by a fault");
                Err(Problem::internal(
                    "the request ended by a fault of the server",
                ))
            }
        }
    }

    /// Reads the policy again, for `actor`; waits for the disk.
    ///
    /// # Errors
    /// The store cannot record it; the old policy then stays.
    pub fn reload(&self, actor: Actor) -> Result<Reload, StoreError> {
        let context = self.context(actor);
        // A watch and a call may read one broken tree; it is refused once.
        let known = self.policy.degraded();
        let done = self
            .policy
            .reload(clock::now(), |reload, loaded| match reload {
                Reload::Unchanged { .. } => Ok(()),
                Reload::Loaded {
                    digest, summary, ..
                } => {
                    self.warm(&loaded.program);
                    self.keep_policy(digest, &loaded.snapshot)?;
                    let summary = summary.join("; ");
                    self.store
                        .policy_reloaded(context, digest.clone(), summary)?;
                    Ok(())
                }
                Reload::Rejected { cause, .. } if known.as_ref() == Some(cause) => Ok(()),
                Reload::Rejected { cause, .. } => {
                    self.store.policy_rejected(context, None, cause.clone())?;
                    Ok::<(), StoreError>(())
                }
            })?;
        let result = match &done {
            Reload::Unchanged { digest } => {
                tracing::info!(%digest, "the policy was read, and is the one that decides");
                "unchanged"
            }
            Reload::Loaded {
                digest, summary, ..
            } => {
                tracing::info!(%digest, changes = summary.len(), "another policy decides");
                "loaded"
            }
            Reload::Rejected { cause, .. } => {
                tracing::error!(%cause, "the policy on disk is refused; the last good one stays");
                "rejected"
            }
        };
        self.metrics.count_reload(result);
        self.metrics
            .degraded
            .set(i64::from(self.policy.degraded().is_some()));
        Ok(done)
    }

    /// Makes a program ready for the devices that there are, before it
    /// decides: no exchange then pays for what a reload changed.
    pub fn warm(&self, program: &Program) {
        if let Some(legacy) = &self.legacy {
            program.warm(&legacy.tags);
        }
        let mut after: Option<String> = None;
        loop {
            let devices = self.store.devices(after.as_deref(), PAGE);
            let Some(last) = devices.last() else {
                return;
            };
            after = Some(last.name.clone());
            for device in devices {
                if device.state != DeviceState::Revoked {
                    program.warm(&device.tags);
                }
            }
        }
    }

    /// Keeps the bytes of the policy that decides, for a start with a broken tree.
    ///
    /// # Errors
    /// The disk said no.
    pub fn keep_policy(
        &self,
        digest: &str,
        files: &crate::source::load::InMemory,
    ) -> Result<(), StoreError> {
        let files: Vec<_> = files
            .files
            .iter()
            .map(|(path, bytes)| crate::source::load::LoadedFile {
                path: path.clone(),
                bytes: bytes.clone(),
            })
            .collect();
        self.store.save_last_good(digest, &files)
    }

    /// The answer that was given to this caller's idempotency key.
    pub fn answered(&self, key: &(String, String)) -> Option<Answered> {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.get(key).cloned()
    }

    /// Remembers an answer; at most `most`, the oldest keys in order go first.
    pub fn remember(&self, key: (String, String), answer: Answered, most: usize) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        while answered.len() >= most {
            answered.pop_first();
        }
        answered.insert(key, answer);
    }
}
