//! The file that names the sinks, in TOML.
//!
//! Every fault is told with its line. Secrets are not in the file: it says
//! where they are, and the caller reads them.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use toml::Spanned;
use ureq::Agent;

use super::http::{self, Failed};
use super::message::Message;
use super::url::{check_url, is_plain};
use super::{exec, ntfy, slack, webhook};
use crate::keyring::SecretBytes;
use crate::vocabulary::{Topic, nearest};

/// Messages an hour for each device, where the file says nothing.
const BUDGET: u32 = 6;
/// The longest name.
const LONGEST_NAME: usize = 64;

/// Somewhere that is told.
pub struct Sink {
    /// Its name: of its metric, and of the file that keeps its place.
    pub name: String,
    /// What it is told of.
    pub events: BTreeSet<Topic>,
    /// Messages an hour for each device.
    pub budget: u32,
    /// How, and where.
    pub form: Form,
    agent: Agent,
}

/// How a sink is told.
pub enum Form {
    /// JSON, signed.
    Webhook {
        /// Where to.
        url: String,
        /// What it is signed with.
        key: SecretBytes,
    },
    /// Slack's incoming webhooks.
    Slack {
        /// Where to; it is the secret itself.
        url: SecretBytes,
    },
    /// A topic of ntfy.
    Ntfy {
        /// The topic's URL.
        url: String,
        /// An access token.
        token: Option<SecretBytes>,
    },
    /// A command.
    Exec {
        /// Its path and its arguments.
        command: Vec<String>,
    },
}

impl Sink {
    /// Makes one attempt at one message.
    ///
    /// # Errors
    /// It was not delivered.
    pub fn send(&self, message: &Message, now: Timestamp) -> Result<(), Failed> {
        match &self.form {
            Form::Webhook { url, key } => webhook::send(&self.agent, url, key, message, now),
            Form::Slack { url } => {
                let url = String::from_utf8_lossy(url.expose());
                slack::send(&self.agent, &url, message)
            }
            Form::Ntfy { url, token } => ntfy::send(&self.agent, url, token.as_ref(), message),
            Form::Exec { command } => exec::send(command, message),
        }
    }
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SinksError {
    /// Not TOML, or a key that is none.
    #[error("{0}")]
    Toml(Box<toml::de::Error>),
    /// A sink that makes no sense.
    #[error("line {line}: {fault}")]
    Sink {
        /// Where.
        line: usize,
        /// What is wrong.
        fault: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sink: Vec<Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    form: FormName,
    url: Option<Spanned<String>>,
    secret: Option<Spanned<String>>,
    command: Option<Spanned<Vec<String>>>,
    events: Option<Spanned<Vec<Spanned<String>>>>,
    budget: Option<Spanned<u32>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormName {
    Webhook,
    Slack,
    Ntfy,
    Exec,
}

/// Where in the file, and what is wrong there.
type Fault = (usize, String);

/// Reads the sinks of a file's text. `secret` reads what a `secret` names.
/// The second part warns of what is allowed and unwise.
///
/// # Errors
/// Each of [`SinksError`].
pub fn parse(
    text: &str,
    secret: &dyn Fn(&str) -> Result<SecretBytes, String>,
) -> Result<(Vec<Sink>, Vec<String>), SinksError> {
    let file: File = toml::from_str(text).map_err(|error| SinksError::Toml(Box::new(error)))?;
    let (mut sinks, mut warnings) = (Vec::<Sink>::new(), Vec::new());
    let told = |(at, fault): Fault| SinksError::Sink {
        line: 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count(),
        fault,
    };
    if file.sink.is_empty() {
        return Err(told((0, "no `[[sink]]` is in it".to_owned())));
    }
    for written in &file.sink {
        let place = written.span().start;
        let written = written.as_ref();
        let sink = read(written, place, secret, &mut warnings).map_err(told)?;
        if sinks.iter().any(|other| other.name == sink.name) {
            let fault = format!("a second sink is named `{}`", sink.name);
            return Err(told((written.name.span().start, fault)));
        }
        sinks.push(sink);
    }
    Ok((sinks, warnings))
}

fn read(
    written: &Written,
    place: usize,
    secret: &dyn Fn(&str) -> Result<SecretBytes, String>,
    warnings: &mut Vec<String>,
) -> Result<Sink, Fault> {
    let name = read_name(&written.name)?;
    let form = Reader {
        name: &name,
        written,
        place,
        secret,
    };
    if let Some(url) = &written.url
        && is_plain(url.as_ref())
    {
        warnings.push(format!(
            "sink `{name}`: `http://` to another host: whoever is between reads each message, and may answer for it"
        ));
    }
    Ok(Sink {
        form: form.read()?,
        events: read_events(written.events.as_ref())?,
        budget: read_budget(written.budget.as_ref())?,
        agent: http::agent(),
        name,
    })
}

fn read_name(name: &Spanned<String>) -> Result<String, Fault> {
    let text: &String = name.as_ref();
    let fits = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= LONGEST_NAME
        && (text.chars())
            .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-');
    match fits {
        true => Ok(text.clone()),
        false => Err((
            name.span().start,
            format!(
                "`{}` is no name of a sink: write lower-case letters, digits and `-`, a letter first, at most {LONGEST_NAME}",
                text.escape_debug()
            ),
        )),
    }
}

fn read_budget(budget: Option<&Spanned<u32>>) -> Result<u32, Fault> {
    match budget {
        None => Ok(BUDGET),
        Some(given) if *given.as_ref() == 0 => Err((
            given.span().start,
            "a `budget` of 0 tells of no device: leave the events out instead".to_owned(),
        )),
        Some(given) => Ok(*given.as_ref()),
    }
}

fn read_events(written: Option<&Spanned<Vec<Spanned<String>>>>) -> Result<BTreeSet<Topic>, Fault> {
    let Some(written) = written else {
        return Ok(Topic::ALL.iter().copied().collect());
    };
    let mut events = BTreeSet::new();
    for pattern in written.as_ref() {
        let text: &String = pattern.as_ref();
        let matches = |topic: &Topic| match text.strip_suffix('*') {
            Some("") => true,
            Some(prefix) => prefix.ends_with('.') && topic.word().starts_with(prefix),
            None => topic.word() == text,
        };
        let found: BTreeSet<Topic> = Topic::ALL.iter().copied().filter(matches).collect();
        events.extend(&found);
        if found.is_empty() {
            let near = nearest(text, Topic::ALL.iter().map(|topic| topic.word()));
            let near = near.map_or(String::new(), |near| format!(": do you mean `{near}`?"));
            let fault = format!("`{}` is no event{near}", text.escape_debug());
            return Err((pattern.span().start, fault));
        }
    }
    match events.is_empty() {
        true => Err((
            written.span().start,
            "`events` is empty: the sink would be told nothing".to_owned(),
        )),
        false => Ok(events),
    }
}

/// What a sink's form takes of what is written.
struct Reader<'a> {
    name: &'a str,
    written: &'a Written,
    place: usize,
    secret: &'a dyn Fn(&str) -> Result<SecretBytes, String>,
}

impl Reader<'_> {
    fn read(&self) -> Result<Form, Fault> {
        let written = self.written;
        match written.form {
            FormName::Webhook => {
                self.none("command", written.command.as_ref(), "a webhook")?;
                let url = self.url()?;
                let why = "each message is signed with it; make one with `openssl rand -hex 32`";
                let secret = self.some("secret", written.secret.as_ref(), why)?;
                let key = webhook::key(&self.read_secret(secret)?);
                let key = key.map_err(|fault| (secret.span().start, self.say(fault)))?;
                Ok(Form::Webhook { url, key })
            }
            FormName::Slack => {
                self.none("command", written.command.as_ref(), "slack")?;
                Ok(Form::Slack {
                    url: self.slack_url()?,
                })
            }
            FormName::Ntfy => {
                self.none("command", written.command.as_ref(), "ntfy")?;
                let token = written.secret.as_ref();
                Ok(Form::Ntfy {
                    url: self.url()?,
                    token: token.map(|token| self.token(token)).transpose()?,
                })
            }
            FormName::Exec => {
                self.none("url", written.url.as_ref(), "exec")?;
                self.none("secret", written.secret.as_ref(), "exec")?;
                let why = "a list: the path, then its arguments";
                let command = self.some("command", written.command.as_ref(), why)?;
                Ok(Form::Exec {
                    command: self.command(command)?,
                })
            }
        }
    }

    fn say(&self, fault: impl std::fmt::Display) -> String {
        format!("sink `{}`: {fault}", self.name)
    }

    fn some<'v, T>(
        &self,
        key: &str,
        value: Option<&'v Spanned<T>>,
        why: &str,
    ) -> Result<&'v Spanned<T>, Fault> {
        value.ok_or_else(|| (self.place, self.say(format!("`{key}` is not given: {why}"))))
    }

    fn none<T>(&self, key: &str, value: Option<&Spanned<T>>, form: &str) -> Result<(), Fault> {
        match value {
            None => Ok(()),
            Some(given) => Err((
                given.span().start,
                self.say(format!("{form} takes no `{key}`")),
            )),
        }
    }

    fn read_secret(&self, source: &Spanned<String>) -> Result<SecretBytes, Fault> {
        let told = |fault: String| (source.span().start, self.say(format!("`secret`: {fault}")));
        let secret = (self.secret)(source.as_ref()).map_err(told)?;
        match secret.expose().trim_ascii().is_empty() {
            true => Err(told("it is empty".to_owned())),
            false => Ok(secret),
        }
    }

    /// A token stands in a header.
    fn token(&self, source: &Spanned<String>) -> Result<SecretBytes, Fault> {
        let token = self.read_secret(source)?;
        let fits = |byte: &u8| *byte == b' ' || byte.is_ascii_graphic();
        match token.expose().trim_ascii().iter().all(fits) {
            true => Ok(token),
            false => Err((
                source.span().start,
                self.say("`secret`: an access token is one line of printable ASCII"),
            )),
        }
    }

    fn url(&self) -> Result<String, Fault> {
        let url = self.some("url", self.written.url.as_ref(), "where it is sent to")?;
        check_url(url.as_ref()).map_err(|fault| (url.span().start, self.say(fault)))?;
        Ok(url.as_ref().clone())
    }

    /// Whoever has the URL may write there, so it may stand in a secret instead.
    fn slack_url(&self) -> Result<SecretBytes, Fault> {
        let (url, secret) = (self.written.url.as_ref(), self.written.secret.as_ref());
        let Some(secret) = secret else {
            return Ok(SecretBytes::new(self.url()?.into_bytes()));
        };
        self.none("url` beside `secret", url, "slack")?;
        let read = self.read_secret(secret)?;
        let text = std::str::from_utf8(read.expose().trim_ascii()).unwrap_or_default();
        // What is wrong with it must not show it.
        match check_url(text).is_ok() && !is_plain(text) {
            true => Ok(SecretBytes::new(text.as_bytes().to_vec())),
            false => Err((
                secret.span().start,
                self.say("`secret`: it holds no `https://` URL"),
            )),
        }
    }

    fn command(&self, command: &Spanned<Vec<String>>) -> Result<Vec<String>, Fault> {
        let told = |fault: String| (command.span().start, self.say(fault));
        let given = command.as_ref();
        let Some(program) = given.first() else {
            return Err(told("`command` is empty".to_owned()));
        };
        if given.iter().any(|part| part.contains('\0')) {
            return Err(told("`command` holds a NUL".to_owned()));
        }
        let path = Path::new(program);
        if !path.is_absolute() {
            return Err(told(format!("`{program}` is no absolute path")));
        }
        let found = path
            .metadata()
            .map_err(|error| told(format!("`{program}`: {error}")))?;
        match found.is_file() && found.permissions().mode() & 0o111 != 0 {
            true => Ok(given.clone()),
            false => Err(told(format!("`{program}` is no file that can be run"))),
        }
    }
}
