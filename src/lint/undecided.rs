//! What a lint says where it gave up.

use crate::diagnostic::{Code, Diagnostic, Severity};

pub(super) static CODES: &[&Code] = &[&LINT_NOT_DECIDED];

static LINT_NOT_DECIDED: Code = Code {
    name: "lint-not-decided",
    severity: Severity::Note,
    summary: "a lint gave up before it had looked at everything",
    why: "A lint never holds up a check: each has a budget that no policy set that people wrote \
          comes near. Where a set is so large, or so entangled, that the budget is spent, the \
          lint says here what it did not look at, instead of seeming to have found nothing. No \
          short example can show it.",
    bad: "",
    good: "",
};

/// The finding that `code` was not looked for everywhere.
pub(super) fn not_decided(code: &'static Code, what: &str) -> Diagnostic {
    let message = format!("`{}` was not looked for everywhere: {what}", code.name);
    Diagnostic::global(&LINT_NOT_DECIDED, message)
}
