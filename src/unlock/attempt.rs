//! One exchange that is asked for, held against the policy and what people
//! have granted: first to decide, and once more where the grants are spent.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Endpoint;
use super::waiting::current_requirement;
use crate::address::{covers, fold};
use crate::approval::{AllowOnce, ApprovalRequest, Requirement, Taken};
use crate::decision::{Decision, Obligation};
use crate::eval::{KnownClass, Program, Verdict, may_arm};
use crate::journal::{ApprovalUse, Event, SYSTEM_BYPASS};
use crate::request::{Approved, ArmedAllowOnce, Denial, UnlockFacts, UnlockRequest};
use crate::store::{Concern, Refusal, Rows};
use crate::vocabulary::{ApprovalState, DeviceState, Outcome, Override};

/// One exchange asked for. One program judges it from beginning to end.
#[derive(Clone)]
pub struct Attempt {
    /// The policy.
    pub program: Arc<Program>,
    /// Who asks.
    pub endpoint: Endpoint,
    /// From where.
    pub source: IpAddr,
    /// The exchange key asked for.
    pub kid: String,
    /// Whether bypasses hold.
    pub allow_bypass: bool,
    /// Whether the clock is trusted: else no timed grant holds, and every denial does.
    pub clock_trusted: bool,
}

/// What was asked, what was live beside it, and what came of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The request.
    pub request: UnlockRequest,
    /// The facts.
    pub facts: UnlockFacts,
    /// The decision.
    pub decision: Decision,
}

/// What came of an attempt, not yet in words.
#[derive(Clone, Debug)]
pub struct Found {
    request: UnlockRequest,
    facts: UnlockFacts,
    now: Timestamp,
    known: Arc<KnownClass>,
    verdict: Verdict,
}

/// Why an exchange that was allowed a moment ago is not granted.
#[derive(Debug)]
pub enum NotGranted {
    /// The policy or people say otherwise now.
    Judged(Box<Judged>),
    /// A grant was gone when it was to be taken.
    Gone(Refusal),
}

impl Attempt {
    /// The request, with tags and state of the moment.
    fn request(&self, rows: &dyn Rows) -> UnlockRequest {
        let (tags, state) = self.standing(rows);
        UnlockRequest {
            device: self.endpoint.name.clone(),
            tags,
            state,
            source: self.source,
            kid: Some(self.kid.clone()),
        }
    }

    fn standing(&self, rows: &dyn Rows) -> (BTreeMap<String, String>, DeviceState) {
        let Some(known) = &self.endpoint.device else {
            return (self.endpoint.tags.clone(), self.endpoint.state);
        };
        match rows.device(&known.name) {
            // Enrolled anew under one name it is another device with other keys.
            Some(now) if now.enrolled == known.enrolled => (now.tags.clone(), now.state),
            Some(_) | None => (self.endpoint.tags.clone(), DeviceState::Revoked),
        }
    }

    /// What exchanges are counted by: the binding, or a legacy host's kid.
    fn counted_as(&self) -> &str {
        self.endpoint.binding_id.as_deref().unwrap_or(&self.kid)
    }

    /// Everything that exchanges of this device are counted by.
    fn all_counted(&self) -> Vec<String> {
        match &self.endpoint.device {
            Some(device) => device.bindings.iter().map(|one| one.id.clone()).collect(),
            None => vec![self.kid.clone()],
        }
    }

    /// Judges the attempt by what `rows` hold.
    pub fn judge(&self, rows: &dyn Rows, now: Timestamp) -> Judged {
        let found = self.find(rows, now);
        self.say(found)
    }

    /// Why the attempt is not allowed by what `rows` hold; none where it is, which
    /// is found without a word.
    pub fn refusal(&self, rows: &dyn Rows, now: Timestamp) -> Option<Judged> {
        let found = self.find(rows, now);
        (found.verdict.outcome() != Outcome::Allow).then(|| self.say(found))
    }

    /// What `rows` say where that is to allow, with nothing to be spent or
    /// recorded for it; nothing is in words yet.
    pub fn freely(&self, rows: &dyn Rows, now: Timestamp) -> Option<Found> {
        let found = self.find(rows, now);
        found.verdict.is_free().then_some(found)
    }

    fn find(&self, rows: &dyn Rows, now: Timestamp) -> Found {
        let request = self.request(rows);
        let facts = self.facts(rows, &request, now);
        let known = self.program.known(&request.tags);
        let verdict = self.program.judge_known(&known, &request, &facts, now);
        Found {
            request,
            facts,
            now,
            known,
            verdict,
        }
    }

    /// Puts into words what was found of this attempt.
    pub fn say(&self, found: Found) -> Judged {
        let Found {
            request,
            facts,
            now,
            known,
            verdict,
        } = found;
        let class = known.class();
        let decision = self
            .program
            .explain_unlock(class, &request, &facts, now, verdict);
        Judged {
            request,
            facts,
            decision,
        }
    }

    /// Decides with a trace, for a person who wonders.
    pub fn explain(&self, rows: &dyn Rows, now: Timestamp) -> Decision {
        let request = self.request(rows);
        let facts = self.facts(rows, &request, now);
        self.program.trace_unlock(&request, &facts, now)
    }

    fn facts(&self, rows: &dyn Rows, request: &UnlockRequest, now: Timestamp) -> UnlockFacts {
        let mut facts = UnlockFacts {
            allow_bypass: self.allow_bypass,
            ..UnlockFacts::default()
        };
        let concerning = rows.of_device(&self.endpoint.name);
        if concerning.is_empty() {
            return facts;
        }
        let current = current_requirement(&self.program, &request.tags, self.is_legacy(), now);
        for row in concerning {
            match row {
                Concern::TemporaryDenial(row) => facts.denials.extend(self.denial(&row, now)),
                Concern::ApprovalRequest(row) => {
                    let approved = self.approved(&row, current.as_ref(), now);
                    facts.approvals.extend(approved);
                }
                Concern::AllowOnce(row) => {
                    facts
                        .allow_once
                        .extend(self.armed(&row, current.as_ref(), now));
                }
            }
        }
        facts
    }

    fn is_legacy(&self) -> bool {
        self.endpoint.device.is_none()
    }

    fn denial(&self, row: &crate::approval::TemporaryDenial, now: Timestamp) -> Option<Denial> {
        let frozen = !self.clock_trusted && !row.lifted;
        (row.holds(now) || frozen).then(|| Denial {
            source: row.source,
            until: match frozen {
                true => row.until.max(after(now)),
                false => row.until,
            },
        })
    }

    fn approved(
        &self,
        row: &ApprovalRequest,
        current: Option<&Requirement>,
        now: Timestamp,
    ) -> Option<Approved> {
        let live = matches!(
            row.state_at(now),
            ApprovalState::Approved | ApprovalState::Collecting
        );
        let here = row
            .new
            .good_for
            .is_none_or(|prefix| covers(prefix, fold(self.source)));
        let current = current?;
        let holds = self.clock_trusted
            && live
            && here
            && row.left(self.counted_as()) > 0
            && row.holds(current, now);
        holds.then(|| Approved {
            id: row.id().to_owned(),
            groups: row.satisfied(current, now),
            source: row.new.good_for,
            until: row.until.unwrap_or(now),
        })
    }

    fn armed(
        &self,
        row: &AllowOnce,
        current: Option<&Requirement>,
        now: Timestamp,
    ) -> Option<ArmedAllowOnce> {
        let arming = &row.arming;
        let set = self.program.set();
        let entitled = |person: &str| may_arm(set, &arming.rule, person, now);
        let overrides_approval = arming.overrides.contains(&Override::Approval);
        let needed_now = match overrides_approval {
            true => current.map_or(1, Requirement::persons),
            false => 1,
        };
        let holds = self.clock_trusted
            && row.holds(now, entitled)
            && row.armed(entitled) >= needed_now as usize;
        holds.then(|| ArmedAllowOnce {
            id: arming.id.clone(),
            name: arming.rule.clone(),
            overrides: arming.overrides.clone(),
            addresses: arming.addresses.clone(),
            until: arming.until,
        })
    }

    /// The entry that grants an exchange which was judged to be allowed under
    /// `judged`; none where nothing is spent by it.
    ///
    /// # Errors
    /// It is no longer allowed, or a grant was gone.
    pub fn grant(
        &self,
        rows: &dyn Rows,
        now: Timestamp,
    ) -> Result<(Judged, Option<Event>), NotGranted> {
        let judged = self.judge(rows, now);
        if judged.decision.outcome != Outcome::Allow {
            return Err(NotGranted::Judged(Box::new(judged)));
        }
        if judged.decision.obligations.is_empty() {
            return Ok((judged, None));
        }
        let mut approvals = Vec::new();
        let mut allow_once = Vec::new();
        let mut approval_bypassed = None;
        for obligation in &judged.decision.obligations {
            match obligation {
                Obligation::SpendApproval { id } => {
                    approvals.push(self.spend(rows, id, now).map_err(NotGranted::Gone)?);
                }
                Obligation::SpendAllowOnce { id } => allow_once.push(id.clone()),
                Obligation::RecordBypass { name } => approval_bypassed = Some(name.clone()),
            }
        }
        let event = Event::ExchangeGranted {
            device: self.endpoint.name.clone(),
            binding: self.counted_as().to_owned(),
            source: self.source,
            approvals,
            allow_once,
            decider: approval_bypassed
                .is_some()
                .then(|| SYSTEM_BYPASS.to_owned()),
            approval_bypassed,
        };
        Ok((judged, Some(event)))
    }

    fn spend(&self, rows: &dyn Rows, id: &str, now: Timestamp) -> Result<ApprovalUse, Refusal> {
        let gone = |cause: String| Refusal::Senseless(format!("approval request `{id}`: {cause}"));
        let taken = Taken {
            binding: self.counted_as().to_owned(),
            source: fold(self.source),
            time: now,
        };
        let request = rows
            .approval(id)
            .ok_or_else(|| gone("it is not there".to_owned()))?;
        let step = request
            .spend(taken, &self.all_counted())
            .map_err(|refused| gone(refused.to_string()))?;
        Ok(ApprovalUse {
            id: id.to_owned(),
            step,
        })
    }
}

/// Just after `now`.
fn after(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MAX)
}
