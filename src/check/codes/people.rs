//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static REVERSED_PERIOD: Code = Code {
    name: "reversed-period",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static SELF_DELEGATION: Code = Code {
    name: "self-delegation",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
