//! `where`: tags and attributes compared with values they can have.

use crate::diagnostic::Diagnostic;
use crate::ir::selector::{Atom, Selector};
use crate::ir::{ProfileId, ProjectId, TagId};
use crate::source::Span;
use crate::syntax::codes::UNKNOWN_WORD;
use crate::syntax::tree::{self, Compare, CompareOp, Name, Value};
use crate::vocabulary::Action;

use super::codes::tags as codes;
use super::lists::expect_distinct;
use super::report::Report;
use super::scope::{Scope, list};
use super::tag::{ATTRIBUTES, resolve_tag_name, resolve_value};

/// Which requests a selector ranges over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    Unlock,
    Issuance,
}

/// What `where` means; without one, everything.
pub(super) fn resolve_where(
    selector: Option<&tree::Selector>,
    path: Path,
    scope: &Scope,
    report: &mut Report,
) -> Option<Selector> {
    match selector {
        None => Some(Selector::Any),
        Some(selector) => Resolver {
            path,
            scope,
            report,
        }
        .selector(selector),
    }
}

struct Resolver<'a> {
    path: Path,
    scope: &'a Scope,
    report: &'a mut Report,
}

impl Resolver<'_> {
    fn selector(&mut self, selector: &tree::Selector) -> Option<Selector> {
        match selector {
            tree::Selector::Or(parts) => self.all(parts).map(Selector::Or),
            tree::Selector::And(parts) => self.all(parts).map(Selector::And),
            tree::Selector::Not(_, inner) => {
                let inner = self.selector(inner)?;
                Some(Selector::Not(Box::new(inner)))
            }
            tree::Selector::Compare(compare) => self.compare(compare),
            tree::Selector::Has(name) => self.has(name).map(Selector::Atom),
        }
    }

    /// Every part, so that each is heard of.
    fn all(&mut self, parts: &[tree::Selector]) -> Option<Vec<Selector>> {
        let parts: Vec<Option<Selector>> = parts.iter().map(|part| self.selector(part)).collect();
        parts.into_iter().collect()
    }

    fn compare(&mut self, compare: &Compare) -> Option<Selector> {
        let words = compare.values.iter().map(|value| match value {
            Value::Word(word) => (word.value.as_str(), word.span),
            Value::Text(text) => (text.value.as_str(), text.span),
        });
        expect_distinct(words, |word| (*word).to_owned(), self.report);
        let atom = self.atom(&compare.subject, &compare.values)?;
        Some(match compare.op.value {
            CompareOp::Equal | CompareOp::In => Selector::Atom(atom),
            CompareOp::NotEqual => Selector::Not(Box::new(Selector::Atom(atom))),
        })
    }

    fn atom(&mut self, subject: &Name, values: &[Value]) -> Option<Atom> {
        if !ATTRIBUTES.contains(&subject.value.as_str()) {
            let id = self.tag(subject)?;
            let tag = self.scope.tags.get(id)?;
            let report = &mut *self.report;
            let values = each(values, |value| resolve_value(tag, value, report))?;
            return Some(Atom::Tag(id, values));
        }
        self.expect_attributes(subject)?;
        let words = self.words(subject, values)?;
        let (scope, report) = (self.scope, &mut *self.report);
        match subject.value.as_str() {
            "project" => {
                each(&words, |word| scope.resolve::<ProjectId>(word, report)).map(Atom::Project)
            }
            "profile" => {
                each(&words, |word| scope.resolve::<ProfileId>(word, report)).map(Atom::Profile)
            }
            "action" => each(&words, |word| resolve_action(word, report)).map(Atom::Action),
            _ => each(&words, |word| scope.resolve_actor(word, report)).map(Atom::Requester),
        }
    }

    fn has(&mut self, name: &Name) -> Option<Atom> {
        if !ATTRIBUTES.contains(&name.value.as_str()) {
            return self.tag(name).map(Atom::HasTag);
        }
        self.expect_attributes(name)?;
        Some(match name.value.as_str() {
            "project" => Atom::HasProject,
            "profile" => Atom::HasProfile,
            "action" => Atom::HasAction,
            _ => Atom::HasRequester,
        })
    }

    fn tag(&mut self, name: &Name) -> Option<TagId> {
        let attributes: &[&str] = match self.path {
            Path::Unlock => &[],
            Path::Issuance => &ATTRIBUTES,
        };
        resolve_tag_name(name, attributes, self.scope, self.report)
    }

    /// Attributes belong to certificate requests.
    fn expect_attributes(&mut self, name: &Name) -> Option<()> {
        match self.path {
            Path::Issuance => Some(()),
            Path::Unlock => {
                let message = format!("an unlock has no `{}`", name.value);
                let diagnostic = Diagnostic::new(&codes::ATTRIBUTE_ON_UNLOCK, name.span, message);
                self.report
                    .push(diagnostic.help(
                        "a device has tags alone; attributes belong to certificate requests",
                    ));
                None
            }
        }
    }

    /// The values of an attribute, which are names.
    fn words(&mut self, subject: &Name, values: &[Value]) -> Option<Vec<Name>> {
        let report = &mut *self.report;
        each_in_order(values, |value| match value {
            Value::Word(word) => Some(word.clone()),
            Value::Text(text) => {
                let message = format!(
                    "`{}` is compared with names, so `{}` stands without quotes",
                    subject.value, text.value
                );
                let diagnostic = Diagnostic::new(&codes::QUOTED_VALUE, text.span, message);
                report.push(
                    diagnostic
                        .help("leave out the quotes")
                        .fix(text.span, &text.value),
                );
                None
            }
        })
    }
}

/// Applies `resolve` to each, hears every complaint, and sorts what comes out.
fn each<T, U: Ord>(values: &[T], resolve: impl FnMut(&T) -> Option<U>) -> Option<Vec<U>> {
    let mut resolved = each_in_order(values, resolve)?;
    resolved.sort();
    resolved.dedup();
    Some(resolved)
}

fn each_in_order<T, U>(values: &[T], resolve: impl FnMut(&T) -> Option<U>) -> Option<Vec<U>> {
    let resolved: Vec<Option<U>> = values.iter().map(resolve).collect();
    resolved.into_iter().collect()
}

/// One of the six actions.
pub(super) fn resolve_action(word: &Name, report: &mut Report) -> Option<Action> {
    let action = Action::from_word(&word.value);
    if action.is_none() {
        report_unknown_word(
            "action",
            &word.value,
            word.span,
            &words_of(Action::ALL),
            report,
        );
    }
    action
}

/// The spellings of closed words.
pub(super) fn words_of<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// Says that `word` is none of the closed words `known`.
pub(super) fn report_unknown_word(
    what: &str,
    word: &str,
    span: Span,
    known: &[String],
    report: &mut Report,
) {
    let article = if what.starts_with(['a', 'i']) {
        "an"
    } else {
        "a"
    };
    let message = format!("`{word}` is not {article} {what}");
    let diagnostic = Diagnostic::new(&UNKNOWN_WORD, span, message);
    let near = report.nearest(word, known.iter().map(String::as_str));
    report.push(match near {
        Some(near) => diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(span, near),
        None => diagnostic.help(format!("write one of {}", list(known))),
    });
}
