//! One request to somebody else's server, and what its answer means.

use std::time::Duration;

use openssl::x509::X509;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// How long one attempt may take, from the name's look-up to the answer's end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read; what it says is not used.
const LONGEST_ANSWER: u64 = 4096;
/// The longest that a server may ask us to wait.
const LONGEST_WAIT: u64 = 300;

/// An attempt that did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Why.
    pub cause: String,
    /// Whether another attempt would be answered the same.
    pub for_good: bool,
    /// When the server would have the next attempt.
    pub after: Option<Duration>,
}

impl Failed {
    /// A failure that may pass.
    pub(super) fn for_now(cause: impl Into<String>) -> Self {
        Failed {
            cause: cause.into(),
            for_good: false,
            after: None,
        }
    }
}

/// An answer, whatever it says.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When the server would have the next attempt.
    pub after: Option<Duration>,
    /// Its body, as far as it came in time and in size.
    pub body: Option<Vec<u8>>,
}

/// A client that follows no redirect and reads no proxy from the environment:
/// a message goes where the file says, or nowhere.
pub(super) fn agent() -> Agent {
    agent_with(PATIENCE, None)
}

/// The same with its own patience, and with roots of its own for TLS.
pub fn agent_with(patience: Duration, roots: Option<RootCerts>) -> Agent {
    let tls = TlsConfig::builder();
    let tls = match roots {
        Some(roots) => tls.root_certs(roots),
        None => tls,
    };
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .tls_config(tls.build())
        .timeout_global(Some(patience))
        .timeout_connect(Some(CONNECT.min(patience)))
        .user_agent(concat!("panopol/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// The certificates of a PEM file as the only roots to trust.
///
/// # Errors
/// The fault, in words.
pub fn roots(pem: &[u8]) -> Result<RootCerts, &'static str> {
    let read = |bytes| -> Result<Vec<Certificate<'static>>, openssl::error::ErrorStack> {
        let found = X509::stack_from_pem(bytes)?;
        let each = found.iter().map(|one| one.to_der());
        each.map(|der| Ok(Certificate::from_der(&der?).to_owned()))
            .collect()
    };
    match read(pem) {
        Ok(found) if !found.is_empty() => Ok(RootCerts::new_with_certs(&found)),
        Ok(_) | Err(_) => Err("it holds no certificate in PEM"),
    }
}

/// Posts `body` to `url`.
pub(super) fn post(
    agent: &Agent,
    url: &str,
    headers: &[(&'static str, String)],
    body: &str,
) -> Result<(), Failed> {
    let answer = exchange(agent, url, headers, body, LONGEST_ANSWER)?;
    judge(answer.status, answer.after)
}

/// Posts `body` to `url` and reads the answer, of at most `longest` bytes.
///
/// # Errors
/// There is no answer.
pub fn exchange(
    agent: &Agent,
    url: &str,
    headers: &[(&'static str, String)],
    body: &str,
    longest: u64,
) -> Result<Answer, Failed> {
    let mut request = Request::post(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(body.as_bytes().to_vec())
        .map_err(|error| Failed {
            for_good: true,
            ..Failed::for_now(format!("the request cannot be made: {error}"))
        })?;
    let mut answer = agent
        .run(request)
        .map_err(|error| Failed::for_now(error.to_string()))?;
    let status = answer.status().as_u16();
    let after = answer.headers().get("retry-after");
    let after = after.and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    // Read so that the connection can be used again, too; an answer that does not
    // end in time or in size changes nothing about its status.
    let body = answer.body_mut().with_config().limit(longest).read_to_vec();
    Ok(Answer {
        status,
        after: after.map(|seconds| Duration::from_secs(seconds.min(LONGEST_WAIT))),
        body: body.ok(),
    })
}

fn judge(status: u16, after: Option<Duration>) -> Result<(), Failed> {
    let failed = |for_good| Failed {
        cause: format!("it answered {status}"),
        for_good,
        after,
    };
    match status {
        200..=299 => Ok(()),
        408 | 429 => Err(failed(false)),
        400..=499 => Err(failed(true)),
        _ => Err(failed(false)),
    }
}
