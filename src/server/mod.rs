//! The HTTP planes: axum routes, connections, and the only place with status codes.

pub mod admin;
pub mod app;
mod chores;
mod claim;
pub mod clock;
pub mod config;
pub mod connection;
mod dev;
pub mod issuance;
pub mod legacy;
pub mod limits;
pub mod metrics;
mod notifications;
pub mod people;
pub mod policy;
pub mod pool;
pub mod problem;
pub mod proxy;
pub mod records;
mod renewals;
pub mod run;
mod secrets;
pub mod start;
mod streams;
mod tls;
pub mod unlock_plane;
mod watch;
