//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static RESERVED_NAME: Code = Code {
    name: "reserved-name",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNKNOWN_VALUE: Code = Code {
    name: "unknown-value",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static QUOTED_VALUE: Code = Code {
    name: "quoted-value",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static BARE_VALUE: Code = Code {
    name: "bare-value",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static ATTRIBUTE_AS_TAG: Code = Code {
    name: "attribute-as-tag",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static ATTRIBUTE_ON_UNLOCK: Code = Code {
    name: "attribute-on-unlock",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static TAG_CONFLICT: Code = Code {
    name: "tag-conflict",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
