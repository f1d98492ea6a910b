//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static NETWORK_CYCLE: Code = Code {
    name: "network-cycle",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static NETWORK_FILE: Code = Code {
    name: "network-file",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static NETWORK_FILE_LINE: Code = Code {
    name: "network-file-line",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static EMPTY_NETWORK_FILE: Code = Code {
    name: "empty-network-file",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static RESERVED_NETWORK: Code = Code {
    name: "reserved-network",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
