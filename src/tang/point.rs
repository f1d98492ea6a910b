//! Points of P-521: decoded, checked and written.
//!
//! Source: RFC 7518 section 6.2.1 (a coordinate is the full 66 bytes) and
//! SP 800-56A section 5.6.2.3 (what makes a public point valid). P-521 has
//! cofactor 1, so a point on the curve that is not the identity is in the group.

use base64ct::{Base64UrlUnpadded, Encoding};
use p521::elliptic_curve::point::AffineCoordinates;
use p521::{AffinePoint, FieldBytes};

/// The bytes of a coordinate, and of a private scalar.
pub(super) const WIDTH: usize = 66;

/// A coordinate, big-endian.
pub(super) type Coordinate = [u8; WIDTH];

/// Why two coordinates are no public point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Not unpadded base64url of 66 bytes; the identity has no such form.
    #[error("a coordinate is not 66 bytes in unpadded base64url")]
    Coordinate,
    /// A coordinate is not below the prime, or the point is not on the curve.
    #[error("the coordinates are not a point of P-521")]
    NotOnCurve,
}

/// A point of P-521, not the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Point(AffinePoint);

impl Point {
    /// From the text of two JWK members.
    pub(super) fn parse(x: &str, y: &str) -> Result<Self, PointError> {
        Self::from_coordinates(decode(x)?, decode(y)?)
    }

    /// From coordinates: each below the prime, and on the curve. The identity
    /// has no affine coordinates, so nothing decodes to it.
    pub(super) fn from_coordinates(x: Coordinate, y: Coordinate) -> Result<Self, PointError> {
        AffinePoint::from_coordinates(&FieldBytes::from(x), &FieldBytes::from(y))
            .into_option()
            .map(Point)
            .ok_or(PointError::NotOnCurve)
    }

    /// From an affine point of the p521 crate; `None` for the identity.
    pub(super) fn from_affine(point: AffinePoint) -> Option<Self> {
        (point != AffinePoint::IDENTITY).then_some(Point(point))
    }

    pub(super) fn affine(&self) -> &AffinePoint {
        &self.0
    }

    /// `x` and `y` as JWK members hold them.
    pub(super) fn text(&self) -> (String, String) {
        (encode(&self.0.x().0), encode(&self.0.y().0))
    }

    /// The uncompressed form of SEC 1 section 2.3.3.
    pub(super) fn sec1(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + 2 * WIDTH);
        bytes.push(4);
        bytes.extend_from_slice(&self.0.x());
        bytes.extend_from_slice(&self.0.y());
        bytes
    }
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (x, y) = self.text();
        f.debug_struct("Point")
            .field("x", &x)
            .field("y", &y)
            .finish()
    }
}

fn decode(text: &str) -> Result<Coordinate, PointError> {
    let mut bytes = [0; WIDTH];
    match Base64UrlUnpadded::decode(text, &mut bytes) {
        Ok(decoded) if decoded.len() == WIDTH => Ok(bytes),
        Ok(_) | Err(_) => Err(PointError::Coordinate),
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The point that a client sent: on the curve and not the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientPoint(pub(super) Point);

/// The client's point multiplied by an exchange key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerPoint(pub(super) Point);

impl ServerPoint {
    /// The content type of [`ServerPoint::to_reply`].
    pub const CONTENT_TYPE: &str = "application/jwk+json";

    /// The body of a 200 to `/rec`: compact, members sorted, 66 bytes each.
    ///
    /// Source: Tang `src/tangd.c` `rec`, `JSON_SORT_KEYS | JSON_COMPACT`.
    pub fn to_reply(&self) -> String {
        let (x, y) = self.0.text();
        format!(
            r#"{{"alg":"ECMR","crv":"P-521","key_ops":["deriveKey"],"kty":"EC","x":"{x}","y":"{y}"}}"#
        )
    }
}
