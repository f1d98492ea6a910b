//! What a command comes to, before any of it is written.

use std::fmt;

/// The output of a command that ran.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// What goes to standard output.
    pub(super) text: String,
    /// Whether there are findings: exit 1.
    pub(super) found: bool,
    /// What could not be done: to standard error, exit 2.
    pub(super) failures: Vec<Failure>,
}

impl Answer {
    /// An answer without findings.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Answer {
            text: text.into(),
            ..Answer::default()
        }
    }
}

/// Why a command could not do what it was asked: usage or I/O.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    message: String,
    help: Option<String>,
}

impl Failure {
    /// A failure in one sentence.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            help: None,
        }
    }

    /// Says how to mend it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says how to mend it, where that is known.
    pub(super) fn maybe_help(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Names the nearest of `known` to a misspelled `word`, or else all of them.
    pub(super) fn nearest<'a>(self, word: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.collect();
        match crate::vocabulary::nearest(word, known.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if known.is_empty() || known.len() > 12 => self,
            None => self.help(format!("known: {}", known.join(", "))),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}
