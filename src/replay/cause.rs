//! Which rule makes a candidate decide otherwise, by what both decisions say:
//! what stood in the way and does so no more, or what does so now.

use std::fmt;

use serde::{Serialize, Serializer};

use super::judge::Said;
use super::report::Class;
use crate::decision::{Decision, Obligation, RuleRef};
use crate::record::line::AskedLine;
use crate::request::{Approved, ArmedAllowOnce};
use crate::vocabulary::ReasonCode;

/// What a difference comes of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A rule, of the candidate or of what it is compared with.
    Rule {
        /// Its kind and name.
        text: String,
        /// Where it stands in the policy that said it.
        rule: Option<RuleRef>,
    },
    /// No rule: what stands for it, in words.
    Other(String),
}

impl Cause {
    /// The cause in words; `unlock servers` for a rule.
    pub fn text(&self) -> &str {
        match self {
            Cause::Rule { text, .. } | Cause::Other(text) => text,
        }
    }

    /// Where the rule stands.
    pub fn rule(&self) -> Option<&RuleRef> {
        match self {
            Cause::Rule { rule, .. } => rule.as_ref(),
            Cause::Other(_) => None,
        }
    }

    fn of(rule: &RuleRef) -> Cause {
        Cause::Rule {
            text: format!("{} {}", rule.kind, rule.name),
            rule: Some(rule.clone()),
        }
    }

    fn named(kind: &str, name: &str) -> Cause {
        Cause::Rule {
            text: format!("{kind} {name}"),
            rule: None,
        }
    }

    fn code(code: Option<ReasonCode>) -> Cause {
        Cause::Other(code.map_or("no reason given", ReasonCode::word).to_owned())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// What the candidate needs and a record does not have.
#[derive(Debug)]
pub(super) struct Lacking {
    pub(super) code: ReasonCode,
    pub(super) cause: Cause,
}

/// The rule through which `after` differs from `before` as `class` says.
pub(super) fn cause(class: Class, before: &Said, after: &Decision, asked: &AskedLine<'_>) -> Cause {
    let rules = after
        .reasons
        .iter()
        .filter_map(|reason| reason.rule.as_ref());
    let (was, is) = (before.rule.as_ref(), { rules }.next());
    let code = after.reasons.first().map(|reason| reason.code);
    let first = |one: Option<&RuleRef>, other: Option<&RuleRef>| match one.or(other) {
        Some(rule) => Cause::of(rule),
        None => Cause::code(code),
    };
    match class {
        Class::Widened => widened(before, after).unwrap_or_else(|| {
            if was_in_the_way(before) {
                first(was, is)
            } else {
                first(is, was)
            }
        }),
        Class::Narrowed if is_for_want_of_a_rule(code) => {
            // What allowed before is what no longer does.
            first(was.filter(|rule| rule.kind != "approval"), is)
        }
        Class::Narrowed | Class::Lacking => match is {
            Some(rule) => Cause::of(rule),
            None => match after.reasons.first() {
                // The message names the tag or the name that cannot be evaluated.
                Some(reason) if reason.code == ReasonCode::EvaluationIncomplete => {
                    Cause::Other(reason.message.clone())
                }
                Some(_) | None => first(None, was.filter(|rule| rule.kind != "approval")),
            },
        },
        Class::Changed => changed(before, after, asked).unwrap_or_else(|| first(is, was)),
    }
}

/// A bypass or a one-time unlock that now stands in.
fn widened(before: &Said, after: &Decision) -> Option<Cause> {
    let earlier = before.obligations.as_deref().unwrap_or_default();
    let bypass = after.obligations.iter().find_map(|one| match one {
        Obligation::RecordBypass { name } if !earlier.contains(one) => Some(name),
        Obligation::RecordBypass { .. }
        | Obligation::SpendAllowOnce { .. }
        | Obligation::SpendApproval { .. } => None,
    })?;
    Some(Cause::named("bypass", bypass))
}

/// Whether it was a rule that kept the request from more, and not the want of one.
fn was_in_the_way(before: &Said) -> bool {
    let code = before.codes.first().copied();
    code.is_some() && !is_for_want_of_a_rule(code) && code != Some(ReasonCode::OutsideSchedule)
}

/// Whether a code says that no rule allows, and not that one refuses.
fn is_for_want_of_a_rule(code: Option<ReasonCode>) -> bool {
    matches!(
        code,
        Some(ReasonCode::SourceNotAllowed | ReasonCode::DeviceDisabled | ReasonCode::Unregulated)
    )
}

/// What is required by one and not by the other.
fn changed(before: &Said, after: &Decision, asked: &AskedLine<'_>) -> Option<Cause> {
    let same_codes = before.codes.iter().copied();
    if !before.codes.is_empty() && !same_codes.eq(after.reasons.iter().map(|one| one.code)) {
        return None;
    }
    let groups = before.groups.as_deref().unwrap_or_default();
    let new = after.groups.iter().find(|group| !groups.contains(group));
    let gone = groups.iter().find(|group| !after.groups.contains(group));
    if let Some(group) = new.or(gone) {
        return Some(Cause::named("approval", group));
    }
    let spent = before.obligations.as_deref().unwrap_or_default();
    let new = (after.obligations.iter()).find(|one| !spent.contains(one));
    let gone = (spent.iter()).find(|one| !after.obligations.contains(one));
    new.or(gone).map(|one| obliging(one, asked))
}

/// The rule behind an obligation.
fn obliging(obligation: &Obligation, asked: &AskedLine<'_>) -> Cause {
    let (approvals, armed): (&[Approved], &[ArmedAllowOnce]) = match asked {
        AskedLine::Unlock(_, facts) => (&facts.approvals, &facts.allow_once),
        AskedLine::Issuance(_, facts) => (&facts.approvals, &[]),
    };
    match obligation {
        Obligation::RecordBypass { name } => Cause::named("bypass", name),
        Obligation::SpendAllowOnce { id } => {
            let armed = armed.iter().find(|one| one.id == *id);
            Cause::named("allow-once", armed.map_or(id, |one| &one.name))
        }
        Obligation::SpendApproval { id } => {
            let approval = approvals.iter().find(|one| one.id == *id);
            let group = approval.and_then(|one| one.groups.first());
            Cause::named("approval", group.unwrap_or(id))
        }
    }
}

/// What the candidate needs to know and records do not say.
pub(super) mod lacking {
    use super::{Cause, Lacking};
    use crate::decision::{Decision, Violation};
    use crate::eval::{Classified, Incomplete};
    use crate::vocabulary::{Outcome, ReasonCode};

    /// A tag that must be there, or what was live.
    pub(in crate::replay) fn unlock(
        class: &Classified,
        after: &Decision,
        has_facts: bool,
    ) -> Option<Lacking> {
        let code = after.reasons.first()?.code;
        if let (Err(incomplete @ Incomplete::Missing(_)), ReasonCode::EvaluationIncomplete) =
            (class, code)
        {
            return Some(Lacking {
                code,
                cause: Cause::Other(incomplete.to_string()),
            });
        }
        live(after, has_facts)
    }

    /// A member of the request that a rule demands, or what was live.
    pub(in crate::replay) fn issuance(after: &Decision, has_facts: bool) -> Option<Lacking> {
        let code = after.reasons.first()?.code;
        let mut violations = after.reasons.iter().flat_map(|one| &one.violations);
        let first = violations.clone().next();
        if after.outcome == Outcome::Deny && first.is_some() && violations.all(is_of_absence) {
            let rule = first.and_then(|one| one.rule.as_ref());
            let demanding = rule.map_or(String::new(), |rule| {
                format!(" of {} {}", rule.kind, rule.name)
            });
            let text = format!("{code}{demanding}");
            let rule = rule.cloned();
            return Some(Lacking {
                code,
                cause: Cause::Rule { text, rule },
            });
        }
        live(after, has_facts)
    }

    /// Whether a member is demanded that is not there at all.
    fn is_of_absence(violation: &Violation) -> bool {
        violation.found.is_none()
            && match violation.code {
                ReasonCode::KeyType
                | ReasonCode::IssuerType
                | ReasonCode::IssuerId
                | ReasonCode::Naming
                | ReasonCode::Lifetime
                | ReasonCode::AutoRenew
                | ReasonCode::ReasonRequired
                | ReasonCode::TicketRequired => true,
                ReasonCode::Allowed
                | ReasonCode::ApprovalRequired
                | ReasonCode::DeviceRevoked
                | ReasonCode::TemporarilyDenied
                | ReasonCode::SourceDenied
                | ReasonCode::DeviceDisabled
                | ReasonCode::SourceNotAllowed
                | ReasonCode::OutsideSchedule
                | ReasonCode::EvaluationIncomplete
                | ReasonCode::Unregulated
                | ReasonCode::SanMalformed
                | ReasonCode::SanCount
                | ReasonCode::SanDenied
                | ReasonCode::SanNotAllowed
                | ReasonCode::CommonName
                | ReasonCode::KeyExport
                | ReasonCode::UnsupportedField => false,
            }
    }

    /// Whether somebody had approved, which a record without facts does not say.
    fn live(after: &Decision, has_facts: bool) -> Option<Lacking> {
        let unknown = !has_facts && after.outcome == Outcome::Pending;
        unknown.then(|| Lacking {
            code: ReasonCode::ApprovalRequired,
            cause: Cause::Other("the record does not say what was live".to_owned()),
        })
    }
}
