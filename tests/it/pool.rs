//! The pool that multiplies: it goes on whatever the async threads do, turns
//! away what has no place, and computes nothing for those who have gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use panopol::server::pool::{Pool, PoolError};
use panopol::tang::{
    ClientPoint, CryptoError, Exchange, ExchangeKey, KeyRing, OpenSsl, ServerPoint, check_request,
};

use crate::server::harness::wait_for;
use crate::tang::{pair, random_point, request_for};

/// Counts what it multiplies, and multiplies nothing while it is held.
struct Counting {
    done: AtomicUsize,
    held: AtomicBool,
    inner: OpenSsl,
}

impl Counting {
    fn new() -> Arc<Counting> {
        Arc::new(Counting {
            done: AtomicUsize::new(0),
            held: AtomicBool::new(false),
            inner: OpenSsl::new().unwrap(),
        })
    }

    fn done(&self) -> usize {
        self.done.load(Ordering::SeqCst)
    }
}

impl Exchange for Counting {
    fn multiply(&self, key: &ExchangeKey, point: &ClientPoint) -> Result<ServerPoint, CryptoError> {
        while self.held.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let product = self.inner.multiply(key, point);
        self.done.fetch_add(1, Ordering::SeqCst);
        product
    }
}

fn point() -> ClientPoint {
    let body = request_for(&random_point()).to_string();
    check_request(body.as_bytes(), || Ok(())).unwrap().1
}

/// One async thread, as busy as a flood makes it where a test does not yield.
fn on_one_thread<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(test)
}

#[test]
fn exchanges_are_computed_while_the_async_threads_do_something_else() {
    let backend = Counting::new();
    let pool = Arc::new(Pool::new(backend.clone(), 1, 7).unwrap());
    let (keys, _, kid) = pair();
    let ring = Arc::new(KeyRing::new(keys).unwrap());
    on_one_thread(async {
        let ask = |_| {
            let (pool, ring, kid) = (Arc::clone(&pool), Arc::clone(&ring), kid.clone());
            tokio::spawn(async move { pool.multiply(ring, kid, point()).await })
        };
        let asked: Vec<_> = (0..8).map(ask).collect();
        // Each has asked once this comes back; none is looked at again before
        // all are computed.
        tokio::task::yield_now().await;
        wait_for("all are computed", || backend.done() == 8);
        for one in asked {
            one.await.unwrap().unwrap();
        }
    });
}

#[test]
fn an_exchange_without_a_place_is_refused_and_one_given_up_is_not_computed() {
    let backend = Counting::new();
    let pool = Arc::new(Pool::new(backend.clone(), 1, 1).unwrap());
    let (keys, _, kid) = pair();
    let ring = Arc::new(KeyRing::new(keys).unwrap());
    let ask = || {
        let (pool, ring, kid) = (Arc::clone(&pool), Arc::clone(&ring), kid.clone());
        async move { pool.multiply(ring, kid, point()).await }
    };
    on_one_thread(async {
        backend.held.store(true, Ordering::SeqCst);
        let first = tokio::spawn(ask());
        let given_up = tokio::spawn(ask());
        tokio::task::yield_now().await;
        assert!(matches!(ask().await, Err(PoolError::Full)));
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        assert!(
            matches!(ask().await, Err(PoolError::Full)),
            "its place is not free yet"
        );
        backend.held.store(false, Ordering::SeqCst);
        first.await.unwrap().unwrap();
        // Its place is free once the one before is done.
        while let Err(error) = ask().await {
            assert!(matches!(error, PoolError::Full), "{error}");
        }
        assert_eq!(backend.done(), 2);
    });
}
