//! Arguments, files and exit codes; one file for each command.
//!
//! The only module here that reads the clock and the environment. A command
//! is a function from its arguments to an [`answer::Answer`]; [`main`] alone
//! writes it out. Exit 0: it holds. 1: findings. 2: usage, I/O, or a fault of
//! panopol's own.

mod answer;
mod check;
mod client;
mod completions;
mod diff;
mod eval;
mod export;
mod fmt;
mod help;
mod init;
mod json_words;
mod levels;
mod lint;
mod path;
mod replay;
mod revision;
mod serve;
mod set;
mod terminal;
mod test;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use answer::{Answer, Failure};

/// Decides, by policies kept as code, whether an encrypted server may unlock its
/// disk over the network and whether a certificate may be issued.
#[derive(Parser)]
#[command(name = "panopol", version, arg_required_else_help = true)]
#[command(subcommand_required = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Lint(lint::Lint),
    Fmt(fmt::Fmt),
    Test(test::Test),
    Eval(eval::Eval),
    Diff(diff::Diff),
    Replay(replay::Replay),
    Export(export::Export),
    Init(init::Init),
    Serve(Box<serve::Serve>),
    Device(client::device::DeviceArgs),
    Approvals(client::approvals::ApprovalsArgs),
    Denials(client::denials::DenialsArgs),
    Issuance(client::issuance::IssuanceArgs),
    Token(client::token::TokenArgs),
    Keys(client::keys::KeysArgs),
    Audit(client::audit::AuditArgs),
    Completions(completions::Completions),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    panic::set_hook(Box::new(terminal::report_fault));
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or(ExitCode::from(2))
}

fn run() -> ExitCode {
    let parsed = command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => terminal::finish(answer(cli.command)),
        Err(error) => {
            // Nobody is left to tell when this cannot be written.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

fn answer(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Check(check) => check.run(),
        Command::Lint(lint) => lint.run(),
        Command::Fmt(fmt) => fmt.run(),
        Command::Test(test) => test.run(),
        Command::Eval(eval) => eval.run(),
        Command::Diff(diff) => diff.run(),
        Command::Replay(replay) => replay.run(),
        Command::Export(export) => export.run(),
        Command::Init(init) => init.run(),
        Command::Serve(serve) => serve.run(),
        Command::Device(args) => client::finish(client::device::run(&args).map(said)),
        Command::Approvals(args) => client::finish(client::approvals::run(&args).map(said)),
        Command::Denials(args) => client::finish(client::denials::run(&args).map(said)),
        Command::Issuance(args) => client::finish(client::issuance::run(&args)),
        Command::Token(args) => client::finish(client::token::run(&args).map(said)),
        Command::Keys(args) => client::finish(client::keys::run(&args).map(said)),
        Command::Audit(args) => client::finish(client::audit::run(&args)),
        Command::Completions(completions) => completions.run(),
    }
}

/// Text without findings.
fn said(text: String) -> (String, bool) {
    (text, false)
}

/// The whole command, its subcommands listed in groups.
fn command() -> clap::Command {
    help::group_subcommands(Cli::command())
}
