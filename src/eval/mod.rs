//! A policy set compiled to a program, and the two decisions it makes.
//!
//! Pure and total: the program, a request, its facts and an instant go in, a
//! decision comes out; no clock, no state, no panic. Start at [`Program`].
//!
//! An unlock is judged twice over: [`unlock::judge`] finds a small [`Verdict`],
//! which is all that a hot path needs, and [`unlock::explain`] says it in
//! words. What the program found out once it may keep, as the class of some
//! tags with its lines laid out by address ([`known`]): that changes how long
//! an answer takes, and never the answer. [`issuance`] is the other path; [`trace`] says what each rule had
//! to do with either; [`approval`] and [`people`] are common to both.

pub mod approval;
mod describe;
mod fewest;
pub mod given;
mod index;
pub mod issuance;
mod known;
pub mod people;
pub mod place;
mod requirement;
mod selector;
mod subject;
mod trace;
pub mod unlock;

use std::sync::Arc;

use jiff::Timestamp;

use crate::decision::Decision;
use crate::ir::{ApprovalId, NetworkId, PolicySet};
use crate::request::{IssuanceFacts, IssuanceRequest, UnlockFacts, UnlockRequest};
use crate::space::hours::Hours;
use crate::space::networks::Networks;
use index::Indices;
use known::Kept;
pub use known::KnownClass;
pub use requirement::{may_arm, requirement, second_person};
pub use subject::{Class, Classified, Incomplete};
use unlock::lines::Lines;
pub use unlock::{Cause, Verdict};

/// A compiled policy set.
#[derive(Debug)]
pub struct Program {
    set: Arc<PolicySet>,
    networks: Networks,
    lines: Lines,
    issuance: issuance::index::Index,
    indices: Indices,
    hours: Hours,
    kept: Kept,
}

impl Program {
    /// Compiles a policy set.
    pub fn compile(set: Arc<PolicySet>) -> Self {
        Program::compile_within(set, known::BUDGET)
    }

    /// Compiles a policy set to a program that keeps at most so many bytes of
    /// what only makes it faster.
    pub fn compile_within(set: Arc<PolicySet>, budget: usize) -> Self {
        let networks = Networks::compile(&set);
        let lines = Lines::compile(&set);
        Program {
            issuance: issuance::index::Index::compile(&set),
            indices: Indices::new(&set),
            hours: Hours::new(&set),
            kept: Kept::new(budget),
            set,
            networks,
            lines,
        }
    }

    /// The policy set it was compiled from.
    pub fn set(&self) -> &Arc<PolicySet> {
        &self.set
    }

    /// Whether a network covers an address, folded.
    pub fn covers(&self, network: NetworkId, address: std::net::IpAddr) -> bool {
        self.networks.contains(network, address)
    }

    /// Which rules, groups and bypasses a device of these tags falls under.
    ///
    /// # Errors
    /// Tags that enrollment would not permit: such a device is denied.
    pub fn classify(&self, tags: &std::collections::BTreeMap<String, String>) -> Classified {
        subject::classify(&self.set, &self.indices, tags)
    }

    /// The approval groups that cover a device of these tags, sorted; none where
    /// enrollment would not permit the tags.
    pub fn covering_groups(
        &self,
        tags: &std::collections::BTreeMap<String, String>,
    ) -> Vec<String> {
        match self.known(tags).class() {
            Ok(class) => approval::group_names(&self.set, &class.groups),
            Err(_) => Vec::new(),
        }
    }

    /// Judges an unlock of a device whose tags were classified before.
    pub fn judge_unlock(
        &self,
        class: &Classified,
        request: &UnlockRequest,
        facts: &UnlockFacts,
        at: Timestamp,
    ) -> Verdict {
        unlock::judge(&unlock::Case::new(self, class, request, facts, at))
    }

    /// Judges an unlock of a device whose class the program keeps; allocates
    /// nothing.
    pub fn judge_known(
        &self,
        known: &KnownClass,
        request: &UnlockRequest,
        facts: &UnlockFacts,
        at: Timestamp,
    ) -> Verdict {
        unlock::plainly(known, request, facts)
            .unwrap_or_else(|| unlock::judge(&unlock::Case::known(self, known, request, facts, at)))
    }

    /// Says in words what [`Program::judge_unlock`] found for the same arguments.
    pub fn explain_unlock(
        &self,
        class: &Classified,
        request: &UnlockRequest,
        facts: &UnlockFacts,
        at: Timestamp,
        verdict: Verdict,
    ) -> Decision {
        unlock::explain(&unlock::Case::new(self, class, request, facts, at), verdict)
    }

    /// Decides an unlock.
    pub fn decide_unlock(
        &self,
        request: &UnlockRequest,
        facts: &UnlockFacts,
        at: Timestamp,
    ) -> Decision {
        let known = self.known(&request.tags);
        let case = unlock::Case::known(self, &known, request, facts, at);
        unlock::explain(&case, unlock::judge(&case))
    }

    /// Decides an unlock and says what each rule had to do with it.
    pub fn trace_unlock(
        &self,
        request: &UnlockRequest,
        facts: &UnlockFacts,
        at: Timestamp,
    ) -> Decision {
        let class = self.classify(&request.tags);
        let case = unlock::Case::new(self, &class, request, facts, at);
        let verdict = unlock::judge(&case);
        Decision {
            trace: Some(trace::unlock(&case, verdict)),
            ..unlock::explain(&case, verdict)
        }
    }

    /// Which approval groups cover a certificate request.
    ///
    /// # Errors
    /// A name that the policy does not declare: such a request is denied.
    pub fn groups_of(&self, request: &IssuanceRequest) -> Result<Vec<ApprovalId>, Incomplete> {
        issuance::groups_of(self, request)
    }

    /// The issuance policies that match a request and require automatic
    /// renewal, by name.
    pub fn wanting_auto_renew(&self, request: &IssuanceRequest) -> Vec<String> {
        issuance::wanting_auto_renew(self, request)
    }

    /// What the approval groups that cover a certificate request require of
    /// people; none where no group does.
    pub fn requirement_of(
        &self,
        request: &IssuanceRequest,
        at: Timestamp,
    ) -> Option<crate::approval::Requirement> {
        issuance::requirement_of(self, request, at)
    }

    /// The highest role of an actor in a project, or in org where none is named.
    pub fn role_in(
        &self,
        actor: crate::ir::selector::Actor,
        project: Option<&str>,
    ) -> Option<crate::vocabulary::Role> {
        people::role_in(&self.set, actor, project)
    }

    /// The role of a request's requester where the request is; none where
    /// nobody of that name is declared.
    pub fn requester_role(&self, request: &IssuanceRequest) -> Option<crate::vocabulary::Role> {
        let actor = people::find(&self.set, request.requester.as_deref()?)?;
        self.role_in(actor, request.project.as_deref())
    }

    /// Decides a certificate request.
    pub fn decide_issuance(
        &self,
        request: &IssuanceRequest,
        facts: &IssuanceFacts,
        at: Timestamp,
    ) -> Decision {
        issuance::decide(&issuance::Case::new(self, request, facts, at))
    }

    /// Whether [`Program::decide_issuance`] allows a certificate request with
    /// nobody asked and nothing to be done first; the same without its words.
    pub fn plainly_allows_issuance(
        &self,
        request: &IssuanceRequest,
        facts: &IssuanceFacts,
        at: Timestamp,
    ) -> bool {
        issuance::is_plainly_allowed(&issuance::Case::new(self, request, facts, at))
    }

    /// Decides a certificate request and says what each rule had to do with it.
    pub fn trace_issuance(
        &self,
        request: &IssuanceRequest,
        facts: &IssuanceFacts,
        at: Timestamp,
    ) -> Decision {
        let case = issuance::Case::new(self, request, facts, at);
        let decision = issuance::decide(&case);
        Decision {
            trace: Some(trace::issuance(&case, &decision)),
            ..decision
        }
    }
}
