//! The places of those who listen to what happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many may listen at once.
const PLACES: usize = 64;

/// Who listens, and whether it is over.
#[derive(Debug)]
pub struct Streams {
    places: Arc<Semaphore>,
    over: AtomicBool,
}

impl Default for Streams {
    fn default() -> Self {
        Streams {
            places: Arc::new(Semaphore::new(PLACES)),
            over: AtomicBool::new(false),
        }
    }
}

impl Streams {
    /// A place, where one is free.
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Ends every stream soon: the server stops.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether streams are to end.
    pub fn are_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
