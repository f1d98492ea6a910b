//! Strings and regular expressions.

use regex::{Regex, RegexBuilder};

use crate::diagnostic::Diagnostic;
use crate::syntax::tree::Text;

use super::codes::blocks as codes;
use super::report::Report;

/// How large a compiled expression may be, in bytes.
const REGEX_SIZE: usize = 1 << 20;

/// Reports a string that says nothing; `what` is what it should say.
pub(super) fn expect_text(what: &str, text: &Text, report: &mut Report) {
    if text.value.trim().is_empty() {
        let message = format!("{what} is empty");
        report.push(Diagnostic::new(&codes::EMPTY_TEXT, text.span, message));
    }
}

/// An expression that the whole of a text must match.
pub(super) fn resolve_regex(text: &Text, report: &mut Report) -> Option<Regex> {
    // Bare first: `a)(b` is wrong, though the anchors' group would close it.
    let compiled = compile(&text.value).and_then(|_| compile(&format!(r"\A(?:{})\z", text.value)));
    match compiled {
        Ok(regex) => Some(regex),
        Err(error) => {
            report.push(invalid(text, &error));
            None
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build()
}

fn invalid(text: &Text, error: &regex::Error) -> Diagnostic {
    let why = match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("it needs more than {limit} bytes when compiled")
        }
        error => reason(&error.to_string()),
    };
    let message = format!("this regular expression is wrong: {why}");
    let diagnostic = Diagnostic::new(&codes::INVALID_REGEX, text.span, message);
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        diagnostic.help("repeat less: `{1,1000}` writes its part out a thousand times")
    } else if why.contains("look-around") || why.contains("backreference") {
        diagnostic.help("expressions run in linear time, so they cannot look around or back")
    } else {
        diagnostic.help("the syntax is that of RE2 and of Rust's `regex`")
    }
}

/// The last line of the expression parser's message, which says why.
fn reason(message: &str) -> String {
    let last = message.lines().next_back().unwrap_or_default();
    last.trim_start_matches("error: ")
        .trim_end_matches('.')
        .to_owned()
}
