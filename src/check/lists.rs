//! Lists without repeats, and statements that stand once.

use std::collections::HashMap;
use std::hash::Hash;

use crate::diagnostic::Diagnostic;
use crate::source::Span;

use super::codes::blocks as codes;
use super::report::Report;

/// Reports each element that the same list already has; `display` names it.
pub(super) fn expect_distinct<T: Hash + Eq>(
    elements: impl IntoIterator<Item = (T, Span)>,
    display: impl Fn(&T) -> String,
    report: &mut Report,
) {
    let mut seen: HashMap<T, Span> = HashMap::new();
    for (element, span) in elements {
        if let Some(&first) = seen.get(&element) {
            let message = format!("`{}` stands twice here", display(&element));
            report.push(
                Diagnostic::new(&codes::DUPLICATE_ELEMENT, span, message)
                    .also(first, "first here")
                    .help("remove one of the two"),
            );
        } else {
            seen.insert(element, span);
        }
    }
}

/// A statement that stands at most once in a block.
#[derive(Debug)]
pub(super) struct Once<T> {
    keyword: &'static str,
    found: Option<(T, Span)>,
}

/// The block that statements stand in, for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// What it is: "approval group".
    pub(super) what: &'static str,
    /// Its name.
    pub(super) name: &'a str,
    /// Where its name stands.
    pub(super) name_span: Span,
    /// The whole of it.
    pub(super) span: Span,
}

impl Block<'_> {
    /// Reports that something is missing, unless the parser found a fault inside.
    pub(super) fn report_missing(&self, missing: &str, help: &str, report: &mut Report) {
        if report.is_broken(self.span) {
            return;
        }
        let message = format!("the {} `{}` has no {missing}", self.what, self.name);
        report.push(Diagnostic::new(&codes::MISSING_STATEMENT, self.name_span, message).help(help));
    }
}

impl<T> Once<T> {
    pub(super) fn new(keyword: &'static str) -> Self {
        Once {
            keyword,
            found: None,
        }
    }

    /// Takes the statement; reports it where there is one already.
    pub(super) fn set(&mut self, value: T, span: Span, report: &mut Report) {
        if let Some((_, first)) = self.found {
            report_repeated(self.keyword, span, first, report);
        } else {
            self.found = Some((value, span));
        }
    }

    /// The statement, if it was given.
    pub(super) fn get(&self) -> Option<&T> {
        self.found.as_ref().map(|(value, _)| value)
    }

    /// The statement and its place, if it was given.
    pub(super) fn into_found(self) -> Option<(T, Span)> {
        self.found
    }

    /// Where the statement stands, if it was given.
    pub(super) fn span(&self) -> Option<Span> {
        self.found.as_ref().map(|&(_, span)| span)
    }

    /// The statement, or none and a report.
    pub(super) fn required(
        &self,
        block: &Block<'_>,
        help: &str,
        report: &mut Report,
    ) -> Option<&T> {
        if self.found.is_none() {
            block.report_missing(&format!("`{}`", self.keyword), help, report);
        }
        self.get()
    }
}

impl<T> Once<Option<T>> {
    /// What the statement resolved to; `absent` where it was not given, none
    /// where it was wrong.
    pub(super) fn take_or(self, absent: T) -> Option<T> {
        match self.found {
            None => Some(absent),
            Some((value, _)) => value,
        }
    }
}

/// Says that a statement stands a second time.
pub(super) fn report_repeated(keyword: &str, span: Span, first: Span, report: &mut Report) {
    report.push(
        Diagnostic::new(
            &codes::REPEATED_STATEMENT,
            span,
            format!("`{keyword}` is given twice in this block"),
        )
        .also(first, "first given here")
        .help("remove one of the two"),
    );
}
