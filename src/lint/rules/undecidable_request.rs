//! A certificate request that waits for approval which nobody can give.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::eval::people::Asker;
use crate::eval::requirement;
use crate::ir::people::Coverage;
use crate::ir::selector::{Actor, Atom};
use crate::ir::{ApprovalId, PolicySet, ProjectId};
use crate::lint::Context;
use crate::lint::exact::{Exact, mandatory_together};
use crate::lint::points::{Point, askers, each_atom, scopes};
use crate::lint::undecided::not_decided;
use crate::space::diagram::OverBudget;
use crate::vocabulary::{Action, Effect};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "undecidable-request",
    severity: Severity::Warning,
    summary: "somebody may ask for what nobody else can approve",
    why: "Who asks can never approve, by any credential: not by a token that they minted, nor for \
          a service that they own. Where the others are too few, the request ends `rejected` with \
          `no-eligible-approver` the moment it is made. Every request that the policies let \
          through is looked at: each action of each project and profile, by everyone whose role \
          is enough to ask (operator or above). So is every device that several mandatory groups \
          cover: a person counts once over all of them. Escalations count; somebody who stands in \
          for a while does not.",
    bad: r#"edition 2026

project web

person alice { role owner in org }
person bob   { role operator in project web }

issuance web-certificates {
  where     project == web
  key-types ECDSA-P256
}

approval certificates {
  on        issue where project == web
  approvers tier-above
}
"#,
    good: r#"edition 2026

project web

person alice { role owner in org }
person bob   { role operator in project web }
person carol { role owner in org }

issuance web-certificates {
  where     project == web
  key-types ECDSA-P256
}

approval certificates {
  on        issue where project == web
  approvers tier-above
}
"#,
};

/// Selectors held against requests, and people against groups, before the lint gives up.
const BUDGET: usize = 5_000_000;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if context
        .ask(|exact| check_unlocks(context, exact, findings))
        .is_err()
    {
        findings.push(not_decided(&CODE, "the set is too large or too entangled"));
    }
    let mut search = Search::new(context.set);
    if search.groups.is_empty() {
        return;
    }
    if search.run().is_none() {
        findings.push(not_decided(
            &CODE,
            "there are too many projects, profiles, people and groups",
        ));
    }
    for (groups, asked) in &search.undecidable {
        findings.extend(report(context.set, groups, asked));
    }
}

/// Mandatory groups that cover one device take all of their persons together,
/// and a person counts for one of them. One group alone the checker refuses.
fn check_unlocks(
    context: &Context<'_>,
    exact: &mut Exact<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Result<(), OverBudget> {
    let set = context.set;
    let is_mandatory = |id: &ApprovalId| set.approvals[*id].mandatory;
    if set
        .approvals
        .iter()
        .filter(|(id, _)| is_mandatory(id))
        .count()
        < 2
    {
        return Ok(());
    }
    for (mandatory, devices) in mandatory_together(set, exact)? {
        let required = requirement(set, &mandatory, Asker::default(), Timestamp::MAX);
        if required.is_none_or(|one| one.can_be_met_without(&BTreeSet::new())) {
            continue;
        }
        let title = "an unlock that nobody can approve";
        let Some(witness) = exact.pending(context, devices, title)? else {
            continue;
        };
        let [first, rest @ ..] = mandatory.as_slice() else {
            continue;
        };
        let header = &set.approvals[*first].header;
        let message = format!(
            "too few persons for {}, each of which is mandatory",
            names(set, &mandatory)
        );
        let mut finding = Diagnostic::new(&CODE, header.span, message)
            .label("covers some device together with the others")
            .help("name more people: a person counts once over all of them");
        for id in rest {
            finding = finding.also(set.approvals[*id].header.span, "mandatory too");
        }
        finding.witness = Some(witness);
        findings.push(finding);
    }
    Ok(())
}

/// `a` and `b`, in backticks.
fn names(set: &PolicySet, groups: &[ApprovalId]) -> String {
    let names = groups
        .iter()
        .map(|&id| format!("`{}`", set.approvals.name(id)));
    names.collect::<Vec<_>>().join(" and ")
}

/// Who asks for what.
struct Asked {
    action: Action,
    project: Option<ProjectId>,
    profile: Option<crate::ir::ProfileId>,
    requester: Actor,
}

struct Search<'a> {
    set: &'a PolicySet,
    /// The groups that cover certificate requests.
    groups: Vec<ApprovalId>,
    /// Those whom some selector tells from others.
    named: BTreeSet<Actor>,
    left: usize,
    /// What was found of a requester, where nothing else matters.
    known: BTreeMap<(Vec<ApprovalId>, Option<ProjectId>, Actor), bool>,
    undecidable: BTreeMap<Vec<ApprovalId>, Vec<Asked>>,
}

impl<'a> Search<'a> {
    fn new(set: &'a PolicySet) -> Self {
        let mut named = BTreeSet::new();
        let mut name = |atom: &Atom| {
            if let Atom::Requester(actors) = atom {
                named.extend(actors.iter().copied());
            }
        };
        let mut groups = Vec::new();
        for (id, group) in set.approvals.iter() {
            if let Coverage::Issuance(_, selector) = &group.covers {
                groups.push(id);
                each_atom(selector, &mut name);
            }
        }
        for (_, policy) in set.issuances.iter() {
            each_atom(&policy.selector, &mut name);
        }
        Search {
            set,
            groups,
            named,
            left: BUDGET,
            known: BTreeMap::new(),
            undecidable: BTreeMap::new(),
        }
    }

    /// Looks at everything; none where the budget is spent.
    fn run(&mut self) -> Option<()> {
        for (project, profile) in scopes(self.set) {
            let askers = askers(self.set, project);
            for &action in Action::ALL {
                let mut point = Point::new(self.set, project, profile, action);
                let mut of_others = None;
                for &requester in &askers {
                    point.requester = Some(requester);
                    let groups = if self.named.contains(&requester) {
                        self.covering(&point)?
                    } else {
                        // Selectors cannot tell these from each other.
                        match &of_others {
                            Some(groups) => Vec::clone(groups),
                            None => of_others.insert(self.covering(&point)?).clone(),
                        }
                    };
                    self.judge(&point, requester, groups)?;
                }
            }
        }
        Some(())
    }

    /// The groups that a request waits for; none where it is denied before.
    fn covering(&mut self, point: &Point<'_>) -> Option<Vec<ApprovalId>> {
        let cost = self.groups.len() + self.set.issuances.len();
        self.left = self.left.checked_sub(cost)?;
        if self.is_denied(point) {
            return Some(Vec::new());
        }
        let covering =
            self.groups
                .iter()
                .copied()
                .filter(|&id| match &self.set.approvals[id].covers {
                    Coverage::Issuance(actions, selector) => {
                        actions.contains(&point.action) && point.satisfies(selector) == Some(true)
                    }
                    Coverage::Unlock(_) => false,
                });
        Some(covering.collect())
    }

    /// Whether every such request is denied, whatever else it says.
    fn is_denied(&self, point: &Point<'_>) -> bool {
        let policies = self.set.issuances.iter();
        let mut matching = policies
            .filter(|(_, policy)| point.satisfies(&policy.selector) == Some(true))
            .peekable();
        match point.action {
            Action::Revoke | Action::Distribute => false,
            Action::Issue | Action::Renew | Action::Reissue => {
                matching.peek().is_none() && self.set.issuance_default == Effect::Deny
            }
            Action::Export => {
                (matching.peek().is_none() && self.set.issuance_default == Effect::Deny)
                    || matching.any(|(_, policy)| policy.key_export_forbidden.is_some())
            }
        }
    }

    fn judge(
        &mut self,
        point: &Point<'_>,
        requester: Actor,
        groups: Vec<ApprovalId>,
    ) -> Option<()> {
        if groups.is_empty() {
            return Some(());
        }
        // Elsewhere the project has nothing to do with who may approve.
        let by_tier = groups.iter().any(|&id| self.set.approvals[id].tier_above);
        let key = (groups, point.project.filter(|_| by_tier), requester);
        let can_be_met = match self.known.get(&key) {
            Some(&known) => known,
            None => {
                self.left = self
                    .left
                    .checked_sub(self.set.persons.len() * key.0.len())?;
                let can_be_met = self.can_be_met(point, requester, &key.0);
                self.known.insert(key.clone(), can_be_met);
                can_be_met
            }
        };
        if !can_be_met {
            self.undecidable.entry(key.0).or_default().push(Asked {
                action: point.action,
                project: point.project,
                profile: point.profile,
                requester,
            });
        }
        Some(())
    }

    fn can_be_met(&self, point: &Point<'_>, requester: Actor, groups: &[ApprovalId]) -> bool {
        let asker = Asker {
            requester: Some(requester),
            project: point.project,
        };
        // When nobody stands in for anybody.
        let required = requirement(self.set, groups, asker, Timestamp::MAX);
        required.is_none_or(|required| required.can_be_met_without(&BTreeSet::new()))
    }
}

fn report(set: &PolicySet, groups: &[ApprovalId], asked: &[Asked]) -> Option<Diagnostic> {
    let first = asked.first()?;
    let group = &set.approvals[*groups.first()?];
    let requester = actor_name(set, first.requester);
    let message = format!(
        "when `{requester}` asks to {}, too few others can approve for {}",
        first.action,
        names(set, groups)
    );
    let mut finding = Diagnostic::new(&CODE, group.header.span, message)
        .label("ends `rejected` at once")
        .help("name more people who may approve, or let somebody else ask");
    finding.witness = Some(witness(set, first));
    if asked.len() > 1 {
        let who: BTreeSet<&str> = asked
            .iter()
            .map(|one| actor_name(set, one.requester))
            .collect();
        let who: Vec<String> = who.iter().take(5).map(|name| format!("`{name}`")).collect();
        let count = asked.len();
        finding = finding.note(format!(
            "so do {count} kinds of request in all, by {}",
            who.join(", ")
        ));
    }
    Some(finding)
}

fn actor_name(set: &PolicySet, actor: Actor) -> &str {
    match actor {
        Actor::Person(id) => set.persons.name(id),
        Actor::Service(id) => set.services.name(id),
    }
}

/// The subject of a test block that asks for it.
fn witness(set: &PolicySet, asked: &Asked) -> String {
    let mut members = vec![format!("action = {}", asked.action)];
    members.extend(
        asked
            .project
            .map(|id| format!("project = {}", set.projects.name(id))),
    );
    members.extend(
        asked
            .profile
            .map(|id| format!("profile = {}", set.profiles.name(id))),
    );
    members.push(format!("requester = {}", actor_name(set, asked.requester)));
    format!("request {{ {} }}", members.join(", "))
}
