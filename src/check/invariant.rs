//! Invariants: resolved and typed here, proved elsewhere.

use crate::ir::unlock::{
    Claim, Invariant, IssuanceRegion, RegionSources, UnlockRegion, WithoutApproval,
};
use crate::source::Span;
use crate::syntax::tree::{self, InvariantItem, InvariantLine};

use super::group::resolve_group;
use super::issuance::distinct;
use super::lists::Block;
use super::network::resolve_sources;
use super::report::Report;
use super::san::resolve_patterns;
use super::scope::{Scope, header};
use super::selector::{Path, resolve_where};

pub(super) fn resolve_invariant(
    item: &InvariantItem,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<Invariant> {
    if item.lines.is_empty() {
        let block = Block {
            what: "invariant",
            name: &item.name.value,
            name_span: item.name.span,
            span,
        };
        let help = "state something: `never allow unlock where … without approval`";
        block.report_missing("statement", help, report);
        return None;
    }
    let lines: Vec<Option<(Span, Claim)>> = item
        .lines
        .iter()
        .map(|line| Some((line.span, resolve_line(&line.value, scope, report)?)))
        .collect();
    let lines = lines.into_iter().collect::<Option<_>>()?;
    Some(Invariant {
        header: header(&item.name),
        lines,
    })
}

fn resolve_line(line: &InvariantLine, scope: &Scope, report: &mut Report) -> Option<Claim> {
    match line {
        InvariantLine::NeverAllowUnlock(region) => {
            unlock_region(region, scope, report).map(Claim::NeverAllowUnlock)
        }
        InvariantLine::AlwaysReachableUnlock(region) => {
            unlock_region(region, scope, report).map(Claim::AlwaysReachableUnlock)
        }
        InvariantLine::NeverAllowIssuance(region) => {
            issuance_region(region, scope, report).map(Claim::NeverAllowIssuance)
        }
    }
}

fn unlock_region(
    region: &tree::UnlockRegion,
    scope: &Scope,
    report: &mut Report,
) -> Option<UnlockRegion> {
    let selector = resolve_where(region.selector.as_ref(), Path::Unlock, scope, report);
    let from = match &region.from {
        None => Some(None),
        Some(from) => resolve_sources(&from.sources, scope, report).map(|sources| {
            Some(RegionSources {
                outside: from.outside,
                sources,
            })
        }),
    };
    let without_approval = match region.without_approval.as_ref().map(|w| &w.by) {
        None => Some(None),
        Some(None) => Some(Some(WithoutApproval::Any)),
        Some(Some(group)) => resolve_group(group, Path::Unlock, scope, report)
            .map(|id| Some(WithoutApproval::By(id))),
    };
    Some(UnlockRegion {
        selector: selector?,
        from: from?,
        without_approval: without_approval?,
    })
}

fn issuance_region(
    region: &tree::IssuanceRegion,
    scope: &Scope,
    report: &mut Report,
) -> Option<IssuanceRegion> {
    let selector = resolve_where(region.selector.as_ref(), Path::Issuance, scope, report);
    let key_types = distinct(&region.key_types, report);
    let san = match &region.san {
        None => Some(None),
        Some((kind, patterns)) => resolve_patterns(kind.value, patterns, report)
            .map(|patterns| Some((kind.value, patterns))),
    };
    Some(IssuanceRegion {
        selector: selector?,
        key_types: (!key_types.is_empty()).then_some(key_types),
        san: san?,
    })
}
