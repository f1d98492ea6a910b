//! The operator's commands of a running server, over its admin plane.
//!
//! Each command is one request and one rendering; the server decides.

mod allow_once;
pub(crate) mod approvals;
mod asked;
pub(crate) mod audit;
pub(crate) mod denials;
pub(crate) mod device;
pub(crate) mod issuance;
pub(crate) mod keys;
pub(crate) mod token;

use std::time::Duration;

use serde_json::Value;

use ureq::http::{Method, Request};

use super::answer::{Answer, Failure};

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

/// Why a command of a running server failed.
#[derive(Debug, thiserror::Error)]
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
    },
    /// A local file or value is wrong.
    #[error("{0}")]
    Local(String),
}

impl ClientError {
    /// Whether the server understood and refused: a finding, not a failure.
    fn is_refusal(&self) -> bool {
        matches!(self, ClientError::Refused { status, .. } if *status < 500)
    }
}

/// A running server.
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
    token: Option<String>,
    format: Format,
}

impl Client {
    /// A client of the server that `connection` names.
    pub(crate) fn new(connection: &Connection) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Client {
            agent: config.into(),
            url: connection.url.trim_end_matches('/').to_owned(),
            token: connection.token.clone(),
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
        let unreachable = |cause: String| ClientError::Unreachable {
            url: self.url.clone(),
            cause,
        };
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
            .map_err(|error| ClientError::Local(format!("`{}`: {error}", self.url)))?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| unreachable(error.to_string()))?;
        let status = response.status();
        let text = response
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_string()
            .map_err(|error| unreachable(error.to_string()))?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        // A request that the policy refuses is answered with its decision.
        if status.is_success() || value.get("outcome").is_some() {
            return Ok(value);
        }
        let word = |name: &str| value.get(name).and_then(Value::as_str).map(plain_text);
        Err(ClientError::Refused {
            status: status.as_u16(),
            title: word("title").unwrap_or_else(|| format!("the server answered {status}")),
            detail: word("detail").unwrap_or_else(|| "no detail was given".to_owned()),
        })
    }

    /// The text to print: the JSON as it came, or what `human` makes of it.
    pub(crate) fn render(&self, value: &Value, human: impl FnOnce(&Value) -> String) -> String {
        match self.format {
            Format::Json => format!("{value:#}\n"),
            Format::Human => human(&plain(value)),
        }
    }
}

/// The same with every text on one line and without what moves a terminal's
/// cursor or turns its writing about: tags, notes and names are others' words.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain_text(text)),
        Value::Array(all) => Value::Array(all.iter().map(plain).collect()),
        Value::Object(all) => {
            let all = all.iter().map(|(name, one)| (plain_text(name), plain(one)));
            Value::Object(all.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn plain_text(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() || turns(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
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

/// The text at `name`, or `-`.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

/// A certificate at `name`, whose lines came on one.
pub(crate) fn pem(value: &Value, name: &str) -> String {
    text(value, name).replace("\\n", "\n")
}

/// Tags as `k=v k=v`.
pub(crate) fn tags(value: &Value) -> String {
    let Some(Value::Object(tags)) = value.get("tags") else {
        return String::new();
    };
    let pairs: Vec<String> = tags
        .iter()
        .map(|(tag, value)| format!("{tag}={}", value.as_str().unwrap_or("-")))
        .collect();
    pairs.join(" ")
}

/// Rows with columns padded to their widest.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
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
        Err(error) => Err(Failure::new(error.to_string())),
    }
}
