//! What is declared: every name of every kind, and where.
//!
//! Filled before anything is resolved, so that order never matters. A block
//! that could not be parsed still counts as declaring its name: whoever uses
//! that name made no mistake.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::ir;
use crate::ir::table::Id;
use crate::source::Span;
use crate::syntax::tree::Name;

use super::codes::names as codes;
use super::report::Report;

/// The kinds of named declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Tag,
    Network,
    Schedule,
    Project,
    Profile,
    Person,
    Service,
    Team,
    Unlock,
    AllowOnce,
    Approval,
    Issuance,
    Invariant,
    Bypass,
}

impl Kind {
    pub(super) const ALL: [Kind; 14] = [
        Kind::Tag,
        Kind::Network,
        Kind::Schedule,
        Kind::Project,
        Kind::Profile,
        Kind::Person,
        Kind::Service,
        Kind::Team,
        Kind::Unlock,
        Kind::AllowOnce,
        Kind::Approval,
        Kind::Issuance,
        Kind::Invariant,
        Kind::Bypass,
    ];

    /// The word that a declaration of this kind begins with.
    pub(super) fn keyword(self) -> &'static str {
        match self {
            Kind::Tag => "tag",
            Kind::Network => "network",
            Kind::Schedule => "schedule",
            Kind::Project => "project",
            Kind::Profile => "profile",
            Kind::Person => "person",
            Kind::Service => "service",
            Kind::Team => "team",
            Kind::Unlock => "unlock",
            Kind::AllowOnce => "allow-once",
            Kind::Approval => "approval",
            Kind::Issuance => "issuance",
            Kind::Invariant => "invariant",
            Kind::Bypass => "bypass",
        }
    }

    /// What messages call such a thing.
    pub(super) fn what(self) -> &'static str {
        match self {
            Kind::Tag
            | Kind::Network
            | Kind::Schedule
            | Kind::Project
            | Kind::Profile
            | Kind::Person
            | Kind::Service
            | Kind::Team
            | Kind::Invariant
            | Kind::Bypass => self.keyword(),
            Kind::Unlock => "unlock rule",
            Kind::AllowOnce => "allow-once rule",
            Kind::Approval => "approval group",
            Kind::Issuance => "issuance policy",
        }
    }

    /// The same with its article.
    pub(super) fn a_what(self) -> String {
        let what = self.what();
        let article = if what.starts_with(['a', 'i', 'u']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {what}")
    }

    /// Whether it names somebody.
    pub(super) fn is_people(self) -> bool {
        matches!(self, Kind::Person | Kind::Service | Kind::Team)
    }

    /// What an unknown one is reported as.
    pub(super) fn unknown(self) -> &'static Code {
        match self {
            Kind::Tag => &codes::UNKNOWN_TAG,
            Kind::Network => &codes::UNKNOWN_NETWORK,
            Kind::Schedule => &codes::UNKNOWN_SCHEDULE,
            Kind::Project => &codes::UNKNOWN_PROJECT,
            Kind::Profile => &codes::UNKNOWN_PROFILE,
            Kind::Person | Kind::Service => &codes::UNKNOWN_PERSON,
            Kind::Team => &codes::UNKNOWN_TEAM,
            Kind::Unlock
            | Kind::AllowOnce
            | Kind::Approval
            | Kind::Issuance
            | Kind::Invariant
            | Kind::Bypass => &codes::UNKNOWN_RULE,
        }
    }

    /// The kinds that must not share a name with this one, itself first.
    fn namespace(self) -> &'static [Kind] {
        match self {
            Kind::Person => &[Kind::Person, Kind::Service],
            Kind::Service => &[Kind::Service, Kind::Person],
            Kind::Tag => &[Kind::Tag],
            Kind::Network => &[Kind::Network],
            Kind::Schedule => &[Kind::Schedule],
            Kind::Project => &[Kind::Project],
            Kind::Profile => &[Kind::Profile],
            Kind::Team => &[Kind::Team],
            Kind::Unlock => &[Kind::Unlock],
            Kind::AllowOnce => &[Kind::AllowOnce],
            Kind::Approval => &[Kind::Approval],
            Kind::Issuance => &[Kind::Issuance],
            Kind::Invariant => &[Kind::Invariant],
            Kind::Bypass => &[Kind::Bypass],
        }
    }
}

/// An id type whose declarations can be referred to by name.
pub(super) trait Named: Id {
    const KIND: Kind;
}

macro_rules! named {
    ($($id:ident => $kind:ident),+ $(,)?) => { $(
        impl Named for ir::$id { const KIND: Kind = Kind::$kind; }
    )+ };
}
named! {
    TagId => Tag, NetworkId => Network, ScheduleId => Schedule, ProjectId => Project,
    ProfileId => Profile, PersonId => Person, ServiceId => Service, TeamId => Team,
    UnlockId => Unlock, AllowOnceId => AllowOnce, ApprovalId => Approval,
    IssuanceId => Issuance, BypassId => Bypass, InvariantId => Invariant,
}

#[derive(Debug)]
struct Entry {
    /// Where the first declaration of the name writes it.
    span: Span,
    /// Which by name it is, among those of its kind.
    index: usize,
}

/// Every declared name.
#[derive(Debug, Default)]
pub(super) struct Names {
    declared: BTreeMap<Kind, HashMap<String, Entry>>,
    broken: BTreeMap<Kind, HashSet<String>>,
}

impl Names {
    /// Notes one declaration; says when the name is taken.
    pub(super) fn declare(&mut self, kind: Kind, name: &Name, report: &mut Report) {
        for &other in kind.namespace() {
            if let Some(earlier) = self.declared.get(&other).and_then(|e| e.get(&name.value)) {
                report.push(duplicate(kind, other, name, earlier.span));
                return;
            }
        }
        let entry = Entry {
            span: name.span,
            index: 0,
        };
        let entries = self.declared.entry(kind).or_default();
        entries.insert(name.value.clone(), entry);
    }

    /// Notes that a block which could not be parsed seems to declare `name`.
    pub(super) fn declare_broken(&mut self, kind: Kind, name: &str) {
        let names = self.broken.entry(kind).or_default();
        names.insert(name.to_owned());
    }

    /// Numbers the names of each kind in order, as their tables will.
    pub(super) fn number(&mut self) {
        for entries in self.declared.values_mut() {
            let mut sorted: Vec<(&String, &mut Entry)> = entries.iter_mut().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            for (index, (_, entry)) in sorted.into_iter().enumerate() {
                entry.index = index;
            }
        }
    }

    /// How many names of `kind` are declared.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.declared.get(&kind).map_or(0, HashMap::len)
    }

    /// The declaration of `name`.
    pub(super) fn find<I: Named>(&self, name: &str) -> Option<I> {
        let entry = self.declared.get(&I::KIND)?.get(name)?;
        Some(I::from_index(entry.index))
    }

    /// Where `name` is declared.
    pub(super) fn place(&self, kind: Kind, name: &str) -> Option<Span> {
        Some(self.declared.get(&kind)?.get(name)?.span)
    }

    /// Whether `name` is declared in a block that could not be parsed.
    pub(super) fn is_broken(&self, kind: Kind, name: &str) -> bool {
        let broken = self.broken.get(&kind);
        broken.is_some_and(|names| names.contains(name))
    }

    /// The names of `kind`, in order.
    pub(super) fn of(&self, kind: Kind) -> Vec<&str> {
        let entries = self.declared.get(&kind).into_iter().flat_map(HashMap::keys);
        let mut names: Vec<&str> = entries.map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The other kinds that declare `name`.
    pub(super) fn kinds_of(&self, name: &str) -> impl Iterator<Item = Kind> {
        Kind::ALL
            .into_iter()
            .filter(move |&kind| self.place(kind, name).is_some())
    }
}

fn duplicate(kind: Kind, other: Kind, name: &Name, earlier: Span) -> Diagnostic {
    let word = &name.value;
    let message = if kind == other {
        format!("the {} `{word}` is declared twice", kind.what())
    } else {
        format!("`{word}` is already the name of {}", other.a_what())
    };
    let diagnostic = Diagnostic::new(&codes::DUPLICATE_NAME, name.span, message)
        .also(earlier, "first declared here");
    if kind == other {
        diagnostic.help("rename or remove one of the two")
    } else {
        diagnostic.help("persons and services share their names: rename one of the two")
    }
}
