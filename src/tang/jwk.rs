//! A private key file: checked wholly when read, written as `jose jwk gen` does.
//!
//! Source: RFC 7518 section 6.2; what Tang makes of `alg`, `key_ops` and `use`
//! is in its `src/keys.c` `prepare_payload_and_sign`.

use base64ct::{Base64UrlUnpadded, Encoding};
use p521::{FieldBytes, SecretKey};
use zeroize::{Zeroize, Zeroizing};

use super::key::Usage;
use super::members::{Members, MembersError};
use super::point::{Point, PointError, WIDTH, encode};

/// Why a key file holds no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not an object in JSON, or a member of it twice.
    #[error("{0}")]
    Json(String),
    /// `kty` is not `EC`.
    #[error("`kty` is not `EC`")]
    KeyType,
    /// `crv` is not `P-521`.
    #[error("`crv` is not `P-521`")]
    Curve,
    /// `alg` is neither `ES512` nor `ECMR`.
    #[error("`alg` is neither `ES512` nor `ECMR`")]
    Algorithm,
    /// `key_ops` and `use` forbid what `alg` says, or leave open what the key is for.
    #[error(
        "`key_ops` and `use` do not say that the key signs and verifies, nor that it derives keys"
    )]
    Usage,
    /// A member that must be a string is missing or something else.
    #[error("`{0}` is missing or not a string")]
    Missing(&'static str),
    /// `x` and `y` are no point.
    #[error("{0}")]
    Point(#[from] PointError),
    /// `d` is not 66 bytes between 1 and the order of the group.
    #[error("`d` is not a private scalar of 66 bytes in unpadded base64url")]
    Scalar,
    /// `x` and `y` are not the public half of `d`.
    #[error("`x` and `y` do not belong to `d`")]
    Mismatch,
}

impl From<MembersError> for JwkError {
    fn from(error: MembersError) -> Self {
        JwkError::Json(error.to_string())
    }
}

/// A private key as read: what it is for, its secret, its public point.
pub(super) struct PrivateJwk {
    pub(super) usage: Usage,
    pub(super) secret: SecretKey,
    pub(super) point: Point,
}

impl PrivateJwk {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, JwkError> {
        let members = Members::parse(bytes)?;
        if members.text("kty") != Some("EC") {
            return Err(JwkError::KeyType);
        }
        if members.text("crv") != Some("P-521") {
            return Err(JwkError::Curve);
        }
        let usage = usage(&members)?;
        let text = |name| members.text(name).ok_or(JwkError::Missing(name));
        let point = Point::parse(text("x")?, text("y")?)?;
        let secret = decode_scalar(text("d")?)?;
        if Point::from_affine(*secret.public_key().as_affine()) != Some(point) {
            return Err(JwkError::Mismatch);
        }
        Ok(PrivateJwk {
            usage,
            secret,
            point,
        })
    }
}

/// What the key is for. Stricter than Tang, which signs with a key that says
/// nothing and then answers 404 where its algorithm cannot.
fn usage(members: &Members) -> Result<Usage, JwkError> {
    let signs = members.permit("sign", true) && members.permit("verify", true);
    let derives = members.permit("deriveKey", true);
    let silent = members.get("key_ops").is_none() && members.get("use").is_none();
    let said = match members.get("alg") {
        None => None,
        Some(alg) => Some(
            alg.as_str()
                .and_then(Usage::from_alg)
                .ok_or(JwkError::Algorithm)?,
        ),
    };
    match said {
        Some(Usage::Sign) if signs || silent => Ok(Usage::Sign),
        Some(Usage::Exchange) if derives => Ok(Usage::Exchange),
        None if signs && !derives => Ok(Usage::Sign),
        None if derives && !signs => Ok(Usage::Exchange),
        Some(Usage::Sign | Usage::Exchange) | None => Err(JwkError::Usage),
    }
}

fn decode_scalar(text: &str) -> Result<SecretKey, JwkError> {
    let mut bytes = Zeroizing::new([0; WIDTH]);
    let complete =
        Base64UrlUnpadded::decode(text, &mut *bytes).is_ok_and(|decoded| decoded.len() == WIDTH);
    if !complete {
        return Err(JwkError::Scalar);
    }
    scalar_from_bytes(&bytes).ok_or(JwkError::Scalar)
}

/// A scalar between 1 and the order of the group, exclusive.
pub(super) fn scalar_from_bytes(bytes: &[u8; WIDTH]) -> Option<SecretKey> {
    let mut field = FieldBytes::from(*bytes);
    let secret = SecretKey::from_bytes(&field).ok();
    field.zeroize();
    secret
}

/// The private JWK as a file holds it, members sorted.
pub(super) fn write_private(usage: Usage, secret: &SecretKey, point: &Point) -> Zeroizing<String> {
    let (x, y) = point.text();
    let scalar = Zeroizing::new(secret.to_bytes().0);
    let d = Zeroizing::new(encode(&*scalar));
    let (alg, operations) = (usage.alg(), usage.private_operations());
    Zeroizing::new(format!(
        r#"{{"alg":"{alg}","crv":"P-521","d":"{}","key_ops":{operations},"kty":"EC","x":"{x}","y":"{y}"}}"#,
        &*d
    ))
}
