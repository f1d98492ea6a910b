//! The multiplication: the one use of an exchange key's secret.
//!
//! Both backends take constant time: OpenSSL by the fixed window of its P-521
//! code (or by a ladder, where it is built without), the p521 crate by a table
//! of 16 read whole. What comes back is checked to be on the
//! curve before it may leave, so that a fault in between gives nothing away.

use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcPoint};

use super::key::{CryptoError, ExchangeKey, group};
use super::point::{ClientPoint, Point, ServerPoint, WIDTH};

/// Multiplies a client's point by an exchange key.
///
/// Source: the ECMR algorithm of jose, `lib/openssl/ecmr.c`.
pub trait Exchange: Send + Sync {
    /// `d · P`. Takes a large part of a millisecond: not for an async thread.
    ///
    /// # Errors
    /// Where the library fails.
    fn multiply(&self, key: &ExchangeKey, point: &ClientPoint) -> Result<ServerPoint, CryptoError>;
}

/// OpenSSL, the default.
pub struct OpenSsl {
    group: EcGroup,
}

impl OpenSsl {
    /// Loads the curve once.
    ///
    /// # Errors
    /// Where OpenSSL lacks P-521.
    pub fn new() -> Result<Self, CryptoError> {
        Ok(OpenSsl { group: group()? })
    }
}

impl Exchange for OpenSsl {
    fn multiply(&self, key: &ExchangeKey, point: &ClientPoint) -> Result<ServerPoint, CryptoError> {
        let mut context = BigNumContext::new_secure()?;
        let client = EcPoint::from_bytes(&self.group, &point.0.sec1(), &mut context)?;
        let mut product = EcPoint::new(&self.group)?;
        product.mul2(&self.group, &client, key.scalar(), &mut context)?;
        let (mut x, mut y) = (
            openssl::bn::BigNum::new_secure()?,
            openssl::bn::BigNum::new_secure()?,
        );
        product.affine_coordinates(&self.group, &mut x, &mut y, &mut context)?;
        let coordinate = |number: &openssl::bn::BigNumRef| {
            let bytes = number.to_vec_padded(WIDTH as i32)?;
            <[u8; WIDTH]>::try_from(bytes.as_slice())
                .map_err(|_| CryptoError::because("a short coordinate"))
        };
        Point::from_coordinates(coordinate(&x)?, coordinate(&y)?)
            .map(ServerPoint)
            .map_err(|_| CryptoError::because("the product is not on the curve"))
    }
}

/// The p521 crate: pure Rust, the alternative and the cross-check.
#[derive(Clone, Copy, Debug, Default)]
pub struct P521;

impl Exchange for P521 {
    fn multiply(&self, key: &ExchangeKey, point: &ClientPoint) -> Result<ServerPoint, CryptoError> {
        let mut scalar = key.secret().to_nonzero_scalar();
        // INVARIANT: `*`, which is constant-time; never `mul_vartime` with a secret.
        let product = p521::ProjectivePoint::from(*point.0.affine()) * *scalar;
        zeroize::Zeroize::zeroize(&mut scalar);
        Point::from_affine(product.to_affine())
            .map(ServerPoint)
            .ok_or_else(|| CryptoError::because("the product is the identity"))
    }
}
