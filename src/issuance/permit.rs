//! One-time permits: the server's signed word that one job may be carried out.
//!
//! Whoever issues takes nothing but a permit for a reason to: it names the job,
//! the issuer and the CSR by its digest, and ends after minutes. It is one-time
//! by its `jti`, the job: an issuer answers the same `jti` with what it made
//! before. A compact JWS, ES256; the keys to verify it with are public.
//! Source: RFC 7515, RFC 7519, RFC 7638.

use base64ct::{Base64UrlUnpadded, Encoding};
use jiff::{SignedDuration, Timestamp};
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jws::{self, ES256, JwsHeader};
use openssl::sha::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ca::{self, CaError, Curve};
use crate::keyring::SecretBytes;
use crate::store::{Context, Job, Store, StoreError};
use crate::vocabulary::Action;

/// How long a permit holds: longer than any one attempt may take.
const HOLDS: SignedDuration = SignedDuration::from_mins(5);
/// What the header's `typ` says.
const TYPE: &str = "panopol-permit+jwt";

/// Why there is no permit, or why it is none.
#[derive(Debug, thiserror::Error)]
pub enum PermitError {
    /// It is for something else.
    #[error("the permit is not for this {0}")]
    Other(&'static str),
    /// It is over.
    #[error("the permit ended at {0}")]
    Over(Timestamp),
    /// It was not signed here.
    #[error("the permit's signature does not hold: {0}")]
    Signature(String),
    /// There is no key to sign with.
    #[error("there is no key for permits")]
    NoKey,
    /// A key could not be made or used.
    #[error("the key for permits: {0}")]
    Key(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<josekit::JoseError> for PermitError {
    fn from(error: josekit::JoseError) -> Self {
        PermitError::Key(error.to_string())
    }
}

impl From<CaError> for PermitError {
    fn from(error: CaError) -> Self {
        PermitError::Key(error.to_string())
    }
}

/// What a permit says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// The journal of the server that signed it.
    pub iss: String,
    /// The issuer that it is for.
    pub aud: String,
    /// The job; used once.
    pub jti: String,
    /// What is to be done.
    pub action: Action,
    /// The SHA-256 of the CSR's DER, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr_sha256: Option<String>,
    /// The certificate that it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// The first second at which it no longer holds.
    pub exp: i64,
}

impl Permit {
    /// The permit of a job whose CSR has that digest, from `now` on.
    pub fn of(store: &Store, job: &Job, csr_sha256: Option<String>, now: Timestamp) -> Permit {
        let request = &job.new.request;
        Permit {
            iss: store.journal().to_string(),
            aud: request.issuer_id.clone().unwrap_or_default(),
            jti: job.new.id.clone(),
            action: request.action,
            csr_sha256,
            certificate: job.new.certificate.clone(),
            iat: now.as_second(),
            exp: now.checked_add(HOLDS).unwrap_or(now).as_second(),
        }
    }

    /// Signs it.
    ///
    /// # Errors
    /// There is no key, or it cannot be used.
    pub fn sign(&self, store: &Store) -> Result<String, PermitError> {
        let key = store.permit_key().ok_or(PermitError::NoKey)?;
        let secret = store.open_permit_key(&key)?;
        let signer = ES256.signer_from_der(secret.expose())?;
        let mut header = JwsHeader::new();
        header.set_token_type(TYPE);
        header.set_key_id(&key.new.id);
        let claims = serde_json::to_vec(self);
        let claims = claims.map_err(|error| PermitError::Key(error.to_string()))?;
        Ok(jws::serialize_compact(&claims, &header, &signer)?)
    }

    /// Reads a permit that this server signed and that holds at `now`.
    ///
    /// # Errors
    /// It was not signed here, or is over.
    pub fn verify(store: &Store, compact: &str, now: Timestamp) -> Result<Permit, PermitError> {
        let unsigned = |error: String| PermitError::Signature(error);
        let mut fault = "no key fits".to_owned();
        for key in store.permit_keys() {
            let jwk = Jwk::from_bytes(key.new.jwk.as_bytes())?;
            match jws::deserialize_compact(compact, &ES256.verifier_from_jwk(&jwk)?) {
                Ok((claims, _)) => {
                    let permit: Permit = serde_json::from_slice(&claims)
                        .map_err(|error| unsigned(error.to_string()))?;
                    return match now.as_second() < permit.exp {
                        true => Ok(permit),
                        false => Err(PermitError::Over(
                            Timestamp::from_second(permit.exp).unwrap_or(now),
                        )),
                    };
                }
                Err(error) => fault = error.to_string(),
            }
        }
        Err(unsigned(fault))
    }

    /// Holds that it is for this job and this CSR, and for no other.
    ///
    /// # Errors
    /// What it is not for.
    pub fn expect_for(&self, job: &Job, csr_sha256: Option<&str>) -> Result<(), PermitError> {
        let request = &job.new.request;
        let checks = [
            (self.jti == job.new.id, "job"),
            (self.action == request.action, "action"),
            (
                Some(&self.aud) == request.issuer_id.as_ref() || request.issuer_id.is_none(),
                "issuer",
            ),
            (self.csr_sha256.as_deref() == csr_sha256, "CSR"),
            (self.certificate == job.new.certificate, "certificate"),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(PermitError::Other(what)),
            None => Ok(()),
        }
    }
}

/// Makes the first key for permits, where there is none.
///
/// # Errors
/// It cannot be made or written.
pub fn ensure_key(store: &Store, context: Context) -> Result<(), PermitError> {
    if store.permit_key().is_some() {
        return Ok(());
    }
    let secret = ca::generate_key(Curve::P256)?;
    let pair = EcKeyPair::from_der(&*secret, Some(EcCurve::P256))?;
    let mut jwk = pair.to_jwk_public_key();
    let id = thumbprint(&jwk)?;
    jwk.set_key_id(&id);
    jwk.set_algorithm("ES256");
    jwk.set_key_use("sig");
    let secret = SecretBytes::new(secret.to_vec());
    store.create_permit_key(context, &id, jwk.to_string(), &secret)?;
    Ok(())
}

/// Source: RFC 7638, section 3.
fn thumbprint(jwk: &Jwk) -> Result<String, PermitError> {
    let member = |name: &str| match jwk.parameter(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) | None => Err(PermitError::Key(format!("it has no `{name}`"))),
    };
    let (x, y) = (member("x")?, member("y")?);
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Ok(Base64UrlUnpadded::encode_string(&sha256(text.as_bytes())))
}

/// The public keys of all permits, as a JWK set.
pub fn public_keys(store: &Store) -> Value {
    let keys = store.permit_keys().into_iter();
    let keys: Vec<Value> = keys
        .filter_map(|key| serde_json::from_str(&key.new.jwk).ok())
        .collect();
    json!({ "keys": keys })
}
