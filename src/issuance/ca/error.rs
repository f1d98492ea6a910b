//! Why the local CA does not sign, or does not let out what it signed.

use openssl::error::ErrorStack;

/// A certificate or list that is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaError {
    /// Key and certificate of the CA are not ones that can sign.
    #[error("the local CA cannot be used: {0}")]
    Unusable(String),
    /// The CSR has what is not judged, so that nothing can have approved it.
    #[error("the CSR has {0}, which is not supported")]
    NotJudged(String),
    /// What was approved is not what the CSR asks for.
    #[error("{0}")]
    NotApproved(String),
    /// Times that no certificate or list can have.
    #[error("{0}")]
    Time(String),
    /// A list of revoked certificates that contradicts itself.
    #[error("{0}")]
    List(String),
    /// What was made is not what was to be made; it is thrown away.
    #[error("the certificate does not read back as what was approved: {0}")]
    ReadBack(String),
    /// OpenSSL failed.
    #[error("OpenSSL failed: {0}")]
    Library(String),
    /// Something cannot be written as DER.
    #[error("cannot be written as DER: {0}")]
    Encoding(String),
}

impl CaError {
    /// A certificate does not lie within the life of the CA's own.
    pub(in crate::issuance) fn outlived() -> Self {
        let message = "the certificate would outlive the local CA's own, or begin before it";
        CaError::Time(message.to_owned())
    }
}

impl From<ErrorStack> for CaError {
    fn from(error: ErrorStack) -> Self {
        CaError::Library(error.to_string())
    }
}

impl From<x509_cert::der::Error> for CaError {
    fn from(error: x509_cert::der::Error) -> Self {
        CaError::Encoding(error.kind().to_string())
    }
}
