//! Signing keys and exchange keys. Their secrets are wiped on drop, shown by no
//! `Debug`, and implement no `Serialize`: the one way out is [`SigningKey::to_jwk`]
//! and its like, for the store to wrap.

use josekit::jws::alg::ecdsa::EcdsaJwsSigner;
use josekit::jws::{ES512, JwsSigner};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use p521::SecretKey;
use zeroize::Zeroizing;

use super::jwk::{JwkError, PrivateJwk, scalar_from_bytes, write_private};
use super::point::{Point, WIDTH};
use super::thumbprint::Thumbprints;

/// The cryptographic library failed: out of memory, or no randomness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed: {0}")]
pub struct CryptoError(String);

impl From<openssl::error::ErrorStack> for CryptoError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        CryptoError(error.to_string())
    }
}

impl From<josekit::JoseError> for CryptoError {
    fn from(error: josekit::JoseError) -> Self {
        CryptoError(error.to_string())
    }
}

impl CryptoError {
    pub(super) fn because(why: &str) -> Self {
        CryptoError(why.to_owned())
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// Signs advertisements.
    Sign,
    /// Multiplies the points of clients.
    Exchange,
}

impl Usage {
    /// The JWK member `alg`.
    pub const fn alg(self) -> &'static str {
        match self {
            Usage::Sign => "ES512",
            Usage::Exchange => "ECMR",
        }
    }

    pub(super) fn from_alg(alg: &str) -> Option<Self> {
        [Usage::Sign, Usage::Exchange]
            .into_iter()
            .find(|usage| usage.alg() == alg)
    }

    pub(super) const fn private_operations(self) -> &'static str {
        match self {
            Usage::Sign => r#"["sign","verify"]"#,
            Usage::Exchange => r#"["deriveKey"]"#,
        }
    }

    /// Source: jose `lib/jwk.c` `jwk_clean` takes `sign` away and leaves `deriveKey`.
    const fn public_operations(self) -> &'static str {
        match self {
            Usage::Sign => r#"["verify"]"#,
            Usage::Exchange => r#"["deriveKey"]"#,
        }
    }
}

/// The public half of a key, and its thumbprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    usage: Usage,
    point: Point,
    thumbprints: Thumbprints,
}

impl PublicKey {
    fn new(usage: Usage, point: Point) -> Self {
        let (x, y) = point.text();
        let canonical = format!(r#"{{"crv":"P-521","kty":"EC","x":"{x}","y":"{y}"}}"#);
        PublicKey {
            usage,
            point,
            thumbprints: Thumbprints::of(canonical.as_bytes()),
        }
    }

    /// What the key is for.
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    /// Its thumbprints.
    pub const fn thumbprints(&self) -> &Thumbprints {
        &self.thumbprints
    }

    /// The public JWK as an advertisement holds it: members sorted, spaced as
    /// jansson spaces them.
    pub fn to_jwk(&self) -> String {
        let (x, y) = self.point.text();
        let (alg, operations) = (self.usage.alg(), self.usage.public_operations());
        format!(
            r#"{{"alg": "{alg}", "crv": "P-521", "key_ops": {operations}, "kty": "EC", "x": "{x}", "y": "{y}"}}"#
        )
    }
}

/// A key that signs advertisements (`ES512`).
pub struct SigningKey {
    public: PublicKey,
    secret: SecretKey,
    signer: EcdsaJwsSigner,
}

/// A key that multiplies the points of clients (`ECMR`), parsed for both
/// backends once.
pub struct ExchangeKey {
    public: PublicKey,
    secret: SecretKey,
    scalar: BigNum,
}

/// A key of either kind.
#[derive(Debug)]
pub enum Key {
    /// It signs.
    Signing(SigningKey),
    /// It exchanges.
    Exchange(ExchangeKey),
}

impl Key {
    /// Reads a private JWK, checking all of it: type, curve, purpose, that the
    /// scalar is in range and the point is its own.
    ///
    /// # Errors
    /// The first fault found.
    pub fn from_jwk(bytes: &[u8]) -> Result<Self, KeyError> {
        let PrivateJwk {
            usage,
            secret,
            point,
        } = PrivateJwk::parse(bytes)?;
        Ok(match usage {
            Usage::Sign => Key::Signing(SigningKey::new(secret, point)?),
            Usage::Exchange => Key::Exchange(ExchangeKey::new(secret, point)?),
        })
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        match self {
            Key::Signing(key) => &key.public,
            Key::Exchange(key) => &key.public,
        }
    }
}

/// Why a key could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The JWK is at fault.
    #[error(transparent)]
    Jwk(#[from] JwkError),
    /// The library is.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl SigningKey {
    fn new(secret: SecretKey, point: Point) -> Result<Self, CryptoError> {
        let group = group()?;
        let mut context = openssl::bn::BigNumContext::new()?;
        let public = EcPoint::from_bytes(&group, &point.sec1(), &mut context)?;
        let pair = EcKey::from_private_components(&group, &*secure_scalar(&secret)?, &public)?;
        // PKCS #8 because josekit hands it to OpenSSL as it is, keeping no copy.
        let der = Zeroizing::new(PKey::from_ec_key(pair)?.private_key_to_pkcs8()?);
        let signer = ES512.signer_from_der(&*der)?;
        Ok(SigningKey {
            public: PublicKey::new(Usage::Sign, point),
            secret,
            signer,
        })
    }

    /// Makes a new key from OpenSSL's randomness.
    ///
    /// # Errors
    /// Where OpenSSL has none.
    pub fn generate() -> Result<Self, CryptoError> {
        let (secret, point) = generate()?;
        Self::new(secret, point)
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private JWK, for a key file or for the store to wrap; never for a reply.
    pub fn to_jwk(&self) -> Zeroizing<String> {
        write_private(Usage::Sign, &self.secret, &self.public.point)
    }

    /// The signature over a JWS signing input: `r` and `s`, 66 bytes each.
    pub(super) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(self.signer.sign(input)?)
    }
}

impl ExchangeKey {
    fn new(secret: SecretKey, point: Point) -> Result<Self, CryptoError> {
        let scalar = secure_scalar(&secret)?;
        Ok(ExchangeKey {
            public: PublicKey::new(Usage::Exchange, point),
            secret,
            scalar,
        })
    }

    /// Makes a new key from OpenSSL's randomness.
    ///
    /// # Errors
    /// Where OpenSSL has none.
    pub fn generate() -> Result<Self, CryptoError> {
        let (secret, point) = generate()?;
        Self::new(secret, point)
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private JWK, for a key file or for the store to wrap; never for a reply.
    pub fn to_jwk(&self) -> Zeroizing<String> {
        write_private(Usage::Exchange, &self.secret, &self.public.point)
    }

    pub(super) const fn secret(&self) -> &SecretKey {
        &self.secret
    }

    pub(super) const fn scalar(&self) -> &BigNum {
        &self.scalar
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ExchangeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExchangeKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

pub(super) fn group() -> Result<EcGroup, CryptoError> {
    Ok(EcGroup::from_curve_name(Nid::SECP521R1)?)
}

fn generate() -> Result<(SecretKey, Point), CryptoError> {
    let pair = EcKey::generate(&*group()?)?;
    let padded = Zeroizing::new(pair.private_key().to_vec_padded(WIDTH as i32)?);
    let bytes = <&[u8; WIDTH]>::try_from(padded.as_slice())
        .map_err(|_| CryptoError::because("a short scalar"))?;
    let secret =
        scalar_from_bytes(bytes).ok_or_else(|| CryptoError::because("a scalar out of range"))?;
    let point = Point::from_affine(*secret.public_key().as_affine())
        .ok_or_else(|| CryptoError::because("the identity as public key"))?;
    Ok((secret, point))
}

/// The scalar for OpenSSL: wiped when freed, and never in a variable-time path.
fn secure_scalar(secret: &SecretKey) -> Result<BigNum, CryptoError> {
    let bytes = Zeroizing::new(secret.to_bytes().0);
    let mut scalar = BigNum::new_secure()?;
    scalar.copy_from_slice(&*bytes)?;
    scalar.set_const_time();
    Ok(scalar)
}
