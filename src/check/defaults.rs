//! `defaults`: at most one in a set, each line at most once.

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::tree::DefaultsItem;
use crate::vocabulary::Effect;

use super::codes::names as codes;
use super::lists::report_repeated;
use super::report::Report;

/// What an issuance request that no policy matches gets; `deny` where nothing is said.
pub(super) fn resolve_defaults(items: &[(&DefaultsItem, Span)], report: &mut Report) -> Effect {
    let mut items = items.iter();
    let Some((first, first_span)) = items.next() else {
        return Effect::Deny;
    };
    for (_, span) in items {
        report.push(
            Diagnostic::new(
                &codes::DUPLICATE_NAME,
                *span,
                "`defaults` is declared twice",
            )
            .also(*first_span, "first declared here")
            .help("a policy set has one `defaults`: merge the two"),
        );
    }
    let mut lines = first.issuance.iter();
    let Some(effect) = lines.next() else {
        return Effect::Deny;
    };
    for again in lines {
        report_repeated("issuance", again.span, effect.span, report);
    }
    effect.value
}
