//! A lifetime that public issuers do not grant.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::vocabulary::IssuerType;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "long-lifetime",
    severity: Severity::Warning,
    summary: "a policy for `acme` issuers allows a lifetime that public CAs no longer grant",
    why: "What a public CA may grant shrinks by a calendar: 398 days until 2026-03-15, then 200, \
          from 2027-03-15 on 100, and from 2029-03-15 on 47 (CA/Browser Forum, ballot SC-081v3). A \
          policy that allows more lets requests through that the CA then refuses or cuts short, \
          and whoever plans renewals by the policy plans wrongly. Only policies that name `acme` \
          are looked at; where the ACME server is one of your own, say so in a comment.",
    bad: r#"edition 2026

project web

issuance web-certificates {
  where        project == web
  issuer-types acme
  lifetime     max 365d
}
"#,
    good: r#"edition 2026

project web

issuance web-certificates {
  where        project == web
  issuer-types acme
  lifetime     max 90d
}
"#,
};

/// From when on, and how many days at most. Source: CA/Browser Forum, ballot SC-081v3.
const CALENDAR: [(Date, u64); 3] = [
    (date(2026, 3, 15), 200),
    (date(2027, 3, 15), 100),
    (date(2029, 3, 15), 47),
];

/// Days until the calendar's first date. Source: ballot SC-031v3.
const BEFORE: u64 = 398;

const DAY: u64 = 24 * 3600;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let (since, days) = limit(context.now);
    for (_, policy) in context.set.issuances.iter() {
        let issuers = policy.issuer_types.as_ref();
        if !issuers.is_some_and(|rule| rule.value.contains(&IssuerType::Acme)) {
            continue;
        }
        if let Some(most) = &policy.lifetime_max
            && most.value > days * DAY
        {
            let since = since.map_or_else(String::new, |since| format!(", since {since}"));
            let message = format!("public CAs grant {days} days at most{since}");
            findings.push(
                Diagnostic::new(&CODE, most.span, message)
                    .label("allows more")
                    .help(format!("write `lifetime max {days}d` or less")),
            );
        }
    }
}

/// The days that may be granted now, and since when.
fn limit(now: Timestamp) -> (Option<Date>, u64) {
    let today = now.to_zoned(TimeZone::UTC).date();
    let step = CALENDAR.iter().rev().find(|(from, _)| *from <= today);
    step.map_or((None, BEFORE), |&(from, days)| (Some(from), days))
}
