//! What the server does unasked: on signals, on changes of its files, and by
//! the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::app::App;
use super::claim;
use super::config::Settings;
use super::start::{self, StartError, io, own_context};
use super::watch::Watch;
use crate::journal::Actor;
use crate::store::StoreState;

/// How often what is over is taken away, and what was counted is saved.
const TIDY: Duration = Duration::from_secs(30);
/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often approval requests are looked through.
const SWEEP: Duration = Duration::from_secs(5);
/// How often the head is signed and put away.
const ANCHOR: Duration = Duration::from_secs(3600);
/// `SIGXFSZ`: a write went beyond the limit on a file's size.
const FILE_SIZE: i32 = 25;

fn catch(kind: SignalKind) -> Result<Signal, StartError> {
    signal(kind).map_err(io("signals"))
}

/// Makes a limit on the size of files answer as a full disk does, where it
/// would end the server.
///
/// # Errors
/// The system said no.
pub(super) fn survive_size_limit() -> Result<(), StartError> {
    // Once caught, the signal stays caught.
    catch(SignalKind::from_raw(FILE_SIZE)).map(|_| ())
}

/// Serves signals, changes and timers until the server is to end.
///
/// # Errors
/// Signals cannot be caught.
pub(super) async fn serve(
    app: &Arc<App>,
    settings: &Settings,
    watch: &mut Watch,
) -> Result<(), StartError> {
    let mut terminate = catch(SignalKind::terminate())?;
    let mut interrupt = catch(SignalKind::interrupt())?;
    let mut hangup = catch(SignalKind::hangup())?;
    let mut tidying = tokio::time::interval(TIDY);
    let mut anchor = tokio::time::interval(ANCHOR);
    let mut looking = tokio::time::interval(LOOK);
    let mut sweeping = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => reload(app).await,
            Some(changed) = watch.first() => {
                let changed = watch.settle(changed).await;
                if changed.policy {
                    reload(app).await;
                    app.sweep().await;
                }
                if changed.tang_keys {
                    reread(app).await;
                }
            }
            _ = looking.tick() => app.watch_clock().await,
            _ = sweeping.tick() => app.sweep().await,
            _ = tidying.tick() => tidy(app).await,
            _ = anchor.tick() => put_head_away(app, settings).await,
        }
    }
}

async fn tidy(app: &Arc<App>) {
    let done = app
        .blocking(|app| {
            app.limits.tidy();
            app.store.save_legacy_uses();
            claim::tidy(app);
            if let Err(error) = app.clock.keep() {
                tracing::error!(%error, "the time cannot be kept for the next start");
            }
            Ok(())
        })
        .await;
    if let Err(problem) = done {
        tracing::error!(detail = %problem.detail, "cannot tidy");
    }
}

async fn reload(app: &Arc<App>) {
    let done = app.blocking(|app| Ok(app.reload(Actor::server())?)).await;
    if let Err(problem) = done {
        tracing::error!(detail = %problem.detail, "the policy cannot be reloaded");
    }
}

async fn reread(app: &Arc<App>) {
    let done = app
        .blocking(|app| {
            let Some(legacy) = &app.legacy else {
                return Ok(());
            };
            match legacy.reread(&app.store) {
                Ok(()) => tracing::info!("the Tang keys were read"),
                Err(error) => {
                    tracing::error!(%error, "the Tang keys cannot be read; the old ones stay");
                }
            }
            Ok(())
        })
        .await;
    if let Err(problem) = done {
        tracing::error!(detail = %problem.detail, "the Tang keys cannot be read");
    }
}

async fn put_head_away(app: &Arc<App>, settings: &Settings) {
    // A head that the journal does not reach is the only witness of that.
    if app.store.state() != StoreState::Ready {
        return;
    }
    let Some(state) = &settings.state else { return };
    let path = start::head_file(settings, state);
    let done = app
        .blocking(move |app| Ok(app.store.anchor_head(own_context(app), &path)?))
        .await;
    if let Err(problem) = done {
        tracing::error!(detail = %problem.detail, "the journal's head cannot be put away");
    }
}
