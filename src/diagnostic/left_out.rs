//! Bounds what is said of one policy set, and says what was left out.
//!
//! A list with a million repeated values has a million faults. Nobody reads
//! them, and nobody should wait for them: the worst [`MOST`] are said, and the
//! rest is counted.

use super::{Code, Diagnostic, Severity};

/// How many findings are said of one policy set.
pub const MOST: usize = 1000;

/// Stands last, for the findings that are not said.
pub static FINDINGS_LEFT_OUT: Code = Code {
    name: "findings-left-out",
    severity: Severity::Error,
    summary: "there are more findings than are shown",
    why: "Of one policy set 1000 findings are shown, errors before warnings and warnings before \
          notes. The rest is counted here, at the severity of the worst of it, so that no output \
          looks complete that is not. Mend what is shown and check again. No short example can \
          show it.",
    bad: "",
    good: "",
};

/// How many findings are not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Errors among them.
    pub errors: usize,
    /// Warnings among them.
    pub warnings: usize,
    /// Notes among them.
    pub notes: usize,
}

impl LeftOut {
    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
    }

    /// How many of one severity.
    pub fn of(&self, severity: Severity) -> usize {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
            Severity::Note => self.notes,
        }
    }

    /// The finding that stands for them; none where nothing was left out.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let worst_first = [Severity::Error, Severity::Warning, Severity::Note];
        let left = worst_first
            .into_iter()
            .filter(|&severity| self.of(severity) > 0);
        let worst = left.clone().next()?;
        let counts: Vec<String> = left
            .map(|severity| {
                let count = self.of(severity);
                let end = if count == 1 { "" } else { "s" };
                format!("{count} more {}{end}", severity.word())
            })
            .collect();
        let all = self.errors + self.warnings + self.notes;
        let verb = if all == 1 { "is" } else { "are" };
        let message = format!("{} {verb} not shown", counts.join(" and "));
        Some(Diagnostic {
            severity: worst,
            ..Diagnostic::global(&FINDINGS_LEFT_OUT, message).help("mend those above first")
        })
    }
}

/// Cuts `findings` down to the worst [`MOST`], in the order they stand, and
/// counts the others in `left_out`.
pub(super) fn cut(findings: &mut Vec<Diagnostic>, left_out: &mut LeftOut) {
    let mut room = MOST;
    let mut keep = LeftOut::default();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let found = findings.iter();
        let found = found.filter(|finding| finding.severity == severity).count();
        let kept = found.min(room);
        room -= kept;
        match severity {
            Severity::Error => keep.errors = kept,
            Severity::Warning => keep.warnings = kept,
            Severity::Note => keep.notes = kept,
        }
    }
    let mut seen = LeftOut::default();
    findings.retain(|finding| {
        let severity = finding.severity;
        let stays = seen.of(severity) < keep.of(severity);
        seen.add(severity);
        if !stays {
            left_out.add(severity);
        }
        stays
    });
}
