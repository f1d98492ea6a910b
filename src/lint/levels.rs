//! What becomes of findings: the levels that somebody chose, applied.
//!
//! A comment above a declaration is nearest, then comes the command line, then
//! a file. An error stays an error whatever is chosen.

use std::collections::BTreeMap;

use super::comment::{self, Allow};
use super::{codes, rules};
use crate::check::Checked;
use crate::diagnostic::left_out::MOST;
use crate::diagnostic::levels::{Change, Levels, Origin, Suppressed};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{FileId, Span};
use crate::vocabulary::{self, Level};

/// The levels of whole codes: from the command line and a file.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    by_code: BTreeMap<&'static str, (&'static Code, Level, Origin)>,
}

/// Why a code can be given no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// No code is named so.
    #[error("no lint is named `{name}`")]
    Unknown {
        /// As written.
        name: String,
        /// The nearest that there is.
        near: Option<&'static str>,
    },
    /// It is an error, and stays one.
    #[error("`{0}` is an error, which no level changes")]
    Fixed(&'static str),
    /// Two levels for one code.
    #[error("`{0}` is given two levels")]
    Twice(&'static str),
}

impl LevelError {
    /// How to mend it.
    pub fn help(&self) -> String {
        match self {
            LevelError::Unknown {
                near: Some(near), ..
            } => format!("did you mean `{near}`?"),
            LevelError::Unknown { near: None, .. } => "`panopol lint --list` lists them".to_owned(),
            LevelError::Fixed(_) => "levels are for warnings and notes".to_owned(),
            LevelError::Twice(_) => "keep one".to_owned(),
        }
    }
}

/// Every code whose level may be chosen.
pub fn adjustable() -> impl Iterator<Item = &'static Code> {
    let lints = rules::RULES.iter().map(|rule| rule.code);
    let lints = lints.chain(comment::CODES.iter().copied());
    lints.filter(|code| code.severity != Severity::Error)
}

/// The code of that name whose findings may be given a level.
///
/// # Errors
/// There is none, or it is an error.
pub fn find_code(name: &str) -> Result<&'static Code, LevelError> {
    if let Some(code) = adjustable().find(|code| code.name == name) {
        return Ok(code);
    }
    match codes().iter().find(|code| code.name == name) {
        Some(code) => Err(LevelError::Fixed(code.name)),
        None => Err(LevelError::Unknown {
            name: name.to_owned(),
            near: vocabulary::nearest(name, adjustable().map(|code| code.name)),
        }),
    }
}

impl Chosen {
    /// Gives a code a level.
    ///
    /// # Errors
    /// See [`find_code`]; and a second level for one code.
    pub fn set(&mut self, name: &str, level: Level, origin: Origin) -> Result<(), LevelError> {
        let code = find_code(name)?;
        let before = self.by_code.get(code.name);
        if before.is_some_and(|(_, other, _)| *other != level) {
            return Err(LevelError::Twice(code.name));
        }
        self.by_code.insert(code.name, (code, level, origin));
        Ok(())
    }

    /// These levels, and `base` where they say nothing.
    pub fn over(mut self, base: Chosen) -> Chosen {
        for (name, level) in base.by_code {
            self.by_code.entry(name).or_insert(level);
        }
        self
    }
}

/// What becomes of `findings`, those about comments among them.
pub(super) fn apply(
    checked: &Checked,
    chosen: &Chosen,
    mut findings: Vec<Diagnostic>,
) -> (Vec<Diagnostic>, Levels) {
    let (allows, malformed) = comment::allows(checked);
    findings.extend(malformed);
    let mut judged = Judged::new(chosen, allows);
    for finding in findings {
        judged.by_comment(finding);
    }
    judged.unused_comments();
    judged.finish()
}

/// The findings of one set under way to their levels.
struct Judged {
    levels: Levels,
    /// Where in the changes the code's own stands.
    by_code: BTreeMap<&'static str, usize>,
    comments: Comments,
    kept: Vec<Diagnostic>,
}

/// The comments of one set, to be found by what they stand above.
#[derive(Default)]
struct Comments {
    allows: Vec<Allow>,
    /// Where in the changes the first comment's stands.
    first: usize,
    /// Comments that met an error, which they cannot take out.
    met_error: Vec<bool>,
    /// By file, code and begin of what they stand above. Declarations do not
    /// overlap, nor do statements; so the last before a place is the one.
    above_items: BTreeMap<(FileId, &'static str, u32), usize>,
    above_statements: BTreeMap<(FileId, &'static str, u32), usize>,
}

impl Comments {
    fn new(allows: Vec<Allow>, first: usize) -> Self {
        let mut comments = Comments {
            first,
            met_error: vec![false; allows.len()],
            ..Comments::default()
        };
        for (index, allow) in allows.iter().enumerate() {
            let key = (allow.target.file, allow.code.name, allow.target.start);
            let above = match allow.is_statement {
                true => &mut comments.above_statements,
                false => &mut comments.above_items,
            };
            above.insert(key, index);
        }
        comments.allows = allows;
        comments
    }

    /// The comment that allows findings of `code` at `place`.
    fn about(&self, code: &'static Code, place: Span) -> Option<usize> {
        [&self.above_statements, &self.above_items]
            .into_iter()
            .find_map(|above| {
                let from = (place.file, code.name, 0);
                let to = (place.file, code.name, place.start);
                let (_, &index) = above.range(from..=to).next_back()?;
                let target = self.allows.get(index)?.target;
                (place.end <= target.end).then_some(index)
            })
    }
}

impl Judged {
    fn new(chosen: &Chosen, allows: Vec<Allow>) -> Self {
        let mut levels = Levels::default();
        let mut by_code = BTreeMap::new();
        for (name, (code, level, origin)) in &chosen.by_code {
            by_code.insert(*name, levels.changes.len());
            levels.changes.push(Change {
                code,
                level: *level,
                origin: origin.clone(),
                findings: 0,
            });
        }
        let comments = Comments::new(allows, levels.changes.len());
        levels
            .changes
            .extend(comments.allows.iter().map(|allow| Change {
                code: allow.code,
                level: Level::Allow,
                origin: Origin::Comment {
                    span: allow.comment,
                    reason: allow.reason.clone(),
                },
                findings: 0,
            }));
        Judged {
            levels,
            by_code,
            comments,
            kept: Vec::new(),
        }
    }

    /// Takes a finding out where a comment allows it, and else by its code.
    fn by_comment(&mut self, mut finding: Diagnostic) {
        let place = finding.primary.as_ref().map(|label| label.span);
        let index = place.and_then(|place| self.comments.about(finding.code, place));
        let Some(index) = index else {
            return self.by_code(finding);
        };
        if finding.severity == Severity::Error {
            if let Some(met) = self.comments.met_error.get_mut(index) {
                *met = true;
            }
            finding
                .notes
                .push("the comment above allows a warning, and this is an error".to_owned());
            self.kept.push(finding);
            return;
        }
        self.suppress(finding, self.comments.first + index);
    }

    fn by_code(&mut self, mut finding: Diagnostic) {
        let Some(&index) = self.by_code.get(finding.code.name) else {
            return self.kept.push(finding);
        };
        let Some(change) = self.levels.changes.get_mut(index) else {
            return self.kept.push(finding);
        };
        finding.severity = match (change.level, finding.severity) {
            (_, Severity::Error) => return self.kept.push(finding),
            (Level::Allow, Severity::Note | Severity::Warning) => {
                return self.suppress(finding, index);
            }
            (Level::Warn, Severity::Note | Severity::Warning) => Severity::Warning,
            (Level::Deny, Severity::Note | Severity::Warning) => Severity::Error,
        };
        change.findings += 1;
        self.kept.push(finding);
    }

    fn suppress(&mut self, finding: Diagnostic, by: usize) {
        if let Some(change) = self.levels.changes.get_mut(by) {
            change.findings += 1;
        }
        if self.levels.suppressed.len() < MOST {
            self.levels.suppressed.push(Suppressed { finding, by });
        }
    }

    /// Reports comments that allow what is not there.
    fn unused_comments(&mut self) {
        let used = self.levels.changes.iter().skip(self.comments.first);
        let used = used.map(|change| change.findings > 0);
        let met = self.comments.met_error.iter();
        let unused: Vec<Diagnostic> = (self.comments.allows.iter())
            .zip(used.zip(met))
            .filter(|(_, (used, met))| !used && !**met)
            .map(|(allow, _)| comment::unused(allow))
            .collect();
        for finding in unused {
            self.by_code(finding);
        }
    }

    fn finish(mut self) -> (Vec<Diagnostic>, Levels) {
        // A comment that does nothing is a finding; it need not be listed too.
        let first = self.comments.first;
        let mut moved = Vec::new();
        let mut changes = Vec::new();
        for (index, change) in self.levels.changes.into_iter().enumerate() {
            moved.push(changes.len());
            if index < first || change.findings > 0 {
                changes.push(change);
            }
        }
        self.levels.changes = changes;
        for suppressed in &mut self.levels.suppressed {
            suppressed.by = moved.get(suppressed.by).copied().unwrap_or(suppressed.by);
        }
        (self.kept, self.levels)
    }
}
