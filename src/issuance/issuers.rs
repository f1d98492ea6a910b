//! The file that names other CAs, in TOML.
//!
//! Every fault is told with its line. Secrets and certificates are not in the
//! file: it says where they are, and the caller reads them.

use std::time::Duration;

use base64ct::{Base64, Encoding};
use openssl::x509::X509;
use serde::Deserialize;
use toml::Spanned;
use ureq::tls::RootCerts;

use super::webhook::Webhook;
use crate::keyring::SecretBytes;
use crate::notify::{self, agent_with, check_url, is_plain};
use crate::vocabulary::{IssuerType, nearest};

/// How long one attempt may take where the file says nothing, in seconds.
const PATIENCE_S: u64 = 30;
/// The longest that it may be told to take: less than a permit holds.
const LONGEST_PATIENCE_S: u64 = 240;
/// The longest id.
const LONGEST_ID: usize = 64;
/// The shortest secret of step-ca's, in bytes.
const SHORTEST_SECRET: usize = 16;

/// The CAs of a file.
#[derive(Default)]
pub struct Issuers {
    /// Those that are asked.
    pub webhooks: Vec<(IssuerType, Webhook)>,
    /// Those that ask.
    pub step_cas: Vec<StepCa>,
}

/// A step-ca that asks here before it signs, by an authorizing webhook.
#[derive(Debug)]
pub struct StepCa {
    /// What requests call it as `issuer_id`.
    pub id: String,
    /// What requests call its type.
    pub issuer_type: IssuerType,
    /// The webhook's id, as step-ca sends it.
    pub webhook: String,
    /// What step-ca signs with.
    pub key: SecretBytes,
    /// The service that asks.
    pub requester: String,
    /// In which project.
    pub project: Option<String>,
    /// Under which profile.
    pub profile: Option<String>,
    /// The lifetime to judge where only a CSR is sent, in seconds.
    pub lifetime_s: Option<u64>,
    /// Whether its certificates renew by themselves.
    pub auto_renew: Option<bool>,
    /// Why it asks, where the policy wants a reason.
    pub reason: Option<String>,
    /// The ticket, where the policy wants one.
    pub ticket: Option<String>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IssuersError {
    /// Not TOML, or a key that is none.
    #[error("{0}")]
    Toml(Box<toml::de::Error>),
    /// An issuer that makes no sense.
    #[error("line {line}: {fault}")]
    Issuer {
        /// Where.
        line: usize,
        /// What is wrong.
        fault: String,
    },
}

/// Reads what the file only names.
pub trait Named {
    /// A secret.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn secret(&self, source: &str) -> Result<SecretBytes, String>;

    /// A file that is no secret.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    webhook: Vec<WrittenWebhook>,
    #[serde(default, rename = "step-ca")]
    step_ca: Vec<WrittenStepCa>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWebhook {
    id: Spanned<String>,
    #[serde(rename = "type")]
    issuer_type: Option<Spanned<String>>,
    url: Spanned<String>,
    secret: Spanned<String>,
    ca: Spanned<String>,
    tls_ca: Option<Spanned<String>>,
    timeout_s: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStepCa {
    id: Spanned<String>,
    #[serde(rename = "type")]
    issuer_type: Option<Spanned<String>>,
    webhook: Spanned<String>,
    secret: Spanned<String>,
    requester: Spanned<String>,
    project: Option<String>,
    profile: Option<String>,
    lifetime_s: Option<u64>,
    auto_renew: Option<bool>,
    reason: Option<String>,
    ticket: Option<String>,
}

/// Where in the file, and what is wrong there.
type Fault = (usize, String);

fn at<T>(place: &Spanned<T>, fault: impl Into<String>) -> Fault {
    (place.span().start, fault.into())
}

/// Reads the issuers of a file's text.
///
/// # Errors
/// Each of [`IssuersError`].
pub fn parse(text: &str, named: &dyn Named) -> Result<Issuers, IssuersError> {
    let file: File = toml::from_str(text).map_err(|error| IssuersError::Toml(Box::new(error)))?;
    let told = |(at, fault): Fault| IssuersError::Issuer {
        line: 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count(),
        fault,
    };
    let ids =
        (file.webhook.iter().map(|one| &one.id)).chain(file.step_ca.iter().map(|one| &one.id));
    expect_distinct(ids, "a second issuer has the id").map_err(told)?;
    let webhooks = file.step_ca.iter().map(|one| &one.webhook);
    expect_distinct(webhooks, "a second step-ca has the webhook").map_err(told)?;
    let mut issuers = Issuers::default();
    for written in &file.webhook {
        let read = read_webhook(written, named).map_err(told)?;
        issuers.webhooks.push(read);
    }
    for written in &file.step_ca {
        let read = read_step_ca(written, named).map_err(told)?;
        issuers.step_cas.push(read);
    }
    match issuers.webhooks.is_empty() && issuers.step_cas.is_empty() {
        true => Err(told((
            0,
            "no `[[webhook]]` and no `[[step-ca]]` is in it".to_owned(),
        ))),
        false => Ok(issuers),
    }
}

fn expect_distinct<'a>(
    words: impl Iterator<Item = &'a Spanned<String>>,
    fault: &str,
) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeSet::new();
    for word in words {
        if !seen.insert(word.as_ref()) {
            let fault = format!("{fault} `{}`", word.as_ref().escape_debug());
            return Err(at(word, fault));
        }
    }
    Ok(())
}

fn read_id(id: &Spanned<String>) -> Result<String, Fault> {
    let text: &String = id.as_ref();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(plain) {
        true => Ok(text.clone()),
        false => Err(at(
            id,
            format!("an issuer's `id` is 1 to {LONGEST_ID} of a-z, 0-9 and `-`"),
        )),
    }
}

/// `local-ca` is this server's own, and stands in no file.
fn read_type(written: Option<&Spanned<String>>) -> Result<IssuerType, Fault> {
    let Some(word) = written else {
        return Ok(IssuerType::Webhook);
    };
    let text: &String = word.as_ref();
    match IssuerType::from_word(text) {
        Some(known @ (IssuerType::Webhook | IssuerType::Acme | IssuerType::Msca)) => Ok(known),
        Some(IssuerType::LocalCa) => Err(at(
            word,
            "`local-ca` is this server's own; `type` is `webhook`, `acme` or `msca`",
        )),
        None => {
            let near = nearest(text, IssuerType::ALL.iter().map(|one| one.word()));
            let near = near.map_or(String::new(), |near| format!(": do you mean `{near}`?"));
            let text = text.escape_debug();
            Err(at(word, format!("`{text}` is no type of issuer{near}")))
        }
    }
}

fn read_secret(source: &Spanned<String>, named: &dyn Named) -> Result<SecretBytes, Fault> {
    let read = named.secret(source.as_ref());
    read.map_err(|fault| at(source, format!("`secret`: {fault}")))
}

fn read_webhook(
    written: &WrittenWebhook,
    named: &dyn Named,
) -> Result<(IssuerType, Webhook), Fault> {
    let id = read_id(&written.id)?;
    let issuer_type = read_type(written.issuer_type.as_ref())?;
    let url: &String = written.url.as_ref();
    check_url(url).map_err(|fault| at(&written.url, fault))?;
    if is_plain(url) {
        let fault = "`url` is `http://` to another host: whoever is between would have each permit; write `https://`";
        return Err(at(&written.url, fault));
    }
    let secret = read_secret(&written.secret, named)?;
    let key = notify::key(&secret);
    let key = key.map_err(|fault| at(&written.secret, format!("`secret`: {fault}")))?;
    let webhook = Webhook {
        anchors: read_anchors(&written.ca, named)?,
        agent: agent_with(
            read_patience(written.timeout_s.as_ref())?,
            read_roots(written.tls_ca.as_ref(), named)?,
        ),
        url: url.clone(),
        key,
        id,
    };
    Ok((issuer_type, webhook))
}

fn read_patience(written: Option<&Spanned<u64>>) -> Result<Duration, Fault> {
    let seconds = written.map_or(PATIENCE_S, |given| *given.as_ref());
    match (written, (1..=LONGEST_PATIENCE_S).contains(&seconds)) {
        (Some(given), false) => Err(at(
            given,
            format!("`timeout_s` is 1 to {LONGEST_PATIENCE_S}: a permit holds for five minutes"),
        )),
        (Some(_) | None, _) => Ok(Duration::from_secs(seconds)),
    }
}

/// What `read` makes of the file that `key` names.
fn read_pem<T>(
    key: &str,
    path: &Spanned<String>,
    named: &dyn Named,
    read: impl FnOnce(&[u8]) -> Result<T, &'static str>,
) -> Result<T, Fault> {
    let told = |fault: String| at(path, format!("`{key}`: `{}`: {fault}", path.as_ref()));
    let bytes = named.file(path.as_ref()).map_err(told)?;
    read(&bytes).map_err(|fault| told(fault.to_owned()))
}

fn read_anchors(path: &Spanned<String>, named: &dyn Named) -> Result<Vec<X509>, Fault> {
    read_pem("ca", path, named, |pem| match X509::stack_from_pem(pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err("it holds no certificate in PEM"),
    })
}

fn read_roots(
    path: Option<&Spanned<String>>,
    named: &dyn Named,
) -> Result<Option<RootCerts>, Fault> {
    path.map(|path| read_pem("tls_ca", path, named, notify::roots))
        .transpose()
}

fn read_step_ca(written: &WrittenStepCa, named: &dyn Named) -> Result<StepCa, Fault> {
    let webhook: &String = written.webhook.as_ref();
    if webhook.is_empty() || !webhook.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(at(
            &written.webhook,
            "`webhook` is the id that `step ca provisioner webhook add` printed",
        ));
    }
    let secret = read_secret(&written.secret, named)?;
    let text = std::str::from_utf8(secret.expose().trim_ascii()).unwrap_or_default();
    let key = Base64::decode_vec(text).unwrap_or_default();
    if key.len() < SHORTEST_SECRET {
        return Err(at(
            &written.secret,
            "`secret`: it is not the base64 that `step ca provisioner webhook add` printed",
        ));
    }
    Ok(StepCa {
        id: read_id(&written.id)?,
        issuer_type: read_type(written.issuer_type.as_ref())?,
        webhook: webhook.clone(),
        key: SecretBytes::new(key),
        requester: written.requester.as_ref().clone(),
        project: written.project.clone(),
        profile: written.profile.clone(),
        lifetime_s: written.lifetime_s,
        auto_renew: written.auto_renew,
        reason: written.reason.clone(),
        ticket: written.ticket.clone(),
    })
}
