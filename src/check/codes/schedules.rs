//! Schedules.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static UNKNOWN_ZONE: Code = Code {
    name: "unknown-zone",
    severity: Severity::Error,
    summary: "a schedule names no time zone",
    why: "Local hours need a zone of the IANA database, spelled as it is there. The database \
          is compiled in, so that a policy means the same on every machine.",
    bad: r#"edition 2026

schedule work = mon..fri 08:00..18:00 in "Europe/Berln"
"#,
    good: r#"edition 2026

schedule work = mon..fri 08:00..18:00 in "Europe/Berlin"
"#,
};
