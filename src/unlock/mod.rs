//! The unlock path without HTTP: whose token is this, which keys answer for
//! it, and what the policy says.
//!
//! Knows no status code and no socket; `docs/unlock-plane.md` says what a
//! client sees. This file finds who asks and opens their keys; `attempt` holds
//! one request against policy and the store's grants, `waiting` asks people,
//! `again` finds what an enrollment was answered.

mod again;
mod attempt;
mod waiting;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::durable::Hex;
use crate::journal::{Generation, Hash, KeyRole, PublicKey};
use crate::keyring::{KeyId, SecretBytes, random};
use crate::store::{Binding, Device, EnrollBinding, NewKeys, Store, StoreError};
use crate::tang::{self, ExchangeKey, Key, KeyRing, SigningKey, Standing, Usage};
use crate::vocabulary::DeviceState;

pub use again::{Told, told_again};
pub use attempt::{Attempt, Found, Judged, NotGranted};
pub use waiting::{Waiting, current_requirement, required_now, tag_change};

/// How many bindings' keys are kept open.
const OPEN_RINGS: usize = 131_072;
/// Random bytes of an id that is no secret.
const ID_BYTES: usize = 6;
/// Random bytes of a URL token: 160 bits.
const TOKEN_BYTES: usize = 20;

/// Why a binding's keys cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error("{0}")]
    Key(String),
}

/// Who asks, once its token is known.
#[derive(Clone)]
pub struct Endpoint {
    /// Its place in the device, or none for the hosts of a legacy Tang server.
    pub binding_id: Option<String>,
    /// The device, or none for the hosts of a legacy Tang server.
    pub device: Option<Arc<Device>>,
    /// What records call it.
    pub name: String,
    /// What limits know its binding by; the hosts of a legacy server share their key.
    pub binding: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its state.
    pub state: DeviceState,
    /// Its keys; none once they are destroyed.
    pub ring: Option<Arc<KeyRing>>,
}

impl Endpoint {
    /// A device as if its first binding asked, for those who wonder what would come of it.
    pub fn of(device: &Arc<Device>) -> Endpoint {
        Endpoint {
            binding_id: device.bindings.first().map(|binding| binding.id.clone()),
            name: device.name.clone(),
            binding: None,
            tags: device.tags.clone(),
            state: device.state,
            ring: None,
            device: Some(Arc::clone(device)),
        }
    }
}

/// The hash that a token is stored and logged as.
pub fn token_hash(token: &str) -> Hash {
    Hex(openssl::sha::sha256(token.as_bytes()))
}

/// Draws a token of random bytes, in base64url.
///
/// # Errors
/// The random generator failed.
pub fn draw_token() -> Result<String, UnlockError> {
    let bytes: [u8; TOKEN_BYTES] = random().map_err(|error| UnlockError::Key(error.to_string()))?;
    Ok(base64url(&bytes))
}

/// Draws the short id of a request or a grant: no secret, and easy to read out.
///
/// # Errors
/// The random generator failed.
pub fn draw_id() -> Result<String, UnlockError> {
    let bytes: [u8; 10] = random().map_err(|error| UnlockError::Key(error.to_string()))?;
    Ok(spelled(&bytes))
}

/// The id that `text` always has; long, so that no drawn one is the same.
pub fn derived_id(text: &[u8]) -> String {
    spelled(&openssl::sha::sha256(text))
}

fn spelled(bytes: &[u8]) -> String {
    /// Without letters and digits that look or sound alike.
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let letter = |byte: u8| {
        ALPHABET
            .get(usize::from(byte % 32))
            .copied()
            .unwrap_or(b'0')
    };
    let mut id: String = bytes.iter().map(|&byte| char::from(letter(byte))).collect();
    id.insert(5, '-');
    id
}

/// Draws a short id, which is no secret and begins with no hyphen, and a token.
///
/// # Errors
/// The random generator failed.
pub fn draw_credential() -> Result<(String, String), UnlockError> {
    let id: [u8; ID_BYTES] = random().map_err(|error| UnlockError::Key(error.to_string()))?;
    Ok((Hex(id).to_string(), draw_token()?))
}

fn base64url(bytes: &[u8]) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::encode_string(bytes)
}

/// Keys that were just drawn, and the thumbprint that a client pins.
pub struct Drawn {
    /// The keys.
    pub keys: NewKeys,
    /// The signing key's thumbprint under SHA-256.
    pub thp: String,
}

/// Draws a signing key and an exchange key.
///
/// # Errors
/// The cryptographic library failed.
pub fn draw_keys() -> Result<Drawn, UnlockError> {
    let fault = |error: tang::CryptoError| UnlockError::Key(error.to_string());
    let signing = SigningKey::generate().map_err(fault)?;
    let exchange = ExchangeKey::generate().map_err(fault)?;
    let thp = signing.public().thumbprints().text(tang::Hash::S256);
    let secret = format!("{}\n{}", *signing.to_jwk(), *exchange.to_jwk());
    Ok(Drawn {
        keys: NewKeys {
            public: vec![
                public_half(signing.public()),
                public_half(exchange.public()),
            ],
            secret: SecretBytes::new(secret.into_bytes()),
        },
        thp,
    })
}

/// A Tang public key as the journal names it.
pub fn public_half(key: &tang::PublicKey) -> PublicKey {
    PublicKey {
        role: match key.usage() {
            Usage::Sign => KeyRole::Signing,
            Usage::Exchange => KeyRole::Exchange,
        },
        thumbprint: key.thumbprints().text(tang::Hash::S256),
        jwk: key.to_jwk(),
    }
}

/// A binding that was just drawn: what is stored, and what is told once.
pub struct NewBinding {
    /// What the store takes.
    pub enroll: EnrollBinding,
    /// What whoever enrolls it is told.
    pub told: Told,
}

/// Draws the binding numbered `number`, from 1; its token is found again for
/// a `call` that is repeated.
///
/// # Errors
/// The random generator or the library failed.
pub fn draw_binding(number: u32, call: Option<&[u8]>) -> Result<NewBinding, UnlockError> {
    let id = number.to_string();
    let Drawn { keys, thp } = draw_keys()?;
    let token = match call {
        Some(call) => again::token_of_call(&keys.secret, &id, call)?,
        None => draw_token()?,
    };
    Ok(NewBinding {
        enroll: EnrollBinding {
            id: id.clone(),
            token: token_hash(&token),
            keys,
        },
        told: Told { id, token, thp },
    })
}

/// Opens keys once and keeps them.
#[derive(Default)]
pub struct Rings {
    open: Mutex<HashMap<Hash, Opened>>,
}

/// The data keys that a ring was opened from, and the ring.
type Opened = (Vec<KeyId>, Arc<KeyRing>);

impl Rings {
    /// Who has `token`.
    ///
    /// # Errors
    /// Its keys are lost or damaged.
    pub fn find(&self, store: &Store, token: &str) -> Result<Option<Endpoint>, UnlockError> {
        let hash = token_hash(token);
        let Some(device) = store.device_by_token(&hash) else {
            return Ok(None);
        };
        let binding = device.bindings.iter().find(|binding| binding.token == hash);
        let ring = match binding {
            Some(binding) if !binding.keys.is_empty() => Some(self.ring(store, &device, binding)?),
            Some(_) | None => None,
        };
        Ok(Some(Endpoint {
            binding_id: binding.map(|binding| binding.id.clone()),
            binding: binding.map(|binding| format!("{}/{}", device.name, binding.id)),
            name: device.name.clone(),
            tags: device.tags.clone(),
            state: device.state,
            ring,
            device: Some(device),
        }))
    }

    /// The ring of a binding's keys of the moment.
    fn ring(
        &self,
        store: &Store,
        device: &Device,
        binding: &Binding,
    ) -> Result<Arc<KeyRing>, UnlockError> {
        let ids: Vec<KeyId> = binding.keys.iter().map(|keys| keys.secret.key).collect();
        {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((known, ring)) = open.get(&binding.token)
                && *known == ids
            {
                return Ok(Arc::clone(ring));
            }
        }
        let mut keys = Vec::new();
        for (age, generation) in binding.keys.iter().enumerate() {
            let standing = if age == 0 {
                Standing::Current
            } else {
                Standing::Hidden
            };
            let opened = open_generation(store, device, binding, generation)?;
            keys.extend(opened.into_iter().map(|key| (key, standing)));
        }
        let ring =
            Arc::new(KeyRing::new(keys).map_err(|error| UnlockError::Key(error.to_string()))?);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= OPEN_RINGS {
            open.clear();
        }
        open.insert(binding.token, (ids, Arc::clone(&ring)));
        Ok(ring)
    }

    /// Forgets the keys of a device: they were destroyed or replaced.
    pub fn forget(&self, device: &Device) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for binding in &device.bindings {
            open.remove(&binding.token);
        }
    }
}

fn open_generation(
    store: &Store,
    device: &Device,
    binding: &Binding,
    generation: &Generation,
) -> Result<Vec<Key>, UnlockError> {
    let secret = store.open_keys(&device.name, &binding.id, generation)?;
    secret
        .expose()
        .split(|&byte| byte == b'\n')
        .map(|jwk| Key::from_jwk(jwk).map_err(|error| UnlockError::Key(error.to_string())))
        .collect()
}
