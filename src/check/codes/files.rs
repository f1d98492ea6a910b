//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static EMPTY_SET: Code = Code {
    name: "empty-set",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNREADABLE_FILE: Code = Code {
    name: "unreadable-file",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static NOT_TEXT: Code = Code {
    name: "not-text",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
