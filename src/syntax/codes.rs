//! The faults that parsing reports.

use crate::diagnostic::{Code, Severity};

/// Something else was expected.
pub static SYNTAX: Code = Code {
    name: "syntax",
    severity: Severity::Error,
    summary: "the text does not follow the grammar",
    why: "A policy that can be read in only one way is one that two people read alike. What stands here fits no statement of the language, so the policy set is not used, and the last good one stays in force.",
    bad: "edition 2026\n\ntag env production\n",
    good: "edition 2026\n\ntag env = production\n",
};

/// The first item is missing or of another edition.
pub static EDITION: Code = Code {
    name: "edition",
    severity: Severity::Error,
    summary: "a file does not begin with `edition 2026`",
    why: "The edition says by which rules a file is read. With it in the file, a later release can add words to the language without changing what this file means.",
    bad: "tag env = production\n",
    good: "edition 2026\n\ntag env = production\n",
};

/// A name with other letters.
pub static NAME: Code = Code {
    name: "malformed-name",
    severity: Severity::Error,
    summary: "a name has letters that no name has",
    why: "Names are lower-case letters, digits and hyphens, so that two names never differ by what a reader overlooks: capitals, underscores, look-alike letters.",
    bad: "edition 2026\n\ntag Env = production\n",
    good: "edition 2026\n\ntag env = production\n",
};

/// A word outside its closed set.
pub static UNKNOWN_WORD: Code = Code {
    name: "unknown-word",
    severity: Severity::Error,
    summary: "a word is not one of those that fit here",
    why: "Roles, actions, key types, issuer types, days and bindings are closed sets. A misspelled one would otherwise be a rule that never applies.",
    bad: "edition 2026\n\ndefaults { issuance allowed }\n",
    good: "edition 2026\n\ndefaults { issuance allow }\n",
};

/// A number, duration, date or time that is none.
pub static LITERAL: Code = Code {
    name: "malformed-literal",
    severity: Severity::Error,
    summary: "a number, duration, date or time is not well-formed",
    why: "A literal has one spelling and one meaning: each unit once and the largest first, days that the calendar has, windows that do not end where they start.",
    bad: "edition 2026\n\nschedule night = mon..fri 22:00..22:00 in \"UTC\"\n",
    good: "edition 2026\n\nschedule night = mon..fri 22:00..06:00 in \"UTC\"\n",
};

/// An address that is none, or says two things.
pub static ADDRESS: Code = Code {
    name: "malformed-address",
    severity: Severity::Error,
    summary: "an address or CIDR is not well-formed",
    why: "A CIDR with host bits set says one network and one host at once; a leading zero is octal to some tools and decimal to others. Both are refused, and the right spelling is printed.",
    bad: "edition 2026\n\nnetwork office = 10.0.0.1/8\n",
    good: "edition 2026\n\nnetwork office = 10.0.0.0/8\n",
};

/// A backslash before something else.
pub static ESCAPE: Code = Code {
    name: "malformed-escape",
    severity: Severity::Error,
    summary: "a string has an escape that the language does not know",
    why: "The escapes are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}`. Any other would be guessed at.",
    bad: "edition 2026\n\nperson alice { email \"a\\qb@example.com\" }\n",
    good: "edition 2026\n\nperson alice { email \"aqb@example.com\" }\n",
};

/// A list without elements.
pub static EMPTY_LIST: Code = Code {
    name: "empty-list",
    severity: Severity::Error,
    summary: "a list is empty",
    why: "An empty list would make a rule that never applies, or that restricts nothing, depending on who reads it. Name an element, or leave the statement out.",
    bad: "edition 2026\n\nnetwork office = []\n",
    good: "edition 2026\n\nnetwork office = [192.0.2.0/24]\n",
};

/// Two elements side by side.
pub static MISSING_COMMA: Code = Code {
    name: "missing-comma",
    severity: Severity::Error,
    summary: "a comma is missing between two elements of a list",
    why: "Elements of a list are parted by commas. The list is read as if the comma were there, so that what follows is still checked.",
    bad: "edition 2026\n\nnetwork office = [192.0.2.1 192.0.2.2]\n",
    good: "edition 2026\n\nnetwork office = [192.0.2.1, 192.0.2.2]\n",
};

/// Which belongs together?.
pub static MIXED_CONNECTIVES: Code = Code {
    name: "mixed-connectives",
    severity: Severity::Error,
    summary: "`and` stands beside `or` without parentheses",
    why: "Languages differ in which of the two binds tighter, and so do readers. Parentheses say it.",
    bad: "edition 2026\n\ntag env  = dev | production\ntag site = text\n\nunlock a {\n  where env == dev and has site or env == production\n  allow from 192.0.2.1\n}\n",
    good: "edition 2026\n\ntag env  = dev | production\ntag site = text\n\nunlock a {\n  where (env == dev and has site) or env == production\n  allow from 192.0.2.1\n}\n",
};

/// A bracket without its partner.
pub static BRACKET: Code = Code {
    name: "unbalanced-bracket",
    severity: Severity::Error,
    summary: "a bracket is not closed, or closes nothing",
    why: "The place of the opening bracket is reported: where it should have been closed is not certain.",
    bad: "edition 2026\n\nunlock a {\n  allow from 192.0.2.1\n",
    good: "edition 2026\n\nunlock a {\n  allow from 192.0.2.1\n}\n",
};

/// Too deep to read.
pub static NESTING: Code = Code {
    name: "nesting-too-deep",
    severity: Severity::Error,
    summary: "nesting goes deeper than 64",
    why: "The limit keeps a hostile file from exhausting the stack. No policy that a person reads comes near it.",
    bad: "edition 2026\n\ntag role = web\n\nunlock a {\n  where (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((has role)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))\n  allow from 192.0.2.1\n}\n",
    good: "edition 2026\n\ntag role = web\n\nunlock a {\n  where has role\n  allow from 192.0.2.1\n}\n",
};

/// A comment of another language.
pub static SLASH_COMMENT: Code = Code {
    name: "slash-comment",
    severity: Severity::Error,
    summary: "`//` begins no comment",
    why: "Comments begin with `#`. The rest of the line is read as the comment it was meant to be, so that nothing else is reported of it.",
    bad: "edition 2026\n\ntag env = dev // later more\n",
    good: "edition 2026\n\ntag env = dev # later more\n",
};

/// A string or pattern that runs off its line.
pub static UNTERMINATED: Code = Code {
    name: "unterminated",
    severity: Severity::Error,
    summary: "a string or regular expression has no end on its line",
    why: "Both end on the line they begin on, so that a forgotten quote does not swallow the rest of the file.",
    bad: "edition 2026\n\nperson alice { email \"alice@example.com }\n",
    good: "edition 2026\n\nperson alice { email \"alice@example.com\" }\n",
};

/// A character that begins no word.
pub static FOREIGN_CHARACTER: Code = Code {
    name: "foreign-character",
    severity: Severity::Error,
    summary: "a character has no meaning in the language",
    why: "Outside strings, patterns and comments a policy is plain ASCII. Letters that only look like others, invisible blanks and control characters are refused, and so are control characters in strings.",
    bad: "edition 2026\n\nperson alice { email 'alice@example.com' }\n",
    good: "edition 2026\n\nperson alice { email \"alice@example.com\" }\n",
};

/// Every code of this module.
pub static CODES: &[&Code] = &[
    &SYNTAX,
    &EDITION,
    &NAME,
    &UNKNOWN_WORD,
    &LITERAL,
    &ADDRESS,
    &ESCAPE,
    &EMPTY_LIST,
    &MISSING_COMMA,
    &MIXED_CONNECTIVES,
    &BRACKET,
    &NESTING,
    &SLASH_COMMENT,
    &UNTERMINATED,
    &FOREIGN_CHARACTER,
];
