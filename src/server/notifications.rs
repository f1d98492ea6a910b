//! The sinks of this server: read from their file, each on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use super::app::App;
use super::clock;
use super::config::Settings;
use super::metrics::Metrics;
use super::secrets;
use super::start::{StartError, io};
use crate::keyring;
use crate::notify::{self, CursorError, Outcome, Runner, Sink, SinksError, Stop, Surroundings};

/// How long a stop waits for attempts that are under way: a little longer than
/// one may take.
const FINISH: Duration = Duration::from_secs(12);
/// The longest file of sinks.
const LONGEST: u64 = 1 << 20;

/// Why notifications cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The file cannot be read.
    #[error("`notify`: cannot read `{path}`: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file makes no sense.
    #[error("`notify`: `{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        cause: SinksError,
    },
    /// A sink's place cannot be found or kept.
    #[error("the place of the sink `{sink}`: {cause}")]
    Place {
        /// The sink.
        sink: String,
        /// Why.
        cause: CursorError,
    },
}

/// Reads the sinks that the settings name; none where they name no file.
///
/// # Errors
/// The file, with the line.
pub(super) fn read(settings: &Settings) -> Result<Vec<Sink>, NotifyError> {
    let Some(path) = settings.notify.clone() else {
        return Ok(Vec::new());
    };
    let text = match read_text(&path) {
        Ok(text) => text,
        Err(cause) => return Err(NotifyError::Read { path, cause }),
    };
    let secret = |source: &str| secrets::read(source).map_err(|error| error.to_string());
    match notify::parse(&text, &secret) {
        Err(cause) => Err(NotifyError::File { path, cause }),
        Ok((sinks, warnings)) => {
            for warning in warnings {
                tracing::warn!(%warning, file = %path.display(), "notifications");
            }
            Ok(sinks)
        }
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LONGEST {
        true => Err(std::io::Error::other("it is longer than 1 MiB")),
        false => Ok(text),
    }
}

/// The clock, chance and the metrics.
struct World {
    metrics: Arc<Metrics>,
}

impl Surroundings for World {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn chance(&self) -> u8 {
        // Without chance the pauses are only less spread.
        keyring::random::<1>().map_or(0, |[byte]| byte)
    }

    fn count(&self, sink: &str, outcome: Outcome) {
        self.metrics.count_notification(sink, outcome.word(), 1);
    }

    fn reached(&self, sink: &str, seq: u64) {
        self.metrics.note_reached(sink, seq);
    }
}

/// The sinks at work.
pub(super) struct Notifications {
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
}

impl Notifications {
    /// Starts each sink where it was.
    ///
    /// # Errors
    /// Its place cannot be found or kept, or the system has no thread.
    pub(super) fn start(
        app: &Arc<App>,
        settings: &Settings,
        sinks: Vec<Sink>,
    ) -> Result<Self, StartError> {
        let mut running = Notifications {
            stop: Arc::default(),
            threads: Vec::new(),
        };
        let Some(state) = settings.state.as_ref().filter(|_| !sinks.is_empty()) else {
            return Ok(running);
        };
        let directory = state.join("notify");
        crate::durable::private_directory(&directory)
            .map_err(io(format!("`{}`", directory.display())))?;
        for sink in sinks {
            let thread = running.spawn(app, &directory, sink)?;
            running.threads.push(thread);
        }
        Ok(running)
    }

    fn spawn(
        &self,
        app: &Arc<App>,
        directory: &Path,
        sink: Sink,
    ) -> Result<JoinHandle<()>, StartError> {
        for outcome in Outcome::ALL {
            app.metrics
                .count_notification(&sink.name, outcome.word(), 0);
        }
        let (app, stop) = (Arc::clone(app), Arc::clone(&self.stop));
        let world = World {
            metrics: Arc::clone(&app.metrics),
        };
        let directory = directory.to_owned();
        let name = sink.name.clone();
        // Found before the start is reported: what happens from then on is told.
        let (told, opened) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("notify".to_owned())
            .spawn(
                move || match Runner::open(&sink, &app.store, &world, &stop, &directory) {
                    Ok(runner) => {
                        let _ = told.send(Ok(()));
                        runner.run();
                    }
                    Err(cause) => {
                        let _ = told.send(Err(cause));
                    }
                },
            )
            .map_err(io("a thread for notifications"))?;
        match opened.recv() {
            Ok(Err(cause)) => Err(NotifyError::Place { sink: name, cause }.into()),
            Ok(Ok(())) | Err(_) => Ok(thread),
        }
    }

    /// Lets each sink end with what it is doing.
    pub(super) fn stop(&self) {
        self.stop.set();
    }

    /// Waits a little for those that are still at it.
    pub(super) async fn finish(self) {
        let look = Duration::from_millis(50);
        let mut left = FINISH;
        while self.threads.iter().any(|thread| !thread.is_finished()) && !left.is_zero() {
            tokio::time::sleep(look).await;
            left = left.saturating_sub(look);
        }
        let late = self.threads.iter().filter(|thread| !thread.is_finished());
        let late = late.count();
        if late > 0 {
            tracing::warn!(
                late,
                "attempts at notifications are under way; the next start makes them again"
            );
        }
    }
}
