//! The path of certificates: what a signing request says.
//!
//! Pure: it knows no policy, no state and no clock. Start reading in [`csr`].

pub mod csr;
