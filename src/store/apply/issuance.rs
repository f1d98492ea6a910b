//! What entries about jobs, certificates and authorities mean.

use std::sync::Arc;

use super::super::error::Refusal;
use super::super::rows::{Authority, Certificate, Job, PermitKey, Row, RowKey, Schedule};
use super::{At, Change, Changes, exists, in_state, not_found, put};
use crate::approval::{NewRequest, Step};
use crate::journal::{Draft, JobClaim, JobResult, NewAuthority, NewJob, NewPermitKey, NewSchedule};
use crate::vocabulary::{ApprovalState, JobState};

impl At<'_> {
    pub(super) fn create_authority(&self, new: &NewAuthority) -> Changes {
        let key = RowKey::Authority(new.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("certification authority", &new.id));
        }
        let row = Authority {
            new: new.clone(),
            created: self.time,
            version: self.seq,
        };
        Ok(vec![put(key, row)])
    }

    pub(super) fn create_permit_key(&self, new: &NewPermitKey) -> Changes {
        let key = RowKey::PermitKey(new.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("permit key", &new.id));
        }
        let row = PermitKey {
            new: new.clone(),
            created: self.time,
            version: self.seq,
        };
        Ok(vec![put(key, row)])
    }

    pub(super) fn submit_job(
        &self,
        new: &NewJob,
        approval: Option<&NewRequest>,
        draft: &Draft,
    ) -> Changes {
        let key = RowKey::Job(new.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("job", &new.id));
        }
        let mut changes = match approval {
            Some(request) => self.request_approval(request)?,
            None => Vec::new(),
        };
        let row = Job {
            new: new.clone(),
            approval: approval.map(|request| request.id.clone()),
            state: match approval {
                Some(_) => JobState::Waiting,
                None => JobState::Queued,
            },
            claim: None,
            result: None,
            cause: None,
            actor: draft.actor.clone(),
            created: self.time,
            version: self.seq,
        };
        changes.push(put(key, row));
        if let Some(schedule) = &new.schedule {
            changes.push(self.change_schedule(schedule, |row| {
                row.job = Some(new.id.clone());
                row.tried = Some(self.time);
            })?);
        }
        Ok(changes)
    }

    pub(super) fn schedule(&self, new: &NewSchedule) -> Changes {
        let key = RowKey::Schedule(new.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("renewal", &new.id));
        }
        let row = Schedule {
            certificate: new.certificate.clone(),
            new: new.clone(),
            job: None,
            tried: None,
            stopped: false,
            created: self.time,
            version: self.seq,
        };
        Ok(vec![put(key, row)])
    }

    pub(super) fn stop_schedule(&self, id: &str) -> Changes {
        let row = self.rows.schedule(id);
        if row.is_some_and(|row| row.stopped) {
            return Err(in_state("renewal", id, "stopped"));
        }
        Ok(vec![self.change_schedule(id, |row| row.stopped = true)?])
    }

    fn change_schedule(
        &self,
        id: &str,
        change: impl FnOnce(&mut Schedule),
    ) -> Result<Change, Refusal> {
        let row = self.rows.schedule(id);
        let row = row.ok_or_else(|| not_found("renewal", id))?;
        let mut row = Arc::unwrap_or_clone(row);
        change(&mut row);
        row.version = self.seq;
        Ok(put(RowKey::Schedule(id.to_owned()), row))
    }

    fn job(&self, id: &str) -> Result<Job, Refusal> {
        let job = self.rows.job(id);
        job.map(Arc::unwrap_or_clone)
            .ok_or_else(|| not_found("job", id))
    }

    fn put_job(&self, mut job: Job, change: impl FnOnce(&mut Job)) -> Change {
        change(&mut job);
        job.version = self.seq;
        put(RowKey::Job(job.new.id.clone()), job)
    }

    /// What a step of its approval request makes of a job.
    pub(super) fn follow_job(&self, id: &str, step: &Step) -> Result<Option<Change>, Refusal> {
        let job = self.job(id)?;
        if job.state != JobState::Waiting && job.state != JobState::Queued {
            return Ok(None);
        }
        let (state, cause) = match step.to() {
            Some(ApprovalState::Approved) => (JobState::Queued, None),
            Some(
                to @ (ApprovalState::Denied
                | ApprovalState::Rejected
                | ApprovalState::Expired
                | ApprovalState::Cancelled
                | ApprovalState::Superseded),
            ) => (JobState::Ended, Some(to.word().to_owned())),
            Some(
                ApprovalState::Pending
                | ApprovalState::Collecting
                | ApprovalState::Spent
                | ApprovalState::Executing
                | ApprovalState::Executed,
            )
            | None => return Ok(None),
        };
        Ok(Some(self.put_job(job, |job| {
            job.state = state;
            job.cause = cause;
        })))
    }

    /// Nobody else carries it out from now on, nor again after a crash but
    /// with what is fixed here.
    pub(super) fn claim_job(&self, id: &str, claim: &JobClaim) -> Changes {
        let job = self.job(id)?;
        if job.state != JobState::Queued {
            return Err(in_state("job", id, job.state.word()));
        }
        let mut changes = self.move_approval(&job, ApprovalState::Executing)?;
        changes.push(self.put_job(job, |job| {
            job.state = JobState::Executing;
            job.claim = Some(claim.clone());
        }));
        Ok(changes)
    }

    fn move_approval(&self, job: &Job, to: ApprovalState) -> Changes {
        let Some(id) = &job.approval else {
            return Ok(Vec::new());
        };
        Ok(vec![self.stepped(id, &Step::Moved { to })?.1])
    }

    pub(super) fn finish_job(&self, id: &str, result: &JobResult) -> Changes {
        let job = self.job(id)?;
        if job.state != JobState::Executing {
            return Err(in_state("job", id, job.state.word()));
        }
        let mut changes = self.move_approval(&job, ApprovalState::Executed)?;
        match result {
            JobResult::Issued { serial, .. } => {
                changes.push(self.certify(&job, serial, result)?);
                changes.extend(self.touch_authority(&job));
                if let Some(schedule) = &job.new.schedule {
                    let follow = |row: &mut Schedule| row.certificate.clone_from(serial);
                    changes.push(self.change_schedule(schedule, follow)?);
                }
            }
            JobResult::Revoked { serial } => {
                let key = RowKey::Certificate(serial.clone());
                let row = self.rows.certificate(serial);
                let row = row.ok_or_else(|| not_found("certificate", serial))?;
                let mut row = Arc::unwrap_or_clone(row);
                if row.revoked.is_none() {
                    row.revoked = Some(self.time);
                    row.reason = job.new.revocation;
                }
                row.version = self.seq;
                changes.push(put(key, row));
                changes.extend(self.touch_authority(&job));
            }
            JobResult::Handed { .. } | JobResult::Admitted {} | JobResult::Failed { .. } => {}
        }
        let failed = matches!(result, JobResult::Failed { .. });
        changes.push(self.put_job(job, |job| {
            job.state = match failed {
                true => JobState::Failed,
                false => JobState::Executed,
            };
            job.result = Some(result.clone());
        }));
        Ok(changes)
    }

    fn certify(&self, job: &Job, serial: &str, result: &JobResult) -> Result<Change, Refusal> {
        let JobResult::Issued {
            certificate,
            not_before,
            not_after,
            ..
        } = result
        else {
            return Err(Refusal::Senseless("nothing was issued".to_owned()));
        };
        let claimed = job.claim.as_ref().and_then(|claim| claim.serial.as_deref());
        // Another CA's number stands behind the CA's own name: two CAs may
        // well draw the same one.
        let by = job.new.request.issuer_id.as_deref().unwrap_or_default();
        let fits = match claimed {
            Some(claimed) => claimed == serial,
            None => (serial.strip_prefix(by)).is_some_and(|rest| rest.starts_with(':')),
        };
        if !fits {
            return Err(Refusal::Senseless(format!(
                "job `{}` was claimed for another serial number",
                job.new.id
            )));
        }
        let key = RowKey::Certificate(serial.to_owned());
        if self.rows.row(&key).is_some() {
            return Err(exists("certificate", serial));
        }
        let row = Certificate {
            serial: serial.to_owned(),
            request: job.new.request.clone(),
            job: job.new.id.clone(),
            pem: certificate.clone(),
            not_before: *not_before,
            not_after: *not_after,
            revoked: None,
            reason: None,
            version: self.seq,
        };
        Ok(put(key, row))
    }

    /// An authority's version grows with each of its certificates, so that its
    /// next CRL has a greater number.
    fn touch_authority(&self, job: &Job) -> Option<Change> {
        let id = job.new.request.issuer_id.as_ref()?;
        let mut row = Arc::unwrap_or_clone(self.rows.authority(id)?);
        row.version = self.seq;
        Some(put(RowKey::Authority(id.clone()), Row::from(row)))
    }

    /// A job that a restored backup ends: what it would make may be out there
    /// already, made after the backup was.
    pub(super) fn abandon_job(&self, job: Arc<Job>) -> Option<Change> {
        match job.state {
            JobState::Waiting | JobState::Queued | JobState::Executing => {}
            JobState::Executed | JobState::Failed | JobState::Ended => return None,
        }
        Some(self.put_job(Arc::unwrap_or_clone(job), |job| {
            job.state = JobState::Ended;
            job.cause = Some("live grants were ended".to_owned());
        }))
    }

    pub(super) fn end_job(&self, id: &str, cause: &str) -> Changes {
        let job = self.job(id)?;
        if job.state != JobState::Queued && job.state != JobState::Waiting {
            return Err(in_state("job", id, job.state.word()));
        }
        let mut changes = match &job.approval {
            Some(approval) => {
                let step = Step::Ended {
                    to: ApprovalState::Superseded,
                    cause: cause.to_owned(),
                };
                vec![self.stepped(approval, &step)?.1]
            }
            None => Vec::new(),
        };
        changes.push(self.put_job(job, |job| {
            job.state = JobState::Ended;
            job.cause = Some(cause.to_owned());
        }));
        Ok(changes)
    }
}
