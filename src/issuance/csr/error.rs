//! Why a CSR cannot be judged at all. What can be read and is only not
//! judged is no error: it stands in `unsupported` and a policy refuses it.

use openssl::error::ErrorStack;

/// A CSR that cannot be read, or that does not prove that its key is the
/// requester's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// Nothing but white space.
    #[error("there is no CSR: it is empty")]
    Empty,
    /// More bytes than are looked at.
    #[error("the CSR has more than {} bytes", super::MAX_BYTES)]
    TooLong,
    /// The armour of a PEM file is at fault.
    #[error("line {line}: {problem}")]
    Pem {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
        /// How to mend it.
        help: &'static str,
    },
    /// The bytes are not what a CSR is made of.
    #[error("the CSR cannot be read{}: {problem}", place(*at))]
    Der {
        /// Counted from 0, in the DER; none: it is not known.
        at: Option<u32>,
        /// What was found and what was expected.
        problem: String,
    },
    /// A part is written in another way than DER's only one.
    #[error("{part} of the CSR is not written as DER, so that it has more than one reading")]
    NotCanonical {
        /// Which part.
        part: &'static str,
    },
    /// One parser reads it and another does not.
    #[error("the first of several parsers reads this CSR, and another one cannot")]
    Unconfirmed,
    /// Two parsers read different things.
    #[error("two parsers read {part} of this CSR differently")]
    Disagreement {
        /// On what.
        part: &'static str,
    },
    /// Signed in a way that proves nothing any more, or that is not known.
    #[error("the CSR is signed with {found}, which is not accepted")]
    SignatureAlgorithm {
        /// A name, or else an OID.
        found: String,
    },
    /// The signature is not one by the CSR's own key over these bytes.
    #[error("the signature of the CSR does not fit its key")]
    Signature,
    /// The key is none: not on its curve, or cut off.
    #[error("the public key of the CSR cannot be used: {problem}")]
    Key {
        /// What is wrong with it.
        problem: String,
    },
    /// OpenSSL failed at something that is not the CSR's fault.
    #[error("OpenSSL failed: {0}")]
    Library(String),
}

fn place(at: Option<u32>) -> String {
    at.map_or_else(String::new, |at| format!(" at byte {at} of its DER"))
}

impl CsrError {
    /// How to mend it, where that is known.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            CsrError::Empty => Some("make one with `openssl req -new`"),
            CsrError::TooLong => Some("ask for fewer names, in several certificates"),
            CsrError::Pem { help, .. } => Some(help),
            CsrError::Der { .. } => {
                Some("give one CSR as PEM or DER; `openssl req -in FILE -noout -text` shows it")
            }
            CsrError::NotCanonical { .. }
            | CsrError::Unconfirmed
            | CsrError::Disagreement { .. } => {
                Some("make the CSR again with another tool, as `openssl req -new`")
            }
            CsrError::SignatureAlgorithm { .. } => Some(
                "sign it with SHA-256, SHA-384 or SHA-512, as `openssl req -new -sha256`, or with Ed25519",
            ),
            CsrError::Signature => {
                Some("the file was altered, or signed with another key: make the CSR again")
            }
            CsrError::Key { .. } => Some("make the key and the CSR again"),
            CsrError::Library(_) => None,
        }
    }
}

impl From<ErrorStack> for CsrError {
    fn from(error: ErrorStack) -> Self {
        CsrError::Library(error.to_string())
    }
}
