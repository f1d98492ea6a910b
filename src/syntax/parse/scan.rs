//! Cuts text into rough tokens, without pest: enough to find where declarations
//! and statements begin, to collect comments, and to see what pest would stumble over.

use std::ops::Range;

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Word,
    /// Starts with a digit, or is an address.
    Literal,
    /// `"…"`
    Text,
    /// `/…/`
    Regex,
    /// Operators and separators.
    Punct,
    /// `{`, `[`, `(`
    Open,
    /// `}`, `]`, `)`
    Close,
    /// `# …`
    Comment,
    /// `// …`
    SlashComment,
    /// `//` where a regular expression is due.
    EmptyRegex,
    /// A string without its end.
    OpenText,
    /// A regular expression without its end.
    OpenRegex,
    /// A character that begins nothing.
    Stray,
}

/// One token and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// Goes through a text token by token.
#[derive(Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

impl<'a> Scanner<'a> {
    /// Starts at byte `at`.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Scanner { text, at }
    }

    /// Where it stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The first place at or after `at` where `keep` does not hold.
    fn run(&self, mut at: usize, keep: impl Fn(u8) -> bool) -> usize {
        while self.byte(at).is_some_and(&keep) {
            at += 1;
        }
        at
    }

    /// The end of a quoted token that starts at `at`, and whether it is closed.
    fn quoted(&self, start: usize, quote: u8) -> (usize, bool) {
        let mut at = start + 1;
        loop {
            match self.byte(at) {
                None | Some(b'\n') => return (self.before_closers(start + 1, at), false),
                Some(b'\\') if self.byte(at + 1).is_some_and(|next| next != b'\n') => at += 2,
                Some(byte) if byte == quote => return (at + 1, true),
                Some(_) => at += 1,
            }
        }
    }

    /// Where the closers and blanks at the end of a line begin: whoever forgot a quote
    /// did not mean to swallow them.
    fn before_closers(&self, from: usize, line_end: usize) -> usize {
        let mut end = line_end;
        while end > from
            && matches!(
                self.byte(end - 1),
                Some(b'}' | b']' | b')' | b'{' | b',' | b' ' | b'\t' | b'\r')
            )
        {
            end -= 1;
        }
        end
    }

    /// Whether the word before is one that a regular expression must follow.
    fn is_regex_due(&self) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default().trim_end();
        let rest = before.strip_suffix("naming");
        rest.is_some_and(|rest| !rest.as_bytes().last().is_some_and(|&byte| is_word(byte)))
    }

    /// The end of an address-like rest.
    fn address(&self, mut at: usize) -> usize {
        loop {
            match self.byte(at) {
                Some(b'.') if self.byte(at + 1) == Some(b'.') => return at,
                Some(b':' | b'.' | b'%' | b'+') => at += 1,
                Some(b'/') if self.byte(at + 1).is_some_and(|b| b.is_ascii_alphanumeric()) => {
                    at += 1;
                }
                Some(byte) if is_word(byte) => at += 1,
                Some(_) | None => return at,
            }
        }
    }

    /// The end of a word in quotes of another kind, where it is closed soon on its line.
    fn foreign_quote(&self, from: usize, closers: &str) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        rest.char_indices()
            .take(80)
            .take_while(|&(_, character)| character != '\n')
            .find(|&(_, character)| closers.contains(character))
            .map_or(from, |(at, character)| from + at + character.len_utf8())
    }

    fn token(&self, first: u8) -> (Kind, usize) {
        let at = self.at;
        let next = self.byte(at + 1);
        let line_end = || self.run(at, |byte| byte != b'\n');
        match first {
            b'#' => (Kind::Comment, line_end()),
            b'"' => match self.quoted(at, b'"') {
                (end, true) => (Kind::Text, end),
                (end, false) => (Kind::OpenText, end),
            },
            b'/' if next == Some(b'/') && self.is_regex_due() => (Kind::EmptyRegex, at + 2),
            b'/' if next == Some(b'/') => (Kind::SlashComment, line_end()),
            b'/' => match self.quoted(at, b'/') {
                (end, true) => (Kind::Regex, end),
                (end, false) => (Kind::OpenRegex, end),
            },
            b'{' | b'[' | b'(' => (Kind::Open, at + 1),
            b'}' | b']' | b')' => (Kind::Close, at + 1),
            b'=' | b'!' if next == Some(b'=') => (Kind::Punct, at + 2),
            b'.' if next == Some(b'.') => (Kind::Punct, at + 2),
            b'&' | b'|' if next == Some(first) => (Kind::Punct, at + 2),
            b'=' | b'|' | b',' | b'!' | b'<' | b'>' | b'&' | b';' => (Kind::Punct, at + 1),
            b'0'..=b'9' | b':' | b'.' => (Kind::Literal, self.address(at).max(at + 1)),
            b'a'..=b'z' | b'A'..=b'Z' => {
                let end = self.run(at, is_word);
                if self.byte(end) == Some(b':') {
                    (Kind::Literal, self.address(end))
                } else {
                    (Kind::Word, end)
                }
            }
            b'\'' => (Kind::Stray, self.foreign_quote(at + 1, "'")),
            _ => {
                let rest = self.text.get(at..).unwrap_or_default();
                let first = rest.chars().next().unwrap_or('\0');
                let end = at + first.len_utf8();
                match first {
                    '“' | '”' => (Kind::Stray, self.foreign_quote(end, "“”")),
                    '‘' | '’' => (Kind::Stray, self.foreign_quote(end, "‘’")),
                    _ => (Kind::Stray, end),
                }
            }
        }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.at = self.run(self.at, |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        let (kind, end) = self.token(self.byte(self.at)?);
        let range = self.at..end;
        self.at = end;
        Some(Token { kind, range })
    }
}
