//! Allow-once rules.

use crate::ir::people::Approver;
use crate::ir::selector::Selector;
use crate::ir::unlock::AllowOnceRule;
use crate::source::Span;
use crate::syntax::tree::{AllowOnceItem, AllowOnceStatement};
use crate::vocabulary::Override;

use super::lists::{Block, Once, expect_distinct};
use super::report::Report;
use super::scope::{Scope, header};
use super::selector::{Path, resolve_where};
use super::team::resolve_approvers;

pub(super) fn resolve_allow_once(
    item: &AllowOnceItem,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<AllowOnceRule> {
    let mut selector: Once<Option<Selector>> = Once::new("where");
    let mut overrides: Once<Vec<Override>> = Once::new("overrides");
    let mut by: Once<Option<Vec<Approver>>> = Once::new("by");
    let mut max: Once<u64> = Once::new("max");
    for statement in &item.statements {
        let at = statement.span;
        match &statement.value {
            AllowOnceStatement::Where(written) => {
                let resolved = resolve_where(Some(written), Path::Unlock, scope, report);
                selector.set(resolved, at, report);
            }
            AllowOnceStatement::Overrides(words) => {
                let elements = words.iter().map(|word| (word.value, word.span));
                expect_distinct(elements, Override::to_string, report);
                let mut words: Vec<Override> = words.iter().map(|word| word.value).collect();
                words.sort();
                words.dedup();
                overrides.set(words, at, report);
            }
            AllowOnceStatement::By(listed) => {
                by.set(resolve_approvers(listed, scope, report), at, report);
            }
            AllowOnceStatement::Max(duration) => max.set(duration.seconds, at, report),
        }
    }
    let block = Block {
        what: "allow-once rule",
        name: &item.name.value,
        name_span: item.name.span,
        span,
    };
    let what = "say what it overrides: `overrides [source, disabled]`";
    let overrides = overrides.required(&block, what, report).cloned();
    let by = by.required(&block, "say who may arm it: `by team dba`", report);
    let by = by.cloned().flatten();
    let max = max.required(&block, "say for how long at most: `max 2h`", report);
    Some(AllowOnceRule {
        header: header(&item.name),
        selector: selector.take_or(Selector::Any)?,
        overrides: overrides?,
        by: by?,
        max: *max?,
    })
}
