//! In-file tests.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static TIME_NEEDED: Code = Code {
    name: "time-needed",
    severity: Severity::Error,
    summary: "a test's outcome depends on a schedule, and it gives no time",
    why: "A test means the same on every day. Where some rule for this device and address \
          holds only during a schedule, the line says at which time it asks.",
    bad: r#"edition 2026

schedule work = mon..fri 08:00..18:00 in "UTC"

unlock laptops { allow from 192.0.2.0/24 during work }

test "laptops boot at work" {
  device {}
  unlock from 192.0.2.1 expect allow
}
"#,
    good: r#"edition 2026

schedule work = mon..fri 08:00..18:00 in "UTC"

unlock laptops { allow from 192.0.2.0/24 during work }

test "laptops boot at work" {
  device {}
  unlock from 192.0.2.1 at 2026-12-21T09:00:00Z expect allow
}
"#,
};

pub(in crate::check) static MISSING_SUBJECT: Code = Code {
    name: "missing-subject",
    severity: Severity::Error,
    summary: "an expectation has no subject, or one of the other kind",
    why: "`device {…}` says who unlocks, `request {…}` what certificate is asked for. A test \
          has one of them, before its expectations.",
    bad: r#"edition 2026

test "nobody unlocks" {
  unlock from 192.0.2.1 expect deny source-not-allowed
}
"#,
    good: r#"edition 2026

test "nobody unlocks" {
  device {}
  unlock from 192.0.2.1 expect deny source-not-allowed
}
"#,
};

pub(in crate::check) static IMPOSSIBLE_FACT: Code = Code {
    name: "impossible-fact",
    severity: Severity::Error,
    summary: "a fact cannot hold for this subject",
    why: "A group approves only what it covers, an allow-once is armed only where its `where` \
          matches, and a device has one state. A test that assumes otherwise shows nothing \
          about any request there can be.",
    bad: r#"edition 2026

tag env = production | dev
person alice {}
approval prod {
  on unlock where env == production
  approvers person alice
}
unlock any { allow from 192.0.2.0/24 }

test "an approved reboot" {
  device { env = dev }
  unlock from 192.0.2.1 given approved by prod expect allow
}
"#,
    good: r#"edition 2026

tag env = production | dev
person alice {}
approval prod {
  on unlock where env == production
  approvers person alice
}
unlock any { allow from 192.0.2.0/24 }

test "an approved reboot" {
  device { env = production }
  unlock from 192.0.2.1 given approved by prod expect allow
}
"#,
};

pub(in crate::check) static SEVERAL_REASONS: Code = Code {
    name: "several-reasons",
    severity: Severity::Error,
    summary: "an unlock is expected to be denied for several reasons",
    why: "The decision on an unlock ends at the first step that denies, so it has exactly one \
          reason. Certificate requests have all theirs.",
    bad: r#"edition 2026

test "a revoked device" {
  device {}
  unlock from 192.0.2.1 given revoked expect deny [device-revoked, source-not-allowed]
}
"#,
    good: r#"edition 2026

test "a revoked device" {
  device {}
  unlock from 192.0.2.1 given revoked expect deny device-revoked
}
"#,
};

pub(in crate::check) static CODE_OF_OTHER_PATH: Code = Code {
    name: "code-of-other-path",
    severity: Severity::Error,
    summary: "a reason code can never deny this",
    why: "Unlocks and certificate requests are denied with codes of their own. Such a test \
          could only fail.",
    bad: r#"edition 2026

test "nobody unlocks" {
  device {}
  unlock from 192.0.2.1 expect deny unregulated
}
"#,
    good: r#"edition 2026

test "nobody unlocks" {
  device {}
  unlock from 192.0.2.1 expect deny source-not-allowed
}
"#,
};

pub(in crate::check) static CODE_ORDER: Code = Code {
    name: "code-order",
    severity: Severity::Error,
    summary: "expected codes stand in another order than they are reported in",
    why: "A certificate request is denied with all its codes, in the fixed order of the \
          checks; a test states exactly that list.",
    bad: r#"edition 2026

issuance web {
  key-types ECDSA-P256
  lifetime max 90d
}

test "a large old key" {
  request { action = issue, key-type = RSA-4096, lifetime = 365d }
  issuance expect deny [lifetime, key-type]
}
"#,
    good: r#"edition 2026

issuance web {
  key-types ECDSA-P256
  lifetime max 90d
}

test "a large old key" {
  request { action = issue, key-type = RSA-4096, lifetime = 365d }
  issuance expect deny [key-type, lifetime]
}
"#,
};

pub(in crate::check) static MISSING_MEMBER: Code = Code {
    name: "missing-member",
    severity: Severity::Error,
    summary: "a request lacks a member that it cannot do without",
    why: "What is asked is part of every request, and a certificate that is followed has an \
          `id` and its names.",
    bad: r#"edition 2026

test "nothing is issued" {
  request { name = "api" }
  issuance expect deny unregulated
}
"#,
    good: r#"edition 2026

test "nothing is issued" {
  request { action = issue, name = "api" }
  issuance expect deny unregulated
}
"#,
};

pub(in crate::check) static UNKNOWN_MEMBER: Code = Code {
    name: "unknown-member",
    severity: Severity::Error,
    summary: "a request has no such member",
    why: "Members are named as in a request's JSON, with hyphens. One that nobody reads would \
          leave the test weaker than it looks.",
    bad: r#"edition 2026

test "nothing is issued" {
  request { action = issue, lifetme = 90d }
  issuance expect deny unregulated
}
"#,
    good: r#"edition 2026

test "nothing is issued" {
  request { action = issue, lifetime = 90d }
  issuance expect deny unregulated
}
"#,
};

pub(in crate::check) static MEMBER_TYPE: Code = Code {
    name: "member-type",
    severity: Severity::Error,
    summary: "a member of a request has a value of the wrong type",
    why: "Declared names and closed words stand bare, free text in quotes, a lifetime is a \
          duration. A key or issuer type in quotes is one that no policy knows.",
    bad: r#"edition 2026

test "nothing is issued" {
  request { action = issue, lifetime = "90d" }
  issuance expect deny unregulated
}
"#,
    good: r#"edition 2026

test "nothing is issued" {
  request { action = issue, lifetime = 90d }
  issuance expect deny unregulated
}
"#,
};
