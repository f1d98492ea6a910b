//! What pest stumbled over, in the user's words.

use std::collections::BTreeSet;
use std::ops::Range;

use super::grammar::Rule;
use super::keywords::{self, Block};
use super::scan::{Kind, Scanner, Token};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::syntax::codes;
use crate::vocabulary::nearest;

/// The error of one pest pass.
pub(super) type PestError = pest::error::Error<Rule>;

/// A part of a file that pest did not take.
pub(super) struct Failure<'a> {
    pub(super) file: FileId,
    /// The part.
    pub(super) text: &'a str,
    /// Where it begins in the file.
    pub(super) base: usize,
    /// The block whose statement it should be.
    pub(super) block: Option<&'a Block>,
}

/// The tokens on both sides of the place where pest stopped.
struct Place<'a> {
    before: Option<(Token, &'a str)>,
    found: Option<(Token, &'a str)>,
    /// Whether `found` stands on a later line than `before`.
    next_line: bool,
}

impl Failure<'_> {
    /// Says what was expected where.
    pub(super) fn explain(&self, error: &PestError) -> Diagnostic {
        let (at, positives) = parts(error);
        let place = self.place(at);
        let expected = self.expected(&positives);
        if let Some(diagnostic) = self.habit(&place, &positives) {
            return diagnostic;
        }
        match (&place.before, &place.found) {
            (_, Some((found, text))) if !self.is_missing(&place, &positives) => {
                let span = self.span(&found.range);
                let message = format!("expected {expected}, found `{}`", shorten(text));
                let diagnostic = Diagnostic::new(&codes::SYNTAX, span, message);
                self.hint(diagnostic, found, text, &positives)
            }
            (Some((before, text)), _) => {
                let end = before.range.end..before.range.end;
                let message = format!("expected {expected} after `{}`", shorten(text));
                Diagnostic::new(&codes::SYNTAX, self.span(&end), message)
            }
            (None, _) => {
                let span = self.span(&(at..at));
                Diagnostic::new(&codes::SYNTAX, span, format!("expected {expected}"))
            }
        }
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.file, self.base + range.start..self.base + range.end)
    }

    fn place(&self, at: usize) -> Place<'_> {
        let slice = |token: Token| {
            let text = self.text.get(token.range.clone()).unwrap_or_default();
            (token, text)
        };
        let mut before = None;
        let mut found = None;
        for token in Scanner::new(self.text, 0).filter(|token| token.kind != Kind::Comment) {
            if token.range.end > at {
                found = Some(slice(token));
                break;
            }
            before = Some(slice(token));
        }
        let next_line = match (&before, &found) {
            (Some((before, _)), Some((found, _))) => self
                .text
                .get(before.range.end..found.range.start)
                .is_some_and(|gap| gap.contains('\n')),
            (Some(_), None) => true,
            (None, _) => false,
        };
        Place {
            before,
            found,
            next_line,
        }
    }

    /// Whether something is left out before `found`, rather than `found` being wrong.
    fn is_missing(&self, place: &Place<'_>, positives: &[Rule]) -> bool {
        let statement_due = positives
            .iter()
            .any(|&rule| is_statement(rule) || rule == Rule::EOI);
        place.found.is_none() || (place.next_line && !statement_due)
    }

    /// What was expected, as a phrase.
    fn expected(&self, positives: &[Rule]) -> String {
        let keywords = self.block.map_or(&[][..], |block| block.keywords);
        let is_word = |rule| keyword(rule).is_some_and(|word| keywords.contains(&word.as_str()));
        let words = positives.iter().filter(|&&rule| is_word(rule)).count();
        let statement_due =
            words >= keywords.len().clamp(1, 2) || positives.iter().any(|&rule| is_statement(rule));
        let mut phrases: BTreeSet<String> = positives
            .iter()
            .filter(|&&rule| !statement_due || !(is_statement(rule) || is_word(rule)))
            .filter_map(|&rule| phrase(rule))
            .collect();
        let mut last = None;
        if statement_due && self.block.is_some() {
            if keywords.len() <= 4 {
                phrases.extend(keywords.iter().map(|word| tick(word)));
            } else {
                last = Some("a statement");
            }
        }
        if positives.contains(&Rule::EOI) {
            last = Some(match self.block {
                Some(_) => "the next statement",
                None => "the next declaration",
            });
        }
        let phrases: Vec<String> = phrases.into_iter().chain(last.map(str::to_owned)).collect();
        join(&phrases)
    }

    /// Operators of other languages, each with what to write instead.
    fn habit(&self, place: &Place<'_>, positives: &[Rule]) -> Option<Diagnostic> {
        let (token, text) = place.found.as_ref()?;
        let wants = |rule| positives.contains(&rule);
        let span = self.span(&token.range);
        let comparing = wants(Rule::equal) || wants(Rule::unequal);
        let (message, right) = match *text {
            "&&" | "&" if wants(Rule::k_and) => (format!("`{text}` is not an operator"), "and"),
            "||" | "|" if wants(Rule::k_or) => (format!("`{text}` is not an operator"), "or"),
            "!" if wants(Rule::selector) || wants(Rule::g_open) || wants(Rule::k_not) => {
                ("`!` is not an operator".to_owned(), "not ")
            }
            "=" if comparing => ("`=` does not compare".to_owned(), "=="),
            "==" if wants(Rule::p_eq) => ("`==` does not declare".to_owned(), "="),
            "||" | "," if wants(Rule::p_bar) => {
                (format!("`{text}` does not separate values"), " |")
            }
            "not" if comparing => {
                return Some(
                    Diagnostic::new(&codes::SYNTAX, span, "`not in` is not an operator")
                        .help("put `not` in front: `not x in […]`"),
                );
            }
            _ => return None,
        };
        Some(
            Diagnostic::new(&codes::SYNTAX, span, message)
                .help(format!("write `{}`", right.trim()))
                .fix(span, right),
        )
    }

    /// Whether `token` comes after the word `file`, as the name of a file does.
    fn is_after_file(&self, token: &Token) -> bool {
        let before = self.text.get(..token.range.start).unwrap_or_default();
        before.trim_end().ends_with("file")
    }

    /// Adds what was probably meant.
    fn hint(
        &self,
        diagnostic: Diagnostic,
        token: &Token,
        text: &str,
        positives: &[Rule],
    ) -> Diagnostic {
        let span = self.span(&token.range);
        let wants = |rules: &[Rule]| rules.iter().any(|rule| positives.contains(rule));
        match token.kind {
            Kind::Word => {
                let mut words: Vec<String> =
                    positives.iter().copied().filter_map(keyword).collect();
                if positives
                    .iter()
                    .any(|&rule| is_statement(rule) || rule == Rule::EOI)
                {
                    let keywords = self.block.map_or(keywords::ITEMS, |block| block.keywords);
                    words.extend(keywords.iter().map(|&word| word.to_owned()));
                }
                let near = nearest(text, words.iter().map(String::as_str));
                // The word itself, out of place, is not misspelled.
                if let Some(near) = near.filter(|&near| near != text) {
                    return diagnostic
                        .help(format!("did you mean `{near}`?"))
                        .fix(span, near);
                }
                if wants(&[Rule::text, Rule::texts]) {
                    let quoted = format!("\"{text}\"");
                    return diagnostic
                        .help(format!("strings stand in quotes: `{quoted}`"))
                        .fix(span, quoted);
                }
                diagnostic
            }
            Kind::Text if self.is_after_file(token) => diagnostic
                .help("`file` stands alone: give the file a network of its own, and name it"),
            Kind::Text if wants(&[Rule::name, Rule::names, Rule::sources]) => {
                let bare = text.trim_matches('"');
                let what = if wants(&[Rule::sources, Rule::addr]) {
                    "names and addresses"
                } else {
                    "names"
                };
                diagnostic.help(format!("{what} stand without quotes: `{bare}`"))
            }
            Kind::Text if wants(&[Rule::regex]) => {
                diagnostic.help("a regular expression stands between slashes: `/^web-[0-9]+$/`")
            }
            _ => diagnostic,
        }
    }
}

/// Where pest stopped.
pub(super) fn place_of(error: &PestError) -> usize {
    match error.location {
        pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
    }
}

/// Where pest stopped and what it would have taken.
fn parts(error: &PestError) -> (usize, Vec<Rule>) {
    let at = place_of(error);
    match &error.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => (at, positives.clone()),
        pest::error::ErrorVariant::CustomError { .. } => (at, Vec::new()),
    }
}

fn is_statement(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::tags_statement
            | Rule::default_issuance
            | Rule::role_statement
            | Rule::email_statement
            | Rule::delegate_statement
            | Rule::owner_statement
            | Rule::source_line
            | Rule::overrides_statement
            | Rule::by_statement
            | Rule::max_statement
            | Rule::on_statement
            | Rule::approvers_statement
            | Rule::need_statement
            | Rule::expires_statement
            | Rule::claim_statement
            | Rule::collect_statement
            | Rule::binds_statement
            | Rule::deny_for_statement
            | Rule::escalate_statement
            | Rule::mandatory_statement
            | Rule::key_types
            | Rule::issuer_types
            | Rule::issuer_ids
            | Rule::san_statement
            | Rule::never_unlock
            | Rule::always_unlock
            | Rule::until_statement
            | Rule::unlock_expectation
            | Rule::issuance_expectation
            | Rule::device_statement
            | Rule::request_statement
    )
}

/// The word that a keyword's rule stands for.
fn keyword(rule: Rule) -> Option<String> {
    let name = format!("{rule:?}");
    name.strip_prefix("k_").map(|word| word.replace('_', "-"))
}

/// What a rule is called in a message; none for what needs no words.
fn phrase(rule: Rule) -> Option<String> {
    if let Some(word) = keyword(rule) {
        return Some(tick(&word));
    }
    let phrase = match rule {
        Rule::name => "a name",
        Rule::text => "a string",
        Rule::regex => "a regular expression",
        Rule::quantity => "a number or duration",
        Rule::addr => "an address",
        Rule::moment => "a date or time",
        Rule::clock => "a time of day",
        Rule::p_open | Rule::assigns | Rule::members => "`{`",
        Rule::p_close => "`}`",
        Rule::l_open => "`[`",
        Rule::l_close => "`]`",
        Rule::g_open => "`(`",
        Rule::g_close => "`)`",
        Rule::p_comma => "`,`",
        Rule::p_eq => "`=`",
        Rule::p_bar => "`|`",
        Rule::p_range => "`..`",
        Rule::equal => "`==`",
        Rule::unequal => "`!=`",
        Rule::names => "a name or a list of names",
        Rule::texts => "a string or a list of strings",
        Rule::sources => "a network, an address or a list of them",
        Rule::patterns => "a pattern or a list of patterns",
        Rule::principals => "`team` or `person`, or a list of them",
        Rule::scopes => "`org`, `project` or a list of them",
        Rule::values => "a value or a list of values",
        Rule::days | Rule::day => "a day or a list of days",
        Rule::selector | Rule::compare => "a condition",
        Rule::negation => "`not`",
        Rule::group => "`(`",
        Rule::has_test => "`has`",
        Rule::clause => "`N of team …`",
        Rule::san_clause => "`allow` or `deny`",
        Rule::fact => "a fact",
        Rule::outcome => "`allow`, `deny` or `pending`",
        Rule::member_list => "a list",
        Rule::file_source => "`file`",
        Rule::where_statement => "`where`",
        Rule::region_sources => "`from`",
        Rule::without_approval => "`without approval`",
        Rule::with_key_type | Rule::with_san => "`with`",
        Rule::at_clause => "`at`",
        Rule::given_clause => "`given`",
        _ => return None,
    };
    Some(phrase.to_owned())
}

fn tick(word: &str) -> String {
    format!("`{word}`")
}

/// `a`, `a or b`, `a, b or c`.
fn join(phrases: &[String]) -> String {
    match phrases {
        [] => "something else".to_owned(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// The start of a long token.
fn shorten(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(40).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}
