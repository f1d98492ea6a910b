//! A project that no issuance policy is about.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::{PolicySet, ProjectId};
use crate::lint::Context;
use crate::lint::points::Point;
use crate::lint::undecided::not_decided;
use crate::vocabulary::{Action, Effect};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "unregulated-project",
    severity: Severity::Warning,
    summary: "no issuance policy is about a project",
    why: "Every `issue`, `renew` and `reissue` of that project is then decided by `defaults` \
          alone. Under `deny`, which also holds where nothing is said, it gets no certificate at \
          all; under `allow` it gets any certificate whatever, for every name. A set without any \
          issuance policy is told only under `allow`; in any other, projects are there to give \
          people roles. A project that an invariant forbids certificates to is meant to have none.",
    bad: r#"edition 2026

project web
project shop

person alice { role owner in org  role operator in [project web, project shop] }

issuance web-certificates {
  where     project == web
  key-types ECDSA-P256
}
"#,
    good: r#"edition 2026

project web
project shop

person alice { role owner in org  role operator in [project web, project shop] }

issuance certificates {
  where     project in [web, shop]
  key-types ECDSA-P256
}
"#,
};

/// Selectors held against requests before the lint gives up.
const BUDGET: usize = 5_000_000;

const ASKED: [Action; 3] = [Action::Issue, Action::Renew, Action::Reissue];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let set = context.set;
    if set.issuances.is_empty() && set.issuance_default == Effect::Deny {
        return;
    }
    let mut left = BUDGET;
    for (id, project) in set.projects.iter() {
        let Some(regulated) = is_regulated(set, id, &mut left) else {
            findings.push(not_decided(
                &CODE,
                "there are too many projects and policies",
            ));
            return;
        };
        if regulated || is_forbidden(set, id) {
            continue;
        }
        let name = &project.header.name;
        let gets = match set.issuance_default {
            Effect::Deny => "gets no certificate",
            Effect::Allow => "gets any certificate it asks for",
        };
        let message = format!("no issuance policy is about project `{name}`");
        findings.push(
            Diagnostic::new(&CODE, project.header.span, message)
                .label(gets)
                .help("write a policy that is about it"),
        );
    }
}

/// Whether some policy is about some request of the project; none where the
/// budget is spent.
fn is_regulated(set: &PolicySet, project: ProjectId, left: &mut usize) -> Option<bool> {
    let profiles = set.profiles.iter().map(|(id, _)| Some(id));
    for profile in [None].into_iter().chain(profiles) {
        for action in ASKED {
            let point = Point::new(set, Some(project), profile, action);
            for (_, policy) in set.issuances.iter() {
                *left = left.checked_sub(1)?;
                // Whoever asks: for some requester is enough.
                if point.satisfies(&policy.selector) != Some(false) {
                    return Some(true);
                }
            }
        }
    }
    Some(false)
}

/// Whether an invariant says that the project gets none.
fn is_forbidden(set: &PolicySet, project: ProjectId) -> bool {
    use crate::ir::unlock::Claim;
    let point = Point::new(set, Some(project), None, Action::Issue);
    let mut lines = set.invariants.iter().flat_map(|(_, one)| &one.lines);
    lines.any(|(_, claim)| match claim {
        Claim::NeverAllowIssuance(region) => {
            region.key_types.is_none()
                && region.san.is_none()
                && point.satisfies(&region.selector) == Some(true)
        }
        Claim::NeverAllowUnlock(_) | Claim::AlwaysReachableUnlock(_) => false,
    })
}
