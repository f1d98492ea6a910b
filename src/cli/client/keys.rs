//! `panopol keys`: keys of bindings and of a Tang server, and their backups.

mod offline;

use std::path::PathBuf;

use serde_json::{Value, json};
use ureq::http::Method;

use super::{Client, ClientError, Connection, encode, table, text};
use crate::tang::KeyDirectory;

/// Rotate, take over, back up and restore keys, and change the master key
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  panopol keys import /var/db/tang --strict
  panopol keys master-change --state /var/lib/panopol --from old.key --to new.key")]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KeysCommand {
    /// Take over the keys of a Tang server's directory
    Import {
        /// The directory, such as /var/db/tang
        directory: PathBuf,
        /// Fail where a file of it is no usable key, and take over nothing
        #[arg(long)]
        strict: bool,
    },
    /// Advertise new keys for a device; disks bound to the old ones still open
    Rotate {
        /// The device
        device: String,
        /// One binding of it; all of them without
        #[arg(long)]
        binding: Option<String>,
        /// Destroy the earlier keys instead: disks bound to them open no more
        #[arg(long)]
        retire: bool,
    },
    /// List the keys taken over from Tang, and who still uses each from where
    List,
    /// Destroy a key taken over from Tang; disks bound to it open no more
    Delete {
        /// Its thumbprint
        // One in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        thumbprint: String,
    },
    /// Write a backup into the server's state directory
    Backup,
    /// Make a state directory from a backup; every live grant is ended
    Restore {
        /// The backup
        file: PathBuf,
        /// The state directory to make
        #[arg(long)]
        state: PathBuf,
        /// The master key's file, as it was when the backup was made
        #[arg(long)]
        master_key: PathBuf,
    },
    /// Wrap every key under another master key, while the server is stopped
    MasterChange {
        /// The server's state directory
        #[arg(long)]
        state: PathBuf,
        /// The file of the master key of now
        #[arg(long)]
        from: PathBuf,
        /// The file of the one to come
        #[arg(long)]
        to: PathBuf,
    },
}

/// Runs the command and returns what to print.
pub(crate) fn run(args: &KeysArgs) -> Result<String, ClientError> {
    let client = Client::new(&args.connection);
    match &args.command {
        KeysCommand::Import { directory, strict } => import(&client, directory, *strict),
        KeysCommand::Rotate {
            device,
            binding,
            retire,
        } => {
            let body = json!({"binding": binding, "retire": retire});
            let path = format!("/devices/{}/rotate", encode(device));
            let answer = client.send(Method::POST, &path, Some(&body))?;
            let done = if *retire {
                "retired earlier keys of"
            } else {
                "rotated"
            };
            Ok(client.render(&answer, |_| format!("{done} {device}\n")))
        }
        KeysCommand::List => {
            let items = client.list("/keys")?;
            Ok(client.render(&json!({ "items": items }), render_list))
        }
        KeysCommand::Delete { thumbprint } => {
            let path = format!("/keys/{}", encode(thumbprint));
            let answer = client.send(Method::DELETE, &path, None)?;
            Ok(client.render(&answer, |_| format!("destroyed {thumbprint}\n")))
        }
        KeysCommand::Backup => {
            let answer = client.send(Method::POST, "/backup", Some(&json!({})))?;
            Ok(client.render(&answer, |backup| format!("{}\n", text(backup, "path"))))
        }
        KeysCommand::Restore {
            file,
            state,
            master_key,
        } => offline::restore(file, state, master_key),
        KeysCommand::MasterChange { state, from, to } => offline::change_master(state, from, to),
    }
}

fn import(
    client: &Client,
    directory: &std::path::Path,
    strict: bool,
) -> Result<String, ClientError> {
    let local = |cause: String| ClientError::Local(format!("`{}`: {cause}", directory.display()));
    let read = KeyDirectory::read(directory).map_err(|error| local(error.to_string()))?;
    let mut said = String::new();
    for skipped in &read.skipped {
        said.push_str(&format!("skipped {}: {}\n", skipped.name, skipped.fault));
    }
    if strict && !read.skipped.is_empty() {
        return Err(local(format!("not every file is a usable key\n{said}")));
    }
    let mut files = Vec::new();
    for key in &read.keys {
        let text = std::fs::read_to_string(directory.join(&key.name))
            .map_err(|error| local(format!("{}: {error}", key.name)))?;
        files.push(json!({"name": key.name, "text": text}));
    }
    let body = json!({"source": directory, "files": files});
    let answer = client.send(Method::POST, "/keys/import", Some(&body))?;
    Ok(client.render(&answer, |answer| {
        for thumbprint in answer
            .get("imported")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            said.push_str(&format!(
                "took over {}\n",
                thumbprint.as_str().unwrap_or("-")
            ));
        }
        if answer.get("served") == Some(&Value::Bool(false)) {
            said.push_str("not served yet: start the server with `--tang-endpoint /`\n");
        }
        said
    }))
}

fn render_list(list: &Value) -> String {
    let mut rows = Vec::new();
    for key in list
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let standing = match key.get("advertised").and_then(Value::as_bool) {
            Some(true) => "advertised",
            Some(false) | None => "hidden",
        };
        rows.push(vec![
            text(key, "thumbprint").to_owned(),
            text(key, "role").to_owned(),
            standing.to_owned(),
        ]);
        let uses: Vec<&Value> = key
            .get("uses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .collect();
        if uses.is_empty() && text(key, "role") == "exchange" {
            rows.push(vec![
                "  never used here; safe to delete once every disk was seen under another key"
                    .to_owned(),
            ]);
        }
        for one in uses {
            let count = one.get("count").and_then(Value::as_u64).unwrap_or(0);
            rows.push(vec![format!(
                "  used {count} times from {}, last {}",
                text(one, "source"),
                text(one, "last")
            )]);
        }
    }
    if rows.is_empty() {
        return "no key was taken over from Tang\n".to_owned();
    }
    table(&rows)
}
