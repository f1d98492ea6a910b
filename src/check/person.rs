//! Persons and services: roles, and who stands in for whom.

use crate::diagnostic::Diagnostic;
use crate::ir::people::{Delegation, Person, RoleGrant, Scope as RoleScope, Service};
use crate::ir::{Period, PersonId};
use crate::source::Span;
use crate::syntax::tree::{
    self, Delegate, PersonItem, PersonStatement, ServiceItem, ServiceStatement,
};

use super::codes::people as codes;
use super::lists::{Block, Once, expect_distinct};
use super::moment::{end_of, start_of};
use super::report::Report;
use super::scope::{Scope, header};
use super::text::expect_text;

pub(super) fn resolve_person(
    item: &PersonItem,
    scope: &Scope,
    report: &mut Report,
) -> Option<Person> {
    let mut email = Once::new("email");
    let mut roles = Roles::default();
    let mut delegations: Vec<Option<Delegation>> = Vec::new();
    for statement in &item.statements {
        match &statement.value {
            PersonStatement::Email(text) => {
                expect_text("the e-mail address", text, report);
                email.set(text.value.clone(), statement.span, report);
            }
            PersonStatement::Role(grant) => roles.add(grant, scope, report),
            PersonStatement::Delegate(delegate) => {
                delegations.push(resolve_delegate(item, delegate, scope, report));
            }
        }
    }
    Some(Person {
        header: header(&item.name),
        email: email.get().cloned(),
        roles: roles.finish(report)?,
        delegations: delegations.into_iter().collect::<Option<_>>()?,
    })
}

fn resolve_delegate(
    item: &PersonItem,
    delegate: &Delegate,
    scope: &Scope,
    report: &mut Report,
) -> Option<Delegation> {
    let (from, until) = (start_of(&delegate.from), end_of(&delegate.until));
    let span = delegate.from.text.span.to(delegate.until.text.span);
    if from >= until {
        report.push(
            Diagnostic::new(
                &codes::REVERSED_PERIOD,
                span,
                "this period ends before it begins",
            )
            .help("exchange `from` and `until`"),
        );
    }
    if delegate.to.value == item.name.value {
        let message = format!("`{}` cannot stand in for themself", item.name.value);
        let diagnostic = Diagnostic::new(&codes::SELF_DELEGATION, delegate.to.span, message);
        report.push(diagnostic.help("name another person"));
        return None;
    }
    Some(Delegation {
        to: scope.resolve::<PersonId>(&delegate.to, report)?,
        period: Period { from, until },
    })
}

pub(super) fn resolve_service(
    item: &ServiceItem,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<Service> {
    let mut owner = Once::new("owner");
    let mut roles = Roles::default();
    for statement in &item.statements {
        match &statement.value {
            ServiceStatement::Owner(name) => {
                let resolved = scope.resolve::<PersonId>(name, report);
                owner.set(resolved, statement.span, report);
            }
            ServiceStatement::Role(grant) => roles.add(grant, scope, report),
        }
    }
    let block = Block {
        what: "service",
        name: &item.name.value,
        name_span: item.name.span,
        span,
    };
    let help = "name the person who answers for it: `owner alice`";
    let owner = owner.required(&block, help, report).copied().flatten();
    Some(Service {
        header: header(&item.name),
        roles: roles.finish(report)?,
        owner: owner?,
    })
}

/// The `role` lines of a block.
#[derive(Default)]
struct Roles {
    grants: Vec<(RoleGrant, Span)>,
    wrong: bool,
}

impl Roles {
    fn add(&mut self, grant: &tree::RoleGrant, scope: &Scope, report: &mut Report) {
        for place in &grant.scopes {
            let resolved = match &place.value {
                tree::Scope::Org => Some(RoleScope::Org),
                tree::Scope::Project(name) => scope.resolve(name, report).map(RoleScope::Project),
            };
            match resolved {
                Some(at) => {
                    let role = grant.role.value;
                    self.grants
                        .push((RoleGrant { scope: at, role }, place.span));
                }
                None => self.wrong = true,
            }
        }
    }

    fn finish(self, report: &mut Report) -> Option<Vec<RoleGrant>> {
        expect_distinct(
            self.grants.iter().copied(),
            |grant| grant.role.word().to_owned(),
            report,
        );
        let mut roles: Vec<RoleGrant> = self.grants.into_iter().map(|(grant, _)| grant).collect();
        roles.sort();
        roles.dedup();
        (!self.wrong).then_some(roles)
    }
}
