//! Invariants.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static INVARIANT_NOT_PROVED: Code = Code {
    name: "invariant-not-proved",
    severity: Severity::Note,
    summary: "an invariant is read, but not proved",
    why: "Names and types in an invariant are checked, but this version does not prove that \
          it holds. It says so rather than let a green run stand for a proof. Until then, \
          pin the cases that matter with tests.",
    bad: "edition 2026

invariant office-only {
  never allow unlock from outside 203.0.113.0/24
}
",
    good: r#"edition 2026

unlock servers { allow from 203.0.113.0/24 }

test "nobody unlocks from elsewhere" {
  device {}
  unlock from 192.0.2.1 expect deny source-not-allowed
}
"#,
};
