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
    cores: Semaphore,
    places: Semaphore,
}

impl Pool {
    /// A pool of `cores` workers with `queue` places behind them.
    pub fn new(backend: Arc<dyn Exchange>, cores: usize, queue: usize) -> Pool {
        Pool {
            backend,
            cores: Semaphore::new(cores),
            places: Semaphore::new(cores + queue),
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
        let _place = self.places.try_acquire().map_err(|_| PoolError::Full)?;
        let _core = self.cores.acquire().await.map_err(|_| PoolError::Full)?;
        let backend = Arc::clone(&self.backend);
        let work = move || -> Result<ServerPoint, PoolError> {
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
