//! `panopol token`: the bearer tokens of persons and services.

use std::path::PathBuf;

use serde_json::{Value, json};
use ureq::http::Method;

use super::{Client, ClientError, Connection, encode, list_of, text};

/// Mint, list and revoke bearer tokens
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  panopol token create bob
  panopol token claim /var/lib/panopol/claim")]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    /// Mint a token for a person or a service; it is shown this once
    Create {
        /// The person or service, as the policy declares it
        person: String,
    },
    /// List the tokens; their secrets are not kept
    List,
    /// Make a token useless
    Revoke {
        /// The token's id
        id: String,
    },
    /// Turn the one-time claim file of a first start into an owner's token
    Claim {
        /// The claim file, in the server's state directory
        file: PathBuf,
    },
}

/// Runs the command and returns what to print.
pub(crate) fn run(args: &TokenArgs) -> Result<String, ClientError> {
    let client = Client::new(&args.connection);
    match &args.command {
        TokenCommand::Create { person } => {
            let answer =
                client.send(Method::POST, "/tokens", Some(&json!({ "person": person })))?;
            Ok(client.render(&answer, render_token))
        }
        TokenCommand::List => {
            let items = client.list("/tokens")?;
            Ok(client.render(&json!({ "items": items }), render_list))
        }
        TokenCommand::Revoke { id } => {
            client.send(Method::DELETE, &format!("/tokens/{}", encode(id)), None)?;
            Ok(client.render(&json!({ "id": id }), |_| format!("revoked {id}\n")))
        }
        TokenCommand::Claim { file } => {
            let claim = std::fs::read_to_string(file)
                .map_err(|error| ClientError::Local(format!("`{}`: {error}", file.display())))?;
            let body = json!({ "claim": claim.trim() });
            let answer = client.send(Method::POST, "/claim", Some(&body))?;
            Ok(client.render(&answer, render_token))
        }
    }
}

fn render_token(token: &Value) -> String {
    format!(
        "token {} for {}\n{}\n",
        text(token, "id"),
        text(token, "person"),
        text(token, "token")
    )
}

fn render_list(list: &Value) -> String {
    list_of(list, "no token is there", |token| {
        let state = match token.get("revoked").and_then(Value::as_bool) {
            Some(true) => "revoked",
            Some(false) | None => "live",
        };
        vec![
            text(token, "id").to_owned(),
            state.to_owned(),
            text(token, "person").to_owned(),
            format!("minted by {}", text(token, "minter")),
            text(token, "created").to_owned(),
        ]
    })
}
