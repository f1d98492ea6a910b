//! What makes an issuance decision as quick among ten thousand policies and a
//! thousand patterns as among few: only what may match is looked at.
//!
//! Nothing is decided here. [`Buckets`] leave out what cannot match, and what
//! they give is matched all the same; [`Names`] find the pattern that looking
//! through all of them in order would have found.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::eval::subject::Subject;
use crate::ir::people::Coverage;
use crate::ir::selector::{Actor, Atom, Selector};
use crate::ir::{
    ApprovalId, BypassId, IssuanceId, PolicySet, ProfileId, ProjectId, TagId, issuance::SanRule,
};
use crate::san::dns::{DnsSet, Reach};
use crate::san::{San, SanPattern, inside, meets};

/// What a selector needs at least, for a subject to match it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Project(ProjectId),
    Profile(ProfileId),
    Requester(Actor),
    Tag(TagId, String),
}

/// The keys of which a subject has one wherever it matches; none where it may
/// match without any.
fn keys(selector: &Selector) -> Option<Vec<Key>> {
    match selector {
        Selector::Any | Selector::Not(_) => None,
        Selector::And(all) => all.iter().filter_map(keys).min_by_key(Vec::len),
        Selector::Or(any) => {
            let keys: Option<Vec<Vec<Key>>> = any.iter().map(keys).collect();
            keys.map(|keys| keys.concat())
        }
        Selector::Atom(atom) => match atom {
            Atom::Project(ids) => Some(ids.iter().copied().map(Key::Project).collect()),
            Atom::Profile(ids) => Some(ids.iter().copied().map(Key::Profile).collect()),
            Atom::Requester(actors) => Some(actors.iter().copied().map(Key::Requester).collect()),
            Atom::Tag(id, values) => {
                let values = values.iter().cloned();
                Some(values.map(|value| Key::Tag(*id, value)).collect())
            }
            Atom::HasTag(_)
            | Atom::HasProject
            | Atom::HasProfile
            | Atom::Action(_)
            | Atom::HasAction
            | Atom::HasRequester => None,
        },
    }
}

/// Declarations by what they need.
#[derive(Debug)]
struct Buckets<I> {
    /// Those that may match anything.
    general: Vec<I>,
    projects: HashMap<ProjectId, Vec<I>>,
    profiles: HashMap<ProfileId, Vec<I>>,
    requesters: HashMap<Actor, Vec<I>>,
    tags: HashMap<TagId, HashMap<String, Vec<I>>>,
}

impl<I: Copy + Ord> Buckets<I> {
    fn of<'a>(selectors: impl Iterator<Item = (I, &'a Selector)>) -> Self {
        let mut buckets = Buckets {
            general: Vec::new(),
            projects: HashMap::new(),
            profiles: HashMap::new(),
            requesters: HashMap::new(),
            tags: HashMap::new(),
        };
        for (id, selector) in selectors {
            let Some(keys) = keys(selector) else {
                buckets.general.push(id);
                continue;
            };
            for key in keys {
                buckets.bucket(key).push(id);
            }
        }
        buckets
    }

    fn bucket(&mut self, key: Key) -> &mut Vec<I> {
        match key {
            Key::Project(id) => self.projects.entry(id).or_default(),
            Key::Profile(id) => self.profiles.entry(id).or_default(),
            Key::Requester(actor) => self.requesters.entry(actor).or_default(),
            Key::Tag(id, value) => self.tags.entry(id).or_default().entry(value).or_default(),
        }
    }

    /// What may match the subject, sorted, each once.
    fn candidates(&self, subject: &Subject<'_>) -> Vec<I> {
        let mut found = self.general.clone();
        let mut add = |bucket: Option<&Vec<I>>| found.extend(bucket.into_iter().flatten());
        add(of(&self.projects, subject.project));
        add(of(&self.profiles, subject.profile));
        add(of(&self.requesters, subject.requester));
        for (id, value) in subject.tags() {
            add(self.tags.get(&id).and_then(|values| values.get(value)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn of<K: Eq + Hash, V>(map: &HashMap<K, V>, key: Option<K>) -> Option<&V> {
    map.get(&key?)
}

/// Where the sets with one base stand among the patterns, the first of each.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    exact: Option<usize>,
    one: Option<usize>,
    many: Option<usize>,
    /// The first name that has the base and one label more.
    child: Option<usize>,
}

fn earlier(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    a.into_iter().chain(b).min()
}

/// Hashes names. The keys are a policy's, so that nobody who asks can choose
/// ones that collide, and the hash need not resist that.
#[derive(Clone, Copy, Debug, Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        // An odd number with its bits spread evenly: 2^64 by the golden ratio.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let (words, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        for word in words.iter().chain([&last]) {
            let mixed = (self.0.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(SPREAD);
            self.0 = mixed ^ (mixed >> 32);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// One list of patterns, to be asked for the first that a name lies in or meets.
#[derive(Debug, Default)]
struct Patterns {
    dns: HashMap<String, Place, BuildHasherDefault<Quick>>,
    /// Those of other types.
    others: Vec<usize>,
}

impl Patterns {
    fn of(patterns: &[SanPattern]) -> Self {
        let mut index = Patterns::default();
        for (at, pattern) in patterns.iter().enumerate() {
            let SanPattern::Dns(set) = pattern else {
                index.others.push(at);
                continue;
            };
            let place = index.dns.entry(set.base.clone()).or_default();
            let first = match set.reach {
                Reach::Exact => &mut place.exact,
                Reach::One => &mut place.one,
                Reach::Many => &mut place.many,
            };
            first.get_or_insert(at);
            if let (Reach::Exact, Some((_, up))) = (set.reach, set.base.split_once('.')) {
                let parent = index.dns.entry(up.to_owned()).or_default();
                parent.child.get_or_insert(at);
            }
        }
        index
    }

    /// Every base that `name` lies below, the nearest first.
    fn bases(name: &str) -> impl Iterator<Item = &str> {
        let bytes = name.bytes().enumerate();
        let dots = bytes.filter(|(_, byte)| *byte == b'.');
        dots.filter_map(|(at, _)| name.get(at + 1..))
    }

    fn place(&self, base: &str) -> Place {
        self.dns.get(base).copied().unwrap_or_default()
    }

    /// The first `**.` below which names with the base `base` lie.
    fn above(&self, base: &str) -> Option<usize> {
        let many = Self::bases(base).filter_map(|up| self.place(up).many);
        many.min()
    }

    /// The first pattern that has the one name `name`.
    fn has(&self, name: &str) -> Option<usize> {
        if self.dns.is_empty() {
            return None;
        }
        let mut found = self.place(name).exact;
        for (far, up) in Self::bases(name).enumerate() {
            let place = self.place(up);
            found = earlier(found, place.many);
            if far == 0 {
                found = earlier(found, place.one);
            }
        }
        found
    }

    /// The first pattern that has every name of `set`, or, where they need but
    /// `meet`, some name.
    fn dns(&self, set: &DnsSet, meet: bool) -> Option<usize> {
        match set.reach {
            Reach::Exact => self.has(&set.base),
            Reach::One | Reach::Many => {
                let place = self.place(&set.base);
                let below = earlier(place.one, place.many);
                let child = place.child.filter(|_| meet);
                earlier(earlier(below, child), self.above(&set.base))
            }
        }
    }

    fn other<'a>(
        &self,
        patterns: &'a [SanPattern],
        holds: impl Fn(&SanPattern) -> bool,
    ) -> Option<(usize, &'a SanPattern)> {
        let others = self.others.iter();
        let mut others = others.filter_map(|&at| Some((at, patterns.get(at)?)));
        others.find(|(_, pattern)| holds(pattern))
    }

    /// The first pattern that a name meets.
    fn met<'a>(&self, name: &San, patterns: &'a [SanPattern]) -> Option<&'a SanPattern> {
        let dns = match name {
            San::Dns(set) => self.dns(set, true),
            San::Email { host, .. } => self.has(host),
            San::Uri(uri) => uri.host_name().and_then(|host| self.has(host)),
            San::Ip(_) => None,
        };
        let dns = dns.and_then(|at| Some((at, patterns.get(at)?)));
        let other = self.other(patterns, |pattern| meets(name, pattern));
        let first = dns.into_iter().chain(other).min_by_key(|(at, _)| *at);
        first.map(|(_, pattern)| pattern)
    }

    /// Whether a name lies in one of the patterns.
    fn contain(&self, name: &San, patterns: &[SanPattern]) -> bool {
        let dns = match name {
            San::Dns(set) => self.dns(set, false).is_some(),
            San::Ip(_) | San::Email { .. } | San::Uri(_) => false,
        };
        dns || self
            .other(patterns, |pattern| inside(name, pattern))
            .is_some()
    }
}

/// One `san` line, to be asked about many names.
#[derive(Debug)]
pub(super) struct Names {
    allow: Patterns,
    deny: Patterns,
}

impl Names {
    fn of(rule: &SanRule) -> Self {
        Names {
            allow: Patterns::of(rule.allow.as_deref().unwrap_or_default()),
            deny: Patterns::of(&rule.deny),
        }
    }

    /// The first set of `rule`, which this was made of, that it denies a name by.
    pub(super) fn denies<'a>(&self, rule: &'a SanRule, name: &San) -> Option<&'a SanPattern> {
        self.deny.met(name, &rule.deny)
    }

    /// Whether `rule`, which this was made of, has a set that a name lies in.
    pub(super) fn allows(&self, rule: &SanRule, name: &San) -> bool {
        let allow = rule.allow.as_deref().unwrap_or_default();
        self.allow.contain(name, allow)
    }
}

/// The issuance side of a program.
#[derive(Debug)]
pub(crate) struct Index {
    policies: Buckets<IssuanceId>,
    groups: Buckets<ApprovalId>,
    bypasses: Buckets<BypassId>,
    /// By policy and by its `san` line.
    names: Vec<Vec<Names>>,
}

fn covered<I>((id, coverage): (I, &Coverage)) -> Option<(I, &Selector)> {
    match coverage {
        Coverage::Issuance(_, selector) => Some((id, selector)),
        Coverage::Unlock(_) => None,
    }
}

impl Index {
    /// Indexes a policy set.
    pub(crate) fn compile(set: &PolicySet) -> Self {
        let policies = set.issuances.iter();
        let groups = set.approvals.iter();
        let bypasses = set.bypasses.iter();
        let groups = groups.map(|(id, group)| (id, &group.covers));
        let bypasses = bypasses.map(|(id, bypass)| (id, &bypass.covers));
        let names = set.issuances.iter();
        Index {
            policies: Buckets::of(policies.map(|(id, policy)| (id, &policy.selector))),
            groups: Buckets::of(groups.filter_map(covered)),
            bypasses: Buckets::of(bypasses.filter_map(covered)),
            names: names
                .map(|(_, policy)| policy.san.iter().map(Names::of).collect())
                .collect(),
        }
    }

    pub(super) fn policies(&self, subject: &Subject<'_>) -> Vec<IssuanceId> {
        self.policies.candidates(subject)
    }

    pub(super) fn groups(&self, subject: &Subject<'_>) -> Vec<ApprovalId> {
        self.groups.candidates(subject)
    }

    pub(super) fn bypasses(&self, subject: &Subject<'_>) -> Vec<BypassId> {
        self.bypasses.candidates(subject)
    }

    /// A policy's `san` lines, in their order.
    pub(super) fn names(&self, id: IssuanceId) -> &[Names] {
        use crate::ir::table::Id;
        self.names.get(id.index()).map_or(&[], Vec::as_slice)
    }
}
