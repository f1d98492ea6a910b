//! The declarations of every file, by kind.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::tree::{
    AllowOnceItem, ApprovalItem, BypassItem, DefaultsItem, File, InvariantItem, IssuanceItem,
    ItemKind, Name, NetworkItem, PersonItem, ScheduleItem, ScopeItem, ServiceItem, TagItem,
    TeamItem, TestItem, UnlockItem,
};

use super::codes::names as codes;
use super::names::{Kind, Names};
use super::report::Report;

/// Declarations in the order of files and lines; those whose faults may be
/// about what is missing come with the place of the whole.
#[derive(Default)]
pub(super) struct Items<'a> {
    pub(super) tags: Vec<&'a TagItem>,
    pub(super) networks: Vec<&'a NetworkItem>,
    pub(super) schedules: Vec<&'a ScheduleItem>,
    pub(super) projects: Vec<&'a ScopeItem>,
    pub(super) profiles: Vec<&'a ScopeItem>,
    pub(super) defaults: Vec<(&'a DefaultsItem, Span)>,
    pub(super) persons: Vec<&'a PersonItem>,
    pub(super) services: Vec<(&'a ServiceItem, Span)>,
    pub(super) teams: Vec<&'a TeamItem>,
    pub(super) unlocks: Vec<(&'a UnlockItem, Span)>,
    pub(super) allow_onces: Vec<(&'a AllowOnceItem, Span)>,
    pub(super) approvals: Vec<(&'a ApprovalItem, Span)>,
    pub(super) issuances: Vec<&'a IssuanceItem>,
    pub(super) invariants: Vec<(&'a InvariantItem, Span)>,
    pub(super) bypasses: Vec<(&'a BypassItem, Span)>,
    pub(super) tests: Vec<(&'a TestItem, Span)>,
}

impl<'a> Items<'a> {
    pub(super) fn of(files: &'a [File]) -> Self {
        let mut items = Items::default();
        for item in files.iter().flat_map(|file| &file.items) {
            let span = item.span;
            match &item.value {
                ItemKind::Tag(item) => items.tags.push(item),
                ItemKind::Network(item) => items.networks.push(item),
                ItemKind::Schedule(item) => items.schedules.push(item),
                ItemKind::Project(item) => items.projects.push(item),
                ItemKind::Profile(item) => items.profiles.push(item),
                ItemKind::Defaults(item) => items.defaults.push((item, span)),
                ItemKind::Person(item) => items.persons.push(item),
                ItemKind::Service(item) => items.services.push((item, span)),
                ItemKind::Team(item) => items.teams.push(item),
                ItemKind::Unlock(item) => items.unlocks.push((item, span)),
                ItemKind::AllowOnce(item) => items.allow_onces.push((item, span)),
                ItemKind::Approval(item) => items.approvals.push((item, span)),
                ItemKind::Issuance(item) => items.issuances.push(item),
                ItemKind::Invariant(item) => items.invariants.push((item, span)),
                ItemKind::Bypass(item) => items.bypasses.push((item, span)),
                ItemKind::Test(item) => items.tests.push((item, span)),
            }
        }
        items
    }
}

/// Every declared name, those of broken blocks included; says which are taken twice.
pub(super) fn declare(files: &[File], report: &mut Report) -> Names {
    let mut names = Names::default();
    for item in files.iter().flat_map(|file| &file.items) {
        if let Some((kind, name)) = declared(&item.value) {
            names.declare(kind, name, report);
            if report.is_broken(item.span) {
                names.declare_broken(kind, &name.value);
            }
        }
    }
    for broken in files.iter().flat_map(|file| &file.broken) {
        if let Some((keyword, name)) = &broken.declares {
            let kind = Kind::ALL.into_iter().find(|kind| kind.keyword() == keyword);
            if let Some(kind) = kind {
                names.declare_broken(kind, &name.value);
            }
        }
    }
    names.number();
    names
}

fn declared(item: &ItemKind) -> Option<(Kind, &Name)> {
    Some(match item {
        ItemKind::Tag(item) => (Kind::Tag, &item.name),
        ItemKind::Network(item) => (Kind::Network, &item.name),
        ItemKind::Schedule(item) => (Kind::Schedule, &item.name),
        ItemKind::Project(item) => (Kind::Project, &item.name),
        ItemKind::Profile(item) => (Kind::Profile, &item.name),
        ItemKind::Person(item) => (Kind::Person, &item.name),
        ItemKind::Service(item) => (Kind::Service, &item.name),
        ItemKind::Team(item) => (Kind::Team, &item.name),
        ItemKind::Unlock(item) => (Kind::Unlock, &item.name),
        ItemKind::AllowOnce(item) => (Kind::AllowOnce, &item.name),
        ItemKind::Approval(item) => (Kind::Approval, &item.name),
        ItemKind::Issuance(item) => (Kind::Issuance, &item.name),
        ItemKind::Invariant(item) => (Kind::Invariant, &item.name),
        ItemKind::Bypass(item) => (Kind::Bypass, &item.name),
        ItemKind::Defaults(_) | ItemKind::Test(_) => return None,
    })
}

/// Reports each test whose name another has: a filter could not tell them apart.
pub(super) fn report_repeated_tests(tests: &[(&TestItem, Span)], report: &mut Report) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for (test, _) in tests {
        let name = &test.name;
        if let Some(&first) = seen.get(name.value.as_str()) {
            let message = format!("the test `{}` is declared twice", name.value);
            report.push(
                Diagnostic::new(&codes::DUPLICATE_NAME, name.span, message)
                    .also(first, "first declared here")
                    .help("give one of them another name"),
            );
        } else {
            seen.insert(&name.value, name.span);
        }
    }
}
