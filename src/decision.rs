//! What an evaluation answers: an outcome, why, and what must be done with it.
//!
//! The JSON of these types is the product's interface: `eval --format json`,
//! the records and the HTTP API all write them.

use serde::{Deserialize, Serialize};

use crate::vocabulary::{Outcome, ReasonCode};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Allow, deny or pending.
    pub outcome: Outcome,
    /// Why: exactly one for an unlock; for issuance one for each code, in order.
    pub reasons: Vec<Reason>,
    /// What must be done before the outcome takes effect.
    pub obligations: Vec<Obligation>,
    /// The approval groups not yet satisfied, sorted; only where pending.
    pub groups: Vec<String>,
    /// The persons who may satisfy them, sorted; only where pending.
    pub approvers: Vec<String>,
    /// The digest of the policy that decided.
    pub policy: String,
    /// Every rule considered; only where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Vec<TraceEntry>>,
}

impl Decision {
    /// What a `test` block expects of it: `allow`, `deny [naming, lifetime]`,
    /// `pending by prod-db`.
    pub fn expectation(&self) -> String {
        let listed = |words: Vec<&str>| match words.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("[{}]", many.join(", ")),
        };
        match self.outcome {
            Outcome::Allow => "allow".to_owned(),
            Outcome::Deny => {
                let codes = self.reasons.iter().map(|reason| reason.code.word());
                format!("deny {}", listed(codes.collect()))
            }
            Outcome::Pending => {
                let groups = self.groups.iter().map(String::as_str);
                format!("pending by {}", listed(groups.collect()))
            }
        }
    }
}

/// Why a decision came out as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// One sentence for a person.
    pub message: String,
    /// The rule that did it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// The network that covered the source, as the rule names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Each value that fails and the rule that it fails; issuance alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}

/// A rule and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleRef {
    /// `unlock`, `approval`, `issuance`, `bypass` or `allow-once`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The file, relative to the policy set.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// One value that fails one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The code it is reported under.
    pub code: ReasonCode,
    /// One sentence for a person.
    pub message: String,
    /// The rule; none where no rule is needed to fail it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// What was asked for; none where it was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What would have passed, as the policy says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// What must be done, durably, before an allowed request has its effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Obligation {
    /// Spend this one-time unlock.
    SpendAllowOnce {
        /// The armed one's id.
        id: String,
    },
    /// Spend one exchange of this approval.
    SpendApproval {
        /// The approval request's id.
        id: String,
    },
    /// Record that this bypass stood in for approval.
    RecordBypass {
        /// The bypass.
        name: String,
    },
}

/// One rule that was considered, in the order of decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// The step of the order of decision: `device-state`, `denials`, `deny`, `allow`, `approval`, …
    pub step: String,
    /// The rule; none for a step that has no rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// Whether it matched and so took part.
    pub matched: bool,
    /// Why it did or did not.
    pub detail: String,
    /// Whether this is the rule that came nearest to allowing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nearest: bool,
}
