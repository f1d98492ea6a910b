//! Somebody stands in for a time that has passed.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::syntax::tree::{ItemKind, MomentValue, PersonStatement};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "ended-delegation",
    severity: Severity::Note,
    summary: "a `delegate` line is about a time that has passed",
    why: "It has no effect any more. While it stays, a reader may believe that there is somebody \
          to ask beside the one person; and a year's change in its dates would entitle again \
          somebody whom nobody thought of.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }

person bob {
  role     admin in org
  delegate alice from 2020-12-20 until 2021-01-02
}
"#,
    good: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }

person bob {
  role     admin in org
  delegate alice from 9000-12-20 until 9001-01-02
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let today = context.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    for item in context.checked.trees.iter().flat_map(|tree| &tree.items) {
        let ItemKind::Person(person) = &item.value else {
            continue;
        };
        for statement in &person.statements {
            let PersonStatement::Delegate(delegate) = &statement.value else {
                continue;
            };
            // A date is meant to its end.
            let is_over = match delegate.until.value {
                MomentValue::Date(last) => last < today,
                MomentValue::Time(until) => until <= context.now,
            };
            if is_over {
                let until = &delegate.until.text.value;
                let message = format!(
                    "`{}` stood in for `{}` until {until}",
                    delegate.to.value, person.name.value
                );
                let finding = Diagnostic::new(&CODE, statement.span, message);
                findings.push(finding.help("remove it"));
            }
        }
    }
}
