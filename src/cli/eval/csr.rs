//! The CSR of `panopol eval issuance`, and the flags for what a CSR does not say.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::answer::Failure;
use crate::issuance::csr::{Csr, MAX_BYTES};
use crate::issuance::foreign;
use crate::request::{IssuanceRequest, Predecessor};
use crate::vocabulary::Action;

/// A CSR with what is said beside it.
#[derive(Args)]
pub(super) struct Signing {
    /// The CSR, as PEM or DER; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) csr: Option<PathBuf>,
    /// What is asked: issue, renew, reissue, … [default: issue]
    #[arg(long, value_name = "ACTION", value_parser = action(), hide_possible_values = true)]
    #[arg(requires = "csr", conflicts_with = "request")]
    action: Option<Action>,
    /// The project
    #[arg(
        long,
        value_name = "NAME",
        requires = "csr",
        conflicts_with = "request"
    )]
    project: Option<String>,
    /// The profile
    #[arg(
        long,
        value_name = "NAME",
        requires = "csr",
        conflicts_with = "request"
    )]
    profile: Option<String>,
    /// The person or service who asks
    #[arg(
        long,
        value_name = "NAME",
        requires = "csr",
        conflicts_with = "request"
    )]
    requester: Option<String>,
    /// The certificate's own name
    #[arg(
        long,
        value_name = "NAME",
        requires = "csr",
        conflicts_with = "request"
    )]
    name: Option<String>,
    /// The issuer's type: acme, msca, local-ca, webhook
    #[arg(
        long,
        value_name = "TYPE",
        requires = "csr",
        conflicts_with = "request"
    )]
    issuer_type: Option<String>,
    /// The issuer
    #[arg(long, value_name = "ID", requires = "csr", conflicts_with = "request")]
    issuer_id: Option<String>,
    /// The lifetime asked for: 90d, 12h
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    #[arg(requires = "csr", conflicts_with = "request")]
    lifetime: Option<u64>,
    /// The certificate renews by itself
    #[arg(long, requires = "csr", conflicts_with = "request")]
    auto_renew: bool,
    /// Why it is asked
    #[arg(
        long,
        value_name = "TEXT",
        requires = "csr",
        conflicts_with = "request"
    )]
    reason: Option<String>,
    /// The ticket it belongs to
    #[arg(
        long,
        value_name = "TICKET",
        requires = "csr",
        conflicts_with = "request"
    )]
    ticket: Option<String>,
    /// The certificate that a renewal or reissue follows (PEM)
    #[arg(
        long,
        value_name = "FILE",
        requires = "csr",
        conflicts_with = "request"
    )]
    predecessor: Option<PathBuf>,
}

fn action() -> impl TypedValueParser<Value = Action> {
    PossibleValuesParser::new(Action::ALL.iter().map(|action| action.word())).try_map(|word| {
        Action::from_word(&word).ok_or_else(|| format!("`{word}` is not an action"))
    })
}

fn lifetime(text: &str) -> Result<u64, String> {
    crate::syntax::parse::parse_duration(text).map_err(|(wrong, help)| format!("{wrong}: {help}"))
}

impl Signing {
    /// What the flags say.
    ///
    /// # Errors
    /// The predecessor cannot be read.
    pub(super) fn said(&self) -> Result<IssuanceRequest, Failure> {
        Ok(IssuanceRequest {
            action: self.action.unwrap_or(Action::Issue),
            project: self.project.clone(),
            profile: self.profile.clone(),
            requester: self.requester.clone(),
            name: self.name.clone(),
            key_type: None,
            issuer_type: self.issuer_type.clone(),
            issuer_id: self.issuer_id.clone(),
            san: Vec::new(),
            common_name: None,
            lifetime_s: self.lifetime,
            // Without the flag nothing is said, as with a member left out.
            auto_renew: self.auto_renew.then_some(true),
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            predecessor: self.predecessor.as_deref().map(follow).transpose()?,
            unsupported: Vec::new(),
        })
    }
}

/// The certificate in `path`, as what a request follows.
fn follow(path: &Path) -> Result<Predecessor, Failure> {
    let shown = path.display();
    let bytes =
        read(path).map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    let (id, san) = foreign::names(&bytes).map_err(|error| {
        Failure::new(format!("{shown}: {error}")).help("a certificate in PEM is wanted")
    })?;
    Ok(Predecessor { id, san })
}

/// Writes what the CSR in `path` says into a request.
pub(super) fn fill(path: &Path, request: &mut IssuanceRequest) -> Result<(), Failure> {
    let shown = match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    };
    let bytes =
        read(path).map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    let csr = Csr::read(&bytes).map_err(|error| {
        let help = error.help().map(str::to_owned);
        Failure::new(format!("{shown}: {error}")).maybe_help(help)
    })?;
    csr.into_request_fields(request)
        .map_err(|error| Failure::new(format!("{shown}: {error}")).help(error.help()))
}

/// Reads one byte more than a CSR may have, and no endless file.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    match path == Path::new("-") {
        true => std::io::stdin().take(most).read_to_end(&mut bytes)?,
        false => File::open(path)?.take(most).read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}
