//! The Tang protocol over bytes: advertisement, recovery, keys, and the key
//! directory of a Tang server. Knows no policy, no sockets and no store.
//!
//! An unmodified Clevis client must not be able to tell this from Tang, so each
//! rule names the line of Tang or of the RFC that it follows. Where it differs
//! on purpose the difference stands in `tests/it/tang_peer.rs`, which holds it
//! against Debian's `tangd`.
//!
//! Start reading at [`mod@route`] (which request is this), [`recovery`] (what is
//! checked before the policy, and the reply) and [`ring`] (the keys that answer
//! for one endpoint). Secrets live in [`key`] and are multiplied in [`exchange`].

pub mod advertisement;
pub mod directory;
pub mod exchange;
mod jwk;
pub mod key;
mod members;
pub mod point;
pub mod recovery;
pub mod ring;
pub mod route;
pub mod thumbprint;

pub use advertisement::Advertisement;
pub use directory::{DirectoryError, FileFault, KeyDirectory, KeyFile, Seen, SkippedFile};
pub use exchange::{Exchange, OpenSsl, P521};
pub use jwk::JwkError;
pub use key::{CryptoError, ExchangeKey, Key, KeyError, PublicKey, SigningKey, Usage};
pub use point::{ClientPoint, PointError, ServerPoint};
pub use recovery::{RecError, check_request};
pub use ring::{KeyRing, RingError, Standing};
pub use route::{Prefix, Route, RouteStatus, route, route_binding};
pub use thumbprint::{Hash, Thumbprints};
