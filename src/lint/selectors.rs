//! Each rule that has a `where`, and how much it matches.

use super::Context;
use super::exact::{Exact, Share};
use crate::diagnostic::Diagnostic;
use crate::ir::people::Coverage;
use crate::ir::selector::Selector;
use crate::ir::{Header, PolicySet};
use crate::space::diagram::OverBudget;
use crate::vocabulary::Action;

/// Collects what `report` says of each rule's kind, header and share.
///
/// # Errors
/// The set is too large to be analysed.
pub(super) fn each_selector(
    context: &Context<'_>,
    findings: &mut Vec<Diagnostic>,
    report: impl Fn(&str, &Header, Share) -> Option<Diagnostic>,
) -> Result<(), OverBudget> {
    context.ask(|exact| ask_each(context.set, exact, findings, report))
}

fn ask_each(
    set: &PolicySet,
    exact: &mut Exact<'_>,
    findings: &mut Vec<Diagnostic>,
    report: impl Fn(&str, &Header, Share) -> Option<Diagnostic>,
) -> Result<(), OverBudget> {
    for (_, rule) in set.unlocks.iter() {
        if rule.selector != Selector::Any {
            let share = exact.devices(&rule.selector)?;
            findings.extend(report("unlock", &rule.header, share));
        }
    }
    for (_, rule) in set.allow_onces.iter() {
        if rule.selector != Selector::Any {
            let share = exact.devices(&rule.selector)?;
            findings.extend(report("allow-once", &rule.header, share));
        }
    }
    for (_, policy) in set.issuances.iter() {
        if policy.selector != Selector::Any {
            // An issuance policy never judges the two others.
            let share = exact.requests(&JUDGED, &policy.selector)?;
            findings.extend(report("issuance", &policy.header, share));
        }
    }
    let groups = set.approvals.iter();
    let groups = groups.map(|(_, one)| ("approval", &one.header, &one.covers));
    let bypasses = set.bypasses.iter();
    let bypasses = bypasses.map(|(_, one)| ("bypass", &one.header, &one.covers));
    for (kind, header, covers) in groups.chain(bypasses) {
        let (Coverage::Unlock(selector) | Coverage::Issuance(_, selector)) = covers;
        if *selector != Selector::Any {
            let share = exact.covered(covers)?;
            findings.extend(report(kind, header, share));
        }
    }
    Ok(())
}

/// The actions that an issuance policy can deny.
const JUDGED: [Action; 4] = [
    Action::Issue,
    Action::Renew,
    Action::Reissue,
    Action::Export,
];
