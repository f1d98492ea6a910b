//! Notifications: what the journal says, told to the outside.
//!
//! The journal is the outbox. A message is made from an entry that is on disk
//! ([`Message`]), so it is as durable as the change that it tells of, and no
//! change waits for it. Each [`Sink`] keeps the number of the last entry that
//! it is done with (`cursor`) and goes on from there after a restart: in order,
//! at least once, each message under one id for good.
//!
//! [`Runner`] is the life of one sink, on a thread of its own; `sinks` reads the
//! file that names them, and each form has a file. Time and chance come from
//! [`Surroundings`]; knows no policy and nothing of HTTP but its client.

mod budget;
mod cursor;
mod deliver;
mod exec;
mod http;
mod message;
mod ntfy;
mod outbox;
mod sinks;
mod slack;
mod text;
mod url;
mod webhook;

pub use budget::Budget;
pub use cursor::CursorError;
pub use deliver::{Fate, Outcome, Runner, Stop, Surroundings, fate};
pub use http::{Answer, Failed, agent_with, exchange, roots};
pub use message::{ApprovalFacts, ClockFacts, Message, Need, NeedClause, PolicyFacts};
pub use ntfy::headers as ntfy_headers;
pub use outbox::Outbox;
pub use sinks::{Form, Sink, SinksError, parse};
pub use slack::body as slack_body;
pub use text::{text, title};
pub use url::{check_url, is_plain};
pub use webhook::{headers as webhook_headers, key, signature};
