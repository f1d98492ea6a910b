//! What names mean: the declared names, and what earlier passes made of them.

use std::marker::PhantomData;

use crate::diagnostic::Diagnostic;
use crate::ir::issuance::IssuancePolicy;
use crate::ir::people::{ApprovalGroup, Bypass, Person, Service, Team};
use crate::ir::selector::Actor;
use crate::ir::unlock::{AllowOnceRule, Invariant, UnlockRule};
use crate::ir::{
    AllowOnceId, ApprovalId, BypassId, Declared, Header, InvariantId, IssuanceId, Network,
    NetworkId, PersonId, ProfileId, ProjectId, Schedule, ScheduleId, Scoped, ServiceId, Table, Tag,
    TagId, TeamId, UnlockId,
};
use crate::syntax::tree::Name;

use super::codes::names as codes;
use super::names::{Kind, Named, Names};
use super::report::Report;

/// The declarations of one kind, by id; none where one was wrong, which was reported.
#[derive(Debug)]
pub(super) struct Draft<I, T> {
    rows: Vec<Option<T>>,
    id: PhantomData<I>,
}

impl<I, T> Default for Draft<I, T> {
    fn default() -> Self {
        Draft {
            rows: Vec::new(),
            id: PhantomData,
        }
    }
}

impl<I: Named, T: Declared> Draft<I, T> {
    /// Takes what was resolved; of several of one name, the first. A block with
    /// a syntax error in it is left out: what it says may not be all of it.
    pub(super) fn new(names: &Names, resolved: impl IntoIterator<Item = Option<T>>) -> Self {
        let mut rows: Vec<Option<T>> = Vec::new();
        rows.resize_with(names.count(I::KIND), || None);
        for row in resolved.into_iter().flatten() {
            let name = &row.header().name;
            if names.is_broken(I::KIND, name) {
                continue;
            }
            let id = names.find::<I>(name);
            let place = id.and_then(|id| rows.get_mut(id.index()));
            if let Some(place @ None) = place {
                *place = Some(row);
            }
        }
        Draft {
            rows,
            id: PhantomData,
        }
    }

    /// What `id` declares, if it is right.
    pub(super) fn get(&self, id: I) -> Option<&T> {
        self.rows.get(id.index())?.as_ref()
    }

    /// Those that are right.
    pub(super) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(index, row)| Some((I::from_index(index), row.as_ref()?)))
    }

    /// Whether every declaration is right.
    pub(super) fn is_whole(&self) -> bool {
        self.rows.iter().all(Option::is_some)
    }

    /// The table, if every declaration is right.
    pub(super) fn finish(self) -> Option<Table<I, T>> {
        let rows: Option<Vec<T>> = self.rows.into_iter().collect();
        rows.map(Table::new)
    }
}

/// What is declared. Each pass fills its own part and reads the parts before it.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) names: Names,
    pub(super) tags: Draft<TagId, Tag>,
    pub(super) networks: Draft<NetworkId, Network>,
    pub(super) schedules: Draft<ScheduleId, Schedule>,
    pub(super) projects: Draft<ProjectId, Scoped>,
    pub(super) profiles: Draft<ProfileId, Scoped>,
    pub(super) persons: Draft<PersonId, Person>,
    pub(super) services: Draft<ServiceId, Service>,
    pub(super) teams: Draft<TeamId, Team>,
    pub(super) unlocks: Draft<UnlockId, UnlockRule>,
    pub(super) allow_onces: Draft<AllowOnceId, AllowOnceRule>,
    pub(super) approvals: Draft<ApprovalId, ApprovalGroup>,
    pub(super) issuances: Draft<IssuanceId, IssuancePolicy>,
    pub(super) bypasses: Draft<BypassId, Bypass>,
    pub(super) invariants: Draft<InvariantId, Invariant>,
}

/// A declaration's header.
pub(super) fn header(name: &Name) -> Header {
    Header {
        name: name.value.clone(),
        span: name.span,
    }
}

impl Scope {
    /// The declaration that `name` refers to, or none and a report.
    pub(super) fn resolve<I: Named>(&self, name: &Name, report: &mut Report) -> Option<I> {
        let found = self.names.find::<I>(&name.value);
        if found.is_none() && !self.names.is_broken(I::KIND, &name.value) {
            self.report_unknown(I::KIND, name, &[], report);
        }
        found
    }

    /// The person or service that `name` refers to, or none and a report.
    pub(super) fn resolve_actor(&self, name: &Name, report: &mut Report) -> Option<Actor> {
        if let Some(service) = self.names.find::<ServiceId>(&name.value) {
            return Some(Actor::Service(service));
        }
        if let Some(person) = self.names.find::<PersonId>(&name.value) {
            return Some(Actor::Person(person));
        }
        let broken = |kind| self.names.is_broken(kind, &name.value);
        if !broken(Kind::Person) && !broken(Kind::Service) {
            let services = self.names.of(Kind::Service);
            self.report_unknown(Kind::Person, name, &services, report);
        }
        None
    }

    /// Says that `name` is no declared `kind`, nor one of the words `also`
    /// that may stand in its place.
    pub(super) fn report_unknown(
        &self,
        kind: Kind,
        name: &Name,
        also: &[&str],
        report: &mut Report,
    ) {
        let word = &name.value;
        if report.is_known_unknown(kind, word, name.span) {
            return;
        }
        let other = self.names.kinds_of(word).find(|&other| other != kind);
        // Past the budget of searches, listing what is declared would be as slow.
        let mut known = Vec::new();
        if report.may_search() {
            known = self.names.of(kind);
            known.extend(also);
        }
        let near = report.nearest(word, known.iter().copied());
        let diagnostic = match (near, other) {
            (None, Some(other)) => self.wrong_kind(kind, other, name),
            // Whoever wrote a declared team for a person did not misspell it.
            (Some(_), Some(other)) if kind.is_people() && other.is_people() => {
                self.wrong_kind(kind, other, name)
            }
            (Some(near), _) => unknown(kind, name)
                .help(format!("did you mean `{near}`?"))
                .fix(name.span, near),
            (None, None) => unknown(kind, name).help(declare_it(kind, word, &known)),
        };
        report.push_unknown(kind, word, diagnostic);
    }

    fn wrong_kind(&self, kind: Kind, other: Kind, name: &Name) -> Diagnostic {
        let word = &name.value;
        let message = format!("`{word}` is {}, not {}", other.a_what(), kind.a_what());
        let diagnostic = Diagnostic::new(&codes::WRONG_KIND, name.span, message);
        let diagnostic = match self.names.place(other, word) {
            Some(place) => diagnostic.also(place, "declared here"),
            None => diagnostic,
        };
        match (kind, other) {
            (Kind::Team, Kind::Person) => {
                diagnostic.help(format!("among approvers, write `person {word}`"))
            }
            (Kind::Person, Kind::Team) => diagnostic.help(format!(
                "among approvers, write `team {word}`; everywhere else name its persons"
            )),
            (Kind::Network, Kind::Schedule) => {
                diagnostic.help(format!("a schedule follows the sources: `during {word}`"))
            }
            (Kind::Network, Kind::Tag) => {
                diagnostic.help("devices are selected by tags in `where`, sources by networks")
            }
            (Kind::Person, Kind::Service) => {
                diagnostic.help("a service acts for its owner; name the person")
            }
            _ => diagnostic,
        }
    }
}

fn unknown(kind: Kind, name: &Name) -> Diagnostic {
    let message = format!("no {} `{}` is declared", kind.what(), name.value);
    Diagnostic::new(kind.unknown(), name.span, message)
}

/// How to declare `word`, or what there is in its place.
fn declare_it(kind: Kind, word: &str, known: &[&str]) -> String {
    const FEW: usize = 8;
    let keyword = kind.keyword();
    match known {
        [_, ..] if known.len() <= FEW => format!("declared are {}", list(known)),
        [] | [..] => format!("declare it with `{keyword} {word} …`"),
    }
}

/// Names for a message: `a`, `b` and `c`.
pub(super) fn list<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{}`", n.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
