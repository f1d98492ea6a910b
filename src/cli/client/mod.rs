//! The operator's commands of a running server, over its admin plane.
//!
//! Each command is one request and one rendering; the server decides.

mod allow_once;
pub(crate) mod approvals;
mod asked;
pub(crate) mod audit;
pub(crate) mod denials;
pub(crate) mod device;
mod error;
pub(crate) mod issuance;
pub(crate) mod keys;
mod show;
pub(crate) mod token;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Method, Request, StatusCode};
use ureq::tls::TlsConfig;

use super::answer::{Answer, Failure};
use crate::notify;

pub(crate) use error::ClientError;
use show::plain_text;
pub(crate) use show::{lines, list_of, plain, table, tags, text};

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer that are read.
const LONGEST_ANSWER: u64 = 256 << 20;
/// How much is shown of an answer that is none of the admin plane's.
const LONGEST_WORD: usize = 120;

/// Where the server is and who asks.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Connection {
    /// The admin plane of the server
    #[arg(
        long,
        env = "PANOPOL_URL",
        default_value = "http://127.0.0.1:7655",
        global = true,
        help_heading = "Server"
    )]
    url: String,
    /// Your bearer token
    #[arg(
        long,
        env = "PANOPOL_TOKEN",
        hide_env_values = true,
        global = true,
        help_heading = "Server"
    )]
    token: Option<String>,
    /// The certificates of the CAs to trust (PEM), instead of the public ones
    #[arg(
        long,
        value_name = "FILE",
        env = "PANOPOL_CA_FILE",
        global = true,
        help_heading = "Server"
    )]
    ca_file: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Human, global = true, help_heading = "Server")]
    format: Format,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Human,
    /// The server's own JSON
    Json,
}

/// A running server.
pub(crate) struct Client {
    /// Why there is none is told when the server is asked: what needs no
    /// server goes without.
    agent: Result<ureq::Agent, ClientError>,
    url: String,
    token: Option<String>,
    format: Format,
}

impl Client {
    /// A client of the server that `connection` names.
    pub(crate) fn new(connection: &Connection) -> Client {
        let token = connection.token.as_deref().map(str::trim);
        Client {
            agent: agent(connection),
            url: connection.url.trim_end_matches('/').to_owned(),
            token: token.map(str::to_owned),
            format: connection.format,
        }
    }

    /// Reads what is at `path`.
    pub(crate) fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.send(Method::GET, path, None)
    }

    /// Reads a whole paged list.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Value>, ClientError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = match &cursor {
                None => self.get(path)?,
                Some(after) => self.get(&format!("{path}{separator}after={}", encode(after)))?,
            };
            if let Some(Value::Array(rows)) = page.get("items") {
                items.extend(rows.iter().cloned());
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// Asks for a change and returns the answer's body; `Null` where it has none.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        self.send_once(method, path, body, None)
    }

    /// Like `send`; with a key the server answers a repeat as it did the first.
    pub(crate) fn send_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<Value, ClientError> {
        let agent = self.agent.as_ref().map_err(Clone::clone)?;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let body = match body {
            None => Vec::new(),
            Some(body) => {
                request = request.header("content-type", "application/json");
                body.to_string().into_bytes()
            }
        };
        let request = request
            .body(body)
            .map_err(|error| ClientError::Local(format!("the request cannot be made: {error}")))?;
        let unreachable = |error| ClientError::unreachable(&self.url, &error);
        let mut response = agent.run(request).map_err(unreachable)?;
        let body = response.body_mut().with_config().limit(LONGEST_ANSWER);
        let text = body.read_to_string().map_err(unreachable)?;
        self.read(response.status(), &text)
    }

    /// What an answer comes to.
    fn read(&self, status: StatusCode, text: &str) -> Result<Value, ClientError> {
        if status.is_success() && text.is_empty() {
            return Ok(Value::Null);
        }
        let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let word = |name: &str| value.get(name).and_then(Value::as_str).map(plain_text);
        match (value.is_object(), word("title"), word("detail")) {
            // A request that the policy refuses is answered with its decision.
            (true, ..) if status.is_success() || value.get("outcome").is_some() => Ok(value),
            (_, Some(title), Some(detail)) => Err(ClientError::Refused {
                status: status.as_u16(),
                detail: self.mend(status).map_or(detail, str::to_owned),
                title,
            }),
            (..) => {
                let said = text.lines().next().unwrap_or_default();
                let said: String = said.chars().take(LONGEST_WORD).collect();
                Err(ClientError::Strange {
                    url: self.url.clone(),
                    status: status.to_string(),
                    said: plain_text(&said),
                })
            }
        }
    }

    /// What is wrong with whoever asks, in the words of a command line.
    fn mend(&self, status: StatusCode) -> Option<&'static str> {
        match (status, &self.token) {
            (StatusCode::UNAUTHORIZED, None) => {
                Some("none was given: name one by `--token` or PANOPOL_TOKEN")
            }
            (StatusCode::UNAUTHORIZED, Some(_)) => Some(
                "this one is unknown here, has ended, or is of nobody whom the policy declares",
            ),
            _ => None,
        }
    }

    /// The text to print: the JSON as it came, or what `human` makes of it.
    pub(crate) fn render(&self, value: &Value, human: impl FnOnce(&Value) -> String) -> String {
        match self.format {
            Format::Json => format!("{value:#}\n"),
            Format::Human => human(&plain(value)),
        }
    }
}

/// What asks: it trusts the CAs that are named, or else the public ones.
fn agent(connection: &Connection) -> Result<ureq::Agent, ClientError> {
    notify::check_url(&connection.url).map_err(ClientError::Local)?;
    let mut tls = TlsConfig::builder();
    if let Some(path) = &connection.ca_file {
        tls = tls.root_certs(roots(path)?);
    }
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(tls.build())
        .timeout_global(Some(PATIENCE))
        .build();
    Ok(config.into())
}

fn roots(path: &Path) -> Result<ureq::tls::RootCerts, ClientError> {
    let fault = |cause: &dyn std::fmt::Display| {
        ClientError::Local(format!("the CA file `{}`: {cause}", path.display()))
    };
    let bytes = std::fs::read(path).map_err(|error| fault(&error))?;
    notify::roots(&bytes).map_err(|cause| fault(&cause))
}

/// Percent-encodes one part of a path or a query.
pub(crate) fn encode(part: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Runs one of the commands of a running server.
pub(super) fn finish(done: Result<(String, bool), ClientError>) -> Result<Answer, Failure> {
    match done {
        Ok((text, found)) => Ok(Answer {
            text,
            found,
            ..Answer::default()
        }),
        Err(error) if error.is_refusal() => Ok(Answer {
            text: format!("refused: {error}\n"),
            found: true,
            ..Answer::default()
        }),
        Err(error) => Err(Failure::new(error.to_string()).maybe_help(error.help())),
    }
}
