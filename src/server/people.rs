//! People in the loop: requests made for devices that wait, grants spent, and
//! what time and policy do to both. Who may decide what is in `approval`; this
//! file brings policy, store and clock together.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::app::App;
use super::clock;
use super::policy::Loaded;
use super::seldom::Seldom;
use crate::approval::{ApprovalRequest, Requirement, Step};
use crate::journal::{Actor, Event};
use crate::store::{Committed, Context, Refusal, Rows, StoreError};
use crate::unlock::{Attempt, Endpoint, Judged, NotGranted, Waiting, draw_id, required_now};

/// Tries at a request that others change meanwhile.
const TRIES: usize = 4;

static TOO_MANY: Seldom = Seldom::new();
static NOT_WRITTEN: Seldom = Seldom::new();

/// How often a request was asked for, and when last.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
}

/// Retries of devices that wait, counted in memory by request.
#[derive(Debug, Default)]
pub struct Sightings(Mutex<HashMap<String, Seen>>);

impl Sightings {
    /// Counts one more.
    pub fn note(&self, id: &str, at: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.get_mut(id) {
            seen.count += 1;
            seen.last = at;
        } else {
            let first = Seen { count: 1, last: at };
            seen.insert(id.to_owned(), first);
        }
    }

    /// What is known of one request.
    pub fn of(&self, id: &str) -> Option<Seen> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(id).copied()
    }

    /// Forgets the requests that are not kept.
    fn retain(&self, keep: impl Fn(&str) -> bool) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|id, _| keep(id));
    }
}

/// What came of an exchange that was allowed when it was first judged.
pub enum Granted {
    /// It may be answered.
    Yes(Box<Judged>),
    /// Policy or people say otherwise now.
    No(Box<Judged>),
    /// A grant was gone, or the store could not write.
    Failed(StoreError),
}

/// What an exchange came to among the changes before it.
enum Heard {
    /// Allowed, with something to spend first.
    Spends(Box<Judged>),
    /// Allowed, with nothing to spend.
    SpendsNothing(Box<Judged>),
    /// Policy or people say otherwise now.
    NotAllowed(Box<Judged>),
}

impl App {
    /// One exchange asked for, under the policy of the moment.
    pub fn attempt(
        &self,
        policy: &Loaded,
        endpoint: Endpoint,
        source: std::net::IpAddr,
        kid: &str,
        now: Timestamp,
    ) -> Attempt {
        Attempt {
            program: Arc::clone(&policy.program),
            endpoint,
            source,
            kid: kid.to_owned(),
            allow_bypass: self.allow_bypass,
            clock_trusted: self.clock.trusts(now),
        }
    }

    fn by_server(&self, attempt: &Attempt, now: Timestamp) -> Context {
        Context {
            actor: Actor::server(),
            time: now,
            policy: Some(attempt.program.set().digest.clone()),
        }
    }

    /// Judges by what the store holds, and counts the time that takes.
    pub fn timed<T>(&self, judge: impl FnOnce(&dyn Rows) -> T) -> T {
        let began = clock::instant();
        let judged = self.store.read(judge);
        let taken = began.elapsed().as_secs_f64();
        self.metrics.decision_seconds.observe(taken);
        judged
    }

    /// Spends what the exchange needs, on disk before this returns. What was
    /// judged before counts for nothing here: it is judged again among the
    /// changes that came before.
    pub async fn grant(&self, attempt: Attempt, now: Timestamp) -> Granted {
        if let Some(found) = self.timed(|rows| attempt.freely(rows, now)) {
            return Granted::Yes(Box::new(attempt.say(found)));
        }
        match self.store.read(|rows| attempt.grant(rows, now)) {
            Ok((judged, None)) => return Granted::Yes(Box::new(judged)),
            Ok((_, Some(_))) => {}
            Err(NotGranted::Judged(judged)) => return Granted::No(judged),
            Err(NotGranted::Gone(refusal)) => return Granted::Failed(refusal.into()),
        }
        let heard = Arc::new(Mutex::new(None));
        let (told, wait) = oneshot::channel();
        let context = self.by_server(&attempt, now);
        let hearing = Arc::clone(&heard);
        let tell = move |found: Heard| {
            *hearing.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        };
        self.store.submit(
            context,
            move |rows| match attempt.grant(rows, now) {
                Ok((found, Some(event))) => {
                    tell(Heard::Spends(Box::new(found)));
                    Ok(event)
                }
                Ok((found, None)) => {
                    tell(Heard::SpendsNothing(Box::new(found)));
                    Err(Refusal::Senseless("nothing is spent".to_owned()).into())
                }
                Err(NotGranted::Judged(found)) => {
                    tell(Heard::NotAllowed(found));
                    Err(Refusal::Senseless("it is not allowed any more".to_owned()).into())
                }
                Err(NotGranted::Gone(refusal)) => Err(refusal.into()),
            },
            move |result| {
                // The client may have gone: what is spent stays spent.
                let _ = told.send(result);
            },
        );
        let result = wait.await.unwrap_or(Err(StoreError::Stopped));
        let found = heard.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (result, found) {
            (Ok(_), Some(Heard::Spends(judged))) => {
                self.count_granted(&judged);
                Granted::Yes(judged)
            }
            // What was to be spent and is not on disk is never granted.
            (Err(StoreError::Refused(_)), Some(Heard::SpendsNothing(judged))) => {
                Granted::Yes(judged)
            }
            (_, Some(Heard::NotAllowed(judged))) => Granted::No(judged),
            (Err(error), _) => Granted::Failed(error),
            (Ok(_), None | Some(Heard::SpendsNothing(_))) => Granted::Failed(StoreError::Stopped),
        }
    }

    fn count_granted(&self, judged: &Judged) {
        use crate::decision::Obligation;
        for obligation in &judged.decision.obligations {
            if let Obligation::RecordBypass { .. } = obligation {
                let covering = self.policy.current();
                for group in covering.program.covering_groups(&judged.request.tags) {
                    self.metrics.count_approval("bypassed", &group);
                }
            }
        }
    }

    /// Makes the request that a waiting device needs, or counts it to the one
    /// that stands for it.
    pub async fn ask_people(self: &Arc<Self>, attempt: Attempt) {
        let now = self.clock.moment();
        for _ in 0..TRIES {
            let Ok(id) = draw_id() else { return };
            let before = match self.store.read(|rows| attempt.wait(rows, &id, now)) {
                Waiting::Known(id) => return self.sightings.note(&id, now),
                Waiting::Nothing => return,
                Waiting::TooMany => {
                    if let Some(left_out) = TOO_MANY.turn() {
                        tracing::warn!(device = %attempt.endpoint.name, source = %attempt.source, left_out, "a device has as many open requests as it may; this address gets none");
                    }
                    return;
                }
                Waiting::Ask(_) => None,
                Waiting::Supersede(id, _) => self.store.approval(&id),
            };
            let (context, asked) = (self.by_server(&attempt, now), attempt.clone());
            let result =
                self.submit_and_wait(context, move |rows| match asked.wait(rows, &id, now) {
                    Waiting::Ask(request) => Ok(Event::ApprovalRequested { request: *request }),
                    Waiting::Supersede(id, step) => Ok(Event::ApprovalStepped { id, step }),
                    Waiting::Known(_) | Waiting::Nothing | Waiting::TooMany => {
                        Err(Refusal::Senseless("it is settled".to_owned()).into())
                    }
                });
            match result.await {
                Ok(committed) => self.count_step(committed.entry.event(), before.as_deref(), now),
                Err(StoreError::Refused(_)) => {}
                Err(error) => {
                    if let Some(left_out) = NOT_WRITTEN.turn() {
                        tracing::error!(%error, left_out, "a device waits for people, and its request cannot be written");
                    }
                    return;
                }
            }
        }
    }

    /// Commits away from the async threads' sight: waits without holding one.
    pub async fn submit_and_wait(
        &self,
        context: Context,
        decide: impl FnOnce(&dyn Rows) -> Result<Event, StoreError> + Send + 'static,
    ) -> Result<Committed, StoreError> {
        let (told, wait) = oneshot::channel();
        self.store.submit(context, decide, move |result| {
            // Whoever asked may have gone.
            let _ = told.send(result);
        });
        wait.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// The tags of a legacy Tang server's hosts, where they are served.
    pub fn legacy_tags(&self) -> Option<BTreeMap<String, String>> {
        self.legacy.as_ref().map(|legacy| legacy.tags.clone())
    }

    /// What the policy of the moment requires for the subject of `request`.
    pub fn required_now(
        &self,
        policy: &Loaded,
        rows: &dyn Rows,
        request: &ApprovalRequest,
        now: Timestamp,
    ) -> Option<Requirement> {
        let legacy = self.legacy_tags();
        required_now(request, &policy.program, rows, legacy.as_ref(), now)
    }

    /// Ends what time or a changed policy has ended, and announces escalations.
    /// Nobody depends on when: deadlines are judged when they are read.
    pub async fn sweep(self: &Arc<Self>) {
        let now = clock::now();
        if !self.clock.trusts(now) {
            return;
        }
        let policy = self.policy.current();
        for id in self.store.open_approvals() {
            let (program, legacy) = (Arc::clone(&policy.program), self.legacy_tags());
            let step = move |rows: &dyn Rows| -> Option<(Arc<ApprovalRequest>, Step)> {
                let request = rows.approval(&id)?;
                let required = required_now(&request, &program, rows, legacy.as_ref(), now);
                let step = request
                    .lapse(required.as_ref(), now)
                    .or_else(|| request.escalates(now))?;
                Some((request, step))
            };
            let Some((request, _)) = self.store.read(&step) else {
                continue;
            };
            let context = Context {
                actor: Actor::server(),
                time: now,
                policy: Some(policy.set.digest.clone()),
            };
            let id = request.id().to_owned();
            let result = self.submit_and_wait(context, move |rows| match step(rows) {
                Some((_, step)) => Ok(Event::ApprovalStepped { id, step }),
                None => Err(Refusal::Senseless("nothing has lapsed".to_owned()).into()),
            });
            match result.await {
                Ok(committed) => self.count_step(committed.entry.event(), Some(&request), now),
                Err(StoreError::Refused(_)) => {}
                Err(error) => {
                    tracing::error!(%error, "an approval request cannot be tidied");
                    return;
                }
            }
        }
        self.renew_due(now).await;
        self.run_jobs();
        let kept = |id: &str| self.store.approval(id).is_some();
        self.sightings.retain(kept);
    }

    /// Counts what a step made of a request.
    pub fn count_step(&self, event: &Event, before: Option<&ApprovalRequest>, now: Timestamp) {
        let Event::ApprovalStepped { step, .. } = event else {
            return;
        };
        let (Some(before), Some(to)) = (before, step.to()) else {
            return;
        };
        if to == before.state {
            return;
        }
        use crate::vocabulary::ApprovalState as S;
        let outcome = match to {
            S::Approved | S::Executed => "approved",
            S::Denied => "denied",
            S::Rejected => "rejected",
            S::Expired => "expired",
            S::Cancelled => "cancelled",
            S::Superseded => "superseded",
            S::Pending | S::Collecting | S::Executing | S::Spent => return,
        };
        for group in &before.requirement().groups {
            self.metrics.count_approval(outcome, &group.name);
        }
        if before.state == S::Pending {
            let age = now.duration_since(before.created).as_secs_f64();
            self.metrics.pending_age_seconds.observe(age);
        }
    }

    /// Looks at the clock, and says what it found in log and journal.
    pub async fn watch_clock(self: &Arc<Self>) {
        let event = match self.clock.look() {
            clock::Look::Steady | clock::Look::Frozen => return,
            clock::Look::Jumped => {
                let trusted = self.clock.trusted();
                self.metrics.clock_frozen.set(1);
                tracing::error!(%trusted, now = %clock::now(), "CLOCK: it jumped; approvals and one-time unlocks are frozen and denials hold until it is right again, or somebody accepts it with `panopol audit accept-clock`");
                Event::ClockJumped { trusted }
            }
            clock::Look::Recovered => {
                self.metrics.clock_frozen.set(0);
                tracing::warn!("the clock is where it should be again");
                let note = "it came back by itself".to_owned();
                Event::ClockAccepted { note }
            }
        };
        let context = self.context(Actor::server());
        if let Err(error) = self.submit_and_wait(context, move |_| Ok(event)).await {
            tracing::error!(%error, "the journal cannot say that the clock jumped");
        }
    }
}
