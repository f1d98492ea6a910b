//! A name that nothing else in the set has to do with.

use std::collections::BTreeSet;

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::table::{Declared, Id, Table};
use crate::lint::Context;
use crate::lint::usage::Usage;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "unused-declaration",
    severity: Severity::Warning,
    summary: "something is declared and nothing has to do with it",
    why: "Often it is what is left of a rule that went. Sometimes it is the other way round, and \
          the rule was forgotten: a network of addresses to keep out that no line denies keeps \
          nobody out. A tag is used where a selector, a project, a profile or a test names it, and \
          where it is `required`; a project where a selector, a role or a test does, or where it \
          gives tags; a person by a role, a team, a list, a service or a stand-in.",
    bad: r#"edition 2026

network office     = 203.0.113.0/24
network quarantine = 203.0.113.64/28

unlock servers {
  allow from office
}
"#,
    good: r#"edition 2026

network office     = 203.0.113.0/24
network quarantine = 203.0.113.64/28

unlock servers {
  allow from office
  deny  from quarantine
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let set = context.set;
    let mut usage = Usage::of(set);
    let required = set.tags.iter().filter(|(_, tag)| tag.required);
    usage.tags.extend(required.map(|(id, _)| id));
    report("tag", &set.tags, &usage.tags, findings);
    report("network", &set.networks, &usage.networks, findings);
    report("schedule", &set.schedules, &usage.schedules, findings);
    report("project", &set.projects, &usage.projects, findings);
    report("profile", &set.profiles, &usage.profiles, findings);
    report("person", &set.persons, &usage.persons, findings);
    report("service", &set.services, &usage.services, findings);
    report("team", &set.teams, &usage.teams, findings);
}

fn report<I: Id + Ord, T: Declared>(
    kind: &str,
    table: &Table<I, T>,
    used: &BTreeSet<I>,
    findings: &mut Vec<Diagnostic>,
) {
    for (id, declared) in table.iter().filter(|(id, _)| !used.contains(id)) {
        let header = declared.header();
        let name = table.name(id);
        let message = format!("{kind} `{name}` is declared and used nowhere");
        findings.push(
            Diagnostic::new(&CODE, header.span, message)
                .label("nothing has to do with it")
                .help("remove it, or write the line that was meant to use it"),
        );
    }
}
