//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static SAN_PATTERN_KIND: Code = Code {
    name: "san-pattern-kind",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static MALFORMED_SAN_PATTERN: Code = Code {
    name: "malformed-san-pattern",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static REPEATED_SAN_TYPE: Code = Code {
    name: "repeated-san-type",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
