//! The faults that parsing reports.

use crate::diagnostic::{Code, Severity};

/// The text does not follow the grammar.
pub static SYNTAX: Code = Code {
    name: "syntax",
    severity: Severity::Error,
    summary: "the text does not follow the grammar",
    why: "A policy that cannot be read is not used.",
    bad: "edition 2026\n\ntag env production\n",
    good: "edition 2026\n\ntag env = production\n",
};

/// A literal is not well-formed.
pub static LITERAL: Code = Code {
    name: "literal",
    severity: Severity::Error,
    summary: "a literal is not well-formed",
    why: "A value that can be read in two ways is not used.",
    bad: "edition 2026\n\nnetwork office = 10.0.0.1/8\n",
    good: "edition 2026\n\nnetwork office = 10.0.0.0/8\n",
};

/// See `summary`.
pub static EMPTY_LIST: Code = Code {
    name: "empty-list",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// See `summary`.
pub static MISSING_COMMA: Code = Code {
    name: "missing-comma",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// See `summary`.
pub static NAME: Code = Code {
    name: "malformed-name",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// See `summary`.
pub static UNKNOWN_WORD: Code = Code {
    name: "unknown-word",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// See `summary`.
pub static ESCAPE: Code = Code {
    name: "malformed-escape",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// See `summary`.
pub static ADDRESS: Code = Code {
    name: "malformed-address",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// See `summary`.
pub static EDITION: Code = Code {
    name: "edition",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// See `summary`.
pub static MIXED_CONNECTIVES: Code = Code {
    name: "mixed-connectives",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

/// Every code of this module.
pub static CODES: &[&Code] = &[
    &SYNTAX,
    &LITERAL,
    &EMPTY_LIST,
    &MISSING_COMMA,
    &NAME,
    &UNKNOWN_WORD,
    &ESCAPE,
    &ADDRESS,
    &EDITION,
    &MIXED_CONNECTIVES,
];
