//! Whether approval is needed and given, on both paths.

use jiff::Timestamp;
use panopol::decision::Obligation;
use panopol::ir::people::{ApprovalGroup, Coverage};
use panopol::request::Approved;

use super::Twin;
use super::fewest::{Candidate, fewest};

/// Whether approval stands in the way.
pub(super) enum Gate {
    /// It does not, at this price.
    Open(Vec<Obligation>),
    /// These groups are not yet satisfied.
    Closed(Vec<String>),
}

impl Twin {
    /// What the groups that `covers` accepts require: an approval first, then a bypass.
    pub(super) fn gate(
        &self,
        covers: impl Fn(&Coverage) -> bool,
        approvals: &[&Approved],
        allow_bypass: bool,
        at: Timestamp,
    ) -> Gate {
        let groups = self.groups(&covers);
        let live: Vec<&Approved> = approvals
            .iter()
            .copied()
            .filter(|one| at < one.until)
            .collect();
        if groups.is_empty() {
            Gate::Open(Vec::new())
        } else if let Some(spent) = approved(&groups, &live) {
            Gate::Open(spent)
        } else if let Some(name) = self.bypass(allow_bypass, at, covers) {
            Gate::Open(vec![Obligation::RecordBypass { name }])
        } else {
            let names = groups.iter().map(|group| group.header.name.clone());
            let missing = names.filter(|name| !live.iter().any(|one| one.groups.contains(name)));
            Gate::Closed(missing.collect())
        }
    }

    /// The groups that `covers` accepts, by name.
    pub(super) fn groups(&self, covers: impl Fn(&Coverage) -> bool) -> Vec<&ApprovalGroup> {
        let mut groups: Vec<&ApprovalGroup> = self
            .set
            .approvals
            .iter()
            .map(|(_, group)| group)
            .filter(|group| covers(&group.covers))
            .collect();
        groups.sort_by(|a, b| a.header.name.cmp(&b.header.name));
        groups
    }

    /// The first bypass by name that holds, if bypasses are on.
    fn bypass(
        &self,
        on: bool,
        at: Timestamp,
        covers: impl Fn(&Coverage) -> bool,
    ) -> Option<String> {
        self.set
            .bypasses
            .iter()
            .filter(|(_, bypass)| on && at < bypass.until && covers(&bypass.covers))
            .map(|(_, bypass)| bypass.header.name.clone())
            .min()
    }
}

/// What must be spent where live approvals satisfy what `groups` require:
/// each mandatory one, or, where none is, any.
fn approved(groups: &[&ApprovalGroup], live: &[&Approved]) -> Option<Vec<Obligation>> {
    let candidates: Vec<Candidate<String>> = live
        .iter()
        .map(|one| Candidate {
            until: one.until,
            id: one.id.clone(),
            holds: one.groups.iter().cloned().collect(),
        })
        .collect();
    let spent = fewest(&candidates, |union| {
        let satisfied = |group: &&ApprovalGroup| union.contains(&group.header.name);
        if groups.iter().any(|group| group.mandatory) {
            groups.iter().filter(|group| group.mandatory).all(satisfied)
        } else {
            groups.iter().any(satisfied)
        }
    })?;
    Some(
        spent
            .into_iter()
            .map(|id| Obligation::SpendApproval { id })
            .collect(),
    )
}
