//! The generic form: the message as JSON, signed.
//!
//! Source: Standard Webhooks, "Signature scheme": HMAC-SHA256 over id, time
//! and body, joined by full stops.

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use super::http::{self, Failed};
use super::message::Message;
use crate::keyring::SecretBytes;

/// What a secret in the form of Standard Webhooks begins with.
const ENCODED: &[u8] = b"whsec_";
/// The shortest key.
const SHORTEST: usize = 16;

/// The key that a secret's text stands for: its bytes, or what follows
/// `whsec_` in base64.
///
/// # Errors
/// Not base64, or too short.
pub fn key(text: &SecretBytes) -> Result<SecretBytes, String> {
    let bytes = text.expose().trim_ascii();
    let key = match bytes.strip_prefix(ENCODED) {
        None => bytes.to_vec(),
        Some(encoded) => std::str::from_utf8(encoded)
            .ok()
            .and_then(|text| Base64::decode_vec(text).ok())
            .ok_or("the secret begins with `whsec_`, and no base64 follows")?,
    };
    let key = SecretBytes::new(key);
    match key.expose().len() < SHORTEST {
        true => Err(format!("the secret has fewer than {SHORTEST} bytes")),
        false => Ok(key),
    }
}

/// The value of `webhook-signature`.
///
/// # Errors
/// The cryptographic library failed.
pub fn signature(
    key: &SecretBytes,
    id: &str,
    seconds: i64,
    body: &str,
) -> Result<String, openssl::error::ErrorStack> {
    let key = PKey::hmac(key.expose())?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    signer.update(format!("{id}.{seconds}.").as_bytes())?;
    signer.update(body.as_bytes())?;
    Ok(format!(
        "v1,{}",
        Base64::encode_string(&signer.sign_to_vec()?)
    ))
}

/// The headers of `body` under the id of its message, signed at `now`.
///
/// # Errors
/// The cryptographic library failed.
pub fn headers(
    key: &SecretBytes,
    id: &str,
    now: Timestamp,
    body: &str,
) -> Result<[(&'static str, String); 4], openssl::error::ErrorStack> {
    let seconds = now.as_second();
    Ok([
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature(key, id, seconds, body)?),
    ])
}

/// Sends one message, signed at `now`.
pub(super) fn send(
    agent: &ureq::Agent,
    url: &str,
    key: &SecretBytes,
    message: &Message,
    now: Timestamp,
) -> Result<(), Failed> {
    let body = message.json();
    let headers = headers(key, &message.id, now, &body)
        .map_err(|error| Failed::for_now(format!("it cannot be signed: {error}")))?;
    http::post(agent, url, &headers, &body)
}
