//! Two approval groups about the same requests, of which either suffices.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "overlapping-approvals",
    severity: Severity::Note,
    summary: "two approval groups cover the same requests, and either of them suffices",
    why: "Requirements do not stack: of several groups any one approves, and anybody in any of \
          them may deny. Somebody who wrote the second group to have a second pair of eyes gets \
          one pair still, of either group. If both are to agree, mark both `mandatory`, or write \
          one group whose `need` names two teams. Where one of the two takes less than the other, \
          that is `weakened-approval`.",
    bad: r#"edition 2026

person alice { role owner in org }
person bob   { role admin in org }
person carol { role viewer in org }
person dora  { role viewer in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval operations {
  on        unlock
  approvers [person alice, person bob]
}

approval security {
  on        unlock
  approvers [person carol, person dora]
}
"#,
    good: r#"edition 2026

person alice { role owner in org }
person bob   { role admin in org }
person carol { role viewer in org }
person dora  { role viewer in org }

team operations = [alice, bob]
team security   = [carol, dora]

unlock servers {
  allow from 192.0.2.0/24
}

approval gate {
  on   unlock
  need [1 of team operations, 1 of team security]
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    // Where the pairs are not known, `weakened-approval` says so.
    let Ok(pairs) = context.pairs() else {
        return;
    };
    for pair in pairs.pairs.iter().filter(|pair| !pair.is_weaker) {
        let one = &context.set.approvals[pair.one].header;
        let other = &context.set.approvals[pair.other].header;
        let message = format!(
            "`{}` and `{}` cover the same requests, and either suffices",
            one.name, other.name
        );
        let mut finding = Diagnostic::new(&CODE, one.span, message)
            .also(other.span, "the other")
            .help("mark both `mandatory` if both are to agree");
        finding.witness = Some(pair.witness.clone());
        findings.push(finding);
    }
}
