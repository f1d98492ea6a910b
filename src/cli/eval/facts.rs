//! Live facts as the command line says them: the words of a test block.

use super::Failure;
use crate::ir::{AllowOnceId, ApprovalId, PolicySet};

/// One `--given`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The device is disabled.
    Disabled,
    /// The device is revoked.
    Revoked,
    /// A temporary denial holds for this device from this source.
    Denied,
    /// This group has approved.
    ApprovedBy(ApprovalId),
    /// This one-time unlock is armed for this source.
    AllowOnce(AllowOnceId),
}

const FORMS: &str =
    "a fact is `disabled`, `revoked`, `denied`, `approved by GROUP` or `allow-once NAME`";

/// Holds the groups and one-time unlocks that are supposed against those that
/// cover the subject, as a test's facts are.
///
/// # Errors
/// One that cannot hold.
pub(super) fn expect_possible<I: Copy + PartialEq>(
    given: &[I],
    covering: &[I],
    say: impl Fn(I) -> String,
) -> Result<(), Failure> {
    match given.iter().find(|one| !covering.contains(one)) {
        None => Ok(()),
        Some(&one) => Err(Failure::new(say(one)).help("leave this fact out")),
    }
}

/// Reads facts, each said once, beside how it was said.
///
/// # Errors
/// Not a fact, a name that nobody declares, or one fact twice.
pub(super) fn parse_facts<'a>(
    set: &PolicySet,
    given: &'a [String],
) -> Result<Vec<(Fact, &'a str)>, Failure> {
    let mut facts: Vec<(Fact, &str)> = Vec::new();
    for text in given {
        let fact = parse_fact(set, text)?;
        if facts.iter().any(|(earlier, _)| *earlier == fact) {
            let failure = Failure::new(format!("the fact `{text}` is given twice"));
            return Err(failure.help("a fact holds or does not: say it once"));
        }
        facts.push((fact, text));
    }
    Ok(facts)
}

/// Reads a fact; its names must be declared.
///
/// # Errors
/// Not a fact, or a name that nobody declares.
fn parse_fact(set: &PolicySet, text: &str) -> Result<Fact, Failure> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["disabled"] => Ok(Fact::Disabled),
        ["revoked"] => Ok(Fact::Revoked),
        ["denied"] => Ok(Fact::Denied),
        ["approved", "by", group] => {
            let found = set.approvals.find(group).map(Fact::ApprovedBy);
            found.ok_or_else(|| {
                Failure::new(format!("no approval group is named `{group}`"))
                    .nearest(group, set.approvals.names())
            })
        }
        ["allow-once", name] => {
            let found = set.allow_onces.find(name).map(Fact::AllowOnce);
            found.ok_or_else(|| {
                Failure::new(format!("no allow-once is named `{name}`"))
                    .nearest(name, set.allow_onces.names())
            })
        }
        _ => Err(Failure::new(format!("`{text}` is not a fact")).help(FORMS)),
    }
}
