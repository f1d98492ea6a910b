//! Faults of the files themselves.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static EMPTY_SET: Code = Code {
    name: "empty-set",
    severity: Severity::Error,
    summary: "a policy set has no policy file",
    why: "A set without a single rule denies everything. That is hardly ever meant: more \
          likely the path is wrong, or the files lack the `.pano` ending.",
    bad: "# file: README.md
Policies go here.
",
    good: "# file: unlock.pano
edition 2026
",
};

pub(in crate::check) static UNREADABLE_FILE: Code = Code {
    name: "unreadable-file",
    severity: Severity::Error,
    summary: "a policy file or directory cannot be read",
    why: "A file that is skipped may hold the one `deny` that matters, so a set is read \
          whole or not at all. Besides missing permission this is: a link that leads out of \
          the set or back to itself, a named pipe, a device or a socket, the same file under \
          two names, a file above 64 MiB, more than 10,000 files, directories more than 64 \
          deep, and a file that changed while it was read. No example in text can show it.",
    bad: "",
    good: "",
};

pub(in crate::check) static NOT_TEXT: Code = Code {
    name: "not-text",
    severity: Severity::Error,
    summary: "a policy file is not UTF-8 text",
    why: "Policies are UTF-8 without NUL bytes. Other bytes are the sign of another \
          encoding, of a file that was cut off, or of a file that is no policy.",
    bad: "edition 2026\n\n# caf\0\n",
    good: "edition 2026

# café
",
};
