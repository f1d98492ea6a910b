//! What is checked of a recovery request before the policy is asked, in Tang's
//! order of statuses; none of it touches a secret.
//!
//! Source: Tang `src/tangd.c` `rec`: the request's JSON, its permission, type
//! and algorithm; then the key that the path names; then the exchange, which
//! here has its checks of the point before it.

use super::members::Members;
use super::point::{ClientPoint, Point, PointError};

/// The longest body that is looked at, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Why a recovery is refused before the policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecError {
    /// The body is longer than [`MAX_BODY`].
    #[error("the body is longer than 64 KiB")]
    BodyTooLarge,
    /// The body is no JSON object.
    #[error("the body is not a JSON object with each member once")]
    NotJson,
    /// `key_ops` or `use` is there and does not give `deriveKey`.
    #[error("the client's key may not derive keys")]
    ClientUsage,
    /// `kty` is not `EC`.
    #[error("the client's `kty` is not `EC`")]
    KeyType,
    /// `alg` is there and is not `ECMR`.
    #[error("the client's `alg` is not `ECMR`")]
    Algorithm,
    /// No key here has that thumbprint.
    #[error("no such key")]
    UnknownKey,
    /// The thumbprint is that of a signing key.
    #[error("the key that the path names is a signing key")]
    SigningKey,
    /// `d` is there: a private key was sent to a server that must not see it.
    #[error("the client sent a private key")]
    PrivateKey,
    /// `crv` is not `P-521`.
    #[error("the client's `crv` is not `P-521`")]
    Curve,
    /// `x` and `y` are missing, or no point.
    #[error("{0}")]
    Point(#[from] PointError),
}

impl RecError {
    /// The HTTP status that it is answered with.
    pub const fn status(self) -> u16 {
        match self {
            RecError::BodyTooLarge => 413,
            RecError::UnknownKey => 404,
            RecError::ClientUsage | RecError::SigningKey => 403,
            RecError::NotJson
            | RecError::KeyType
            | RecError::Algorithm
            | RecError::PrivateKey
            | RecError::Curve
            | RecError::Point(_) => 400,
        }
    }
}

/// Checks the body of `/rec/{kid}`. `find` looks up the key that the path names
/// ([`RecError::UnknownKey`], [`RecError::SigningKey`]); it is asked at its place
/// in the order, after the form of the request and before its point.
///
/// # Errors
/// The first fault in Tang's order.
pub fn check_request<K>(
    body: &[u8],
    find: impl FnOnce() -> Result<K, RecError>,
) -> Result<(K, ClientPoint), RecError> {
    if body.len() > MAX_BODY {
        return Err(RecError::BodyTooLarge);
    }
    let members = Members::parse(body).map_err(|_| RecError::NotJson)?;
    check_form(&members)?;
    let key = find()?;
    Ok((key, check_point(&members)?))
}

fn check_form(members: &Members) -> Result<(), RecError> {
    if !members.permit("deriveKey", false) {
        return Err(RecError::ClientUsage);
    }
    if members.text("kty") != Some("EC") {
        return Err(RecError::KeyType);
    }
    match members.get("alg") {
        Some(alg) if alg.as_str() != Some("ECMR") => Err(RecError::Algorithm),
        Some(_) | None => Ok(()),
    }
}

fn check_point(members: &Members) -> Result<ClientPoint, RecError> {
    if members.get("d").is_some() {
        return Err(RecError::PrivateKey);
    }
    if members.text("crv") != Some("P-521") {
        return Err(RecError::Curve);
    }
    let text = |name| members.text(name).ok_or(PointError::Coordinate);
    Ok(ClientPoint(Point::parse(text("x")?, text("y")?)?))
}
