//! What entries about approval requests, denials and one-time unlocks mean.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;

use super::super::error::Refusal;
use super::super::rows::{Concern, RowKey};
use super::{At, Change, Changes, exists, in_state, not_found, put};
use crate::address::host_range;
use crate::approval::{
    AllowOnce, ApprovalRequest, Arming, NewRequest, Step, Subject, Taken, TemporaryDenial,
};
use crate::journal::{ApprovalUse, Draft};
use crate::vocabulary::{ApprovalState, DeviceState};

/// How many ended requests, denials and one-time unlocks of a device stay to
/// be shown. The journal keeps them all.
const ENDED_KEPT: usize = 32;

impl At<'_> {
    pub(super) fn request_approval(&self, new: &NewRequest) -> Changes {
        let key = RowKey::ApprovalRequest(new.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("approval request", &new.id));
        }
        let mut changes = Vec::new();
        if let Some(device) = new.subject.device() {
            self.expect_not_revoked(device)?;
            changes = self.forget_ended(device);
        }
        let request = ApprovalRequest::begin(new.clone(), self.time, self.seq);
        changes.push(put(key, request));
        Ok(changes)
    }

    /// Nothing is asked for or granted to a device that is revoked: it would
    /// outlive it. The hosts of a legacy Tang server have no row.
    fn expect_not_revoked(&self, device: &str) -> Result<(), Refusal> {
        match self.rows.device(device) {
            Some(row) if row.state == DeviceState::Revoked => {
                Err(in_state("device", device, "revoked"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Lets go of the oldest rows of a device that nothing can become of.
    fn forget_ended(&self, device: &str) -> Vec<Change> {
        let mut ended: Vec<(u64, RowKey)> = self
            .rows
            .of_device(device)
            .into_iter()
            .filter_map(|row| row.ended(self.time))
            .collect();
        ended.sort();
        let surplus = ended.len().saturating_sub(ENDED_KEPT);
        let gone = ended.into_iter().take(surplus);
        gone.map(|(_, key)| (key, None)).collect()
    }

    fn approval(&self, id: &str) -> Result<Arc<ApprovalRequest>, Refusal> {
        self.rows
            .approval(id)
            .ok_or_else(|| not_found("approval request", id))
    }

    pub(super) fn stepped(
        &self,
        id: &str,
        step: &Step,
    ) -> Result<(ApprovalRequest, Change), Refusal> {
        let request = self.approval(id)?;
        let next = request
            .after(step, self.seq)
            .map_err(|unfit| Refusal::Senseless(format!("approval request `{id}`: {unfit}")))?;
        let change = put(RowKey::ApprovalRequest(id.to_owned()), next.clone());
        Ok((next, change))
    }

    pub(super) fn step_approval(&self, id: &str, step: &Step) -> Changes {
        let (next, change) = self.stepped(id, step)?;
        let mut changes = vec![change];
        match (&next.new.subject, step) {
            (
                Subject::Unlock { device },
                Step::Decided {
                    decision,
                    to: ApprovalState::Denied,
                    ..
                },
            ) => {
                if let Some(source) = next.new.source {
                    changes.push(self.deny(&next, device, source, &decision.person));
                }
            }
            (
                Subject::Tags {
                    device,
                    tags,
                    version,
                },
                Step::Decided {
                    to: ApprovalState::Executed,
                    ..
                },
            ) => {
                let tagged = self.device(device, |row| {
                    if row.version != *version {
                        return Err(Refusal::Stale {
                            what: "device",
                            name: device.clone(),
                            expected: *version,
                            found: row.version,
                        });
                    }
                    row.tags.clone_from(tags);
                    Ok(())
                });
                changes.extend(tagged?);
            }
            (Subject::Issuance { job, .. }, step) => changes.extend(self.follow_job(job, step)?),
            (Subject::Unlock { .. } | Subject::Tags { .. }, _) => {}
        }
        Ok(changes)
    }

    fn deny(&self, request: &ApprovalRequest, device: &str, source: IpAddr, by: &str) -> Change {
        let seconds = request.requirement().terms.deny_for_s;
        let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let denial = TemporaryDenial {
            id: request.id().to_owned(),
            device: device.to_owned(),
            source: host_range(source),
            since: self.time,
            until: self.time.checked_add(span).unwrap_or(jiff::Timestamp::MAX),
            by: by.to_owned(),
            lifted: false,
            version: self.seq,
        };
        put(RowKey::TemporaryDenial(denial.id.clone()), denial)
    }

    pub(super) fn grant_exchange(
        &self,
        approvals: &[ApprovalUse],
        once: &[String],
        taken: &Taken,
    ) -> Changes {
        let mut changes = Vec::with_capacity(approvals.len() + once.len());
        for taken in approvals {
            changes.push(self.stepped(&taken.id, &taken.step)?.1);
        }
        for id in once {
            let mut row = self.once(id)?;
            if row.spent.is_some() || row.withdrawn {
                return Err(in_state("one-time unlock", id, "spent or withdrawn"));
            }
            row.spent = Some(taken.clone());
            row.version = self.seq;
            changes.push(put(RowKey::AllowOnce(id.clone()), row));
        }
        Ok(changes)
    }

    fn once(&self, id: &str) -> Result<AllowOnce, Refusal> {
        let row = self.rows.allow_once(id);
        row.map(Arc::unwrap_or_clone)
            .ok_or_else(|| not_found("one-time unlock", id))
    }

    pub(super) fn lift_denial(&self, id: &str) -> Changes {
        let denial = self.rows.denial(id);
        let mut denial = Arc::unwrap_or_clone(denial.ok_or_else(|| not_found("denial", id))?);
        if denial.lifted {
            return Err(in_state("denial", id, "lifted already"));
        }
        denial.lifted = true;
        denial.version = self.seq;
        Ok(vec![put(RowKey::TemporaryDenial(id.to_owned()), denial)])
    }

    pub(super) fn arm(
        &self,
        arming: &Arming,
        draft: &Draft,
        persons: &BTreeSet<String>,
    ) -> Changes {
        let key = RowKey::AllowOnce(arming.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("one-time unlock", &arming.id));
        }
        self.expect_not_revoked(&arming.device)?;
        let mut changes = self.forget_ended(&arming.device);
        let row = AllowOnce {
            arming: arming.clone(),
            armed_by: vec![(armed_by(draft)?, persons.clone())],
            created: self.time,
            spent: None,
            withdrawn: false,
            version: self.seq,
        };
        changes.push(put(key, row));
        Ok(changes)
    }

    pub(super) fn join(&self, id: &str, draft: &Draft, persons: &BTreeSet<String>) -> Changes {
        let mut row = self.once(id)?;
        if !row.is_open(self.time) {
            return Err(in_state("one-time unlock", id, "over already"));
        }
        row.armed_by.push((armed_by(draft)?, persons.clone()));
        row.version = self.seq;
        Ok(vec![put(RowKey::AllowOnce(id.to_owned()), row)])
    }

    pub(super) fn withdraw(&self, id: &str) -> Changes {
        let row = self.once(id)?;
        if !row.is_open(self.time) {
            return Err(in_state("one-time unlock", id, "over already"));
        }
        Ok(self.end_once(Arc::new(row)).into_iter().collect())
    }

    /// What a device that is revoked asked for or was granted ends with it:
    /// another may be enrolled under its name. Denials stay.
    pub(super) fn end_grants(&self, device: &str) -> Changes {
        let mut changes = Vec::new();
        for row in self.rows.of_device(device) {
            match row {
                Concern::ApprovalRequest(row) => {
                    changes.extend(self.end_request(&row, "the device was revoked")?);
                }
                Concern::AllowOnce(row) => changes.extend(self.end_once(row)),
                Concern::TemporaryDenial(_) => {}
            }
        }
        Ok(changes)
    }

    /// A request that a restored backup, or a revocation, ends.
    pub(super) fn end_request(
        &self,
        request: &ApprovalRequest,
        cause: &str,
    ) -> Result<Option<Change>, Refusal> {
        let to = match request.state {
            ApprovalState::Pending | ApprovalState::Approved => ApprovalState::Superseded,
            ApprovalState::Collecting => ApprovalState::Spent,
            ApprovalState::Executing => ApprovalState::Executed,
            ApprovalState::Spent
            | ApprovalState::Executed
            | ApprovalState::Denied
            | ApprovalState::Rejected
            | ApprovalState::Expired
            | ApprovalState::Cancelled
            | ApprovalState::Superseded => return Ok(None),
        };
        let step = Step::Ended {
            to,
            cause: cause.to_owned(),
        };
        Ok(Some(self.stepped(request.id(), &step)?.1))
    }

    /// A one-time unlock that is taken back, where it may still be.
    pub(super) fn end_once(&self, row: Arc<AllowOnce>) -> Option<Change> {
        if row.spent.is_some() || row.withdrawn {
            return None;
        }
        let mut row = Arc::unwrap_or_clone(row);
        row.withdrawn = true;
        row.version = self.seq;
        Some(put(RowKey::AllowOnce(row.arming.id.clone()), row))
    }
}

/// Whoever arms is a person.
fn armed_by(draft: &Draft) -> Result<String, Refusal> {
    let nobody = || Refusal::Senseless("a one-time unlock is armed by a person".to_owned());
    draft.actor.person.clone().ok_or_else(nobody)
}
