//! Persons, services and teams.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static REVERSED_PERIOD: Code = Code {
    name: "reversed-period",
    severity: Severity::Error,
    summary: "a period ends before it begins",
    why: "A delegation from a later day until an earlier one would never hold, and nobody \
          would notice before the day that it is needed.",
    bad: "edition 2026

person alice {}
person bob { delegate alice from 2027-01-02 until 2026-12-20 }
",
    good: "edition 2026

person alice {}
person bob { delegate alice from 2026-12-20 until 2027-01-02 }
",
};

pub(in crate::check) static SELF_DELEGATION: Code = Code {
    name: "self-delegation",
    severity: Severity::Error,
    summary: "somebody stands in for themself",
    why: "A delegation names another person, who decides meanwhile.",
    bad: "edition 2026

person bob { delegate bob from 2026-12-20 until 2027-01-02 }
",
    good: "edition 2026

person alice {}
person bob { delegate alice from 2026-12-20 until 2027-01-02 }
",
};
