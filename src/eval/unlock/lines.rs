//! The source lines of unlock rules, compiled and numbered.

use std::net::IpAddr;

use jiff::Timestamp;

use super::LineId;
use crate::ir::table::Id;
use crate::ir::unlock::{Source, SourceLine, UnlockRule};
use crate::ir::{NetworkId, PolicySet, ScheduleId, UnlockId};
use crate::space::networks::Networks;
use crate::space::prefixes::PrefixSet;
use crate::space::schedule::is_open;
use crate::vocabulary::Effect;

/// The lines of all rules, in the order of decision: rules by name, the denying
/// lines of each before the allowing ones, each in the order written.
#[derive(Debug)]
pub(crate) struct Lines {
    all: Vec<Line>,
    /// By rule where its lines begin, and where its allowing ones do; and at
    /// the end where another rule's would.
    begins: Vec<(usize, usize)>,
}

impl Lines {
    /// Compiles the lines of a set.
    pub(crate) fn compile(set: &PolicySet) -> Self {
        let (mut all, mut begins) = (Vec::new(), Vec::new());
        for (id, rule) in set.unlocks.iter() {
            let begin = all.len();
            let compiled = |effect| {
                let lines = written(rule, effect).iter().enumerate();
                lines.map(move |(at, line)| Line::compile((id, effect, at), line))
            };
            all.extend(compiled(Effect::Deny));
            begins.push((begin, all.len()));
            all.extend(compiled(Effect::Allow));
        }
        begins.push((all.len(), all.len()));
        Lines { all, begins }
    }

    /// Those of one effect of a rule.
    pub(crate) fn of(
        &self,
        rule: UnlockId,
        effect: Effect,
    ) -> impl ExactSizeIterator<Item = (LineId, &Line)> {
        let begins = |index: usize| self.begins.get(index).copied().unwrap_or_default();
        let ((deny, allow), (end, _)) = (begins(rule.index()), begins(rule.index() + 1));
        let range = match effect {
            Effect::Deny => deny..allow,
            Effect::Allow => allow..end,
        };
        let first = range.start;
        let lines = self.all.get(range).unwrap_or_default().iter().enumerate();
        lines.map(move |(at, line)| (LineId::from_index(first + at), line))
    }

    /// The line of that number.
    pub(crate) fn get(&self, id: LineId) -> Option<&Line> {
        self.all.get(id.index())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

/// One `allow from` or `deny from`.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its rule, what it does, and its place among the rule's lines that do.
    place: (UnlockId, Effect, usize),
    networks: Vec<NetworkId>,
    literals: PrefixSet,
    during: Vec<ScheduleId>,
}

impl Line {
    fn compile(place: (UnlockId, Effect, usize), line: &SourceLine) -> Self {
        let mut networks = Vec::new();
        let mut literals = Vec::new();
        for source in &line.sources {
            match source {
                Source::Network(id) => networks.push(*id),
                Source::Prefix(prefix) => literals.push(*prefix),
            }
        }
        Line {
            place,
            networks,
            literals: PrefixSet::from_prefixes(literals),
            during: line.during.clone(),
        }
    }

    /// The rule that it stands in.
    pub(crate) fn rule(&self) -> UnlockId {
        self.place.0
    }

    /// The line of `set`, of which this was compiled, that it was made from.
    pub(crate) fn written<'a>(&self, set: &'a PolicySet) -> Option<&'a SourceLine> {
        let (rule, effect, at) = self.place;
        written(&set.unlocks[rule], effect).get(at)
    }

    /// Whether one of its sources is `address`'s.
    pub(crate) fn covers(&self, networks: &Networks, address: IpAddr) -> bool {
        self.literals.contains(address)
            || (self.networks.iter()).any(|&id| networks.contains(id, address))
    }

    /// The addresses of its literals, and of those of its networks that are `wanted`.
    pub(crate) fn addresses(
        &self,
        networks: &Networks,
        mut wanted: impl FnMut(NetworkId) -> bool,
    ) -> PrefixSet {
        let named = self.networks.iter().filter(|&&id| wanted(id));
        let named = named.flat_map(|&id| networks.parts(id));
        PrefixSet::union(std::iter::once(&self.literals).chain(named))
    }

    /// In which schedules it is open, any of them; empty: always.
    pub(crate) fn during(&self) -> &[ScheduleId] {
        &self.during
    }

    /// Whether it has no schedule, or one of its schedules is open.
    pub(crate) fn is_open(&self, set: &PolicySet, at: Timestamp) -> bool {
        self.during.is_empty() || (self.during.iter()).any(|&id| is_open(&set.schedules[id], at))
    }
}

/// The lines of one effect of a rule, as written.
pub(crate) fn written(rule: &UnlockRule, effect: Effect) -> &[SourceLine] {
    match effect {
        Effect::Allow => &rule.allow,
        Effect::Deny => &rule.deny,
    }
}

/// The first source of a line, as written, that covers `address`.
pub(crate) fn covering(line: &SourceLine, networks: &Networks, address: IpAddr) -> Option<Source> {
    let mut sources = line.sources.iter().copied();
    sources.find(|source| match source {
        Source::Network(id) => networks.contains(*id, address),
        Source::Prefix(prefix) => crate::address::covers(*prefix, address),
    })
}
