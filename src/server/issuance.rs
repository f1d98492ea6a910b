//! Jobs of the certificate side, carried out: judged once more and claimed,
//! done by whoever the issuer is, and written down. The scheduler of a start
//! and of every sweep comes through here like everybody else.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::app::App;
use super::clock;
use crate::issuance::execute::{Connectors, carry_out, draw_serial};
use crate::issuance::flow;
use crate::journal::{Actor, Event, JobResult};
use crate::store::{Context, StoreError};
use crate::vocabulary::JobState;

/// Jobs that are being carried out by this process.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashSet<String>>);

impl Running {
    fn begin(&self, id: &str) -> bool {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(id.to_owned())
    }

    fn end(&self, id: &str) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(id);
    }
}

impl App {
    /// Carries out a job that is queued, or that a crash cut off; does nothing
    /// with any other, nor where this process is at it already.
    pub async fn run_job(self: &Arc<Self>, id: &str) {
        if !self.running.begin(id) {
            return;
        }
        if let Err(error) = self.claim_and_run(id).await {
            tracing::error!(%error, job = id, "a job cannot be carried out now");
        }
        self.running.end(id);
    }

    async fn claim_and_run(self: &Arc<Self>, id: &str) -> Result<(), StoreError> {
        let state = self.store.read(|rows| rows.job(id)).map(|job| job.state);
        if state == Some(JobState::Queued) {
            let claimed = self.claim_job(id).await?;
            if !matches!(claimed, Event::JobClaimed { .. }) {
                return Ok(());
            }
        } else if state != Some(JobState::Executing) {
            return Ok(());
        }
        let Some(job) = self.store.read(|rows| rows.job(id)) else {
            return Ok(());
        };
        let Some(claim) = job.claim.clone() else {
            return Ok(());
        };
        let app = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            carry_out(&app.store, &app.connectors, &job, &claim)
        });
        let result = match done.await {
            Ok(Ok(result)) => result,
            Ok(Err(later)) => {
                tracing::warn!(job = id, cause = %later, "a job will be tried again");
                return Ok(());
            }
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
        Ok(())
    }

    async fn claim_job(self: &Arc<Self>, id: &str) -> Result<Event, StoreError> {
        let policy = self.policy.current();
        let now = clock::now();
        let serial = draw_serial().map_err(|error| {
            StoreError::from(crate::store::Refusal::Senseless(error.to_string()))
        })?;
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
                &serial,
                allow_bypass,
                now,
            )?)
        });
        Ok(committed.await?.entry.event().clone())
    }

    /// Carries out whatever waits for it: after a start, and as sweeps go by.
    pub async fn run_jobs(self: &Arc<Self>) {
        for id in self.store.unfinished_jobs() {
            self.run_job(&id).await;
        }
    }
}

/// The issuers that this server can have carry something out.
pub fn connectors() -> Connectors {
    Connectors::default()
}
