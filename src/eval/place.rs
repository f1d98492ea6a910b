//! References to rules, as decisions carry them.

use crate::decision::RuleRef;
use crate::ir::{AllowOnceId, ApprovalId, BypassId, IssuanceId, PolicySet, UnlockId};
use crate::source::Span;

/// Refers to a rule of `kind` at `span`.
pub fn rule(set: &PolicySet, kind: &str, name: &str, span: Span) -> RuleRef {
    RuleRef {
        kind: kind.to_owned(),
        name: name.to_owned(),
        file: set.sources.path(span).to_owned(),
        line: set.sources.position(span).line,
    }
}

/// An unlock rule, at one of its lines or at its name.
pub fn unlock(set: &PolicySet, id: UnlockId, line: Option<Span>) -> RuleRef {
    let header = &set.unlocks[id].header;
    rule(set, "unlock", &header.name, line.unwrap_or(header.span))
}

/// An issuance policy, at one of its statements or at its name.
pub fn issuance(set: &PolicySet, id: IssuanceId, statement: Option<Span>) -> RuleRef {
    let header = &set.issuances[id].header;
    rule(
        set,
        "issuance",
        &header.name,
        statement.unwrap_or(header.span),
    )
}

/// An approval group, at one of its statements or at its name.
pub fn approval(set: &PolicySet, id: ApprovalId, statement: Option<Span>) -> RuleRef {
    let header = &set.approvals[id].header;
    rule(
        set,
        "approval",
        &header.name,
        statement.unwrap_or(header.span),
    )
}

/// An allow-once rule.
pub fn allow_once(set: &PolicySet, id: AllowOnceId) -> RuleRef {
    let header = &set.allow_onces[id].header;
    rule(set, "allow-once", &header.name, header.span)
}

/// A bypass.
pub fn bypass(set: &PolicySet, id: BypassId) -> RuleRef {
    let header = &set.bypasses[id].header;
    rule(set, "bypass", &header.name, header.span)
}
