//! The advertisement: the public keys of an endpoint in a JWS.
//!
//! Source: Tang `src/keys.c` `jwk_sign`; RFC 7515 section 7.2 for its two forms.
//! The spacing is jansson's, so that a payload over the same keys is the same.

use std::sync::Arc;

use super::key::{CryptoError, PublicKey, SigningKey};
use super::point::encode;

/// The body of a 200 to `/adv`, shared by all who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// JSON, flattened or general.
    pub body: Arc<[u8]>,
}

impl Advertisement {
    /// The content type of the body.
    pub const CONTENT_TYPE: &str = "application/jose+json";
}

/// What is signed: the payload, and the header that each signature protects.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    protected: String,
    payload: String,
}

impl Payload {
    pub(super) fn new<'a>(keys: impl Iterator<Item = &'a PublicKey>) -> Self {
        let keys: Vec<String> = keys.map(PublicKey::to_jwk).collect();
        Payload {
            protected: encode(br#"{"alg":"ES512","cty":"jwk-set+json"}"#),
            payload: encode(format!(r#"{{"keys": [{}]}}"#, keys.join(", ")).as_bytes()),
        }
    }

    /// The signature of `key`, in base64url.
    pub(super) fn sign(&self, key: &SigningKey) -> Result<String, CryptoError> {
        let input = format!("{}.{}", self.protected, self.payload);
        Ok(encode(&key.sign(input.as_bytes())?))
    }

    /// The JWS: flattened with one signature, general with several.
    pub(super) fn assemble(&self, signatures: &[&str]) -> Advertisement {
        let Payload { protected, payload } = self;
        let signed =
            |signature: &str| format!(r#""protected": "{protected}", "signature": "{signature}""#);
        let body = match signatures {
            [signature] => format!(r#"{{"payload": "{payload}", {}}}"#, signed(signature)),
            several => {
                let list: Vec<String> = several
                    .iter()
                    .map(|s| format!("{{{}}}", signed(s)))
                    .collect();
                format!(
                    r#"{{"payload": "{payload}", "signatures": [{}]}}"#,
                    list.join(", ")
                )
            }
        };
        Advertisement {
            body: Arc::from(body.into_bytes()),
        }
    }
}
