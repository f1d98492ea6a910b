//! The keys that answer for one endpoint: a binding's pair, or a Tang directory.
//!
//! Source: Tang `src/keys.c`. Current keys are advertised and sign; hidden ones
//! (rotated away) still answer to their thumbprint. Current ones are found first.

use std::sync::OnceLock;

use super::advertisement::{Advertisement, Payload};
use super::key::{CryptoError, ExchangeKey, Key, PublicKey, SigningKey};
use super::recovery::RecError;

/// Whether a key is advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Advertised, and a signer of every advertisement.
    Current,
    /// Rotated away: no new disk is bound to it, old ones still open.
    Hidden,
}

/// Why keys make no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// Nothing could be advertised; Tang answers 500 to every request then.
    #[error("there is no current signing key")]
    NoSigningKey,
}

/// The keys of one endpoint, with its advertisements as they are first asked for.
#[derive(Debug)]
pub struct KeyRing {
    /// Current ones first, then hidden ones, each in the order given.
    signers: Vec<Signer>,
    exchange: Vec<ExchangeKey>,
    payload: Payload,
    default: OnceLock<Advertisement>,
}

#[derive(Debug)]
struct Signer {
    key: SigningKey,
    standing: Standing,
    signature: OnceLock<String>,
    /// The advertisement for this key's thumbprint.
    own: OnceLock<Advertisement>,
}

impl KeyRing {
    /// Takes the keys in the order in which they are advertised.
    ///
    /// # Errors
    /// Where no current key signs.
    pub fn new(keys: impl IntoIterator<Item = (Key, Standing)>) -> Result<Self, RingError> {
        let mut keys: Vec<(Key, Standing)> = keys.into_iter().collect();
        keys.sort_by_key(|(_, standing)| *standing);
        let current = keys
            .iter()
            .filter(|(_, standing)| *standing == Standing::Current);
        let payload = Payload::new(current.map(|(key, _)| key.public()));
        let (mut signers, mut exchange) = (Vec::new(), Vec::new());
        for (key, standing) in keys {
            match key {
                Key::Signing(key) => {
                    signers.push(Signer {
                        key,
                        standing,
                        signature: OnceLock::new(),
                        own: OnceLock::new(),
                    });
                }
                Key::Exchange(key) => exchange.push(key),
            }
        }
        if signers
            .first()
            .is_none_or(|signer| signer.standing == Standing::Hidden)
        {
            return Err(RingError::NoSigningKey);
        }
        Ok(KeyRing {
            signers,
            exchange,
            payload,
            default: OnceLock::new(),
        })
    }

    /// The answer to `/adv`, or to `/adv/{thumbprint}`: signed by every current
    /// signing key and then by the one named, even where that is one of them.
    /// `None` where no signing key has that thumbprint.
    ///
    /// # Errors
    /// Where signing fails; it is done once a key, when first asked for.
    pub fn advertise(
        &self,
        thumbprint: Option<&str>,
    ) -> Result<Option<Advertisement>, CryptoError> {
        let Some(thumbprint) = thumbprint else {
            return self.cached(&self.default, None).map(Some);
        };
        let named = |signer: &&Signer| has_thumbprint(signer.key.public(), thumbprint);
        match self.signers.iter().find(named) {
            Some(signer) => self.cached(&signer.own, Some(signer)).map(Some),
            None => Ok(None),
        }
    }

    fn cached(
        &self,
        cell: &OnceLock<Advertisement>,
        named: Option<&Signer>,
    ) -> Result<Advertisement, CryptoError> {
        if let Some(made) = cell.get() {
            return Ok(made.clone());
        }
        let current = self
            .signers
            .iter()
            .filter(|signer| signer.standing == Standing::Current);
        let signatures: Vec<&str> = current
            .chain(named)
            .map(|signer| signer.sign(&self.payload))
            .collect::<Result<_, _>>()?;
        let made = self.payload.assemble(&signatures);
        Ok(cell.get_or_init(|| made).clone())
    }

    /// The exchange key with that thumbprint, current or hidden.
    ///
    /// # Errors
    /// [`RecError::SigningKey`] where a signing key has it, [`RecError::UnknownKey`]
    /// where none has.
    pub fn exchange_key(&self, thumbprint: &str) -> Result<&ExchangeKey, RecError> {
        if let Some(key) = self
            .exchange
            .iter()
            .find(|key| has_thumbprint(key.public(), thumbprint))
        {
            return Ok(key);
        }
        let signs = self
            .signers
            .iter()
            .any(|signer| has_thumbprint(signer.key.public(), thumbprint));
        Err(if signs {
            RecError::SigningKey
        } else {
            RecError::UnknownKey
        })
    }
}

impl Signer {
    fn sign(&self, payload: &Payload) -> Result<&str, CryptoError> {
        if let Some(made) = self.signature.get() {
            return Ok(made);
        }
        let made = payload.sign(&self.key)?;
        Ok(self.signature.get_or_init(|| made))
    }
}

fn has_thumbprint(key: &PublicKey, thumbprint: &str) -> bool {
    key.thumbprints().hash_of(thumbprint).is_some()
}
