//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static UNKNOWN_ZONE: Code = Code {
    name: "unknown-zone",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static EMPTY_WINDOW: Code = Code {
    name: "empty-window",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
