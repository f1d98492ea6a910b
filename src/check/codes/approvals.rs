//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static NUMBER_OUT_OF_RANGE: Code = Code {
    name: "number-out-of-range",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static UNMEETABLE_NEED: Code = Code {
    name: "unmeetable-need",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static TERM_ON_WRONG_PATH: Code = Code {
    name: "term-on-wrong-path",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static TIER_ABOVE_ON_UNLOCK: Code = Code {
    name: "tier-above-on-unlock",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};

pub(in crate::check) static GROUP_OF_OTHER_PATH: Code = Code {
    name: "group-of-other-path",
    severity: Severity::Error,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
