//! Renewals that nobody has to ask for: the scheduler is a service with an
//! owner, and asks as it would by its token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::admin;
use super::app::App;
use super::policy::Loaded;
use crate::access;
use crate::decision::Decision;
use crate::issuance::flow::{Order, Submitted};
use crate::issuance::renewal;
use crate::journal::{Actor, Event};
use crate::store::{Context, Refusal, Schedule, StoreError};
use crate::unlock::draw_id;
use crate::vocabulary::{Outcome, Role};

/// How long a standing order that the policy refuses is left alone.
const REST: SignedDuration = SignedDuration::from_hours(1);

/// Standing orders that were refused, and until when they rest.
#[derive(Debug, Default)]
pub struct Resting(Mutex<HashMap<String, (Timestamp, String)>>);

impl Resting {
    fn rests(&self, id: &str, now: Timestamp) -> bool {
        let resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(id).is_some_and(|(until, _)| now < *until)
    }

    fn rest(&self, id: &str, now: Timestamp, cause: String) {
        let until = now.checked_add(REST).unwrap_or(now);
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(id.to_owned(), (until, cause));
    }

    /// Why a standing order was refused the last time.
    pub fn cause(&self, id: &str) -> Option<String> {
        let resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(id).map(|(_, cause)| cause.clone())
    }
}

/// The person who answers for a service that may ask in a project.
///
/// # Errors
/// Why it may not.
pub(super) fn owner(
    policy: &Loaded,
    service: &str,
    project: Option<&str>,
) -> Result<String, String> {
    let id = policy.set.services.find(service);
    let id = id.ok_or_else(|| format!("no service `{service}` is declared"))?;
    let actor = crate::ir::selector::Actor::Service(id);
    if policy.program.role_in(actor, project) < Some(Role::Operator) {
        return Err(format!(
            "`{service}` is not operator or above in {}",
            project.map_or("org".to_owned(), |name| format!("project `{name}`"))
        ));
    }
    let owner = access::person_behind(&policy.set, actor);
    Ok(policy.set.persons.name(owner).to_owned())
}

impl App {
    /// Has each standing order that is due ask for its renewal.
    pub async fn renew_due(self: &Arc<Self>, now: Timestamp) {
        for schedule in self.store.schedules() {
            let id = &schedule.new.id;
            let due = self
                .store
                .read(|rows| renewal::is_due(rows, &schedule, now));
            if !due || self.resting.rests(id, now) {
                continue;
            }
            if let Err(cause) = self.renew(&schedule, now).await {
                tracing::error!(renewal = %id, certificate = %schedule.certificate, %cause, "a renewal is not asked for");
                self.resting.rest(id, now, cause);
            }
        }
    }

    async fn renew(self: &Arc<Self>, schedule: &Schedule, now: Timestamp) -> Result<(), String> {
        let policy = self.policy.current();
        let order = self.renewal_order(&policy, schedule, now)?;
        let request = order.request.clone();
        let draw = || draw_id().map_err(|error| error.to_string());
        let (job, approval) = (draw()?, draw()?);
        let submitted = order.submit(&policy.program, &job, &approval, self.allow_bypass, now);
        let decision = submitted.decision().clone();
        admin::record_issuance(self, request, &decision, now);
        let context = Context {
            actor: Actor {
                person: Some(schedule.new.service.clone()),
                credential: Some(format!("renewal:{}", schedule.new.id)),
                minter: None,
            },
            time: now,
            policy: Some(policy.set.digest.clone()),
        };
        match submitted {
            Submitted::Refused(_) => Err(why(&decision)),
            Submitted::Waits(_, event) | Submitted::Allowed(_, event) => {
                self.submit_renewal(context, schedule, event, now).await?;
                if decision.outcome == Outcome::Allow {
                    self.run_job(&job).await;
                }
                Ok(())
            }
            Submitted::Nobody(_, event) => {
                self.submit_renewal(context.clone(), schedule, event, now)
                    .await?;
                let step = admin::nobody(&approval);
                let ended = self.submit_and_wait(context, move |_| Ok(step)).await;
                ended.map_err(|error| error.to_string())?;
                Err(why(&decision))
            }
        }
    }

    fn renewal_order(
        &self,
        policy: &Loaded,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<Order, String> {
        let certificate = self
            .store
            .read(|rows| rows.certificate(&schedule.certificate))
            .ok_or("its certificate is gone")?;
        let project = certificate.request.project.as_deref();
        let owner = owner(policy, &schedule.new.service, project)?;
        let order = self
            .store
            .read(|rows| renewal::order(rows, schedule, &owner))
            .map_err(|error| error.to_string())?;
        let served = self
            .connectors
            .expect_served(&self.store, &order.request, now);
        served.map_err(|error| error.to_string())?;
        Ok(order)
    }

    /// Writes the job down, if the order is still due among the changes that
    /// came before: two of them would be two certificates.
    async fn submit_renewal(
        self: &Arc<Self>,
        context: Context,
        schedule: &Schedule,
        event: Event,
        now: Timestamp,
    ) -> Result<(), String> {
        let id = schedule.new.id.clone();
        let seen = schedule.certificate.clone();
        let done = self.submit_and_wait(context, move |rows| {
            let row = rows.schedule(&id);
            let still =
                row.is_some_and(|row| row.certificate == seen && renewal::is_due(rows, &row, now));
            match still {
                true => Ok(event),
                false => Err(Refusal::Senseless("it is not due any more".to_owned()).into()),
            }
        });
        match done.await {
            Ok(_) | Err(StoreError::Refused(Refusal::Senseless(_))) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn why(decision: &Decision) -> String {
    let reasons = decision.reasons.iter();
    let reasons: Vec<&str> = reasons.map(|one| one.message.as_str()).collect();
    reasons.join("; ")
}
