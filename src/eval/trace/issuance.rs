//! The trace of a certificate request.

use super::{Rank, entry, gate, mark_nearest, step};
use crate::decision::{Decision, TraceEntry, Violation};
use crate::eval::issuance::{Case, Scope};
use crate::eval::{describe, place};
use crate::ir::IssuanceId;
use crate::vocabulary::Outcome;

/// The rules of a certificate request, in the order of decision.
pub(crate) fn issuance(case: &Case<'_>, decision: &Decision) -> Vec<TraceEntry> {
    let mut entries = vec![step("action", true, action(case))];
    let scope = match &case.scope {
        Ok(scope) => scope,
        Err(incomplete) => {
            entries.push(step("request", true, incomplete.to_string()));
            return entries;
        }
    };
    if case.is_regulated() {
        policies(case, scope, decision, &mut entries);
    }
    entries.extend(gate::groups(case.set, &scope.subject, case.live()));
    let switched_on = case.facts.allow_bypass;
    entries.extend(gate::bypasses(
        case.set,
        &scope.subject,
        switched_on,
        case.at,
    ));
    entries
}

fn action(case: &Case<'_>) -> String {
    match &case.fallback {
        Some(why) => format!(
            "{} is judged as {}: {why}",
            case.request.action, case.action
        ),
        None => format!("judged as {}", case.action),
    }
}

fn policies(
    case: &Case<'_>,
    scope: &Scope<'_>,
    decision: &Decision,
    entries: &mut Vec<TraceEntry>,
) {
    let violations: Vec<&Violation> = decision
        .reasons
        .iter()
        .flat_map(|reason| &reason.violations)
        .collect();
    let intrinsic = violations.iter().filter(|one| one.rule.is_none());
    entries.extend(intrinsic.map(|one| step("request", true, one.message.clone())));
    let mut ranked = Vec::new();
    for (id, _) in case.set.issuances.iter() {
        let (made, rank) = policy(case, scope, id, &violations);
        if rank != (0, 0) {
            ranked.push((entries.len(), rank));
        }
        entries.push(made);
    }
    if scope.policies.is_empty() {
        let default = case.set.issuance_default;
        let detail = format!("no policy matches, and the default is {default}");
        entries.push(step("default", true, detail));
    }
    if decision.outcome == Outcome::Deny {
        // Where a policy matches, only those that match can be what failed.
        if !scope.policies.is_empty() {
            ranked.retain(|&(_, (_, own))| own == 0);
        }
        mark_nearest(entries, &ranked);
    }
}

/// One policy: which of its conditions fail, or which of its demands.
fn policy(
    case: &Case<'_>,
    scope: &Scope<'_>,
    id: IssuanceId,
    violations: &[&Violation],
) -> (TraceEntry, Rank) {
    let set = case.set;
    let rule = place::issuance(set, id, None);
    let failed = describe::failures(set, &set.issuances[id].selector, &scope.subject);
    if !failed.is_empty() {
        let rank = (failed.len(), failed.len());
        return (entry("policy", rule, false, failed.join("; ")), rank);
    }
    let of_this = |one: &&&Violation| {
        let named = one.rule.as_ref();
        named.is_some_and(|named| named.kind == rule.kind && named.name == rule.name)
    };
    let failed: Vec<&str> = (violations.iter().filter(of_this))
        .map(|one| one.message.as_str())
        .collect();
    let detail = if failed.is_empty() {
        "matches, and the request passes it".to_owned()
    } else {
        failed.join("; ")
    };
    (entry("policy", rule, true, detail), (failed.len(), 0))
}
