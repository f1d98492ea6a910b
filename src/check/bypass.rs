//! Bypasses.

use crate::ir::people::{Bypass, Coverage};
use crate::source::Span;
use crate::syntax::tree::{BypassItem, BypassStatement};

use super::lists::{Block, Once};
use super::moment::end_of;
use super::report::Report;
use super::scope::{Scope, header};
use super::text::expect_text;
use super::trigger::resolve_trigger;

pub(super) fn resolve_bypass(
    item: &BypassItem,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<Bypass> {
    let mut on: Once<Option<Coverage>> = Once::new("on");
    let mut reason = Once::new("reason");
    let mut until = Once::new("until");
    for statement in &item.statements {
        match &statement.value {
            BypassStatement::On(trigger) => {
                let covers = resolve_trigger(trigger, scope, report);
                on.set(covers, statement.span, report);
            }
            BypassStatement::Reason(text) => {
                expect_text("the reason", text, report);
                reason.set(text.value.clone(), statement.span, report);
            }
            BypassStatement::Until(moment) => until.set(end_of(moment), statement.span, report),
        }
    }
    let block = Block {
        what: "bypass",
        name: &item.name.value,
        name_span: item.name.span,
        span,
    };
    let covers = on.required(&block, "say what it bypasses: `on renew where …`", report);
    let covers = covers.cloned().flatten();
    let why = "say why: `reason \"CI renewals have no approver\"`";
    let reason = reason.required(&block, why, report).cloned();
    let help = "say when it ends: `until 2027-06-30`";
    let until = until.required(&block, help, report).copied();
    Some(Bypass {
        header: header(&item.name),
        covers: covers?,
        reason: reason?,
        until: until?,
    })
}
