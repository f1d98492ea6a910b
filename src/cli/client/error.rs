//! Why a command of a running server failed, and how that is mended.

use tokio_rustls::rustls;

/// Why a command of a running server failed.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The server refuses: who asks, what is asked, or the state does not permit it.
    #[error("{title}: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem's title.
        title: String,
        /// The problem's detail.
        detail: String,
    },
    /// The server could not be asked.
    #[error("cannot reach `{url}`: {cause}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What went wrong.
        cause: String,
        /// How to mend it, where that is known.
        help: Option<&'static str>,
    },
    /// Somebody else answers there.
    #[error("`{url}` answered {status}, and not as an admin plane does: `{said}`")]
    Strange {
        /// Where.
        url: String,
        /// With which status.
        status: String,
        /// The beginning of what it said.
        said: String,
    },
    /// A local file or value is wrong.
    #[error("{0}")]
    Local(String),
}

impl ClientError {
    /// Why there is no answer from `url`.
    pub(super) fn unreachable(url: &str, error: &ureq::Error) -> Self {
        let (cause, help) = match tls_fault(error) {
            Some(fault) => (fault.to_string(), tls_help(fault)),
            None => (plainly(error), None),
        };
        ClientError::Unreachable {
            url: url.to_owned(),
            cause,
            help,
        }
    }

    /// Whether the server understood and refused: a finding, not a failure.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, ClientError::Refused { status, .. } if *status < 500)
    }

    /// How to mend it, where that is known.
    pub(super) fn help(&self) -> Option<String> {
        let help = match self {
            ClientError::Unreachable { help, .. } => *help,
            ClientError::Strange { .. } => {
                Some("`--url` and PANOPOL_URL are the admin plane's address, without a path")
            }
            ClientError::Refused { .. } | ClientError::Local(_) => None,
        };
        help.map(str::to_owned)
    }
}

/// The error in words, without the name of its layer.
fn plainly(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

fn tls_fault(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(fault) => Some(fault),
        ureq::Error::Io(cause) => cause.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn tls_help(fault: &rustls::Error) -> Option<&'static str> {
    match fault {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
            Some("name the certificate of its CA by `--ca-file` or PANOPOL_CA_FILE")
        }
        rustls::Error::InvalidMessage(_) => {
            Some("does it speak TLS? where it does not, write `http://`")
        }
        _ => None,
    }
}
