//! Standing orders to renew: when one is due, and what it then asks. It asks
//! like everybody else, by [`super::flow`]: no side door leads past the policy.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::csr::Csr;
use super::execute::ExecuteError;
use super::flow::Order;
use crate::durable::Hex;
use crate::request::{IssuanceRequest, Predecessor};
use crate::store::{Certificate, Rows, Schedule};
use crate::vocabulary::{Action, JobState};

/// How long after one that came to nothing it asks again.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// A certificate is renewed in the last third of its life, unless it is said
/// otherwise.
const PART: i64 = 3;

/// When a certificate is to be renewed, at the earliest: not in the first third
/// of its life, or each new one would be due at once.
pub fn due(certificate: &Certificate, before_s: Option<u64>) -> Timestamp {
    let life = certificate.not_after.duration_since(certificate.not_before);
    let third = life / i32::try_from(PART).unwrap_or(1);
    let before = before_s.map_or(third, |seconds| {
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    });
    let before = before.min(life - third);
    certificate
        .not_after
        .checked_sub(before)
        .unwrap_or(certificate.not_before)
}

/// Whether a standing order is to ask now.
pub fn is_due(rows: &dyn Rows, schedule: &Schedule, now: Timestamp) -> bool {
    let Some(certificate) = rows.certificate(&schedule.certificate) else {
        return false;
    };
    if schedule.stopped || certificate.revoked.is_some() {
        return false;
    }
    let job = schedule.job.as_ref().and_then(|id| rows.job(id));
    let rested = match job.map(|job| job.state) {
        None | Some(JobState::Executed) => true,
        // One at a time.
        Some(JobState::Waiting | JobState::Queued | JobState::Executing) => false,
        Some(JobState::Failed | JobState::Ended) => (schedule.tried)
            .and_then(|tried| tried.checked_add(AGAIN).ok())
            .is_some_and(|again| again <= now),
    };
    rested && due(&certificate, schedule.new.before_s) <= now
}

/// What a standing order asks: the same certificate again, for the same CSR.
/// `owner` answers for the service.
///
/// # Errors
/// The certificate or its CSR is gone or cannot be read.
pub fn order(rows: &dyn Rows, schedule: &Schedule, owner: &str) -> Result<Order, ExecuteError> {
    let certificate = rows.certificate(&schedule.certificate);
    let certificate = certificate.ok_or(ExecuteError::Lacks("certificate to renew"))?;
    let job = rows.job(&certificate.job);
    let csr = job.and_then(|job| job.new.csr.clone());
    let csr = csr.ok_or(ExecuteError::Lacks("CSR to renew with"))?;
    let digest = Hex(Csr::read(csr.as_bytes())?.digest()).to_string();
    let mut requesters: BTreeSet<String> = schedule.new.persons.clone();
    requesters.insert(owner.to_owned());
    Ok(Order {
        request: IssuanceRequest {
            action: Action::Renew,
            requester: Some(schedule.new.service.clone()),
            auto_renew: Some(true),
            reason: schedule.new.reason.clone(),
            ticket: schedule.new.ticket.clone(),
            predecessor: Some(Predecessor {
                id: certificate.serial.clone(),
                san: certificate.request.san.clone(),
            }),
            ..certificate.request.clone()
        },
        csr: Some(csr),
        csr_digest: Some(digest),
        key_digest: None,
        certificate: None,
        revocation: None,
        schedule: Some(schedule.new.id.clone()),
        requesters,
        acknowledged: Vec::new(),
    })
}
