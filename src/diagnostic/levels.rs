//! What somebody chose to become of a code's findings, and what came of it.
//!
//! Nothing is silenced in silence: every level that is not the code's own
//! stands in the output, with who chose it and how many findings it concerned.

use super::{Code, Diagnostic};
use crate::source::Span;
use crate::vocabulary::Level;

/// Every level that was chosen for one policy set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// The choices: those for the whole set first, then comments in their order.
    pub changes: Vec<Change>,
    /// The findings that are not among the set's, as many as are ever shown of one set.
    pub suppressed: Vec<Suppressed>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The code.
    pub code: &'static Code,
    /// What its findings become.
    pub level: Level,
    /// Who chose it.
    pub origin: Origin,
    /// How many findings it concerned.
    pub findings: usize,
}

/// Where a level was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On the command line.
    CommandLine,
    /// In the file of this path.
    File(String),
    /// In a comment of the policy, with a reason.
    Comment {
        /// The comment.
        span: Span,
        /// Why.
        reason: String,
    },
}

/// A finding that a level took out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Diagnostic,
    /// Which of [`Levels::changes`] took it out.
    pub by: usize,
}

impl Levels {
    /// The choice that took a finding out.
    pub fn change_of(&self, suppressed: &Suppressed) -> Option<&Change> {
        self.changes.get(suppressed.by)
    }
}

impl Change {
    /// What it came to, in words: `single-approver: 2 findings allowed by …`.
    pub fn sentence(&self) -> String {
        let count = match self.findings {
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        };
        let became = match self.level {
            Level::Allow => "allowed",
            Level::Warn => "made a warning",
            Level::Deny => "made an error",
        };
        let by = match &self.origin {
            Origin::CommandLine => "by the command line".to_owned(),
            Origin::File(path) => format!("by `{path}`"),
            Origin::Comment { reason, .. } => format!("because: {reason}"),
        };
        format!("{}: {count} {became} {by}", self.code.name)
    }
}
