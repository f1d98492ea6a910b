//! `panopol denials`: which devices are blocked for a while, and lifting that.

use serde_json::Value;
use ureq::http::Method;

use super::{Client, ClientError, Connection, encode, list_of, text};

/// See which devices a person's denial blocks, and lift it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  panopol denials list
  panopol denials lift 7fk2q-0vw3m --note \"it was our own test\"")]
pub(crate) struct DenialsArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: DenialsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DenialsCommand {
    /// List the denials that hold
    List {
        /// Only those of this device
        #[arg(long)]
        device: Option<String>,
        /// Also those that are over
        #[arg(long)]
        all: bool,
    },
    /// Let the device ask again before the denial is over
    Lift {
        /// The denial's id, which is that of the request that was denied
        id: String,
        /// Why; kept in the audit
        #[arg(long)]
        note: Option<String>,
    },
}

/// Runs the command and returns what to print.
pub(crate) fn run(args: &DenialsArgs) -> Result<String, ClientError> {
    let client = Client::new(&args.connection);
    match &args.command {
        DenialsCommand::List { device, all } => {
            let device = device.as_ref();
            let device = device.map_or(String::new(), |name| format!("&device={}", encode(name)));
            let answer = client.get(&format!("/denials?all={all}{device}"))?;
            Ok(client.render(&answer, render_list))
        }
        DenialsCommand::Lift { id, note } => {
            let note = note.as_ref();
            let note = note.map_or(String::new(), |note| format!("?note={}", encode(note)));
            let path = format!("/denials/{}{note}", encode(id));
            let answer = client.send(Method::DELETE, &path, None)?;
            Ok(client.render(&answer, |one| {
                format!(
                    "lifted: {} may ask again from {}\n",
                    text(one, "device"),
                    text(one, "source")
                )
            }))
        }
    }
}

fn render_list(list: &Value) -> String {
    list_of(list, "no device is denied", |one| {
        let until = match one.get("live").and_then(Value::as_bool) {
            Some(true) => format!("until {}", text(one, "until")),
            Some(false) | None => "over".to_owned(),
        };
        vec![
            text(one, "id").to_owned(),
            text(one, "device").to_owned(),
            format!("from {}", text(one, "source")),
            format!("by {}", text(one, "by")),
            until,
        ]
    })
}
