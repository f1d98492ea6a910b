//! An approval group that takes less than another about the same requests.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::lint::demand::Demand;
use crate::lint::undecided::not_decided;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "weakened-approval",
    severity: Severity::Warning,
    summary: "a request that a strict approval group covers is approved by a laxer one alone",
    why: "Of several groups that cover a request, satisfying any one approves it. A group that \
          takes two persons is worth nothing where another that takes one covers the same; nor is \
          one that asks the few, where another also lets many. Mark the strict one `mandatory`, or \
          leave out of the other what the strict one covers. Told of are groups that take fewer \
          persons, and groups that whoever satisfies the other satisfies too, and not the other \
          way round; and only where some request comes so far as to wait for both.",
    bad: r#"edition 2026

tag role = database | web

person alice { role owner in org }
person bob   { role admin in org }
person carol { role viewer in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval everything {
  on        unlock
  approvers [person alice, person bob, person carol]
}

approval databases {
  on        unlock where role == database
  approvers [person alice, person bob]
  need      2
}
"#,
    good: r#"edition 2026

tag role = database | web

person alice { role owner in org }
person bob   { role admin in org }
person carol { role viewer in org }

unlock servers {
  allow from 192.0.2.0/24
}

approval everything {
  on        unlock
  approvers [person alice, person bob, person carol]
}

approval databases {
  on        unlock where role == database
  approvers [person alice, person bob]
  need      2
  mandatory
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let Ok(pairs) = context.pairs() else {
        findings.push(not_decided(&CODE, "the set is too large or too entangled"));
        return;
    };
    for pair in pairs.pairs.iter().filter(|pair| pair.is_weaker) {
        let (lax, strict) = (
            &context.set.approvals[pair.one],
            &context.set.approvals[pair.other],
        );
        let persons = |group| Demand::of(context.set, group).persons();
        let how = match (persons(lax), persons(strict)) {
            (few, many) if few < many => format!("by {few} instead of {many}"),
            _ => "by persons who do not suffice for it".to_owned(),
        };
        let (name, strict_name) = (&lax.header.name, &strict.header.name);
        let message = format!("`{name}` approves what `{strict_name}` covers, {how}");
        let mut finding = Diagnostic::new(&CODE, lax.header.span, message)
            .label("this one suffices")
            .also(strict.header.span, "and this one is not needed")
            .help(format!(
                "mark `{strict_name}` mandatory, or leave out of `{name}` what it covers"
            ));
        finding.witness = Some(pair.witness.clone());
        findings.push(finding);
    }
    if !pairs.is_decided {
        findings.push(not_decided(
            &CODE,
            "very many groups cover the same requests",
        ));
    }
}
