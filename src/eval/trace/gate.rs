//! The part of groups and bypasses, on both paths.

use jiff::Timestamp;

use super::selected;
use crate::decision::TraceEntry;
use crate::eval::approval::Live;
use crate::eval::place;
use crate::eval::subject::Subject;
use crate::ir::PolicySet;
use crate::ir::people::Coverage;
use crate::ir::selector::Selector;
use crate::vocabulary::Action;

/// The selector of a coverage that is about this kind of request; its actions
/// where those do not name the request's.
fn about<'a>(
    covers: &'a Coverage,
    subject: &Subject<'_>,
) -> Option<(&'a Selector, Option<&'a [Action]>)> {
    match (covers, subject.action) {
        (Coverage::Unlock(selector), None) => Some((selector, None)),
        (Coverage::Issuance(actions, selector), Some(action)) => {
            let other = !actions.contains(&action);
            Some((selector, other.then_some(actions.as_slice())))
        }
        (Coverage::Unlock(_), Some(_)) | (Coverage::Issuance(..), None) => None,
    }
}

/// Each group of this path: whether it covers the request, and how it stands.
pub(super) fn groups(set: &PolicySet, subject: &Subject<'_>, live: Live<'_>) -> Vec<TraceEntry> {
    let groups = set.approvals.iter().filter_map(|(id, group)| {
        let (selector, other) = about(&group.covers, subject)?;
        let place = ("approval", place::approval(set, id, None));
        let mandatory = if group.mandatory {
            " and is mandatory"
        } else {
            ""
        };
        Some(selected(place, (set, selector, subject), || match other {
            Some(actions) => (false, is_about(actions)),
            None if live.satisfies(id) => (true, format!("covers this{mandatory}; satisfied")),
            None => (true, format!("covers this{mandatory}; not yet satisfied")),
        }))
    });
    groups.collect()
}

/// Each bypass of this path: whether it covers the request, and is in force.
pub(super) fn bypasses(
    set: &PolicySet,
    subject: &Subject<'_>,
    switched_on: bool,
    at: Timestamp,
) -> Vec<TraceEntry> {
    let bypasses = set.bypasses.iter().filter_map(|(id, bypass)| {
        let (selector, other) = about(&bypass.covers, subject)?;
        let place = ("bypass", place::bypass(set, id));
        Some(selected(place, (set, selector, subject), || match other {
            Some(actions) => (false, is_about(actions)),
            None if at >= bypass.until => (false, format!("ended at {}", bypass.until)),
            None if !switched_on => (false, "bypasses are switched off".to_owned()),
            None => (true, "stands in for approval".to_owned()),
        }))
    });
    bypasses.collect()
}

fn is_about(actions: &[Action]) -> String {
    let words: Vec<&str> = actions.iter().map(|action| action.word()).collect();
    format!("is about {} alone", words.join(", "))
}
