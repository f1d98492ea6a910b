//! The serial number of a certificate.

use std::fmt;

use openssl::asn1::Asn1Integer;
use openssl::bn::BigNum;

use super::CaError;

/// Sixteen bytes, positive, the same length for all. Source: RFC 5280, section 4.1.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 16]);

impl Serial {
    /// Makes one of random bytes, of which it keeps 126 bits.
    pub const fn from_random(mut bytes: [u8; 16]) -> Self {
        // Positive, and never shorter: two serials of different length would
        // be one to who drops leading zeros.
        bytes[0] = bytes[0] & 0x7f | 0x40;
        Serial(bytes)
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(lower) {
            return None;
        }
        let bytes = u128::from_str_radix(text, 16).ok()?.to_be_bytes();
        let serial = Serial::from_random(bytes);
        (serial.0 == bytes).then_some(serial)
    }

    /// Its bytes, the first of which is neither 0 nor negative.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(super) fn integer(&self) -> Result<Asn1Integer, CaError> {
        Ok(BigNum::from_slice(&self.0)?.to_asn1_integer()?)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
