//! Standard output and error: colour, closed pipes, exit codes, the clock.

use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::answer::{Answer, Failure};
use crate::diagnostic::human;

/// How long a line of progress stays at least.
const PAUSE: Duration = Duration::from_millis(200);

/// Writes a command's answer and gives its exit code.
pub(super) fn finish(answer: Result<Answer, Failure>) -> ExitCode {
    let answer = answer.unwrap_or_else(|failure| Answer {
        failures: vec![failure],
        ..Answer::default()
    });
    let written = write_out(&answer.text);
    for failure in &answer.failures {
        write_error(&failure.to_string());
    }
    match written {
        Err(error) => {
            write_error(&format!("error: standard output: {error}"));
            ExitCode::from(2)
        }
        Ok(()) if !answer.failures.is_empty() => ExitCode::from(2),
        Ok(()) => ExitCode::from(u8::from(answer.found)),
    }
}

/// Writes to standard output. A reader that has seen enough is no failure.
fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to standard error; when that is gone, nobody is left to tell.
pub(super) fn write_error(text: &str) {
    let _ = writeln!(io::stderr(), "{}", human::clean(text));
}

/// Whether findings are coloured: only on a terminal, and not under `NO_COLOR`.
pub(super) fn colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && io::stdout().is_terminal()
}

/// A line on standard error that is written over by the next, at most a few
/// times a second; nothing where standard error is no terminal.
pub(super) struct Progress {
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Progress {
            shown: None,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows `text`, if it is time.
    #[allow(
        clippy::disallowed_methods,
        reason = "the command line is where time comes in"
    )]
    pub(super) fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        let due = self
            .shown
            .is_none_or(|before| now.duration_since(before) >= PAUSE);
        if self.is_terminal && due {
            self.shown = Some(now);
            let _ = write!(io::stderr(), "\r\x1b[K{}", human::clean(&text()));
        }
    }

    /// Takes away what is shown.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// The time of the run.
#[allow(
    clippy::disallowed_methods,
    reason = "the command line is where time comes in"
)]
pub(super) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Says in one sentence that panopol itself is at fault.
pub(super) fn report_fault(info: &PanicHookInfo<'_>) {
    let place = info
        .location()
        .map_or_else(String::new, |at| format!(" ({}:{})", at.file(), at.line()));
    write_error(&format!(
        "error: panopol failed by a fault of its own{place}; nothing was decided\n\
         help: please report it with the command and the files that led to it"
    ));
}
