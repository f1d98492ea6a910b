//! Bytes that must not be seen.

use std::fmt;

use zeroize::Zeroizing;

/// Secret bytes: wiped when dropped, never printed, never serialized.
///
/// ```compile_fail
/// // A reply is made with serde: a secret cannot get into one.
/// serde_json::to_string(&panopol::keyring::SecretBytes::new(vec![1])).unwrap();
/// ```
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        SecretBytes(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for the one who needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}
