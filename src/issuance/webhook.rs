//! A CA behind a webhook: one signed POST a job, with the permit, asked again
//! until it is known what came of it.
//!
//! The job's id is the message's id and the idempotency key: after a crash or a
//! lost answer the same is asked again, and the other side gives what it made
//! before. What it gives is read back before the job is called done.

use std::time::Duration;

use openssl::x509::X509;
use serde::Deserialize;
use serde_json::{Value, json};

use super::csr::Csr;
use super::execute::{Call, Connector, ExecuteError};
use super::foreign::{self, Approved, Foreign};
use super::permit::Permit;
use crate::journal::JobResult;
use crate::keyring::SecretBytes;
use crate::notify;
use crate::vocabulary::Action;

/// The longest answer that is read: a certificate with the CAs above it.
const LONGEST_ANSWER: u64 = 256 * 1024;
/// How much of a refusal is told on, in characters.
const LONGEST_TOLD: usize = 200;

/// A CA that is asked by POST.
pub struct Webhook {
    /// What requests call it as `issuer_id`.
    pub id: String,
    /// Where.
    pub url: String,
    /// What each request is signed with.
    pub key: SecretBytes,
    /// The CAs, one of which must have signed what comes back.
    pub anchors: Vec<X509>,
    /// The client.
    pub agent: ureq::Agent,
}

/// What it answers.
#[derive(Deserialize)]
struct Answer {
    certificate: String,
}

impl Connector for Webhook {
    fn carry_out(&self, call: &Call<'_>) -> Result<JobResult, ExecuteError> {
        let permit = Permit::verify(call.store, call.permit, call.now)?;
        match call.job.new.request.action {
            Action::Issue | Action::Renew | Action::Reissue => self.issue(call, &permit),
            Action::Revoke => {
                let serial = self.done(call, &permit)?;
                Ok(JobResult::Revoked { serial })
            }
            Action::Export | Action::Distribute => {
                let serial = self.done(call, &permit)?;
                Ok(JobResult::Handed { serial })
            }
        }
    }
}

impl Webhook {
    fn issue(&self, call: &Call<'_>, permit: &Permit) -> Result<JobResult, ExecuteError> {
        let csr = call.job.new.csr.as_deref();
        let csr = Csr::read(csr.ok_or(ExecuteError::Lacks("CSR"))?.as_bytes())?;
        let body = self.ask(call, permit)?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
            ExecuteError::Issuer(format!("the answer is not {{\"certificate\": …}}: {error}"))
        })?;
        let approved = Approved {
            csr: &csr,
            names: &call.job.new.request.san,
            not_before: call.claim.not_before,
            not_after: call.claim.not_after,
            anchors: &self.anchors,
        };
        let read = foreign::read(&answer.certificate, &approved, call.now);
        let made = read.map_err(|error| ExecuteError::Issuer(error.to_string()))?;
        self.taken(call, made)
    }

    /// A certificate that no other job has: an answer to somebody else's is none.
    fn taken(&self, call: &Call<'_>, made: Foreign) -> Result<JobResult, ExecuteError> {
        let serial = format!("{}:{}", self.id, made.serial);
        let known = call.store.read(|rows| rows.certificate(&serial));
        if let Some(known) = known.filter(|known| known.job != call.job.new.id) {
            return Err(ExecuteError::Issuer(format!(
                "the certificate {serial} is that of job {}",
                known.job
            )));
        }
        Ok(JobResult::Issued {
            serial,
            certificate: made.pem,
            not_before: made.not_before,
            not_after: made.not_after,
        })
    }

    /// What is done to a certificate that is there.
    fn done(&self, call: &Call<'_>, permit: &Permit) -> Result<String, ExecuteError> {
        self.ask(call, permit)?;
        let serial = call.claim.serial.clone();
        serial.ok_or(ExecuteError::Lacks("serial number"))
    }

    fn ask(&self, call: &Call<'_>, permit: &Permit) -> Result<Vec<u8>, ExecuteError> {
        let later = |cause: String, after| ExecuteError::Later { cause, after };
        let body = self.body(call, permit).to_string();
        let id = &call.job.new.id;
        let headers = notify::webhook_headers(&self.key, id, call.now, &body)
            .map_err(|error| later(format!("it cannot be signed: {error}"), None))?;
        let mut headers = headers.to_vec();
        headers.push(("idempotency-key", id.clone()));
        let answer = notify::exchange(&self.agent, &self.url, &headers, &body, LONGEST_ANSWER)
            .map_err(|failed| later(format!("`{}`: {}", self.url, failed.cause), failed.after))?;
        let said = answer.body.as_deref();
        match answer.status {
            200 | 201 => said
                .map(<[u8]>::to_vec)
                .ok_or_else(|| later(format!("`{}` did not answer to the end", self.url), None)),
            204 => Ok(Vec::new()),
            // It is at it, or cannot now.
            202 | 408 | 409 | 425 | 429 => Err(later(self.told(answer.status, said), answer.after)),
            400..=499 => Err(ExecuteError::Issuer(self.told(answer.status, said))),
            _ => Err(later(self.told(answer.status, said), answer.after)),
        }
    }

    fn told(&self, status: u16, body: Option<&[u8]>) -> String {
        let text = String::from_utf8_lossy(body.unwrap_or_default());
        let text: String = text.trim().chars().take(LONGEST_TOLD).collect();
        match text.is_empty() {
            true => format!("`{}` answered {status}", self.url),
            false => format!("`{}` answered {status}: {}", self.url, text.escape_debug()),
        }
    }

    fn body(&self, call: &Call<'_>, permit: &Permit) -> Value {
        let request = &call.job.new.request;
        // The CA's own number, without the name that stands before it here.
        let own = |serial: &String| {
            let rest = serial.strip_prefix(&self.id);
            let rest = rest.and_then(|rest| rest.strip_prefix(':'));
            rest.unwrap_or(serial).to_owned()
        };
        let predecessor = request.predecessor.as_ref().map(|one| own(&one.id));
        json!({
            "job": call.job.new.id,
            "action": request.action,
            "issuer": self.id,
            "project": request.project,
            "profile": request.profile,
            "name": request.name,
            "requester": request.requester,
            "csr": call.job.new.csr,
            "csr_sha256": permit.csr_sha256,
            "san": request.san,
            "common_name": request.common_name,
            "key_type": request.key_type,
            "not_before": call.claim.not_before,
            "not_after": call.claim.not_after,
            "predecessor": predecessor,
            "certificate": call.job.new.certificate.as_ref().map(own),
            "permit": call.permit,
        })
    }
}

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// The first pause.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The pause after attempt number `attempt`, from 0: each is twice as long as
/// the last, spread by `chance`, and never shorter than the other side asks for.
pub fn pause(attempt: u32, after: Option<Duration>, chance: u8) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1_u32 << attempt.min(16));
    let half = doubled.min(LONGEST_PAUSE) / 2;
    let spread = half.saturating_mul(u32::from(chance)) / 255;
    (half + spread).max(after.unwrap_or_default())
}
