//! From what is asked of the certificate side to the job that does it: judged
//! when it is asked, and judged again when it is done.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::approval::{ApprovalRequest, NewRequest, Requirement, Subject};
use crate::decision::{Decision, Obligation};
use crate::eval::Program;
use crate::journal::{Event, JobClaim, NewJob, Repeatable, SYSTEM_BYPASS};
use crate::request::{Approved, IssuanceFacts, IssuanceRequest};
use crate::store::{Job, Refusal, Rows};
use crate::vocabulary::{Action, ApprovalState, JobState, Outcome, RevocationReason, Role};

/// What is asked, its names resolved from the CSR or from the certificate.
#[derive(Clone, Debug)]
pub struct Order {
    /// What the policy judges.
    pub request: IssuanceRequest,
    /// The CSR, PEM.
    pub csr: Option<String>,
    /// The SHA-256 of the CSR's bytes.
    pub csr_digest: Option<String>,
    /// The SHA-256 of the key, where no CSR is seen.
    pub key_digest: Option<String>,
    /// The certificate that it is done to.
    pub certificate: Option<String>,
    /// Why a certificate is to be revoked.
    pub revocation: Option<RevocationReason>,
    /// The standing order that asks.
    pub schedule: Option<String>,
    /// Everyone who counts as having asked.
    pub requesters: BTreeSet<String>,
    /// What the requester was warned of and acknowledged.
    pub acknowledged: Vec<String>,
}

/// What an order comes to.
#[derive(Debug)]
pub enum Submitted {
    /// The policy says no.
    Refused(Decision),
    /// Nobody could ever approve it.
    Nobody(Decision, Event),
    /// It waits for people.
    Waits(Decision, Event),
    /// It may be done at once.
    Allowed(Decision, Event),
}

impl Submitted {
    /// The decision that it is told by.
    pub fn decision(&self) -> &Decision {
        match self {
            Submitted::Refused(decision)
            | Submitted::Nobody(decision, _)
            | Submitted::Waits(decision, _)
            | Submitted::Allowed(decision, _) => decision,
        }
    }

    /// Keeps with the job what a repeat of its submission is answered.
    pub fn keep_answer(&mut self, repeatable: Repeatable) {
        match self {
            Submitted::Refused(_) => {}
            Submitted::Nobody(_, event)
            | Submitted::Waits(_, event)
            | Submitted::Allowed(_, event) => {
                if let Event::JobSubmitted { job, .. } = event {
                    job.repeatable = Some(repeatable);
                }
            }
        }
    }
}

/// Judges a request with the approval that it has, if it has one.
pub fn judge(
    program: &Program,
    request: &IssuanceRequest,
    approval: Option<&ApprovalRequest>,
    allow_bypass: bool,
    now: Timestamp,
) -> (IssuanceFacts, Decision) {
    let current = program.requirement_of(request, now);
    let approved = approval.zip(current.as_ref()).and_then(|(row, current)| {
        let live = row.state_at(now) == ApprovalState::Approved && row.holds(current, now);
        live.then(|| Approved {
            id: row.id().to_owned(),
            groups: row.satisfied(current, now),
            source: None,
            until: row.until.unwrap_or(now),
        })
    });
    let facts = IssuanceFacts {
        approvals: approved.into_iter().collect(),
        allow_bypass,
    };
    let decision = program.decide_issuance(request, &facts, now);
    (facts, decision)
}

impl Order {
    /// Judges the order and says what follows, under the ids drawn for it.
    pub fn submit(
        self,
        program: &Program,
        job: &str,
        approval: &str,
        allow_bypass: bool,
        now: Timestamp,
    ) -> Submitted {
        let (_, decision) = judge(program, &self.request, None, allow_bypass, now);
        match decision.outcome {
            Outcome::Deny => Submitted::Refused(decision),
            Outcome::Allow => {
                let event = Event::JobSubmitted {
                    job: Box::new(self.job(job, bypass_of(&decision))),
                    approval: None,
                };
                Submitted::Allowed(decision, event)
            }
            Outcome::Pending => match program.requirement_of(&self.request, now) {
                Some(required) => self.ask(decision, required, job, approval),
                None => Submitted::Refused(decision),
            },
        }
    }

    fn job(&self, id: &str, approval_bypassed: Option<String>) -> NewJob {
        NewJob {
            id: id.to_owned(),
            request: self.request.clone(),
            csr: self.csr.clone(),
            certificate: self.certificate.clone(),
            revocation: self.revocation,
            schedule: self.schedule.clone(),
            repeatable: None,
            decider: approval_bypassed
                .is_some()
                .then(|| SYSTEM_BYPASS.to_owned()),
            approval_bypassed,
        }
    }

    fn ask(self, mut decision: Decision, required: Requirement, job: &str, id: &str) -> Submitted {
        let possible = required.can_be_met_without(&self.requesters);
        let request = NewRequest {
            id: id.to_owned(),
            subject: Subject::Issuance {
                job: job.to_owned(),
                request: Box::new(self.request.clone()),
                csr: self.csr_digest.clone(),
                key: self.key_digest.clone(),
                certificate: self.certificate.clone(),
                acknowledged: self.acknowledged.clone(),
                revocation: self.revocation,
            },
            source: None,
            good_for: None,
            required: required.digest(),
            requirement: required,
            requesters: self.requesters.clone(),
            reason: self.request.reason.clone(),
        };
        let event = Event::JobSubmitted {
            job: Box::new(self.job(job, None)),
            approval: Some(Box::new(request)),
        };
        if possible {
            return Submitted::Waits(decision, event);
        }
        decision.outcome = Outcome::Deny;
        for reason in &mut decision.reasons {
            reason.message = format!("no-eligible-approver: {}", reason.message);
        }
        Submitted::Nobody(decision, event)
    }
}

fn bypass_of(decision: &Decision) -> Option<String> {
    decision.obligations.iter().find_map(|one| match one {
        Obligation::RecordBypass { name } => Some(name.clone()),
        Obligation::SpendApproval { .. } | Obligation::SpendAllowOnce { .. } => None,
    })
}

/// Judges a job once more where it is to be done, and claims it; or says that
/// it will not be done.
///
/// # Errors
/// It is not there, or somebody has claimed it.
pub fn claim(
    rows: &dyn Rows,
    id: &str,
    program: &Program,
    serial: Option<&str>,
    allow_bypass: bool,
    now: Timestamp,
) -> Result<Event, Refusal> {
    let job = rows.job(id).ok_or_else(|| Refusal::NotFound {
        what: "job",
        name: id.to_owned(),
    })?;
    if job.state != JobState::Queued {
        return Err(Refusal::State {
            what: "job",
            name: id.to_owned(),
            state: job.state.word(),
        });
    }
    let ended = |cause: String| Event::JobEnded {
        id: id.to_owned(),
        cause,
    };
    if let Some(cause) = stale(rows, &job) {
        return Ok(ended(cause));
    }
    if program.requester_role(&job.new.request) < Some(Role::Operator) {
        let cause = "whoever asked is not operator or above there any more";
        return Ok(ended(cause.to_owned()));
    }
    let approval = job.approval.as_ref().and_then(|id| rows.approval(id));
    let (_, decision) = judge(
        program,
        &job.new.request,
        approval.as_deref(),
        allow_bypass,
        now,
    );
    if decision.outcome != Outcome::Allow {
        let why = decision.reasons.first();
        let why = why.map_or("", |reason| reason.message.as_str());
        return Ok(ended(format!(
            "the policy of the moment does not allow it: {why}"
        )));
    }
    Ok(Event::JobClaimed {
        id: id.to_owned(),
        claim: JobClaim {
            // A new certificate never has a number that was asked for.
            serial: match job.new.request.action {
                Action::Issue | Action::Renew | Action::Reissue => serial.map(str::to_owned),
                Action::Revoke | Action::Export | Action::Distribute => job.new.certificate.clone(),
            },
            not_before: now,
            not_after: lifetime(&job.new.request, now),
        },
    })
}

/// Why what a job is about is not what it was when it was asked.
fn stale(rows: &dyn Rows, job: &Job) -> Option<String> {
    let revoked = |serial: &String| match rows.certificate(serial) {
        Some(certificate) => certificate.revoked.is_some(),
        None => true,
    };
    let request = &job.new.request;
    match request.action {
        Action::Issue | Action::Revoke => None,
        Action::Renew | Action::Reissue => {
            let predecessor = request.predecessor.as_ref().map(|one| &one.id);
            let gone = predecessor.is_some_and(revoked);
            gone.then(|| "the certificate that it follows is revoked".to_owned())
        }
        Action::Export | Action::Distribute => {
            let gone = job.new.certificate.as_ref().is_some_and(revoked);
            gone.then(|| "the certificate is revoked".to_owned())
        }
    }
}

/// How long a certificate lives where nothing is asked for: 90 days.
const USUAL_LIFETIME_S: u64 = 90 * 24 * 3600;

/// When a certificate of `request` ends that begins `now`.
pub(super) fn lifetime(request: &IssuanceRequest, now: Timestamp) -> Timestamp {
    let seconds = request.lifetime_s.unwrap_or(USUAL_LIFETIME_S);
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}
