//! How often one address and one binding may ask for an exchange.

use std::net::IpAddr;
use std::num::NonZeroU32;

use ipnet::IpNet;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::address::host_range;

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>;

/// Token buckets by source and by binding.
pub struct Limits {
    sources: Keyed<IpNet>,
    bindings: Keyed<String>,
}

impl Limits {
    /// So many a second each, with a burst of twice that.
    pub fn new(per_source: NonZeroU32, per_binding: NonZeroU32) -> Limits {
        let quota =
            |rate: NonZeroU32| Quota::per_second(rate).allow_burst(rate.saturating_add(rate.get()));
        Limits {
            sources: RateLimiter::keyed(quota(per_source)),
            bindings: RateLimiter::keyed(quota(per_binding)),
        }
    }

    /// Takes one from the source's bucket; an IPv6 source counts with its /64.
    pub fn admit_source(&self, source: IpAddr) -> bool {
        self.sources.check_key(&host_range(source)).is_ok()
    }

    /// Takes one from the binding's bucket.
    pub fn admit_binding(&self, binding: &str) -> bool {
        self.bindings.check_key(&binding.to_owned()).is_ok()
    }

    /// Forgets buckets that are full again.
    pub fn tidy(&self) {
        self.sources.retain_recent();
        self.bindings.retain_recent();
    }
}
