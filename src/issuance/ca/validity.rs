//! From when to when a certificate is valid.

use jiff::{SignedDuration, Timestamp};
use openssl::asn1::Asn1Time;

use super::CaError;

/// A lifetime in whole seconds, with both its ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    not_before: i64,
    not_after: i64,
}

impl Validity {
    /// A lifetime of exactly so many seconds from `start` on, whose fraction is
    /// dropped. The last second is in it, so that it ends one before `start`
    /// plus `seconds`. Source: RFC 5280, section 4.1.2.5.
    ///
    /// # Errors
    /// A lifetime of no second, or beyond the year 9999.
    pub fn lasting(start: Timestamp, seconds: u64) -> Result<Self, CaError> {
        let beyond = || CaError::Time(format!("a lifetime of {seconds} seconds has no end"));
        let Some(more) = seconds.checked_sub(1) else {
            return Err(CaError::Time("a lifetime of no second".to_owned()));
        };
        let not_before = Timestamp::from_second(start.as_second()).map_err(|_| beyond())?;
        let more = SignedDuration::from_secs(i64::try_from(more).map_err(|_| beyond())?);
        let not_after = not_before.checked_add(more).map_err(|_| beyond())?;
        Ok(Validity {
            not_before: not_before.as_second(),
            not_after: not_after.as_second(),
        })
    }

    /// The first second, since 1970.
    pub const fn not_before(&self) -> i64 {
        self.not_before
    }

    /// The last second, since 1970.
    pub const fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Whether every second of `other` is one of these.
    pub const fn covers(&self, other: &Validity) -> bool {
        self.not_before <= other.not_before && other.not_after <= self.not_after
    }

    pub(super) fn has(&self, at: Timestamp) -> bool {
        let at = at.as_second();
        self.not_before <= at && at <= self.not_after
    }

    pub(super) const fn between(not_before: i64, not_after: i64) -> Self {
        Validity {
            not_before,
            not_after,
        }
    }

    pub(super) fn ends(&self) -> Result<(Asn1Time, Asn1Time), CaError> {
        Ok((
            Asn1Time::from_unix(self.not_before)?,
            Asn1Time::from_unix(self.not_after)?,
        ))
    }
}
