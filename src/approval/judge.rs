//! What an act does to a request, under the policy of the moment.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::matching::{Voice, fill, voices};
use super::request::{ApprovalRequest, Decision, Subject, Taken};
use super::requirement::{GroupRequirement, Requirement};
use super::steps::Step;
use crate::vocabulary::{ApprovalKind, ApprovalState, Verdict};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The person.
    pub person: String,
    /// Everyone who counts as the actor: the person, and who minted the credential.
    pub persons: BTreeSet<String>,
    /// The token used.
    pub credential: Option<String>,
}

/// What somebody would say, and what they were shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub by: By,
    /// What.
    pub verdict: Verdict,
    /// Why.
    pub note: Option<String>,
    /// The digest of what they were shown.
    pub shown: String,
    /// The digest of the policy of the moment.
    pub policy: String,
}

/// Why a request does not take an act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The same person has said the same before: nothing changes, nothing is wrong.
    #[error("`{0}` has said that already")]
    Repeated(String),
    /// It is decided.
    #[error("it is {state} already{}", winner.as_ref().map_or(String::new(), |winner| format!(", decided by `{winner}`")))]
    Late {
        /// Where it stands.
        state: ApprovalState,
        /// Whose word it was.
        winner: Option<String>,
    },
    /// What is required has changed since it was made.
    #[error("what it needs has changed since it was made: it is superseded")]
    Superseded,
    /// Not recorded as an approver, or no longer one.
    #[error("`{0}` is not an approver of this request, or no longer one")]
    NotEntitled(String),
    /// Who asks never decides.
    #[error(
        "two-person integrity: `{0}` stands behind the request itself, by this or another credential"
    )]
    OwnRequest(String),
    /// The word is not one for this kind of request.
    #[error("`{verdict}` is not said of {kind} requests")]
    NotHere {
        /// The word.
        verdict: Verdict,
        /// The kind of request.
        kind: ApprovalKind,
    },
    /// A comment is needed.
    #[error("the policy requires a comment on reject: give a note")]
    CommentRequired,
    /// Nothing is left of it for this binding.
    #[error("no exchange of it is left for this binding")]
    UsedUp,
}

impl ApprovalRequest {
    /// Judges what somebody would say: what becomes true of the request, or
    /// why nothing does. `current` is what the policy of the moment requires
    /// of the same subject; none where it requires nothing any more.
    ///
    /// # Errors
    /// Each of [`Refused`] but `UsedUp`.
    pub fn judge(
        &self,
        act: &Act,
        current: Option<&Requirement>,
        now: Timestamp,
    ) -> Result<Step, Refused> {
        let state = self.state_at(now);
        let said = |verdict| {
            let mut same = self.decisions.iter();
            same.any(|one| one.verdict == verdict && one.person == act.by.person)
        };
        let late = || Refused::Late {
            state,
            winner: self.winner().map(|one| one.person.clone()),
        };
        self.expect_word(act.verdict)?;
        let open = match act.verdict {
            // A denial wins over anything that is not spent.
            Verdict::Deny => state.may_become(ApprovalState::Denied),
            Verdict::Approve | Verdict::Defer | Verdict::Reject | Verdict::Cancel => {
                state == ApprovalState::Pending
            }
        };
        if !open {
            let stands = self.winner().is_some_and(|one| one.verdict == act.verdict);
            return Err(match stands && said(act.verdict) {
                true => Refused::Repeated(act.by.person.clone()),
                false => late(),
            });
        }
        let current = current.filter(|current| current.digest() == self.new.required);
        let current = current.ok_or(Refused::Superseded)?;
        self.expect_entitled(act, current, now)?;
        // To take an approval back is to deny, not to defer.
        if matches!(act.verdict, Verdict::Approve | Verdict::Defer) && said(act.verdict) {
            return Err(Refused::Repeated(act.by.person.clone()));
        }
        if act.verdict == Verdict::Reject
            && self.requirement().terms.comment_required
            && act
                .note
                .as_deref()
                .is_none_or(|note| note.trim().is_empty())
        {
            return Err(Refused::CommentRequired);
        }
        let decision = decision(act, now);
        Ok(self.outcome(decision, current, now))
    }

    fn expect_word(&self, verdict: Verdict) -> Result<(), Refused> {
        let kind = self.new.subject.kind();
        let here = match (kind, verdict) {
            (_, Verdict::Approve | Verdict::Defer) => true,
            (ApprovalKind::Unlock, Verdict::Deny) => true,
            (ApprovalKind::Unlock, Verdict::Reject | Verdict::Cancel) => false,
            (ApprovalKind::Tags | ApprovalKind::Issuance, Verdict::Reject | Verdict::Cancel) => {
                true
            }
            (ApprovalKind::Tags | ApprovalKind::Issuance, Verdict::Deny) => false,
        };
        match here {
            true => Ok(()),
            false => Err(Refused::NotHere { verdict, kind }),
        }
    }

    fn expect_entitled(
        &self,
        act: &Act,
        current: &Requirement,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let person = &act.by.person;
        if act.verdict == Verdict::Cancel {
            return match self.new.requesters.contains(person) {
                true => Ok(()),
                false => Err(Refused::NotEntitled(person.clone())),
            };
        }
        if !self.new.requesters.is_disjoint(&act.by.persons) {
            return Err(Refused::OwnRequest(person.clone()));
        }
        let entitled = self.requirement().both(current, self.pending_for(now));
        match entitled
            .groups
            .iter()
            .any(|group| group.approvers.contains(person))
        {
            true => Ok(()),
            false => Err(Refused::NotEntitled(person.clone())),
        }
    }

    fn outcome(&self, decision: Decision, current: &Requirement, now: Timestamp) -> Step {
        let (to, until) = match decision.verdict {
            Verdict::Defer => (ApprovalState::Pending, None),
            Verdict::Deny => (ApprovalState::Denied, None),
            Verdict::Reject => (ApprovalState::Rejected, None),
            Verdict::Cancel => (ApprovalState::Cancelled, None),
            Verdict::Approve => {
                let with = self.approving().chain(std::iter::once(&decision));
                match self.suffices(with, current, now) {
                    false => (ApprovalState::Pending, None),
                    true => self.granted(now),
                }
            }
        };
        Step::Decided {
            decision,
            to,
            until,
        }
    }

    /// What a request that has all it needs becomes.
    fn granted(&self, now: Timestamp) -> (ApprovalState, Option<Timestamp>) {
        match self.new.subject {
            Subject::Unlock { .. } => {
                let claim = seconds(self.requirement().terms.claim_s);
                (ApprovalState::Approved, Some(after(now, claim)))
            }
            // Its effect is part of the same entry.
            Subject::Tags { .. } => (ApprovalState::Executed, None),
            // Executed as soon as it can be, and not after what it was asked for.
            Subject::Issuance { .. } => (ApprovalState::Approved, Some(self.expires)),
        }
    }

    fn pending_for(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.created)
    }

    /// Whether the approvals given hold under the policy of the moment: each
    /// counts only while its giver is entitled, then and now.
    pub fn holds(&self, current: &Requirement, now: Timestamp) -> bool {
        current.digest() == self.new.required && self.suffices(self.approving(), current, now)
    }

    fn suffices<'a>(
        &self,
        approving: impl Iterator<Item = &'a Decision>,
        current: &Requirement,
        now: Timestamp,
    ) -> bool {
        let entitled = self.requirement().both(current, self.pending_for(now));
        let voices = counted(approving);
        let deciding: Vec<&GroupRequirement> = entitled.deciding().collect();
        match deciding.iter().any(|group| group.mandatory) {
            true => fill(deciding.into_iter(), &voices),
            false => deciding
                .into_iter()
                .any(|group| fill(std::iter::once(group), &voices)),
        }
    }

    /// The groups that the approvals given satisfy, as many at once as
    /// distinct persons allow, in the order of their names.
    pub fn satisfied(&self, current: &Requirement, now: Timestamp) -> Vec<String> {
        if current.digest() != self.new.required {
            return Vec::new();
        }
        let entitled = self.requirement().both(current, self.pending_for(now));
        let voices = counted(self.approving());
        let mut met: Vec<&GroupRequirement> = Vec::new();
        for group in entitled.deciding() {
            let with = met.iter().copied().chain(std::iter::once(group));
            // Where any one group is enough, one person may speak for several.
            let fits = match group.mandatory {
                true => fill(with, &voices),
                false => fill(std::iter::once(group), &voices),
            };
            if fits {
                met.push(group);
            }
        }
        met.into_iter().map(|group| group.name.clone()).collect()
    }

    /// Takes one exchange for a binding of a device that has `bindings`.
    ///
    /// # Errors
    /// `Late` where it is not open for exchanges, `UsedUp` for this binding.
    pub fn spend(&self, taken: Taken, bindings: &[String]) -> Result<Step, Refused> {
        let now = taken.time;
        let terms = &self.requirement().terms;
        let until = match self.state_at(now) {
            ApprovalState::Approved => Some(after(now, seconds(terms.collect_s))),
            ApprovalState::Collecting => self.until,
            state => {
                return Err(Refused::Late {
                    state,
                    winner: self.winner().map(|one| one.person.clone()),
                });
            }
        };
        if self.left(&taken.binding) == 0 {
            return Err(Refused::UsedUp);
        }
        let all = bindings.iter().all(|one| {
            let now = u32::from(*one == taken.binding);
            self.left(one) <= now
        });
        let to = match all {
            true => ApprovalState::Spent,
            false => ApprovalState::Collecting,
        };
        Ok(Step::Spent {
            taken,
            to,
            until: until.filter(|_| !all),
        })
    }

    /// How many exchanges are left for a binding.
    pub fn left(&self, binding: &str) -> u32 {
        let used = self.taken.iter().filter(|one| one.binding == binding);
        let used = u32::try_from(used.count()).unwrap_or(u32::MAX);
        self.requirement().terms.up_to.saturating_sub(used)
    }

    /// What time alone, or a changed policy, does to it; none where nothing.
    /// `current` as in [`ApprovalRequest::judge`].
    pub fn lapse(&self, current: Option<&Requirement>, now: Timestamp) -> Option<Step> {
        let ended = |to, cause: &str| {
            Some(Step::Ended {
                to,
                cause: cause.to_owned(),
            })
        };
        let state = self.state_at(now);
        if state != self.state {
            let cause = match self.state {
                ApprovalState::Pending => "nobody decided in time",
                ApprovalState::Approved => "it was not claimed in time",
                _ => "its window is over",
            };
            return ended(state, cause);
        }
        if !state.is_open() {
            return None;
        }
        let same = current.filter(|now| now.digest() == self.new.required);
        let Some(current) = same else {
            return match state {
                // What was taken is taken; the rest of the window is over.
                ApprovalState::Collecting => {
                    ended(ApprovalState::Spent, "what it needed has changed")
                }
                _ => ended(ApprovalState::Superseded, "what it needed has changed"),
            };
        };
        match state {
            ApprovalState::Approved if !self.holds(current, now) => ended(
                ApprovalState::Superseded,
                "somebody who approved it is no longer entitled",
            ),
            ApprovalState::Collecting if !self.holds(current, now) => ended(
                ApprovalState::Spent,
                "somebody who approved it is no longer entitled",
            ),
            _ => None,
        }
    }

    /// The persons whom an escalation that was not announced yet adds.
    pub fn escalates(&self, now: Timestamp) -> Option<Step> {
        if self.state_at(now) != ApprovalState::Pending {
            return None;
        }
        let groups = self.requirement().groups.iter();
        let due: Vec<_> = groups
            .flat_map(|group| group.due(self.created, now))
            .collect();
        let announced = usize::try_from(self.escalated).unwrap_or(usize::MAX);
        if due.len() <= announced {
            return None;
        }
        let to: BTreeSet<String> = due.iter().flat_map(|one| one.to.iter().cloned()).collect();
        Some(Step::Escalated {
            to,
            announced: u32::try_from(due.len()).unwrap_or(u32::MAX),
        })
    }
}

fn counted<'a>(approving: impl Iterator<Item = &'a Decision>) -> Vec<Voice> {
    voices(approving.map(|said| (said.person.as_str(), &said.persons)))
}

fn decision(act: &Act, now: Timestamp) -> Decision {
    Decision {
        person: act.by.person.clone(),
        persons: act.by.persons.clone(),
        credential: act.by.credential.clone(),
        verdict: act.verdict,
        note: act.note.clone(),
        shown: act.shown.clone(),
        policy: act.policy.clone(),
        time: now,
    }
}

pub(super) fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// The instant `span` after `now`; the end of time where there is none.
pub(super) fn after(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}
