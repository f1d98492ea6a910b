//! Issuance policies.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static SAN_PATTERN_KIND: Code = Code {
    name: "san-pattern-kind",
    severity: Severity::Error,
    summary: "a pattern has the form of another name type",
    why: "`san ip` takes bare addresses and CIDRs; `dns`, `email` and `uri` take strings.",
    bad: r#"edition 2026

issuance web {
  san ip allow "10.0.0.0/8"
}
"#,
    good: "edition 2026

issuance web {
  san ip allow 10.0.0.0/8
}
",
};

pub(in crate::check) static MALFORMED_SAN_PATTERN: Code = Code {
    name: "malformed-san-pattern",
    severity: Severity::Error,
    summary: "a pattern of names cannot be understood",
    why: "Names are compared as a CA reads them, so a pattern must normalise without doubt. A \
          star stands only in front: `*.` is exactly one label more, `**.` one or more.",
    bad: r#"edition 2026

issuance web {
  san dns allow "api.*.example.com"
}
"#,
    good: r#"edition 2026

issuance web {
  san dns allow "**.example.com"
}
"#,
};

pub(in crate::check) static REPEATED_SAN_TYPE: Code = Code {
    name: "repeated-san-type",
    severity: Severity::Error,
    summary: "a policy has two `san` lines of one type",
    why: "Which names of a type are allowed is said in one place, so that nobody overlooks the \
          other. Patterns stand in a list.",
    bad: r#"edition 2026

issuance web {
  san dns allow "*.example.com"
  san dns allow "*.example.org"
}
"#,
    good: r#"edition 2026

issuance web {
  san dns allow ["*.example.com", "*.example.org"]
}
"#,
};
