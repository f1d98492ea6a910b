//! The bounded pool that multiplies: at most a core's worth at once, a queue
//! of stated length behind it, and a refusal for the rest.
//!
//! A flood of allowed exchanges fills this pool and nothing else: denials,
//! advertisements and the admin plane never wait for it.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::tang::{ClientPoint, CryptoError, Exchange, KeyRing, ServerPoint};

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
    backend: Arc<dyn Exchange>,
    cores: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Pool {
    /// A pool of `cores` workers with `queue` places behind them.
    pub fn new(backend: Arc<dyn Exchange>, cores: usize, queue: usize) -> Pool {
        Pool {
            backend,
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(
                cores.saturating_add(queue).min(Semaphore::MAX_PERMITS),
            )),
        }
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
        let core = Arc::clone(&self.cores)
            .acquire_owned()
            .await
            .map_err(|_| PoolError::Full)?;
        let backend = Arc::clone(&self.backend);
        let work = move || -> Result<ServerPoint, PoolError> {
            // Held by the work, not by whoever waits for it: a client that
            // hangs up frees no core before its multiplication is done.
            let _held = (place, core);
            let key = ring
                .exchange_key(&kid)
                .map_err(|error| PoolError::Failed(error.to_string()))?;
            backend
                .multiply(key, &point)
                .map_err(|error: CryptoError| PoolError::Failed(error.to_string()))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(fault) => Err(PoolError::Failed(fault.to_string())),
        }
    }
}
