//! panopol decides two things that must never be wrong: may this encrypted
//! server unlock its disk over the network, and may this certificate be issued.
//!
//! The modules, in the direction that they may use each other (held by
//! `tests/it/architecture.rs`):
//!
//! - [`vocabulary`], [`address`], [`san`]: closed words, addresses, certificate names; know nothing else
//! - [`source`], [`diagnostic`]: file text and what is said about it
//! - [`syntax`]: text to tree and back
//! - [`ir`]: a policy set that cannot be wrong; [`check`] makes it from trees
//! - [`request`], [`decision`]: what is asked, what is answered
//! - [`approval`]: the state machine of what people decide, pure
//! - [`space`]: what requests range over; [`eval`]: IR to program, request to decision
//! - [`analyze`]: exact sets of requests, invariants; [`diff`]: two policies compared
//! - [`export`]: a policy set in other languages
//! - [`lint`]: what is doubtful in a policy that is not wrong
//! - [`durable`]: files that outlive a crash; [`keyring`]: private keys at rest
//! - [`journal`]: the write that makes a change true; [`store`]: the one door to durable state
//! - [`notify`]: what is told to the outside, from the journal
//! - [`suite`]: in-file tests, run
//! - [`record`]: a decided request as a line of JSON; [`replay`]: judged again by another policy
//! - [`access`]: who may do what on the admin plane, by Cedar
//! - [`tang`]: the Tang protocol over bytes; knows no policy
//! - [`issuance`]: certificate requests, judged when asked and when done
//! - [`unlock`]: whose token, which keys; [`server`]: both HTTP planes, the only status codes
//! - [`cli`]: arguments, files, exit codes

pub mod access;
pub mod address;
pub mod analyze;
pub mod approval;
pub mod check;
pub mod cli;
pub mod decision;
pub mod diagnostic;
pub mod diff;
pub mod durable;
pub mod eval;
pub mod export;
pub mod ir;
pub mod issuance;
pub mod journal;
pub mod keyring;
pub mod lint;
pub mod notify;
pub mod record;
pub mod replay;
pub mod request;
pub mod san;
pub mod server;
pub mod source;
pub mod space;
pub mod store;
pub mod suite;
pub mod syntax;
pub mod tang;
pub mod unlock;
pub mod vocabulary;
