//! The server's settings: each a key of `panopol.toml`, a flag and a
//! `PANOPOL_…` variable; a flag beats a variable, a variable the file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

use crate::address;

/// Declares the settings once, for the file, the flags and the environment.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty, $env:literal, $value:literal $(, $more:ident = $given:expr)*;)+) => {
        /// Settings as given, each absent until something gives it.
        #[derive(Clone, Debug, Default, clap::Args, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Settings {
            $($(#[doc = $doc])+ #[arg(long, env = $env, value_name = $value $(, $more = $given)*)] pub $name: Option<$type>,)+
            /// Levels of lints, which `check` reads from the same file.
            #[arg(skip)] pub lints: Option<serde::de::IgnoredAny>,
        }

        impl Settings {
            /// These settings, and `base` where they say nothing.
            pub fn over(self, base: Settings) -> Settings {
                Settings { $($name: self.$name.or(base.$name),)+ lints: None }
            }
        }
    };
}

settings! {
    /// The policy set: a directory or a file
    policy: PathBuf, "PANOPOL_POLICY", "PATH";
    /// The directory of the journal, the index and the keys
    state: PathBuf, "PANOPOL_STATE", "DIR";
    /// Where devices ask: the unlock plane's address and port [default: 127.0.0.1:7654]
    unlock_listen: SocketAddr, "PANOPOL_UNLOCK_LISTEN", "ADDR:PORT";
    /// Where people ask: the admin plane's address and port [default: 127.0.0.1:7655]
    admin_listen: SocketAddr, "PANOPOL_ADMIN_LISTEN", "ADDR:PORT";
    /// The unlock plane's address as devices reach it, for the URLs that enrollment prints
    unlock_url: String, "PANOPOL_UNLOCK_URL", "URL";
    /// A Tang key directory to serve live at /adv and /rec
    tang_keys: PathBuf, "PANOPOL_TANG_KEYS", "DIR";
    /// Serve the imported or live Tang keys below this path instead of at the root
    tang_endpoint: String, "PANOPOL_TANG_ENDPOINT", "PREFIX";
    /// The tags of all hosts bound to Tang's keys, as `k=v,k=v`
    tang_tags: Tags, "PANOPOL_TANG_TAGS", "K=V,…";
    /// The certificate chain for TLS (PEM); plain HTTP without it
    tls_certificate: PathBuf, "PANOPOL_TLS_CERTIFICATE", "FILE";
    /// The certificate's private key (PEM)
    tls_key: PathBuf, "PANOPOL_TLS_KEY", "FILE";
    /// Which planes speak TLS: `unlock`, `admin` or both [default: both]
    tls_planes: List<PlaneName>, "PANOPOL_TLS_PLANES", "PLANE,…";
    /// Proxies that must send a PROXY protocol header
    trusted_proxies: List<Cidr>, "PANOPOL_TRUSTED_PROXIES", "CIDR,…";
    /// Ignore Forwarded and X-Forwarded-* instead of answering 400
    ignore_forwarded: bool, "PANOPOL_IGNORE_FORWARDED", "BOOL", num_args = 0..=1, default_missing_value = "true";
    /// The master key: `FILE`, `env:NAME` or `credential:NAME`
    master_key: String, "PANOPOL_MASTER_KEY", "SOURCE";
    /// Where the journal's signed head is put every hour; best on another machine's disk [default: STATE/head.json]
    head_file: PathBuf, "PANOPOL_HEAD_FILE", "FILE";
    /// The directory that decisions are recorded in [default: STATE/records]
    records: PathBuf, "PANOPOL_RECORDS", "DIR";
    /// Bytes after which a new record file is begun [default: 67108864]
    records_max_bytes: u64, "PANOPOL_RECORDS_MAX_BYTES", "BYTES";
    /// How many full record files are kept [default: 16]
    records_keep: usize, "PANOPOL_RECORDS_KEEP", "N";
    /// Where notifications go: a file of sinks
    notify: PathBuf, "PANOPOL_NOTIFY", "FILE";
    /// Other CAs, that are asked to issue or that ask here before they do: a file of issuers
    issuers: PathBuf, "PANOPOL_ISSUERS", "FILE";
    /// Your own Cedar policy of who may do what
    access_policy: PathBuf, "PANOPOL_ACCESS_POLICY", "FILE";
    /// Honour `bypass` blocks: development and CI only
    allow_bypass: bool, "PANOPOL_ALLOW_BYPASS", "BOOL", num_args = 0..=1, default_missing_value = "true";
    /// Exchanges a second from one IPv4 address or IPv6 /64, with a burst of twice that [default: 50]
    rate_per_source: u32, "PANOPOL_RATE_PER_SOURCE", "N";
    /// Exchanges a second with one binding, with a burst of twice that [default: 5]
    rate_per_binding: u32, "PANOPOL_RATE_PER_BINDING", "N";
    /// Exchanges that may wait for a core before clients get 503 [default: 256]
    exchange_queue: usize, "PANOPOL_EXCHANGE_QUEUE", "N";
    /// Connections at once, on each plane [default: 4096]
    max_connections: usize, "PANOPOL_MAX_CONNECTIONS", "N";
    /// Connections at once from one IPv4 address or IPv6 /64; proxies excepted [default: 256]
    max_connections_per_peer: usize, "PANOPOL_MAX_CONNECTIONS_PER_PEER", "N";
    /// Seconds a client may take for a TLS handshake, a request's head, or to take up more of an answer [default: 10]
    head_timeout_s: u64, "PANOPOL_HEAD_TIMEOUT_S", "SECONDS";
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is not the settings' TOML.
    #[error("`{path}` is not a valid configuration: {cause}")]
    Toml {
        /// The file.
        path: String,
        /// Where and what.
        cause: Box<toml::de::Error>,
    },
}

impl Settings {
    /// Reads a `panopol.toml`.
    ///
    /// # Errors
    /// Not readable, not TOML, or a key that is no setting.
    pub fn read(path: &Path) -> Result<Settings, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Read {
            path: path.display().to_string(),
            cause,
        })?;
        toml::from_str(&text).map_err(|cause| ConfigError::Toml {
            path: path.display().to_string(),
            cause: Box::new(cause),
        })
    }

    /// Whether `plane` speaks TLS.
    pub fn tls_on(&self, plane: PlaneName) -> bool {
        self.tls_certificate.is_some()
            && self
                .tls_planes
                .as_ref()
                .is_none_or(|planes| planes.0.contains(&plane))
    }
}

/// The two planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaneName {
    /// Where devices ask.
    Unlock,
    /// Where people ask.
    Admin,
}

impl PlaneName {
    /// Its word in settings and metrics.
    pub fn word(self) -> &'static str {
        match self {
            PlaneName::Unlock => "unlock",
            PlaneName::Admin => "admin",
        }
    }
}

impl std::str::FromStr for PlaneName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unlock" => Ok(PlaneName::Unlock),
            "admin" => Ok(PlaneName::Admin),
            _ => Err(format!(
                "`{text}` is not a plane; write `unlock` or `admin`"
            )),
        }
    }
}

/// An address or a CIDR, as policies write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr(pub IpNet);

impl std::str::FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        address::parse_prefix(text)
            .map(Cidr)
            .map_err(|error| match error.right() {
                Some(right) => format!("{error}: write `{right}`"),
                None => error.to_string(),
            })
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// Several values: an array in the file, separated by commas elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct List<T>(pub Vec<T>);

impl<T: std::str::FromStr<Err: std::fmt::Display>> std::str::FromStr for List<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                part.parse().map_err(|error: T::Err| {
                    let fault = error.to_string();
                    match fault.contains(part) {
                        true => fault,
                        false => format!("`{part}`: {fault}"),
                    }
                })
            })
            .collect::<Result<_, _>>()
            .map(List)
    }
}

/// Tags: a table in the file, `k=v,k=v` elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub BTreeMap<String, String>);

impl std::str::FromStr for Tags {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut tags = BTreeMap::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (tag, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not `tag=value`"))?;
            if tags.insert(tag.to_owned(), value.to_owned()).is_some() {
                return Err(format!("tag `{tag}` is given twice"));
            }
        }
        Ok(Tags(tags))
    }
}
