//! What an enrollment was answered, found again for a call that is repeated.
//!
//! An answer holds tokens that are kept as hashes alone. Those of a call with
//! an idempotency key are therefore not drawn but derived: from the private
//! keys that are drawn with them, and from the call. Who can open those keys
//! needs no token, and nobody else can derive one.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use super::{TOKEN_BYTES, UnlockError, base64url, token_hash};
use crate::journal::KeyRole;
use crate::keyring::SecretBytes;
use crate::store::{Device, Store};

/// What is told of a binding once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub id: String,
    /// The URL token.
    pub token: String,
    /// The signing key's thumbprint under SHA-256.
    pub thp: String,
}

/// The token of the binding `id` that is enrolled with the keys in `secret` by `call`.
pub(super) fn token_of_call(
    secret: &SecretBytes,
    id: &str,
    call: &[u8],
) -> Result<String, UnlockError> {
    let derive = || -> Result<Vec<u8>, openssl::error::ErrorStack> {
        let key = PKey::hmac(secret.expose())?;
        let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
        signer.update(b"panopol enrollment token\n")?;
        signer.update(id.as_bytes())?;
        signer.update(b"\n")?;
        signer.update(call)?;
        signer.sign_to_vec()
    };
    let mut bytes = derive().map_err(|error| UnlockError::Key(error.to_string()))?;
    bytes.truncate(TOKEN_BYTES);
    Ok(base64url(&bytes))
}

/// What `call` was told when it enrolled `device`; none where it did not, or
/// where the keys of that time are destroyed.
///
/// # Errors
/// Its keys are lost or damaged.
pub fn told_again(
    store: &Store,
    device: &Device,
    call: &[u8],
) -> Result<Option<Vec<Told>>, UnlockError> {
    let mut told = Vec::new();
    for binding in &device.bindings {
        let Some(first) = binding.keys.last() else {
            return Ok(None);
        };
        let secret = store.open_keys(&device.name, &binding.id, first)?;
        let token = token_of_call(&secret, &binding.id, call)?;
        let mut signing = (first.public.iter()).filter(|key| key.role == KeyRole::Signing);
        match (token_hash(&token) == binding.token, signing.next()) {
            (true, Some(key)) => told.push(Told {
                id: binding.id.clone(),
                token,
                thp: key.thumbprint.clone(),
            }),
            (true, None) | (false, _) => return Ok(None),
        }
    }
    Ok(Some(told))
}
