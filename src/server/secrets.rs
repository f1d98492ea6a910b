//! Secrets from where the operator keeps them: a file, a variable, a
//! credential of systemd.

use std::path::Path;

use crate::keyring::{KeyringError, SecretBytes};

/// A secret is not where it is said to be.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable.
    #[error("the variable `{name}`: {cause}")]
    Variable {
        /// Its name.
        name: String,
        /// Why.
        cause: std::env::VarError,
    },
    /// No credentials are there at all.
    #[error("systemd gave no credentials directory")]
    NoCredentials,
    /// The file.
    #[error(transparent)]
    File(#[from] KeyringError),
}

/// Reads `FILE`, `env:NAME` or `credential:NAME`.
///
/// # Errors
/// Each of [`SecretError`].
#[allow(
    clippy::disallowed_methods,
    reason = "the server reads the variables that its settings name"
)]
pub(super) fn read(source: &str) -> Result<SecretBytes, SecretError> {
    match source.split_once(':') {
        Some(("env", name)) => {
            let text = std::env::var(name).map_err(|cause| SecretError::Variable {
                name: name.to_owned(),
                cause,
            })?;
            Ok(SecretBytes::new(text.into_bytes()))
        }
        Some(("credential", name)) => {
            let directory =
                std::env::var("CREDENTIALS_DIRECTORY").map_err(|_| SecretError::NoCredentials)?;
            Ok(SecretBytes::read_credential(Path::new(&directory), name)?)
        }
        Some(_) | None => Ok(SecretBytes::read_file(Path::new(source))?),
    }
}
