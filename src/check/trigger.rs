//! `on`: what an approval group or a bypass is about.

use crate::ir::people::Coverage;
use crate::syntax::tree::{Trigger, TriggerOn};
use crate::vocabulary::Action;

use super::lists::expect_distinct;
use super::report::Report;
use super::scope::Scope;
use super::selector::{Path, resolve_where};

/// The path that a trigger is on.
pub(super) fn path_of(trigger: &Trigger) -> Path {
    match trigger.on.value {
        TriggerOn::Unlock => Path::Unlock,
        TriggerOn::Actions(_) => Path::Issuance,
    }
}

pub(super) fn resolve_trigger(
    trigger: &Trigger,
    scope: &Scope,
    report: &mut Report,
) -> Option<Coverage> {
    let path = path_of(trigger);
    let selector = resolve_where(trigger.selector.as_ref(), path, scope, report);
    match &trigger.on.value {
        TriggerOn::Unlock => selector.map(Coverage::Unlock),
        TriggerOn::Actions(listed) => {
            let elements = listed.iter().map(|action| (action.value, action.span));
            expect_distinct(elements, Action::to_string, report);
            let mut actions: Vec<Action> = listed.iter().map(|action| action.value).collect();
            actions.sort();
            actions.dedup();
            Some(Coverage::Issuance(actions, selector?))
        }
    }
}
