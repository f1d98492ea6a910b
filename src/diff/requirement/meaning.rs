//! What approval groups say, whatever they are called.

use std::collections::BTreeSet;

use crate::eval::people::listed;
use crate::ir::people::{ApprovalGroup, Approver, Need};
use crate::ir::{ApprovalId, PolicySet};
use crate::source::duration;
use crate::vocabulary::Binds;

/// One group by what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct GroupMeaning {
    mandatory: bool,
    tier_above: bool,
    approvers: BTreeSet<String>,
    /// Each clause's count and who may fill it; none: any approver.
    need: Vec<(u32, Option<BTreeSet<String>>)>,
    escalations: Vec<(u64, BTreeSet<String>)>,
}

/// What several groups that cover the same request come to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::diff) struct Meaning {
    groups: Vec<GroupMeaning>,
    expires: u64,
    claim: u64,
    collect: u64,
    up_to: u32,
    binds: Binds,
    deny_for: u64,
    comment: bool,
}

impl Meaning {
    /// What these groups, at least one, require together.
    pub(in crate::diff) fn of(set: &PolicySet, ids: &[ApprovalId]) -> Option<Self> {
        let groups = ids.iter().map(|&id| &set.approvals[id]);
        let mut meanings: Vec<GroupMeaning> = groups
            .clone()
            .map(|group| GroupMeaning::of(set, group))
            .collect();
        meanings.sort();
        // One of two alike is as good as both; but two mandatory ones take two persons.
        meanings.dedup_by(|a, b| a == b && !a.mandatory);
        let terms = groups.clone().map(|group| &group.terms);
        Some(Meaning {
            groups: meanings,
            expires: groups.clone().map(|group| group.expires).min()?,
            claim: terms.clone().map(|terms| terms.claim).min()?,
            collect: terms.clone().map(|terms| terms.collect).min()?,
            up_to: terms.clone().map(|terms| terms.up_to.get()).min()?,
            binds: terms.clone().map(|terms| terms.binds).min()?,
            deny_for: terms.map(|terms| terms.deny_for).max()?,
            comment: groups.clone().any(|group| group.comment_required),
        })
    }

    /// Who must approve, in words.
    pub(super) fn groups_words(&self) -> String {
        let groups: Vec<String> = self.groups.iter().map(GroupMeaning::words).collect();
        groups.join(" or ")
    }

    /// In words: all of it, as what differs may be anywhere.
    pub(in crate::diff) fn words(&self, beside: &Meaning) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.groups != beside.groups {
            parts.push(self.groups_words());
        }
        let mut term = |name: &str, own: u64, other: u64| {
            if own != other {
                parts.push(format!("{name} {}", duration(own)));
            }
        };
        term("expires", self.expires, beside.expires);
        term("claim", self.claim, beside.claim);
        term("collect", self.collect, beside.collect);
        term("deny-for", self.deny_for, beside.deny_for);
        if self.up_to != beside.up_to {
            parts.push(format!("up to {}", self.up_to));
        }
        if self.binds != beside.binds {
            parts.push(format!("binds {}", self.binds));
        }
        if self.comment != beside.comment {
            let word = if self.comment {
                "comment required"
            } else {
                "no comment required"
            };
            parts.push(word.to_owned());
        }
        parts.join(", ")
    }
}

impl GroupMeaning {
    pub(super) fn of(set: &PolicySet, group: &ApprovalGroup) -> Self {
        let need = match &group.need {
            Need::Count(count) => vec![(count.get(), None)],
            Need::Clauses(clauses) => {
                let clauses = clauses
                    .iter()
                    .map(|&(count, team)| (count.get(), Some(names(set, &[Approver::Team(team)]))));
                let mut clauses: Vec<_> = clauses.collect();
                clauses.sort();
                clauses
            }
        };
        let escalations = group.escalations.iter();
        let mut escalations: Vec<_> = escalations
            .map(|one| (one.after, names(set, &one.to)))
            .collect();
        escalations.sort();
        let meaning = GroupMeaning {
            mandatory: group.mandatory,
            tier_above: group.tier_above,
            approvers: names(set, &group.approvers),
            need,
            escalations,
        };
        meaning.plain()
    }

    /// One clause that every approver there can be may fill is a bare count.
    fn plain(mut self) -> Self {
        let is_closed = !self.tier_above && self.escalations.is_empty();
        if let [(_, of)] = self.need.as_mut_slice()
            && is_closed
            && of.as_ref() == Some(&self.approvers)
        {
            *of = None;
        }
        self
    }

    fn words(&self) -> String {
        let clause = |(count, of): &(u32, Option<BTreeSet<String>>)| match of {
            None => format!("{count} of {}", people(&self.approvers)),
            // Nobody who is added later, or has a higher role, fills it.
            Some(of) if *of == self.approvers => format!("{count} of {} alone", people(of)),
            Some(of) => format!("{count} of {}", people(of)),
        };
        let need: Vec<String> = self.need.iter().map(clause).collect();
        let tier = if self.tier_above {
            " or a tier above"
        } else {
            ""
        };
        let mandatory = if self.mandatory { "mandatory: " } else { "" };
        let escalations = self.escalations.iter();
        let after = escalations
            .map(|(after, to)| format!(", after {} also {}", duration(*after), people(to)));
        format!(
            "{mandatory}{}{tier}{}",
            need.join(" and "),
            after.collect::<String>()
        )
    }
}

pub(super) fn people(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("[{}]", names.join(", "))
}

pub(super) fn names(set: &PolicySet, approvers: &[Approver]) -> BTreeSet<String> {
    let persons = listed(set, approvers).into_iter();
    persons.map(|id| set.persons.name(id).to_owned()).collect()
}
