//! The live facts that an in-file test or `eval --given` supposes.

use ipnet::IpNet;
use jiff::Timestamp;

use crate::ir::test::{Subject, Test, UnlockSubject};
use crate::ir::{ApprovalId, PolicySet};
use crate::request::{
    Approved, ArmedAllowOnce, Denial, IssuanceFacts, IssuanceRequest, UnlockFacts, UnlockRequest,
};

/// What a test asks, with its facts.
#[derive(Clone, Debug)]
pub enum Given {
    /// An unlock.
    Unlock(UnlockRequest, UnlockFacts),
    /// A certificate request.
    Issuance(Box<IssuanceRequest>, IssuanceFacts),
}

/// The request and facts of one expectation.
pub fn of_test(set: &PolicySet, test: &Test) -> Given {
    match &test.subject {
        Subject::Unlock(subject) => {
            let (request, facts) = unlock(set, subject);
            Given::Unlock(request, facts)
        }
        Subject::Issuance(request, approved) => {
            Given::Issuance(request.clone(), issuance(set, approved))
        }
    }
}

/// An unlock's request and facts: each fact holds for this source, for all time.
pub fn unlock(set: &PolicySet, subject: &UnlockSubject) -> (UnlockRequest, UnlockFacts) {
    let source = crate::address::fold(subject.from);
    let request = UnlockRequest {
        device: String::new(),
        tags: subject.tags.clone(),
        state: subject.state,
        source,
        kid: None,
    };
    let denial = Denial {
        source: crate::address::host_range(source),
        until: Timestamp::MAX,
    };
    let armed = subject.allow_once.iter().map(|&id| ArmedAllowOnce {
        id: set.allow_onces.name(id).to_owned(),
        name: set.allow_onces.name(id).to_owned(),
        overrides: set.allow_onces[id].overrides.clone(),
        addresses: vec![IpNet::from(source)],
        until: Timestamp::MAX,
    });
    let facts = UnlockFacts {
        denials: subject.denied.then_some(denial).into_iter().collect(),
        allow_once: armed.collect(),
        approvals: approvals(set, &subject.approved),
        allow_bypass: false,
    };
    (request, facts)
}

/// A certificate request's facts.
pub fn issuance(set: &PolicySet, approved: &[ApprovalId]) -> IssuanceFacts {
    IssuanceFacts {
        approvals: approvals(set, approved),
        allow_bypass: false,
    }
}

/// One approval for each group.
fn approvals(set: &PolicySet, groups: &[ApprovalId]) -> Vec<Approved> {
    let names = groups.iter().map(|&id| set.approvals.name(id));
    names
        .map(|name| Approved {
            id: name.to_owned(),
            groups: vec![name.to_owned()],
            source: None,
            until: Timestamp::MAX,
        })
        .collect()
}
