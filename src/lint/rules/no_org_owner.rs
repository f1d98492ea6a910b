//! A set with people, and nobody to begin with.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::people::{RoleGrant, Scope};
use crate::lint::Context;
use crate::vocabulary::Role;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "no-org-owner",
    severity: Severity::Note,
    summary: "no person is `owner in org`, so nobody can claim a server",
    why: "A server that starts for the first time leaves a claim for a person who is `owner in \
          org`; with it that person makes the first token. Where there is none, nobody can, and \
          nobody else is given a token either. Only sets that declare persons are told.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role admin in org }
"#,
    good: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let owns = |grant: &RoleGrant| grant.role == Role::Owner && grant.scope == Scope::Org;
    let mut persons = context.set.persons.iter();
    let is_owned = persons.any(|(_, person)| person.roles.iter().any(owns));
    if !is_owned && !context.set.persons.is_empty() {
        findings.push(
            Diagnostic::global(&CODE, "no person is `owner in org`")
                .help("give somebody `role owner in org`"),
        );
    }
}
