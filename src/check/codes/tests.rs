//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static TIME_NEEDED: Code = Code {
    name: "time-needed",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static MISSING_SUBJECT: Code = Code {
    name: "missing-subject",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static IMPOSSIBLE_FACT: Code = Code {
    name: "impossible-fact",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static SEVERAL_REASONS: Code = Code {
    name: "several-reasons",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static CODE_OF_OTHER_PATH: Code = Code {
    name: "code-of-other-path",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static CODE_ORDER: Code = Code {
    name: "code-order",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static MISSING_MEMBER: Code = Code {
    name: "missing-member",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_MEMBER: Code = Code {
    name: "unknown-member",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static MEMBER_TYPE: Code = Code {
    name: "member-type",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
