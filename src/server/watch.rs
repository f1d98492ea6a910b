//! Watches the policy tree and the live Tang keys on disk.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;

use super::app::App;
use super::start::StartError;
use crate::durable::parent;

/// How long after a change it is read: editors write in steps.
const SETTLE: Duration = Duration::from_millis(200);

/// What a watched file's change asks for.
enum Change {
    Policy,
    TangKeys,
}

/// What has changed on disk.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changed {
    /// The policy tree.
    pub(super) policy: bool,
    /// The live Tang keys.
    pub(super) tang_keys: bool,
}

impl Changed {
    fn note(&mut self, change: &Change) {
        match change {
            Change::Policy => self.policy = true,
            Change::TangKeys => self.tang_keys = true,
        }
    }
}

/// The watches, and what they have seen.
pub(super) struct Watch {
    changes: mpsc::UnboundedReceiver<Change>,
    /// Held for as long as they are to watch.
    _watchers: Vec<notify::RecommendedWatcher>,
}

impl Watch {
    /// Watches the policy tree and the live Tang keys.
    ///
    /// # Errors
    /// One of them cannot be watched.
    pub(super) fn start(app: &App) -> Result<Watch, StartError> {
        let (sender, changes) = mpsc::unbounded_channel();
        let mut watchers = Vec::new();
        let policy = app.policy.path();
        // A single file is watched through its directory: editors replace files.
        let policy = if policy.is_dir() {
            policy
        } else {
            parent(policy)
        };
        watchers.push(watcher(policy, sender.clone(), || Change::Policy)?);
        let tang = app.legacy.as_ref().and_then(|legacy| legacy.directory());
        if let Some(directory) = tang {
            watchers.push(watcher(directory, sender, || Change::TangKeys)?);
        }
        Ok(Watch {
            changes,
            _watchers: watchers,
        })
    }

    /// Waits for a first change. It is safe to drop this and to wait again.
    pub(super) async fn first(&mut self) -> Option<Changed> {
        let change = self.changes.recv().await?;
        let mut changed = Changed::default();
        changed.note(&change);
        Some(changed)
    }

    /// Waits until what began has settled; what has changed until then.
    pub(super) async fn settle(&mut self, mut changed: Changed) -> Changed {
        tokio::time::sleep(SETTLE).await;
        while let Ok(change) = self.changes.try_recv() {
            changed.note(&change);
        }
        changed
    }
}

fn watcher(
    path: &Path,
    sender: mpsc::UnboundedSender<Change>,
    change: fn() -> Change,
) -> Result<notify::RecommendedWatcher, StartError> {
    use notify::Watcher;
    let fault = |cause: notify::Error| StartError::Io {
        what: format!("cannot watch `{}`", path.display()),
        cause: std::io::Error::other(cause),
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // With the server gone there is nothing to tell.
            let _ = sender.send(change());
        }
    })
    .map_err(fault)?;
    watcher
        .watch(path, notify::RecursiveMode::Recursive)
        .map_err(fault)?;
    Ok(watcher)
}
