//! Names, strings and closed words.

use super::{Builder, Node};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, Spanned};
use crate::syntax::codes;
use crate::syntax::parse::grammar::Rule;
use crate::syntax::tree::{Name, Text, Value};
use crate::vocabulary::{
    Action, Binds, Effect, IssuerType, KeyType, Override, Role, SanType, Weekday, nearest,
};

/// A closed set of words of [`crate::vocabulary`].
pub(super) trait Closed: Copy + 'static {
    const WHAT: &'static str;
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
    fn from_word(text: &str) -> Option<Self>;
}

macro_rules! closed {
    ($($name:ident),+) => {$(
        impl Closed for $name {
            const WHAT: &'static str = $name::WHAT;
            const ALL: &'static [Self] = $name::ALL;
            fn word(self) -> &'static str {
                $name::word(self)
            }
            fn from_word(text: &str) -> Option<Self> {
                $name::from_word(text)
            }
        }
    )+};
}
closed!(
    Action, Binds, Effect, IssuerType, KeyType, Override, Role, SanType, Weekday
);

impl Builder {
    /// A bare name; says so where it has letters that no name has.
    pub(super) fn name(&mut self, node: Node<'_>) -> Name {
        let text = node.as_str();
        let span = self.span(&node);
        let fits = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !fits {
            let right = text.to_ascii_lowercase().replace('_', "-");
            self.diagnostics.push(
                Diagnostic::new(&codes::NAME, span, format!("`{text}` is not a name")).help(
                    format!("names are lower-case letters, digits and hyphens: `{right}`"),
                ),
            );
        }
        Spanned::new(text.to_owned(), span)
    }

    pub(super) fn some_name(&mut self, node: Node<'_>) -> Option<Name> {
        Some(self.name(node))
    }

    /// A word of a closed set.
    pub(super) fn closed<T: Closed>(&mut self, node: Node<'_>) -> Option<Spanned<T>> {
        self.closed_or(node, &[])
    }

    /// A word of a closed set, where `others` would be in place too.
    pub(super) fn closed_or<T: Closed>(
        &mut self,
        node: Node<'_>,
        others: &[&str],
    ) -> Option<Spanned<T>> {
        let text = node.as_str();
        let span = self.span(&node);
        if let Some(word) = T::from_word(text) {
            return Some(Spanned::new(word, span));
        }
        let known = T::ALL.iter().map(|word| word.word());
        let words: Vec<&str> = others.iter().copied().chain(known).collect();
        let mut diagnostic = Diagnostic::new(
            &codes::UNKNOWN_WORD,
            span,
            format!("`{text}` is not {} {}", article(T::WHAT), T::WHAT),
        );
        diagnostic = match nearest(text, words.iter().copied()) {
            Some(near) => diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(span, near),
            None => diagnostic.help(format!("one of {}", quoted(&words))),
        };
        self.diagnostics.push(diagnostic);
        None
    }

    /// A string, escapes resolved.
    pub(super) fn text(&mut self, node: Node<'_>) -> Text {
        let span = self.span(&node);
        let inner = node
            .as_str()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or_default();
        if let Some(at) = inner.find(|character: char| character.is_control() && character != '\t')
        {
            let start = span.start as usize + 1 + at;
            self.diagnostics.push(
                Diagnostic::new(
                    &codes::FOREIGN_CHARACTER,
                    Span::new(span.file, start..start + 1),
                    "a control character stands in this string",
                )
                .help("write it as an escape: `\\u{…}`"),
            );
        }
        if !inner.contains('\\') {
            return Spanned::new(inner.to_owned(), span);
        }
        let mut value = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some((before, after)) = rest.split_once('\\') {
            value.push_str(before);
            let (resolved, length) = escape(after);
            match resolved {
                Some(character) => value.push(character),
                None => self.bad_escape(span, inner.len() - after.len(), after, length),
            }
            rest = after.get(length..).unwrap_or_default();
        }
        value.push_str(rest);
        Spanned::new(value, span)
    }

    pub(super) fn some_text(&mut self, node: Node<'_>) -> Option<Text> {
        Some(self.text(node))
    }

    fn bad_escape(&mut self, text: Span, offset: usize, after: &str, length: usize) {
        // The backslash stands at `offset - 1` of the inside, which begins one past the quote.
        let start = text.start as usize + offset;
        let written = after.get(..length).unwrap_or_default();
        self.diagnostics.push(
            Diagnostic::new(
                &codes::ESCAPE,
                Span::new(text.file, start..start + 1 + length),
                format!("`\\{written}` is not an escape"),
            )
            .help("the escapes are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}`"),
        );
    }

    /// A tag's value.
    pub(super) fn value(&mut self, node: Node<'_>) -> Option<Value> {
        Some(match node.as_rule() {
            Rule::text => Value::Text(self.text(node)),
            _ => Value::Word(self.name(node)),
        })
    }
}

/// What the escape after a backslash stands for, and how long it is.
fn escape(after: &str) -> (Option<char>, usize) {
    let first = after.chars().next();
    match first {
        Some('"') => (Some('"'), 1),
        Some('\\') => (Some('\\'), 1),
        Some('n') => (Some('\n'), 1),
        Some('t') => (Some('\t'), 1),
        Some('u') => match after
            .strip_prefix("u{")
            .and_then(|rest| rest.split_once('}'))
        {
            Some((digits, _)) => {
                let plain = (1..=6).contains(&digits.len())
                    && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let number = u32::from_str_radix(digits, 16).ok().filter(|_| plain);
                (number.and_then(char::from_u32), digits.len() + 3)
            }
            None => (None, 1),
        },
        Some(other) => (None, other.len_utf8()),
        None => (None, 0),
    }
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// `a`, `b`, `c` in backticks.
fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
