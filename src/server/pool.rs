//! The bounded pool that multiplies: a thread for each core, a queue of stated
//! length before them, and a refusal for the rest.
//!
//! A flood of allowed exchanges fills this pool and nothing else: denials,
//! advertisements and the admin plane never wait for it. Nor does it wait for
//! them: its threads take the next exchange by themselves, so that a flood of
//! whatever else keeps no core from multiplying.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::tang::{ClientPoint, Exchange, KeyRing, ServerPoint};

/// How far the threads stand back for the async ones, which answer all else.
const NICE: i32 = 10;

/// Why nothing was multiplied.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The queue is full; the client may come again.
    #[error("every core is taken and the queue is full")]
    Full,
    /// The key is gone or the library failed.
    #[error("the exchange failed: {0}")]
    Failed(String),
}

/// Where exchanges are computed.
pub struct Pool {
    work: Sender<Job>,
    places: Arc<Semaphore>,
}

/// One multiplication that is asked for.
struct Job {
    ring: Arc<KeyRing>,
    kid: String,
    point: ClientPoint,
    /// Held by the work, not by whoever waits for it: a client that hangs up
    /// frees no core before its multiplication is done.
    place: OwnedSemaphorePermit,
    told: oneshot::Sender<Result<ServerPoint, PoolError>>,
}

impl Pool {
    /// A pool of `cores` threads with `queue` places before them.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(backend: Arc<dyn Exchange>, cores: usize, queue: usize) -> std::io::Result<Pool> {
        let (work, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..cores {
            let (backend, waiting) = (Arc::clone(&backend), Arc::clone(&waiting));
            std::thread::Builder::new()
                .name("exchange".to_owned())
                .spawn(move || work_off(&*backend, &waiting))?;
        }
        let places = cores.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Ok(Pool {
            work,
            places: Arc::new(Semaphore::new(places)),
        })
    }

    /// Multiplies `point` by the exchange key of `ring` that `kid` names.
    ///
    /// # Errors
    /// Each of [`PoolError`].
    pub async fn multiply(
        &self,
        ring: Arc<KeyRing>,
        kid: String,
        point: ClientPoint,
    ) -> Result<ServerPoint, PoolError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| PoolError::Full)?;
        let (told, done) = oneshot::channel();
        let job = Job {
            ring,
            kid,
            point,
            place,
            told,
        };
        let gone = || PoolError::Failed("the pool has ended".to_owned());
        self.work.send(job).map_err(|_| gone())?;
        done.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Takes one exchange after the other until the pool is dropped.
fn work_off(backend: &dyn Exchange, waiting: &Mutex<Receiver<Job>>) {
    // Of this thread alone. A system that says no shares its cores evenly.
    let _ = rustix::process::nice(NICE);
    loop {
        let next = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = next else { return };
        // Whoever hung up while it waited needs no product.
        if job.told.is_closed() {
            continue;
        }
        // A fault in one exchange must not cost the pool a thread.
        let done = catch_unwind(AssertUnwindSafe(|| multiply(backend, &job)));
        let done = done.unwrap_or_else(|_| Err(PoolError::Failed("by a fault".to_owned())));
        drop(job.place);
        // The client may have gone.
        let _ = job.told.send(done);
    }
}

fn multiply(backend: &dyn Exchange, job: &Job) -> Result<ServerPoint, PoolError> {
    let key = job.ring.exchange_key(&job.kid);
    let key = key.map_err(|error| PoolError::Failed(error.to_string()))?;
    let product = backend.multiply(key, &job.point);
    product.map_err(|error| PoolError::Failed(error.to_string()))
}
