//! Trees of all files to one [`PolicySet`], every fault said at once.
//!
//! Start at [`check_files`]. It reads the files (`files`), lets `syntax` parse
//! them, collects every declared name (`names`), and then resolves kind by
//! kind, one module each, in the order in which they need each other. A name
//! that is declared wrongly is still declared: one mistake makes one error.
//! What a fault is called and why it is one stands in [`codes`].

mod allow_once;
mod approval;
mod bypass;
pub mod codes;
mod defaults;
mod digest;
mod files;
mod group;
mod invariant;
mod issuance;
mod items;
mod lists;
mod moment;
mod names;
mod need;
mod network;
mod network_cycle;
mod network_file;
mod person;
mod report;
mod san;
mod schedule;
mod scope;
mod scoped;
mod selector;
mod tag;
mod team;
mod test;
mod text;
mod trigger;
mod unlock;

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::left_out::LeftOut;
use crate::ir::PolicySet;
use crate::source::SourceMap;
use crate::source::load::PolicyFiles;
use crate::syntax::parse::parse_file;
use crate::syntax::tree::File;

use files::Files;
use items::Items;
use report::Report;
use scope::{Draft, Scope};

/// The edition of the language that is checked.
pub const EDITION: u32 = 2026;

/// What came of a policy set.
#[derive(Debug)]
pub struct Checked {
    /// Every policy file, and of network files the lines that are wrong.
    pub sources: Arc<SourceMap>,
    /// The files that are text, in order.
    pub trees: Vec<File>,
    /// What there is to say, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// What there is beyond it.
    pub left_out: LeftOut,
    /// The policy set; there is one exactly if there is no error.
    pub set: Option<Arc<PolicySet>>,
}

/// Reads, parses, resolves and type-checks a policy set.
pub fn check_files(files: &mut dyn PolicyFiles) -> Checked {
    let mut files = Files::new(files);
    let (texts, mut diagnostics) = files.read_policies();
    let mut trees = Vec::new();
    for id in texts {
        let text = files.map.file(id).map_or("", |file| &file.text);
        let (tree, found) = parse_file(id, text);
        trees.push(tree);
        diagnostics.extend(found);
    }
    let mut report = Report::new(diagnostics, &trees);
    let resolved = resolve(&trees, &mut files, &mut report);
    let sources = Arc::new(std::mem::take(&mut files.map));
    let set = match resolved {
        Some((scope, rest)) if !report.has_errors() => {
            finish(scope, rest, files.digest.finish(), Arc::clone(&sources))
        }
        Some(_) | None => None,
    };
    let (diagnostics, left_out) = report.finish();
    Checked {
        set,
        sources,
        trees,
        diagnostics,
        left_out,
    }
}

/// What stands beside the named declarations.
struct Rest {
    issuance_default: crate::vocabulary::Effect,
    tests: Vec<crate::ir::test::Test>,
}

fn resolve(trees: &[File], files: &mut Files<'_>, report: &mut Report) -> Option<(Scope, Rest)> {
    let items = Items::of(trees);
    let mut scope = Scope {
        names: items::declare(trees, report),
        ..Scope::default()
    };
    resolve_vocabulary(&items, files, &mut scope, report);
    resolve_people(&items, &mut scope, report);
    resolve_rules(&items, &mut scope, report);
    let issuance_default = defaults::resolve_defaults(&items.defaults, report);
    items::report_repeated_tests(&items.tests, report);
    let tests: Vec<_> = items
        .tests
        .iter()
        .map(|(item, span)| test::resolve_test(item, *span, &scope, report))
        .collect();
    let tests: Option<Vec<_>> = tests.into_iter().collect();
    let tests = tests?.into_iter().flatten().collect();
    Some((
        scope,
        Rest {
            issuance_default,
            tests,
        },
    ))
}

fn resolve_vocabulary(
    items: &Items<'_>,
    files: &mut Files<'_>,
    scope: &mut Scope,
    report: &mut Report,
) {
    let tags = items.tags.iter().map(|item| tag::resolve_tag(item, report));
    scope.tags = Draft::new(&scope.names, tags);
    let networks = items.networks.iter();
    let networks = networks.map(|item| network::resolve_network(item, files, scope, report));
    scope.networks = Draft::new(&scope.names, networks);
    network_cycle::report_cycles(&items.networks, scope, report);
    let schedules = items.schedules.iter();
    let schedules = schedules.map(|item| schedule::resolve_schedule(item, report));
    scope.schedules = Draft::new(&scope.names, schedules);
    let projects = items.projects.iter();
    let projects = projects.map(|item| scoped::resolve_scoped(item, scope, report));
    scope.projects = Draft::new(&scope.names, projects);
    let profiles = items.profiles.iter();
    let profiles = profiles.map(|item| scoped::resolve_scoped(item, scope, report));
    scope.profiles = Draft::new(&scope.names, profiles);
    scoped::report_conflicts(&items.projects, &items.profiles, scope, report);
}

fn resolve_people(items: &Items<'_>, scope: &mut Scope, report: &mut Report) {
    let persons = items.persons.iter();
    let persons = persons.map(|item| person::resolve_person(item, scope, report));
    scope.persons = Draft::new(&scope.names, persons);
    let services = items.services.iter();
    let services = services.map(|(item, span)| person::resolve_service(item, *span, scope, report));
    scope.services = Draft::new(&scope.names, services);
    let teams = items.teams.iter();
    let teams = teams.map(|item| team::resolve_team(item, scope, report));
    scope.teams = Draft::new(&scope.names, teams);
}

fn resolve_rules(items: &Items<'_>, scope: &mut Scope, report: &mut Report) {
    let unlocks = items.unlocks.iter();
    let unlocks = unlocks.map(|(item, span)| unlock::resolve_unlock(item, *span, scope, report));
    scope.unlocks = Draft::new(&scope.names, unlocks);
    let allow_onces = items.allow_onces.iter();
    let allow_onces =
        allow_onces.map(|(item, span)| allow_once::resolve_allow_once(item, *span, scope, report));
    scope.allow_onces = Draft::new(&scope.names, allow_onces);
    let approvals = items.approvals.iter();
    let approvals =
        approvals.map(|(item, span)| approval::resolve_approval(item, *span, scope, report));
    scope.approvals = Draft::new(&scope.names, approvals);
    let issuances = items.issuances.iter();
    let issuances = issuances.map(|item| issuance::resolve_issuance(item, scope, report));
    scope.issuances = Draft::new(&scope.names, issuances);
    let bypasses = items.bypasses.iter();
    let bypasses = bypasses.map(|(item, span)| bypass::resolve_bypass(item, *span, scope, report));
    scope.bypasses = Draft::new(&scope.names, bypasses);
    let invariants = items.invariants.iter();
    let invariants =
        invariants.map(|(item, span)| invariant::resolve_invariant(item, *span, scope, report));
    scope.invariants = Draft::new(&scope.names, invariants);
}

fn finish(
    scope: Scope,
    rest: Rest,
    digest: String,
    sources: Arc<SourceMap>,
) -> Option<Arc<PolicySet>> {
    Some(Arc::new(PolicySet {
        digest,
        sources,
        tags: scope.tags.finish()?,
        networks: scope.networks.finish()?,
        schedules: scope.schedules.finish()?,
        projects: scope.projects.finish()?,
        profiles: scope.profiles.finish()?,
        issuance_default: rest.issuance_default,
        persons: scope.persons.finish()?,
        services: scope.services.finish()?,
        teams: scope.teams.finish()?,
        unlocks: scope.unlocks.finish()?,
        allow_onces: scope.allow_onces.finish()?,
        approvals: scope.approvals.finish()?,
        issuances: scope.issuances.finish()?,
        bypasses: scope.bypasses.finish()?,
        invariants: scope.invariants.finish()?,
        tests: rest.tests,
    }))
}
