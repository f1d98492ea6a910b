//! x

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static INVARIANT_NOT_PROVED: Code = Code {
    name: "invariant-not-proved",
    severity: Severity::Note,
    summary: "",
    why: "",
    bad: "",
    good: "",
};
