//! From a journal entry to what is told of it: pure, and the same each time.
//!
//! A message holds what somebody needs to see whether to act. It has no link
//! that acts, and nothing secret.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::approval::{ApprovalRequest, GroupRequirement, Step};
use crate::journal::{Entry, Event, JournalId};
use crate::vocabulary::{ApprovalKind, ApprovalState, Topic};

/// The longest text of a policy's change, in characters.
const LONGEST_SUMMARY: usize = 2048;
/// The most approvers that are named.
const MOST_NAMES: usize = 64;

/// One notification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// The version of this form.
    pub v: u32,
    /// Journal, entry number and the beginning of the entry's hash: the same
    /// each time that it is sent.
    pub id: String,
    /// What it tells of.
    #[serde(rename = "type")]
    pub topic: Topic,
    /// When that was.
    pub time: Timestamp,
    /// The device that it is about.
    pub device: Option<String>,
    /// The approval request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalFacts>,
    /// The policy that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyFacts>,
    /// The clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockFacts>,
    /// How many messages the budget held back since the last one came through.
    #[serde(skip_serializing_if = "is_zero")]
    pub held_back: u64,
    /// The entry's number.
    #[serde(skip)]
    pub seq: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What is told of an approval request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalFacts {
    /// Its id.
    pub id: String,
    /// What it is for; absent where the request is kept no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ApprovalKind>,
    /// Where it stands by this entry.
    pub state: ApprovalState,
    /// From where it was asked.
    pub source: Option<IpAddr>,
    /// The groups that cover it.
    pub groups: Vec<String>,
    /// Who may decide.
    pub approvers: BTreeSet<String>,
    /// Whose word it takes, group by group.
    pub need: Vec<Need>,
    /// When it ends by itself while it is pending.
    pub expires: Option<Timestamp>,
    /// Whose word made it so; none where time or a changed policy did.
    pub decided_by: Option<String>,
    /// Why, in that person's words, or in the requester's where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it ended where nobody ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// Whose word one group takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The group.
    pub group: String,
    /// Whether it must be satisfied besides others.
    pub mandatory: bool,
    /// Every one must be filled.
    pub clauses: Vec<NeedClause>,
}

/// So many persons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NeedClause {
    /// How many.
    pub count: u32,
    /// Of which team; none: any approver of the group.
    pub team: Option<String>,
}

/// What is told of a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyFacts {
    /// Its digest, where its bytes could be read.
    pub digest: Option<String>,
    /// What it changed, or why it was refused.
    pub summary: String,
}

/// What is told of the clock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockFacts {
    /// The latest instant that was trusted.
    pub trusted: Timestamp,
}

impl Message {
    /// What is told of `entry` of `journal`; none where nothing is. `request`
    /// is the approval request that it is about, where that is known.
    pub fn of(
        journal: JournalId,
        entry: &Entry,
        request: Option<&ApprovalRequest>,
    ) -> Option<Message> {
        let topic = topic(entry.event())?;
        let hash = entry.hash.to_string();
        let start: String = hash.chars().take(8).collect();
        Some(Message {
            v: 1,
            id: format!("{journal}-{}-{start}", entry.seq),
            topic,
            time: entry.draft.time,
            device: request
                .and_then(|request| request.new.subject.device())
                .map(str::to_owned),
            approval: approval(entry.event(), request),
            policy: policy(entry.event()),
            clock: clock(entry.event()),
            held_back: 0,
            seq: entry.seq,
        })
    }

    /// Its JSON, the same bytes each time.
    pub fn json(&self) -> String {
        // Plain data with string keys: it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The approval request that an event is about.
pub(super) fn request_of(event: &Event) -> Option<&str> {
    if let Event::ApprovalRequested { request } = event {
        return Some(&request.id);
    }
    if let Event::JobSubmitted { approval, .. } = event {
        return approval.as_ref().map(|request| request.id.as_str());
    }
    let Event::ApprovalStepped { id, .. } = event else {
        return None;
    };
    Some(id)
}

/// What an event is told as.
fn topic(event: &Event) -> Option<Topic> {
    match event {
        Event::ApprovalRequested { .. }
        | Event::JobSubmitted {
            approval: Some(_), ..
        } => Some(Topic::ApprovalRequested),
        Event::ApprovalStepped { step, .. } => step_topic(step),
        Event::PolicyReloaded { .. } => Some(Topic::PolicyReloaded),
        Event::PolicyRejected { .. } => Some(Topic::PolicyRejected),
        Event::ClockJumped { .. } => Some(Topic::ClockJumped),
        Event::JournalCreated { .. }
        | Event::DeviceEnrolled { .. }
        | Event::DeviceTagged { .. }
        | Event::DeviceDisabled { .. }
        | Event::DeviceEnabled { .. }
        | Event::DeviceRevoked { .. }
        | Event::KeyRotated { .. }
        | Event::KeyRetired { .. }
        | Event::TokenCreated { .. }
        | Event::TokenRevoked { .. }
        | Event::EnrollmentKeyCreated { .. }
        | Event::EnrollmentKeyRevoked { .. }
        | Event::ClaimIssued { .. }
        | Event::Claimed { .. }
        | Event::TangKeysImported { .. }
        | Event::LegacyKeyDeleted { .. }
        | Event::ExchangeGranted { .. }
        | Event::DenialLifted { .. }
        | Event::AllowOnceArmed { .. }
        | Event::AllowOnceJoined { .. }
        | Event::AllowOnceWithdrawn { .. }
        | Event::JobSubmitted { approval: None, .. }
        | Event::JobClaimed { .. }
        | Event::JobFinished { .. }
        | Event::JobEnded { .. }
        | Event::AuthorityCreated { .. }
        | Event::RenewalScheduled { .. }
        | Event::RenewalStopped { .. }
        | Event::PermitKeyCreated { .. }
        | Event::ClockAccepted { .. }
        | Event::MasterKeyChanged {}
        | Event::HeadAnchored { .. }
        | Event::HeadAccepted { .. }
        | Event::EpochBumped { .. }
        | Event::BackupRestored { .. } => None,
    }
}

fn step_topic(step: &Step) -> Option<Topic> {
    match step {
        Step::Decided { to, .. } | Step::Ended { to, .. } => match to {
            ApprovalState::Approved | ApprovalState::Executing | ApprovalState::Executed => {
                Some(Topic::ApprovalApproved)
            }
            ApprovalState::Denied => Some(Topic::ApprovalDenied),
            ApprovalState::Rejected => Some(Topic::ApprovalRejected),
            ApprovalState::Cancelled => Some(Topic::ApprovalCancelled),
            ApprovalState::Expired => Some(Topic::ApprovalExpired),
            ApprovalState::Superseded => Some(Topic::ApprovalSuperseded),
            // One voice of several, a deferral, or the end of what was used.
            ApprovalState::Pending | ApprovalState::Collecting | ApprovalState::Spent => None,
        },
        Step::Escalated { .. } => Some(Topic::ApprovalEscalated),
        Step::Spent { .. } | Step::Moved { .. } => None,
    }
}

fn clock(event: &Event) -> Option<ClockFacts> {
    let Event::ClockJumped { trusted } = event else {
        return None;
    };
    Some(ClockFacts { trusted: *trusted })
}

fn policy(event: &Event) -> Option<PolicyFacts> {
    let (digest, summary) = if let Event::PolicyReloaded { digest, summary } = event {
        (Some(digest), summary)
    } else if let Event::PolicyRejected { digest, summary } = event {
        (digest.as_ref(), summary)
    } else {
        return None;
    };
    let mut short: String = summary.chars().take(LONGEST_SUMMARY).collect();
    if short.len() < summary.len() {
        short.push('…');
    }
    Some(PolicyFacts {
        digest: digest.cloned(),
        summary: short,
    })
}

fn approval(event: &Event, request: Option<&ApprovalRequest>) -> Option<ApprovalFacts> {
    let id = request_of(event)?.to_owned();
    let mut facts = ApprovalFacts {
        id,
        kind: None,
        state: ApprovalState::Pending,
        source: None,
        groups: Vec::new(),
        approvers: BTreeSet::new(),
        need: Vec::new(),
        expires: None,
        decided_by: None,
        note: None,
        cause: None,
    };
    if let Some(request) = request {
        describe(&mut facts, request);
    }
    if let Event::ApprovalStepped { step, .. } = event {
        facts.state = step.to().unwrap_or(ApprovalState::Pending);
        facts.note = None;
        match step {
            Step::Decided { decision, .. } => {
                facts.decided_by = Some(decision.person.clone());
                facts.note = decision.note.clone();
            }
            Step::Ended { cause, .. } => facts.cause = Some(cause.clone()),
            Step::Escalated { to, .. } => facts.approvers.extend(to.iter().cloned()),
            Step::Spent { .. } | Step::Moved { .. } => {}
        }
    }
    facts.approvers = facts.approvers.into_iter().take(MOST_NAMES).collect();
    Some(facts)
}

fn describe(facts: &mut ApprovalFacts, request: &ApprovalRequest) {
    let requirement = request.requirement();
    let groups = requirement.groups.iter();
    facts.kind = Some(request.new.subject.kind());
    facts.source = request.new.source;
    facts.groups = groups.clone().map(|group| group.name.clone()).collect();
    facts.approvers = requirement.approvers(SignedDuration::ZERO);
    facts.expires = Some(request.expires);
    facts.note.clone_from(&request.new.reason);
    facts.need = groups.map(need).collect();
}

fn need(group: &GroupRequirement) -> Need {
    let clauses = group.clauses.iter().map(|clause| NeedClause {
        count: clause.count,
        team: clause.team.clone(),
    });
    Need {
        group: group.name.clone(),
        mandatory: group.mandatory,
        clauses: clauses.collect(),
    }
}
