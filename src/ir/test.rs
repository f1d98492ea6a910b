//! In-file tests, resolved: a subject, facts, and what must come out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::{AllowOnceId, ApprovalId};
use crate::request::IssuanceRequest;
use crate::source::Span;
use crate::vocabulary::{DeviceState, ReasonCode};

/// One expectation of a test block.
#[derive(Clone, Debug)]
pub struct Test {
    /// The block's name.
    pub name: String,
    /// Where the expectation stands.
    pub span: Span,
    /// What is decided.
    pub subject: Subject,
    /// When; none where no schedule matters.
    pub at: Option<Timestamp>,
    /// What must come out.
    pub expect: Expect,
}

/// What a test decides.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An unlock.
    Unlock(UnlockSubject),
    /// A certificate request, and the groups that have approved it.
    Issuance(Box<IssuanceRequest>, Vec<ApprovalId>),
}

/// A device, its source and live facts.
#[derive(Clone, Debug)]
pub struct UnlockSubject {
    /// The device's tags.
    pub tags: BTreeMap<String, String>,
    /// Its state.
    pub state: DeviceState,
    /// The source address, folded.
    pub from: IpAddr,
    /// Whether a temporary denial holds here.
    pub denied: bool,
    /// The groups that have approved.
    pub approved: Vec<ApprovalId>,
    /// The one-time unlocks armed for this source.
    pub allow_once: Vec<AllowOnceId>,
}

/// What must come out; the exact set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Allowed.
    Allow,
    /// Denied for exactly these, in order.
    Deny(Vec<ReasonCode>),
    /// Pending by exactly these, sorted by name.
    Pending(Vec<ApprovalId>),
}
