//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static DUPLICATE_ELEMENT: Code = Code {
    name: "duplicate-element",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static MISSING_STATEMENT: Code = Code {
    name: "missing-statement",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static REPEATED_STATEMENT: Code = Code {
    name: "repeated-statement",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static EMPTY_TEXT: Code = Code {
    name: "empty-text",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static INVALID_REGEX: Code = Code {
    name: "invalid-regex",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
