//! What panopol has to say about a policy: a code, a place, a cause, a way to mend it.
//!
//! Knows no policy language. A [`Code`] is the stable name of one kind of
//! fault with its explanation; a [`Diagnostic`] is one occurrence of it.
//! The submodules render a list of them for people and for tools.
//!
//! Messages are lower case with no final stop, quote the user's own text in
//! backticks, name no Rust type, and keep the advice in `help`.

pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod left_out;
pub mod levels;
pub mod report;
pub mod sarif;

use crate::source::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never fails a run.
    Note,
    /// Doubtful; fails a run under `--deny warnings`.
    Warning,
    /// Wrong; the policy is not used.
    Error,
}

impl Severity {
    /// The word used in every output format.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One kind of fault: its stable name and what `lint --explain` says of it.
/// Its page in `docs/codes/` is made from this.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable kebab-case name of the fault.
    pub name: &'static str,
    /// How bad it is unless a level says otherwise.
    pub severity: Severity,
    /// One sentence: what is wrong.
    pub summary: &'static str,
    /// Why it matters, in one or more paragraphs.
    pub why: &'static str,
    /// A whole policy file that has this fault and no other.
    pub bad: &'static str,
    /// The same policy, mended.
    pub good: &'static str,
}

/// A place that a diagnostic points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands there; may be empty.
    pub text: String,
}

/// A replacement that certainly mends the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What to replace; an empty span inserts.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of fault.
    pub code: &'static Code,
    /// How bad this occurrence is.
    pub severity: Severity,
    /// The cause, in the user's words.
    pub message: String,
    /// Where the fault is; none for a fault of the whole set (say, an empty directory).
    pub primary: Option<Label>,
    /// Other places that explain it, such as an earlier declaration.
    pub secondary: Vec<Label>,
    /// How to mend it, or the nearest declared name.
    pub help: Option<String>,
    /// A certain repair.
    pub fix: Option<Fix>,
    /// A concrete request that shows the fault, as a `test` block.
    pub witness: Option<String>,
    /// What else explains it, such as the trace of a failed test; each may have several lines.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A finding of `code` at `span`, at the code's own severity.
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            primary: Some(Label {
                span,
                text: String::new(),
            }),
            ..Self::global(code, message)
        }
    }

    /// A finding about the whole set.
    pub fn global(code: &'static Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: code.severity,
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: None,
            fix: None,
            witness: None,
            notes: Vec::new(),
        }
    }

    /// Says what stands at the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = &mut self.primary {
            label.text = text.into();
        }
        self
    }

    /// Points at another place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says how to mend it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds an explanation.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Offers a certain repair.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix {
            span,
            replacement: replacement.into(),
        });
        self
    }
}
