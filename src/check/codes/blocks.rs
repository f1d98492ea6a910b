//! Faults that any block or list can have.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static DUPLICATE_ELEMENT: Code = Code {
    name: "duplicate-element",
    severity: Severity::Error,
    summary: "a list has the same element twice",
    why: "The second one changes nothing, so it is either left over or a misspelling of \
          what was meant. In a `need`, two clauses of one team are written as one.",
    bad: "edition 2026

network office = [203.0.113.0/24, 203.0.113.0/24]
",
    good: "edition 2026

network office = [203.0.113.0/24, 203.0.114.0/24]
",
};

pub(in crate::check) static MISSING_STATEMENT: Code = Code {
    name: "missing-statement",
    severity: Severity::Error,
    summary: "a block lacks a statement that it cannot do without",
    why: "A rule that says only half has no safe meaning to guess: a bypass without an end \
          would hold for ever, an approval group without approvers would never approve.",
    bad: "edition 2026

unlock servers {
}
",
    good: "edition 2026

unlock servers {
  allow from 192.0.2.0/24
}
",
};

pub(in crate::check) static REPEATED_STATEMENT: Code = Code {
    name: "repeated-statement",
    severity: Severity::Error,
    summary: "a statement that stands once in a block is given twice",
    why: "The language has no order, so neither of the two wins. Merge them, or make two \
          rules of the block.",
    bad: "edition 2026

person alice {}
approval prod {
  on unlock
  approvers person alice
  expires 24h
  expires 12h
}
",
    good: "edition 2026

person alice {}
approval prod {
  on unlock
  approvers person alice
  expires 12h
}
",
};

pub(in crate::check) static EMPTY_TEXT: Code = Code {
    name: "empty-text",
    severity: Severity::Error,
    summary: "a text that should say something is empty",
    why: "A reason is what an auditor reads, an e-mail address is where a notice goes. Empty \
          ones satisfy the syntax and nobody else.",
    bad: r#"edition 2026

project lab
bypass ci {
  on renew where project == lab
  reason ""
  until 2027-06-30
}
"#,
    good: r#"edition 2026

project lab
bypass ci {
  on renew where project == lab
  reason "CI renewals have no approver"
  until 2027-06-30
}
"#,
};

pub(in crate::check) static INVALID_REGEX: Code = Code {
    name: "invalid-regex",
    severity: Severity::Error,
    summary: "a regular expression is wrong",
    why: "Expressions have the syntax of RE2 and match in linear time, so they know neither \
          look-around nor backreferences, and one that compiles to more than 1 MiB is refused. \
          They match the whole name or ticket; `^` and `$` are not needed.",
    bad: "edition 2026

issuance web {
  naming /^(prod|stage-[a-z]+$/
}
",
    good: "edition 2026

issuance web {
  naming /(prod|stage)-[a-z]+/
}
",
};
