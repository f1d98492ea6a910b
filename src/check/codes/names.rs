//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static UNKNOWN_TAG: Code = Code {
    name: "unknown-tag",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_NETWORK: Code = Code {
    name: "unknown-network",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_SCHEDULE: Code = Code {
    name: "unknown-schedule",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_PROJECT: Code = Code {
    name: "unknown-project",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_PROFILE: Code = Code {
    name: "unknown-profile",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_PERSON: Code = Code {
    name: "unknown-person",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_TEAM: Code = Code {
    name: "unknown-team",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_RULE: Code = Code {
    name: "unknown-rule",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static WRONG_KIND: Code = Code {
    name: "wrong-kind",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static DUPLICATE_NAME: Code = Code {
    name: "duplicate-name",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
