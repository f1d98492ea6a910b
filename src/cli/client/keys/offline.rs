//! `panopol keys restore` and `master-change`: work on a state directory
//! whose server does not run.

use std::path::Path;

use super::super::ClientError;
use crate::durable;
use crate::journal::Actor;
use crate::keyring::MasterKey;
use crate::store::{self, Context, Store};

fn local(cause: impl std::fmt::Display) -> ClientError {
    ClientError::Local(cause.to_string())
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> ClientError {
    move |error| local(format!("`{}`: {error}", path.display()))
}

fn read_master(path: &Path) -> Result<MasterKey, ClientError> {
    MasterKey::read_file(path).map_err(|error| local(format!("`{}`: {error}", path.display())))
}

fn own_context() -> Context {
    Context {
        actor: Actor::server(),
        time: crate::cli::terminal::now(),
        policy: None,
    }
}

/// Makes a state directory from a backup.
pub(super) fn restore(file: &Path, state: &Path, master_key: &Path) -> Result<String, ClientError> {
    let key = read_master(master_key)?;
    durable::private_directory(state).map_err(at(state))?;
    let epoch = store::restore(file, &state.join("store"), key, own_context()).map_err(local)?;
    durable::give_to_owner(state).map_err(at(state))?;
    Ok(format!(
        "restored into {} at epoch {epoch}; every live grant was ended\n",
        state.display()
    ))
}

/// Wraps every key of a state directory under another master key.
pub(super) fn change_master(state: &Path, from: &Path, to: &Path) -> Result<String, ClientError> {
    let (from, to) = (read_master(from)?, read_master(to)?);
    let directory = state.join("store");
    // Opening makes a store where there is none, which is not what is asked.
    if !directory.join("journal").exists() {
        let cause = "holds no journal: it is no state directory of a server";
        return Err(local(format!("`{}` {cause}", state.display())));
    }
    let settings = store::Settings {
        directory: directory.clone(),
        master_key: from,
        anchor: None,
    };
    let context = own_context();
    let store = Store::open(settings, context.time).map_err(local)?;
    let changed = store.change_master_key(context, to).map_err(local);
    let mut said = String::new();
    for notice in store.notices() {
        said.push_str(&format!("note: {notice}\n"));
    }
    drop(store);
    durable::give_to_owner(&directory).map_err(at(&directory))?;
    changed?;
    said.push_str(
        "every key is under the other master key; backups made before open under the earlier one alone\n",
    );
    Ok(said)
}
