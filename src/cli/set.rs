//! A policy set from disk, checked.

use std::path::Path;
use std::sync::Arc;

use super::answer::{Answer, Failure};
use super::{path, revision, terminal};
use crate::check::{self, Checked};
use crate::diagnostic::report::{Report, SetReport};
use crate::diagnostic::{Severity, human, json};
use crate::ir::PolicySet;
use crate::source::load::{Directory, PolicyFiles};

/// A policy set that was read and checked.
pub(super) struct Loaded {
    /// What was found.
    pub(super) checked: Checked,
    /// What is said of it.
    pub(super) report: SetReport,
}

impl Loaded {
    /// How many policy files, and how many rules; none of the latter in a broken set.
    pub(super) fn size(&self) -> (usize, usize) {
        let rules = self.checked.set.as_ref().map_or(0, |set| {
            set.unlocks.len()
                + set.allow_onces.len()
                + set.approvals.len()
                + set.issuances.len()
                + set.bypasses.len()
                + set.invariants.len()
        });
        (self.checked.trees.len(), rules)
    }
}

/// Reads and checks the set at `path`; its findings are those of `check` alone.
///
/// # Errors
/// The path cannot be read at all.
pub(super) fn load(path: &Path) -> Result<Loaded, Failure> {
    let directory = open(path)?;
    Ok(check(
        directory,
        &path.display().to_string(),
        path::root(path),
    ))
}

/// Checks the files of a set that is called `name` and lies at `root`.
pub(super) fn check(mut files: impl PolicyFiles, name: &str, root: String) -> Loaded {
    let checked = check::check_files(&mut files);
    let mut report = SetReport {
        name: name.to_owned(),
        root,
        sources: checked.sources.clone(),
        findings: checked.diagnostics.clone(),
        left_out: checked.left_out,
        tests: Vec::new(),
        levels: Default::default(),
    };
    report.settle();
    Loaded { checked, report }
}

/// The policy set at `path`, which may be `REV:PATH`; or, where it does not
/// compile, why not.
///
/// # Errors
/// The path cannot be read at all.
pub(super) fn compiled(
    path: &Path,
    as_json: bool,
) -> Result<Result<Arc<PolicySet>, Answer>, Failure> {
    let operand = path.to_str().unwrap_or_default();
    let loaded = match revision::of(operand) {
        Some(revision) => check(revision.read()?, operand, String::new()),
        None => load(path)?,
    };
    if let Some(policies) = loaded.checked.set {
        return Ok(Ok(policies));
    }
    let text = if as_json {
        json::render_json(&Report {
            sets: vec![loaded.report],
            fails_at: Severity::Error,
        })
    } else {
        human::render_human(&loaded.report, terminal::colour())
    };
    Ok(Err(Answer {
        text,
        found: true,
        failures: Vec::new(),
    }))
}

/// Opens the set at `path`.
///
/// # Errors
/// The path cannot be read at all.
pub(super) fn open(path: &Path) -> Result<Directory, Failure> {
    Directory::open(path).map_err(|error| {
        let failure = Failure::new(format!("cannot read `{}`: {error}", path.display()));
        let help = match error.help {
            None if path == Path::new(path::DEFAULT) => {
                Some("name a policy file or directory, or start one with `panopol init`".to_owned())
            }
            help => help,
        };
        failure.maybe_help(help)
    })
}

/// Whether any finding of the set is an error.
pub(super) fn is_broken(report: &SetReport) -> bool {
    report
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}
