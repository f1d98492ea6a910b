//! The recorded request: all that an evaluation was given and what it answered,
//! one JSON object a line.
//!
//! Knows no policy and no clock. [`Record`] is the line; [`log`] appends lines
//! to a rotating file, and [`back`] reads them; [`aggregate`] folds a client's
//! retries into one line; [`line`](mod@line) reads one to be judged again.

pub mod aggregate;
pub mod back;
pub mod line;
pub mod log;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::request::{IssuanceFacts, IssuanceRequest, UnlockFacts, UnlockRequest};

/// The version that `v` names.
pub const VERSION: u8 = 1;

/// One decided request. Evaluating `asked` at `time` under the same policy
/// gives the same decision, bit for bit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The format's version, [`VERSION`].
    pub v: u8,
    /// Unique among records.
    pub id: String,
    /// The instant that the evaluation was given.
    pub time: Timestamp,
    /// What was asked, and what was live beside it.
    #[serde(flatten)]
    pub asked: Asked,
    /// What was answered, without a trace.
    pub decision: Decision,
    /// How often it was asked and answered the same, where retries were folded.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
}

/// What was asked, by path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Asked {
    /// An unlock.
    Unlock {
        /// The request.
        request: UnlockRequest,
        /// The live facts.
        #[serde(default)]
        facts: UnlockFacts,
    },
    /// A certificate action.
    Issuance {
        /// The request.
        request: Box<IssuanceRequest>,
        /// The live facts.
        #[serde(default)]
        facts: IssuanceFacts,
    },
}

/// A run of equal requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many, the first included.
    pub n: u64,
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}
