//! The life of the policy: read once, hashed and compiled from those very
//! bytes, swapped whole, and kept in the store as the last good one.
//!
//! A broken tree never replaces a good program: the old one stays, and
//! `/readyz`, a metric and the log say so. A start with a broken tree serves
//! the last good bytes, degraded and loud.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::Serialize;

use crate::analyze::claims::{Verdict, prove};
use crate::check::{self, Checked};
use crate::diagnostic::{Diagnostic, Severity};
use crate::diff::compare;
use crate::diff::render::render_lines;
use crate::eval::Program;
use crate::ir::PolicySet;
use crate::source::load::{Directory, InMemory, LoadError, LoadedFile, PolicyFiles, join_relative};
use crate::syntax::tree::{File, ItemKind};

/// Differences that a reload's summary says one by one.
const EFFECTS: usize = 50;

/// Reads through to `files` and keeps what it read, so that it can be kept
/// and compiled again.
struct Recording<'a> {
    files: &'a mut dyn PolicyFiles,
    read: InMemory,
}

impl PolicyFiles for Recording<'_> {
    fn policy_files(&mut self) -> Vec<Result<LoadedFile, (String, LoadError)>> {
        let files = self.files.policy_files();
        for file in files.iter().flatten() {
            self.read
                .files
                .insert(file.path.clone(), file.bytes.clone());
        }
        files
    }

    fn network_file(&mut self, policy_file: &str, path: &str) -> Result<LoadedFile, LoadError> {
        let file = self.files.network_file(policy_file, path)?;
        if let Some(path) = join_relative(policy_file, path) {
            self.read.files.insert(path, file.bytes.clone());
        }
        Ok(file)
    }
}

/// A compiled policy and where it came from.
pub struct Loaded {
    /// What decides.
    pub program: Arc<Program>,
    /// The policy set it was compiled from.
    pub set: Arc<PolicySet>,
    /// The bytes it was compiled from.
    pub snapshot: InMemory,
    /// Its declarations by kind and name, for saying what a reload changed.
    items: BTreeMap<String, ItemKind>,
    /// When it began to decide.
    pub since: Timestamp,
}

/// Why a policy tree cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy is broken: {count} {}, the first: {first}", if *count == 1 { "error" } else { "errors" })]
pub struct BrokenPolicy {
    /// How many errors there are.
    pub count: usize,
    /// The first of them, with its place.
    pub first: String,
}

/// Compiles the policy that `files` hold.
///
/// # Errors
/// The errors that `check` reports, in short.
pub fn load(files: &mut dyn PolicyFiles, now: Timestamp) -> Result<Loaded, BrokenPolicy> {
    let mut recording = Recording {
        files,
        read: InMemory::default(),
    };
    let checked = check::check_files(&mut recording);
    let snapshot = recording.read;
    // A promise that does not hold is an error of `check`, and so it is here.
    if let Some(broken) = checked.set.as_deref().and_then(unproved) {
        return Err(broken);
    }
    match checked.set {
        Some(set) => Ok(Loaded {
            program: Arc::new(Program::compile(Arc::clone(&set))),
            set,
            snapshot,
            items: declarations(&checked.trees),
            since: now,
        }),
        None => Err(broken(&checked)),
    }
}

/// The invariants that do not hold, or are not known to.
fn unproved(set: &PolicySet) -> Option<BrokenPolicy> {
    let proofs = prove(set);
    let failed = proofs.iter().filter_map(|proof| {
        let problem = match proof.verdict {
            Verdict::Holds | Verdict::Vacuous => return None,
            Verdict::FailsFor(_) => "does not hold",
            Verdict::NotDecided => "could not be proved",
        };
        let position = set.sources.position(proof.span);
        let (path, name) = (
            set.sources.path(proof.span),
            set.invariants.name(proof.invariant),
        );
        let (line, column) = (position.line, position.column);
        Some(format!(
            "{path}:{line}:{column}: invariant `{name}` {problem}"
        ))
    });
    let failed: Vec<String> = failed.collect();
    failed.first().map(|first| BrokenPolicy {
        count: failed.len(),
        first: first.clone(),
    })
}

fn broken(checked: &Checked) -> BrokenPolicy {
    let errors: Vec<&Diagnostic> = checked
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .collect();
    let first = errors.first().map_or_else(
        || "no policy could be read".to_owned(),
        |error| {
            let place = error.primary.as_ref().map_or(String::new(), |label| {
                let position = checked.sources.position(label.span);
                let path = checked.sources.path(label.span);
                format!("{path}:{}:{}: ", position.line, position.column)
            });
            format!("{place}{} [{}]", error.message, error.code.name)
        },
    );
    BrokenPolicy {
        count: errors.len() + checked.left_out.errors,
        first,
    }
}

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Reload {
    /// The bytes are those that already decide.
    Unchanged {
        /// Their digest.
        digest: String,
    },
    /// A new program decides.
    Loaded {
        /// The digest before.
        before: String,
        /// The digest now.
        digest: String,
        /// What changed, by declaration.
        summary: Vec<String>,
    },
    /// The tree is broken; the old program still decides.
    Rejected {
        /// The digest that still decides.
        digest: String,
        /// Why.
        cause: String,
    },
}

/// The policy that decides now, and how it is replaced.
pub struct PolicyLife {
    path: PathBuf,
    current: ArcSwap<Loaded>,
    /// Why the tree on disk is not what decides; none while it is.
    degraded: Mutex<Option<String>>,
    /// One reload at a time.
    reloading: Mutex<()>,
}

impl PolicyLife {
    /// Starts with the tree at `path`, or with `last_good` where that is broken.
    ///
    /// # Errors
    /// The tree is broken and no last good policy is usable.
    pub fn start(
        path: PathBuf,
        last_good: Option<InMemory>,
        now: Timestamp,
    ) -> Result<PolicyLife, BrokenPolicy> {
        let (loaded, degraded) = match read_tree(&path, now) {
            Ok(loaded) => (loaded, None),
            Err(broken) => match last_good.map(|mut kept| load(&mut kept, now)) {
                Some(Ok(loaded)) => (loaded, Some(broken.to_string())),
                Some(Err(_)) | None => return Err(broken),
            },
        };
        Ok(PolicyLife {
            path,
            current: ArcSwap::from_pointee(loaded),
            degraded: Mutex::new(degraded),
            reloading: Mutex::new(()),
        })
    }

    /// The policy that decides; hold it for the whole of a request.
    pub fn current(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// Where the tree is.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Why the tree on disk is not what decides.
    pub fn degraded(&self) -> Option<String> {
        self.degraded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the tree again. `commit` makes the change durable before it
    /// takes effect; where it fails the old program stays.
    ///
    /// # Errors
    /// What `commit` says.
    pub fn reload<E>(
        &self,
        now: Timestamp,
        commit: impl FnOnce(&Reload, &Loaded) -> Result<(), E>,
    ) -> Result<Reload, E> {
        let _one = self
            .reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let before = current.set.digest.clone();
        let (reload, degraded) = match read_tree(&self.path, now) {
            Err(broken) => {
                let cause = broken.to_string();
                let reload = Reload::Rejected {
                    digest: before,
                    cause: cause.clone(),
                };
                commit(&reload, &current)?;
                (reload, Some(cause))
            }
            Ok(loaded) if loaded.set.digest == before => {
                (Reload::Unchanged { digest: before }, None)
            }
            Ok(loaded) => {
                let reload = Reload::Loaded {
                    before,
                    digest: loaded.set.digest.clone(),
                    summary: summarize(&current, &loaded),
                };
                commit(&reload, &loaded)?;
                self.current.store(Arc::new(loaded));
                (reload, None)
            }
        };
        *self.degraded.lock().unwrap_or_else(PoisonError::into_inner) = degraded;
        Ok(reload)
    }
}

fn read_tree(path: &std::path::Path, now: Timestamp) -> Result<Loaded, BrokenPolicy> {
    let mut directory = Directory::open(path).map_err(|error| BrokenPolicy {
        count: 1,
        first: format!("`{}` {error}", path.display()),
    })?;
    load(&mut directory, now)
}

/// What two policies decide differently, and which declarations differ.
/// Comments and layout do not count; a network's file does.
fn summarize(before: &Loaded, after: &Loaded) -> Vec<String> {
    let comparison = compare(&before.program, &after.program);
    let mut out = render_lines(&comparison, EFFECTS);
    for (name, item) in &after.items {
        match before.items.get(name) {
            None => out.push(format!("added {name}")),
            Some(earlier) if earlier != item => out.push(format!("changed {name}")),
            Some(_) => {}
        }
    }
    for name in before.items.keys() {
        if !after.items.contains_key(name) {
            out.push(format!("removed {name}"));
        }
    }
    for (_, network) in after.set.networks.iter() {
        let name = &network.header.name;
        let earlier = before
            .set
            .networks
            .find(name)
            .map(|id| &before.set.networks[id]);
        if let Some(earlier) = earlier
            && (earlier.v4 != network.v4 || earlier.v6 != network.v6)
        {
            let (old, new) = (prefixes(earlier), prefixes(network));
            out.push(format!(
                "addresses of network {name}: {old} prefixes before, {new} now"
            ));
        }
    }
    out
}

/// Each declaration under what `kind name` calls it.
fn declarations(trees: &[File]) -> BTreeMap<String, ItemKind> {
    let items = trees.iter().flat_map(|tree| &tree.items);
    items
        .map(|item| (item.value.title(), item.value.clone()))
        .collect()
}

fn prefixes(network: &crate::ir::Network) -> usize {
    network.v4.len() + network.v6.len()
}
