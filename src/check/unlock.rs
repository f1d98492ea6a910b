//! Unlock rules.

use crate::ir::unlock::{SourceLine, UnlockRule};
use crate::ir::{ScheduleId, selector::Selector};
use crate::source::Span;
use crate::syntax::tree::{self, UnlockItem, UnlockStatement};
use crate::vocabulary::Effect;

use super::lists::{Block, Once, expect_distinct};
use super::network::resolve_sources;
use super::report::Report;
use super::scope::{Scope, header};
use super::selector::{Path, resolve_where};

pub(super) fn resolve_unlock(
    item: &UnlockItem,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<UnlockRule> {
    let mut selector: Once<Option<Selector>> = Once::new("where");
    let (mut allow, mut deny) = (Vec::new(), Vec::new());
    for statement in &item.statements {
        match &statement.value {
            UnlockStatement::Where(written) => {
                let resolved = resolve_where(Some(written), Path::Unlock, scope, report);
                selector.set(resolved, statement.span, report);
            }
            UnlockStatement::Sources(line) => {
                let resolved = resolve_line(line, statement.span, scope, report);
                match line.effect {
                    Effect::Allow => allow.push(resolved),
                    Effect::Deny => deny.push(resolved),
                }
            }
        }
    }
    if allow.is_empty() && deny.is_empty() {
        let block = Block {
            what: "unlock rule",
            name: &item.name.value,
            name_span: item.name.span,
            span,
        };
        let help = "say from where: `allow from office`, `deny from 203.0.113.66`";
        block.report_missing("`allow from` and no `deny from`", help, report);
    }
    Some(UnlockRule {
        header: header(&item.name),
        selector: selector.take_or(Selector::Any)?,
        allow: allow.into_iter().collect::<Option<_>>()?,
        deny: deny.into_iter().collect::<Option<_>>()?,
    })
}

fn resolve_line(
    line: &tree::SourceLine,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<SourceLine> {
    let names = line
        .during
        .iter()
        .map(|name| (name.value.as_str(), name.span));
    expect_distinct(names, |name| (*name).to_owned(), report);
    let sources = resolve_sources(&line.sources, scope, report);
    let during: Vec<Option<ScheduleId>> = line
        .during
        .iter()
        .map(|name| scope.resolve::<ScheduleId>(name, report))
        .collect();
    Some(SourceLine {
        span,
        sources: sources?,
        during: during.into_iter().collect::<Option<_>>()?,
    })
}
